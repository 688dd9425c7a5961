"""What is around the face: it sets no light, and the references that go on there are believed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from gsmooth_core.face.render import covered, face_surface, pose_face
from gsmooth_core.mafb.blend import MaskSettings
from gsmooth_core.mafb.crop import window
from gsmooth_core.taft.compose import Composer
from gsmooth_core.taft.composition import ComposeSettings
from gsmooth_core.taft.lending.references import ReferenceSettings
from gsmooth_core.taft.warping import beside
from gsmooth_core.types import Bool, FaceTrack, Image
from tests.taft import scene

DARK, BRIGHT = (40, 60, 50), (200, 180, 190)
SAME = np.eye(2, 3, dtype=np.float32)  # the crop is the frame


@pytest.fixture(scope="module")
def clip() -> FaceTrack:
    return scene.track()


def around(clip: FaceTrack, frame: int, margin: int = 0) -> Bool:
    """(H, W) neck, hair and background: all that is `margin` pixels away from the face."""
    surface = face_surface(scene.face_model(), clip.identity)
    posed = pose_face(surface, clip, frame, clip.expression[frame], SAME)
    face = covered(surface, posed, scene.WIDTH, whole=True)[: scene.HEIGHT]
    reach = np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)
    return cv2.dilate(face.astype(np.uint8), reach) == 0


def dressed(clip: FaceTrack, frame: int) -> Image:
    """The scene's frame, in a dark collar or a bright one by turns."""
    picture = scene.picture(clip, frame)
    picture[around(clip, frame)] = BRIGHT if frame % 2 else DARK
    return picture


def composer(clip: FaceTrack, source: Callable[[int], Image]) -> Composer:
    return Composer(clip, scene.face_model(), clip.expression, source)


@pytest.fixture(scope="module")
def plain(clip: FaceTrack) -> Composer:
    return composer(clip, lambda frame: scene.picture(clip, frame))


def test_what_is_around_the_face_does_not_change_its_light(
    clip: FaceTrack, plain: Composer
) -> None:
    for frame in (1, 5, 10):
        picture = scene.picture(clip, frame)
        spotlit = picture.copy()
        spotlit[around(clip, frame, margin=3)] = 250
        dull, lit = (plain.compose(frame, p).blend for p in (picture, spotlit))
        assert np.abs(dull.image - lit.image).max() > 0.3  # the lamp is in the picture
        face = plain.masks(frame)[0].face.mask  # beside it, what is around may go on
        np.testing.assert_array_equal(dull.references[:, face], lit.references[:, face])


def test_the_face_takes_the_light_of_its_skin(clip: FaceTrack, plain: Composer) -> None:
    # Otherwise the test above would pass for a program that never matches any light.
    picture = scene.picture(clip, 5)
    dimmed = np.rint(0.85 * picture).astype(np.uint8)
    bright, dim = (plain.compose(5, p) for p in (picture, dimmed))
    hidden = (bright.blend.mask > 0) & (bright.hints[..., 2] > 0)
    ratio = dim.blend.image[hidden].mean(0) / bright.blend.image[hidden].mean(0)
    assert ((ratio > 0.84) & (ratio < 0.95)).all()  # less with distance from what can be seen


@pytest.mark.parametrize("frame", [3, 8])
def test_a_collar_under_the_mask_is_that_of_the_frame(clip: FaceTrack, frame: int) -> None:
    wide = ComposeSettings(mask=MaskSettings(still=MaskSettings.jaw_height))
    given = clip, scene.face_model(), clip.expression, lambda other: dressed(clip, other)
    made, picture = Composer(*given, wide), dressed(clip, frame)
    composition = made.compose(frame, picture)
    assert len({member % 2 for member in composition.members}) == 2  # both collars are lent
    collar = (composition.blend.mask > 0) & ~made.masks(frame)[0].face.mask
    under = composition.masked.under
    truth = under.cut(under.part(picture)).astype(np.float32) / 255
    error = np.abs(composition.blend.image - truth)[collar]
    assert collar.sum() > 1000
    assert np.median(error) < 0.01
    alike = np.array([member % 2 == frame % 2 for member in composition.members])
    belief = composition.blend.validity[:-1, collar].mean(1)
    assert belief[~alike].max() < 0.01 * belief[alike].min()


def test_a_flash_lends_nothing_and_a_picture_shown_again_is_read_once(clip: FaceTrack) -> None:
    exposed = np.ones(len(clip), np.float32)
    exposed[[3, 4]] = 0
    shown = np.minimum(np.arange(len(clip)), 9).astype(np.int32)
    asked = []

    def source(frame: int) -> Image:
        asked.append(frame)
        return scene.picture(clip, frame)

    made = composer(replace(clip, exposed=exposed, picture=shown), source)
    assert not {3, 4, 10, 11} & set(asked)
    for frame in range(len(clip)):
        assert made.members(frame)
        assert shown[frame] not in shown[list(made.members(frame))]


def test_frames_that_look_otherwise_lend_nothing_and_are_remembered(clip: FaceTrack) -> None:
    """Every other frame shows stripes instead of a face."""

    def source(frame: int) -> Image:
        picture = scene.picture(clip, frame)
        picture[:, (np.arange(picture.shape[1]) + frame) % 12 < 6 * (frame % 2)] = 20
        return picture

    made = composer(clip, source)
    lent = made.compose(4, source(4)).members
    assert lent and all(member % 2 == 0 for member in lent)
    assert made.refused == {member for member in made.members(4) if member % 2}
    assert made.refused


def test_a_ragged_edge_of_the_picture_does_not_go_on_below_the_chin(
    clip: FaceTrack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chin rises beside the picture's lower edge, whose last rows a coder left green."""
    monkeypatch.setattr(beside, "APART", (-2.0, -1.0))
    low = replace(clip, translation=clip.translation - np.float32([0, 0.75, 0]))
    frame = int(low.expression[:, low.expression_names.index("jawOpen")].argmax())

    def source(number: int) -> Image:
        picture = scene.picture(low, number).copy()
        picture[-2:] = 0, 255, 0
        return picture

    shut = np.zeros_like(low.expression)
    made = Composer(low, scene.face_model(), shut, source)
    composition = made.compose(frame, source(frame))
    there = window(made.transforms[frame], made.size, (0, 0, scene.WIDTH, scene.HEIGHT)).inside()
    drawing, mask = made.masks(frame)
    strip = mask & there & ~drawing.face.mask
    green = composition.blend.image[strip] @ np.float32([-0.5, 1, -0.5])
    assert strip.sum() > 20
    assert green.max() < 0.5


def test_what_another_composer_keeps_is_not_read_again() -> None:
    clip = scene.track(10)
    given = clip, scene.face_model(), clip.expression[::-1].copy(), None
    settings = ComposeSettings(references=ReferenceSettings(bank=6, count=3))
    first, second = (Composer(*given, settings) for _ in range(2))
    first.read(lambda frame: scene.picture(clip, frame))
    kept = {r.frame: r for r in first.bank.values()}
    left = list(kept)[-1]
    own, asked = kept.pop(left), list[int]()

    def source(frame: int) -> np.ndarray:
        asked.append(frame)
        return scene.picture(clip, frame)

    second.read(source, held=kept)
    assert asked == [left]
    again = {r.frame: r for r in second.bank.values()}
    assert all(again[frame] is kept[frame] for frame in kept)
    assert np.array_equal(again[left].image, own.image)
    assert np.array_equal(again[left].points, own.points)
