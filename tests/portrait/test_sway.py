"""Necks and shoulders that sway, against a plane that is moved in space and projected."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from gsmooth_core.face.camera import project
from gsmooth_core.motion.head import CARRIED, turn_matrices
from gsmooth_core.portrait.sway import SwayPictures, sway_between
from gsmooth_core.types import FaceTrack, Float, Image
from tests.portrait import scene

WIDTH, HEIGHT, COUNT = 300, 400, 24
TIMES = np.arange(COUNT) / 25
SHIFT = np.stack([np.sin(TIMES * 5), np.sin(TIMES * 4 + 1), np.sin(TIMES * 6 + 2)], axis=1)


def tracked(shift: Float) -> FaceTrack:
    """A head that is shifted by (T, 3) decimetres."""
    one, count = scene.still(), len(shift)
    marks = one.landmarks[0] + (np.array([WIDTH, HEIGHT]) - (one.width, one.height)) / 2
    repeated = {
        name: np.repeat(getattr(one, name), count, axis=0)
        for name in ("expression", "rotation", "light", "confidence")
    }
    return replace(
        one,
        **repeated,
        width=WIDTH,
        height=HEIGHT,
        translation=(one.translation + shift).astype(np.float32),
        landmarks=np.repeat(marks[None], count, axis=0).astype(np.float32),
    )


def trunk() -> tuple[Image, Image]:
    """(H, W) levels, and where they are the person's: below the chin, between two edges."""
    random = np.random.default_rng(4)
    cloth = cv2.GaussianBlur(random.uniform(0, 255, (HEIGHT, WIDTH)), (0, 0), 4)
    levels = np.clip((cloth - 127) * 5 + 127, 0, 255).astype(np.uint8)
    person = np.zeros((HEIGHT, WIDTH), np.uint8)
    person[180:, 70:230] = 1
    return levels, person


def swaying(sway: Float, track: FaceTrack) -> list[Image]:
    """Frames of the trunk as a plane at the head's distance, before stripes that rest."""
    levels, person = trunk()
    stripes = np.where(np.arange(WIDTH) // 7 % 2, 40, 220).astype(np.uint8)
    behind = np.tile(stripes, (HEIGHT, 1))
    away, focal = -float(track.translation[0, 2]), track.focal
    low = float(track.landmarks[0, :468, 1].max())
    pivot = np.array([0.0, -(low - HEIGHT / 2) * away / focal - 0.9, -away])
    pivot[0] = (track.landmarks[0, :468, 0].mean() - WIDTH / 2) * away / focal
    corners = pivot + np.array([[-1, -1, 0], [1, -1, 0], [0, 1, 0]])
    at_rest = project(corners, focal, WIDTH, HEIGHT)[:, :2].astype(np.float32)
    frames = []
    for row in sway:
        turn = turn_matrices(np.array([[0, 0, row[3]]], np.float32))[0]
        moved = (corners - pivot) @ turn.T + pivot + row[:3]
        seen = project(moved, focal, WIDTH, HEIGHT)[:, :2].astype(np.float32)
        way = cv2.getAffineTransform(at_rest - 0.5, seen - 0.5)
        picture, mask = (cv2.warpAffine(p, way, (WIDTH, HEIGHT)) for p in (levels, person))
        frames.append(np.repeat(np.where(mask > 0, picture, behind)[..., None], 3, axis=2))
    return frames


@pytest.fixture(autouse=True)
def known_matte(monkeypatch: pytest.MonkeyPatch) -> None:
    """The person of the frame of the middle pose, which is at rest in all clips here."""
    matte = trunk()[1].astype(np.float32)
    monkeypatch.setattr("gsmooth_core.portrait.sway.find_matte", lambda _frame: matte)


def found(track: FaceTrack, frames: list[Image]) -> Float:
    below = SwayPictures(track)
    assert len(list(below.watching(iter(frames)))) == len(frames)
    return below.sway(track)


def true_sway(amount: tuple[float, float, float, float]) -> Float:
    """(COUNT, 4) that begins at rest: there is the first frame of one pose, which is compared."""
    waves = np.concatenate([SHIFT, SHIFT[:, 1:2]], axis=1) - np.append(SHIFT[0], SHIFT[0, 1])
    return waves * amount


def test_shoulders_that_sway_beside_a_still_head_are_followed() -> None:
    track, true = tracked(np.zeros((COUNT, 3))), true_sway((0.08, 0.05, 0.15, 0.03))
    sway = found(track, swaying(true, track))
    np.testing.assert_allclose(sway[:, :2], true[:, :2], atol=0.012)
    np.testing.assert_allclose(sway[:, 2], true[:, 2], atol=0.06)
    np.testing.assert_allclose(sway[:, 3], true[:, 3], atol=np.deg2rad(0.4))


def test_shoulders_that_stand_still_stay_while_the_head_is_shifted() -> None:
    shift = np.cumsum(np.full((COUNT, 3), 0.005), axis=0) * (1, -1, 0)
    shift -= shift[COUNT // 2]
    track = tracked(shift)
    sway = found(track, swaying(np.zeros((COUNT, 4)), track))
    assert np.abs(CARRIED * shift).max() > 0.03
    assert np.abs(sway[:, :3]).max() < 0.006
    between = sway_between(replace(track, sway=sway), 2, 7)
    assert between is not None
    np.testing.assert_allclose(between, sway[7] - sway[2])
    assert sway_between(track, 2, 7) is None


def test_light_that_comes_and_goes_moves_nothing() -> None:
    track, true = tracked(np.zeros((COUNT, 3))), true_sway((0.05, 0.05, 0, 0))
    frames = swaying(true, track)
    lit = [
        np.rint(frame * (0.7 + 0.3 * np.cos(t * 9))).astype(np.uint8)
        for t, frame in zip(TIMES, frames, strict=True)
    ]
    plain, other = found(track, frames), found(track, lit)
    assert np.abs(plain - other)[:, :2].max() < 0.006


@pytest.mark.parametrize("level", [0, 90, 255])
def test_where_nothing_tells_shoulders_go_as_they_usually_do(level: int) -> None:
    shift = 0.1 * (SHIFT - SHIFT[0])
    track = tracked(shift)
    frames = [np.full((HEIGHT, WIDTH, 3), level, np.uint8)] * COUNT
    sway = found(track, frames)
    np.testing.assert_allclose(sway[:, :3], CARRIED * shift, atol=2e-3)
    np.testing.assert_allclose(sway[:, 3], 0, atol=1e-3)


def test_a_chin_at_the_pictures_edge_shows_no_shoulders() -> None:
    shift = 0.1 * (SHIFT - SHIFT[0])
    whole = tracked(shift)
    low = whole.landmarks + np.float32([0, HEIGHT - whole.landmarks[0, :, 1].max() - 4])
    track = replace(whole, landmarks=low)
    frames = swaying(true_sway((0.1, 0.1, 0, 0)), track)
    sway = found(track, frames)
    np.testing.assert_allclose(sway[:, :3], CARRIED * shift, atol=1e-6)


def test_each_shot_has_a_rest_of_its_own_and_lost_frames_are_not_looked_at() -> None:
    half = COUNT // 2
    shots = (np.arange(COUNT) >= half).astype(np.int32)
    usable = np.arange(COUNT) % 7 != 3
    track = replace(tracked(np.zeros((COUNT, 3))), shot=shots, confidence=usable.astype(np.float32))
    one = true_sway((0.08, 0.05, 0, 0))[:half]
    frames = swaying(np.concatenate([one, one]), track)
    for n in np.flatnonzero(~usable):
        frames[n] = np.zeros_like(frames[n])
    sway = found(track, frames)
    for part in (slice(0, half), slice(half, COUNT)):
        kept = usable[part]
        np.testing.assert_allclose(sway[part][kept, :2], one[kept, :2], atol=0.012)
    assert not sway[~usable].any()  # as the head, which stands still


def test_a_clip_without_a_face_has_no_sway() -> None:
    track = replace(tracked(np.zeros((COUNT, 3))), confidence=np.zeros(COUNT, np.float32))
    assert not found(track, [np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * COUNT).any()


def test_what_passes_before_shoulders_does_not_take_them_along() -> None:
    track, true = tracked(np.zeros((COUNT, 3))), true_sway((0.08, 0.05, 0, 0))
    frames = swaying(true, track)
    for n in range(8, 16):
        left = 70 + 12 * (n - 8)
        frames[n][250:330, left : left + 35] = 230
    sway = found(track, frames)
    np.testing.assert_allclose(sway[:, :2], true[:, :2], atol=0.025)


def test_shoulders_tremble_less_than_they_are_seen_to(monkeypatch: pytest.MonkeyPatch) -> None:
    track, true = tracked(np.zeros((COUNT, 3))), true_sway((0.08, 0.05, 0, 0.03))
    random = np.random.default_rng(9)
    frames = [
        np.clip(frame + random.normal(0, 60, frame.shape), 0, 255).astype(np.uint8)
        for frame in swaying(true, track)
    ]
    calm = found(track, frames)
    monkeypatch.setattr("gsmooth_core.portrait.sway._CALM", np.full(4, 1e3))
    shaken = found(track, frames)
    trembling = [np.abs(np.diff(each - true, 2, axis=0)).mean() for each in (calm, shaken)]
    assert trembling[0] < 0.8 * trembling[1]
    assert np.abs(calm - true)[:, :2].mean() < 0.01
