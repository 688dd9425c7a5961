"""A true frame's head is found again by its face, and by nothing else of it."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import cv2
import numpy as np
import pytest

from gsmooth_core.types import Bool, FaceTrack, Image
from tests.portrait import scene as drawn
from tests.training.head.test_scene import SHIFT, TURN, moved, track
from training.head.align import aligned
from training.head.measure import measured
from training.head.scene import Scene

__all__ = ["moved", "track"]  # fixtures

OFF = np.deg2rad([1.2, -0.8, 0.6]), np.array([0.02, -0.015, 0.08])


@pytest.fixture(scope="module")
def frame(moved: Scene) -> tuple[Image, Bool]:
    """The true frame, and where its face is."""
    truth = moved.made(TURN.astype(np.float32), SHIFT.astype(np.float32))["sheet"]
    return truth, moved.regions(drawn.photo(), 2)["face"]


def test_a_pose_that_is_off_is_found_again(moved: Scene, frame: tuple[Image, Bool]) -> None:
    turn, shift = aligned(moved.quick, *frame, TURN + OFF[0], SHIFT + OFF[1])
    assert np.abs(np.rad2deg(turn - TURN)).max() < 0.35
    assert np.abs(shift - SHIFT)[:2].max() < 0.01
    assert abs(shift - SHIFT)[2] < 0.04


def test_only_the_face_is_looked_at(moved: Scene, frame: tuple[Image, Bool]) -> None:
    truth, face = frame
    other = np.where(face[..., None], truth, 255 - truth)
    start = TURN + OFF[0], SHIFT + OFF[1]
    for a, b in zip(
        aligned(moved.quick, truth, face, *start),
        aligned(moved.quick, other, face, *start),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


def test_a_measure_that_aligns_takes_out_what_the_track_is_off(
    moved: Scene, frame: tuple[Image, Bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    off, truth = copy(moved), moved.made(TURN, SHIFT)["layer"]
    monkeypatch.setattr(off, "pose", lambda _: (TURN + OFF[0], SHIFT + OFF[1]), raising=False)
    monkeypatch.setattr(off, "cut", lambda p: truth if p is truth else moved.cut(p), raising=False)
    monkeypatch.setattr(off, "regions", lambda *_: {"face": frame[1]}, raising=False)
    tracked, right = (next(measured("clip", off, [(2, truth)], align=a)) for a in (False, True))
    assert tracked.kind == right.kind == "layer"
    assert right.psnr["face"] > tracked.psnr["face"] + 3


def test_a_refined_track_is_three_kinds_more_beside_the_tracked_one(
    moved: Scene,
    frame: tuple[Image, Bool],
    track: FaceTrack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    off, truth = copy(moved), moved.made(TURN, SHIFT)["layer"]
    monkeypatch.setattr(off, "regions", lambda *_: {"face": frame[1]}, raising=False)
    monkeypatch.setattr(off, "pose", lambda _: (TURN + OFF[0], SHIFT + OFF[1]), raising=False)
    monkeypatch.setattr(off, "cut", lambda p: truth if p is truth else moved.cut(p), raising=False)
    rows = {row.kind: row for row in measured("clip", off, [(2, truth)], refined=track)}
    assert list(rows)[:4] == ["brushed", "swayed", "refined", "layer"]
    assert rows["refined"].psnr["face"] > 50 > rows["layer"].psnr["face"]
    assert rows["swayed"].psnr["face"] == rows["refined"].psnr["face"]  # nobody knows of shoulders
    assert rows["brushed"].psnr["face"] == rows["refined"].psnr["face"]  # nor of hair
    assert np.isfinite([rows[kind].identity for kind in ("refined", "swayed", "brushed")]).all()


def test_shoulders_that_sway_as_they_are_known_to_are_where_they_were(
    moved: Scene, track: FaceTrack, monkeypatch: pytest.MonkeyPatch
) -> None:
    sway = np.zeros((len(track), 4), np.float32)
    sway[2] = 0.1, 0.05, 0, 0.02
    known, truth = copy(moved), moved.made(TURN, SHIFT, sway[2])["layer"]
    below = np.zeros(truth.shape[:2], bool)
    below[-40:] = True
    monkeypatch.setattr(known, "regions", lambda *_: {"neck": below}, raising=False)
    monkeypatch.setattr(
        known, "cut", lambda p: truth if p is truth else moved.cut(p), raising=False
    )
    given = replace(track, sway=sway)
    rows = {row.kind: row for row in measured("clip", known, [(2, truth)], refined=given)}
    assert rows["swayed"].psnr["neck"] > 45 > rows["refined"].psnr["neck"] + 5


def test_hair_that_moves_as_it_is_known_to_is_where_it_was(
    moved: Scene, track: FaceTrack, monkeypatch: pytest.MonkeyPatch
) -> None:
    hair = np.zeros((len(track), 4), np.float32)
    hair[2] = 0.02, 0.02, 0.0, 0.01
    known, truth = copy(moved), moved.made(TURN, SHIFT, None, hair[2])["layer"]
    head = moved.regions(drawn.photo(), 2)["face"]
    rim = head ^ (cv2.erode(head.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
    monkeypatch.setattr(known, "regions", lambda *_: {"hair": rim}, raising=False)
    monkeypatch.setattr(
        known, "cut", lambda p: truth if p is truth else moved.cut(p), raising=False
    )
    given = replace(track, hair=hair)
    rows = {row.kind: row for row in measured("clip", known, [(2, truth)], refined=given)}
    assert rows["brushed"].psnr["hair"] > 45 > rows["swayed"].psnr["hair"] + 5
