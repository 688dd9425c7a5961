"""Hair that moves beside a head, against a picture of it that OpenCV moves behind a drawn face."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from gsmooth_core.motion.head import HeadMotion
from gsmooth_core.motion.reference import joints
from gsmooth_core.portrait.animate import animated_track
from gsmooth_core.portrait.hair import HairPictures, hair_between
from gsmooth_core.portrait.layers import layers_of
from gsmooth_core.portrait.sheet import sheet_of
from gsmooth_core.portrait.warp import warped
from gsmooth_core.types import Bool, FaceTrack, Float, Image
from tests.portrait import scene
from tests.taft import scene as drawn

COUNT = 12
TIMES = np.arange(COUNT) / 25
TRUE = np.stack([0.03 * np.sin(8 * TIMES), 0.02 * np.sin(6 * TIMES), 0.03 * np.sin(5 * TIMES),
                 0.04 * np.sin(7 * TIMES)], axis=1)  # fmt: skip


def tracked() -> FaceTrack:
    """A head that stands still."""
    one = scene.still()
    names = ("expression", "rotation", "translation", "light", "confidence", "landmarks")
    return replace(one, **{name: np.repeat(getattr(one, name), COUNT, 0) for name in names})


def face() -> Bool:
    return sheet_of(scene.still(), scene.face_model()).face


def cap() -> tuple[Image, Image]:
    """(H, W, 3) locks of hair, and (H, W) where they stand out around the upper head."""
    noise = np.random.default_rng(2).uniform(0, 255, (scene.HEIGHT, scene.WIDTH))
    locks = np.clip((cv2.GaussianBlur(noise, (0, 0), 2.5) - 127) * 4 + 90, 0, 255).astype(np.uint8)
    rows, columns = np.nonzero(face())
    middle = int(columns.mean()), int(rows.min() + 0.45 * np.ptp(rows))
    axes = int(0.62 * np.ptp(columns)), int(0.62 * np.ptp(rows))
    where = np.zeros((scene.HEIGHT, scene.WIDTH), np.uint8)
    cv2.ellipse(where, middle, axes, 0, 0, 360, 1, -1)
    return np.repeat(locks[..., None], 3, axis=2), where


def moved(hair: Float) -> Image:
    """The face as it is before its hair, which is moved by (4,), before stripes."""
    track = scene.still()
    x, y, z = joints(track, np.zeros(1, np.int32))[0]
    unit = track.focal / -z
    joint = np.array([track.width / 2 + unit * x, track.height / 2 - unit * y]) - 0.5
    size, cos, sin = np.exp(hair[2]), np.cos(hair[3]), np.sin(hair[3])
    turn = size * np.array([[cos, -sin], [sin, cos]])
    way = np.column_stack([turn, joint - turn @ joint + unit * hair[:2]])
    locks, where = (cv2.warpAffine(part, way, (track.width, track.height)) for part in cap())
    stripes = np.where(np.arange(track.width) // 12 % 2, 60, 190).astype(np.uint8)
    behind = np.repeat(np.tile(stripes, (track.height, 1))[..., None], 3, axis=2)
    picture = np.where(where[..., None] > 0, locks, behind)
    skin = cv2.erode(face().astype(np.uint8), np.ones((15, 15), np.uint8))  # hair hangs over it
    return np.where(skin[..., None] > 0, scene.photo(), picture)


@pytest.fixture(autouse=True)
def known_matte(monkeypatch: pytest.MonkeyPatch) -> None:
    """The person of the first frame: all frames have one pose, and the first is compared."""
    matte = np.maximum(cap()[1], face()).astype(np.float32)
    monkeypatch.setattr("gsmooth_core.portrait.hair.find_matte", lambda _frame: matte)


def found(frames: list[Image]) -> Float:
    track = tracked()
    pictures = HairPictures(track, scene.face_model())
    assert len(list(pictures.watching(iter(frames)))) == len(frames)
    return pictures.hair(track)


def test_hair_that_moves_around_a_still_head_is_followed() -> None:
    hair = found([moved(row) for row in TRUE])
    np.testing.assert_allclose(hair[:, :2], TRUE[:, :2], atol=0.008)
    np.testing.assert_allclose(hair[:, 2:], TRUE[:, 2:], atol=0.006)
    between = hair_between(replace(tracked(), hair=hair), 2, 5)
    assert between is not None
    np.testing.assert_allclose(between, hair[5] - hair[2])
    assert hair_between(tracked(), 2, 5) is None


def test_light_that_comes_and_goes_moves_no_hair() -> None:
    frames = [moved(row) for row in TRUE]
    lit = [np.rint(f * (0.75 + 0.25 * np.cos(9 * t))).astype(np.uint8)
           for f, t in zip(frames, TIMES, strict=True)]  # fmt: skip
    assert np.abs(found(lit) - found(frames)).max() < 0.006


def test_what_a_head_does_is_not_the_hairs_own_movement() -> None:
    """Frames of a photo whose head is turned and shifted before stripes that rest."""
    photo, still = moved(np.zeros(4)), scene.still()
    sheet = sheet_of(still, scene.face_model())
    matte = np.maximum(cap()[1], sheet.face).astype(np.float32)
    layers = layers_of(photo, matte, sheet.face, sheet.wide)
    wave = np.sin(2 * np.pi * np.arange(COUNT) / COUNT)
    turn = np.deg2rad(np.outer(wave, [6.0, 8.0, 2.0])).astype(np.float32)
    shift = np.outer(wave, [0.4, 0.15, 0.1]).astype(np.float32)
    track = animated_track(still, sheet, HeadMotion(turn, shift, np.zeros(COUNT), still.fps))
    frames = [
        warped(photo, sheet, sheet.moved(*way), layers) for way in zip(turn, shift, strict=True)
    ]
    pictures = HairPictures(track, scene.face_model())
    list(pictures.watching(iter(frames)))
    hair = pictures.hair(track)
    assert np.abs(hair).max() < 0.003
    assert np.abs(hair[:, 0]).max() < 0.0014  # stripes that rest are not taken along


def test_hair_is_as_steady_as_it_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(5)
    grain = random.normal(0, 50, (COUNT, scene.HEIGHT, scene.WIDTH, 1))
    frames = [
        np.clip(moved(row) + noise, 0, 255).astype(np.uint8)
        for row, noise in zip(TRUE, grain, strict=True)
    ]
    steady = found(frames)
    monkeypatch.setattr("gsmooth_core.portrait.hair._CALM", np.full(4, 1e3))
    trembling = found(frames)
    tremble, calm = (np.abs(np.diff(each, 2, axis=0)).mean() for each in (trembling, steady))
    assert calm < 0.7 * tremble


def test_a_head_that_is_no_person_moves_no_hair(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = np.zeros((scene.HEIGHT, scene.WIDTH), np.float32)
    monkeypatch.setattr("gsmooth_core.portrait.hair.find_matte", lambda _frame: nobody)
    assert not found([moved(row) for row in TRUE]).any()


def test_a_picture_of_skin_alone_has_no_hair(monkeypatch: pytest.MonkeyPatch) -> None:
    """The head fills it: there is nothing around it to be laid."""
    monkeypatch.setattr(
        "gsmooth_core.portrait.hair.find_matte", lambda frame: np.ones(frame.shape[:2], np.float32)
    )
    track = drawn.track(4)
    near = np.tile(np.array([0, 0, -2.2], np.float32), (4, 1))
    track = replace(track, translation=near)
    pictures = HairPictures(track, drawn.face_model())
    list(pictures.watching(drawn.picture(track, n) for n in range(4)))
    assert not pictures.hair(track).any()


def test_a_shot_of_one_frame_and_frames_without_a_face_rest() -> None:
    track = replace(tracked(), confidence=np.eye(1, COUNT, 3, dtype=np.float32)[0])
    pictures = HairPictures(track, scene.face_model())
    list(pictures.watching(moved(row) for row in TRUE))
    hair = pictures.hair(track)
    assert np.abs(hair[3]).max() < 5e-3  # it is compared with itself
    assert not np.delete(hair, 3, axis=0).any()
