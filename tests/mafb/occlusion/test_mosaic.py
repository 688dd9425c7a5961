"""A mosaic over a mouth is known by its grid; blur, grain and what codecs leave are none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from gsmooth_core.mafb.occlusion.canonical import texels_in_crop
from gsmooth_core.mafb.occlusion.glimpses import Glimpses
from gsmooth_core.mafb.occlusion.mosaic import is_mosaic
from gsmooth_core.types import Image
from tests.mafb.occlusion import made
from tests.taft import scene
from tests.tracking.places import MOUTH, MOUTH_AT_LEFT, MOUTH_AT_RIGHT

HEAD = (160, 60, 290, 200)  # left, top, right, bottom in the portrait
LIPS = np.array([MOUTH_AT_LEFT, MOUTH_AT_RIGHT, (MOUTH[0], 138), (MOUTH[0], 154)], np.float32)


@pytest.fixture(scope="module")
def astronaut() -> Image:
    return np.asarray(data.astronaut(), np.uint8)


def _face(portrait: Image, larger: float) -> Image:
    size = [round(side * larger) for side in portrait.shape[1::-1]]
    return np.asarray(cv2.resize(portrait, size, interpolation=cv2.INTER_CUBIC))


def _squares(picture: Image, side: int, at: int) -> Image:
    part = picture[at:, at:]
    few = [max(1, length // side) for length in part.shape[1::-1]]
    small = cv2.resize(part, few, interpolation=cv2.INTER_AREA)
    out = picture.copy()
    out[at:, at:] = cv2.resize(small, part.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return out


def _censored(picture: Image, side: int, at: int, box: tuple[float, ...]) -> Image:
    """Squares over a part of a picture; the others of `at` lie beside its corner."""
    left, top, right, bottom = (round(value) for value in box)
    out = picture.copy()
    out[top:bottom, left:right] = _squares(picture[top:bottom, left:right], side, at)
    return out


def _coded(picture: Image, quality: int) -> Image:
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))


@pytest.mark.parametrize(("side", "quality"), [(8, 95), (12, 40), (16, 40), (24, 20)])
@pytest.mark.parametrize("at", [0, 5])
def test_squares_are_a_mosaic(astronaut: Image, side: int, at: int, quality: int) -> None:
    larger = 3.0
    box = tuple(larger * value for value in HEAD)
    picture = _coded(_censored(_face(astronaut, larger), side, at, box), quality)
    assert is_mosaic(picture, LIPS * larger)


@pytest.mark.parametrize("pixel", [3, 4, 5, 6])
@pytest.mark.parametrize("quality", [40, 95])
def test_a_picture_that_is_enlarged_pixel_by_pixel_is_none(
    astronaut: Image, pixel: int, quality: int
) -> None:
    """Of the same squares over the head alone each is one."""
    small = cv2.resize(astronaut, None, fx=3 / pixel, fy=3 / pixel, interpolation=cv2.INTER_AREA)
    size = [side * pixel for side in small.shape[1::-1]]
    large = cv2.resize(small, size, interpolation=cv2.INTER_NEAREST)
    lips = LIPS * (size[0] / astronaut.shape[1])
    assert not is_mosaic(_coded(np.asarray(large, np.uint8), quality), lips)
    if pixel > 4:  # finer squares hide nothing
        left, top, right, bottom = (round(3 * value) for value in HEAD)
        censored = _face(astronaut, 3.0)
        place = np.s_[top:bottom, left:right]
        censored[place] = cv2.resize(large, censored.shape[1::-1])[place]
        assert is_mosaic(_coded(censored, 95), LIPS * 3)


@pytest.mark.parametrize("larger", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("quality", [8, 30, 90])
def test_a_mouth_through_a_codec_is_none(astronaut: Image, larger: float, quality: int) -> None:
    assert not is_mosaic(_coded(_face(astronaut, larger), quality), LIPS * larger)


def test_a_mouth_out_of_focus_in_noise_or_beyond_the_picture_is_none(astronaut: Image) -> None:
    face = _face(astronaut, 3.0)
    noise = np.random.default_rng(0).normal(0, 12, face.shape)
    assert not is_mosaic(cv2.GaussianBlur(face, (0, 0), 6), LIPS * 3)
    assert not is_mosaic(np.clip(face + noise, 0, 255).astype(np.uint8), LIPS * 3)
    assert not is_mosaic(np.full_like(face, 90), LIPS * 3)
    assert not is_mosaic(_squares(face, 12, 0), LIPS * 3 - 2000)


def test_a_mouth_that_is_drawn_with_straight_lines_is_none() -> None:
    for way in (cv2.LINE_8, cv2.LINE_AA):
        drawn = np.full((128, 128, 3), (230, 190, 160), np.uint8)
        cv2.line(drawn, (40, 60), (88, 60), (60, 20, 20), 2, way)
        lips = np.array([[40, 60], [88, 60], [64, 54], [64, 66]], np.float32)
        assert not is_mosaic(drawn, lips)


def test_frames_with_a_mosaic_are_remembered() -> None:
    track, pictures = made.clip(), list(made.bare())
    glimpses = Glimpses(track, scene.face_model())
    face = texels_in_crop(glimpses.canonical, track, 5, np.eye(2, 3, dtype=np.float32))
    pictures[5] = _censored(pictures[5], 6, 0, (*face.min(0), *face.max(0)))
    with glimpses.watched(made.opened(pictures))() as source:
        for n in range(len(track)):
            source(n)
    assert glimpses.mosaics == {5}
