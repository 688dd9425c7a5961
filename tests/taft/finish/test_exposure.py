"""The shutter of clips whose shutter is known."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from gsmooth_core.errors import InputError
from gsmooth_core.taft.compose import Composer
from gsmooth_core.taft.composition import ComposeSettings
from gsmooth_core.taft.finish.exposure import Exposure, _Look, _told, exposure, together
from gsmooth_core.taft.finish.exposure_file import load_exposure, save_exposure
from gsmooth_core.types import FaceTrack, Image
from tests.taft import scene

LEAPS, REST, MOVE = 16, 3, 5  # frames of rest, and of movement, in turns
FARTHEST = 40.0  # pixels of a leap
NOISE = 1.5  # levels
PARTS = 16  # of a way from picture to picture


@cache
def base() -> tuple[FaceTrack, np.ndarray]:
    """A head at rest, with skin that is rough to the pixel."""
    track = scene.track(1, still=True)
    rough = gaussian_filter(np.random.default_rng(4).normal(0, 1, (scene.HEIGHT, scene.WIDTH)), 1.2)
    return track, scene.picture(track, 0) + 60 * rough[..., None]


@cache
def path() -> np.ndarray:
    """(T * PARTS + 1, 2) pixels from where the head is, in parts of a picture's time."""
    rng, at, places = np.random.default_rng(7), np.zeros(2), []
    move = (1 - np.cos(np.pi * np.arange(MOVE * PARTS) / (MOVE * PARTS))) / 2
    for _ in range(LEAPS):
        goal = rng.uniform(-1, 1, 2) * (FARTHEST, FARTHEST / 2)
        places += [np.tile(at, (REST * PARTS, 1)), at + move[:, None] * (goal - at)]
        at = goal
    return np.concatenate([*places, [at]])


def filmed(share: float, soften: float = 0.0, quality: int = 0) -> tuple[FaceTrack, list[Image]]:
    """A head that leaps about, as a shutter sees it that is open for a share of a picture's time.

    Args:
        share: the share.
        soften: deviation of a Gaussian in pixels that what moves is blurred by, too.
        quality: of a codec (JPEG); 0 for none.
    """
    track, picture = base()
    places, rng, pictures = path(), np.random.default_rng(1), []
    count = len(places) // PARTS
    middles = places[np.arange(count) * PARTS + PARTS // 2]
    for n, middle in enumerate(middles):
        half = round(share * PARTS / 2)
        times = np.arange(-half, half + 1) + n * PARTS + PARTS // 2
        moved = places[times.clip(0, len(places) - 1)]
        shown = np.mean([_shifted(picture, at) for at in moved], 0)
        if soften and np.ptp(moved, 0).any():
            shown = gaussian_filter(shown, (soften, soften, 0))
        seen = np.rint((shown + rng.normal(0, NOISE, shown.shape)).clip(0, 255)).astype(np.uint8)
        pictures.append(_coded(seen, quality) if quality else seen)
        assert np.abs(middle - moved.mean(0)).max() < 2
    each = {f: np.repeat(getattr(track, f), count, 0) for f in FRAMES}
    depth = -track.translation[0, 2] / track.focal
    each["translation"] = each["translation"] + np.column_stack(
        [middles[:, 0] * depth, -middles[:, 1] * depth, np.zeros(count)]
    ).astype(np.float32)
    jaw = scene.face_model().expression_names.index("jawOpen")
    each["expression"][:, jaw] = rng.permutation(count) / count  # so that all of them lend
    return replace(track, fps=Fraction(25), **each), pictures


FRAMES = ("expression", "rotation", "translation", "light", "confidence", "landmarks")


def _shifted(picture: np.ndarray, at: np.ndarray) -> np.ndarray:
    matrix = np.array([[1, 0, at[0]], [0, 1, at[1]]])
    size, edge = picture.shape[1::-1], cv2.BORDER_REPLICATE
    return cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_CUBIC, borderMode=edge)


def _coded(picture: Image, quality: int) -> Image:
    coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def found(track: FaceTrack, pictures: list[Image]) -> Exposure:
    source = lambda frame: pictures[min(frame, len(pictures) - 1)]  # noqa: E731
    settings = ComposeSettings(size=256)
    return exposure(Composer(track, scene.face_model(), track.expression, source, settings))


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_a_shutter_is_found(share) -> None:
    assert found(*filmed(share)).share == pytest.approx(share, abs=0.1)


@pytest.mark.parametrize(("soften", "quality"), [(0, 0), (0.8, 75)])
def test_what_is_crisp_or_soft_all_around_has_none(soften, quality) -> None:
    assert found(*filmed(0.0, soften, quality)).share == 0


def test_blur_is_told_from_what_a_codec_takes_away() -> None:
    assert found(*filmed(0.5, 0.6, 75)).share == pytest.approx(0.5, abs=0.15)


def test_a_head_at_rest_says_nothing() -> None:
    track, picture = base()
    pictures = [picture.clip(0, 255).astype(np.uint8)]
    assert found(track, pictures) == Exposure(0, 0, 0)


@pytest.mark.parametrize(
    ("square", "error", "frames", "share"),
    [(0.25, 0.02, 20, 0.5), (0.25, 0.11, 20, 0), (0.25, 0.02, 11, 0), (0.04, 0.0, 20, 0),
     (-0.3, 0.01, 20, 0), (0.1, 0.02, 20, 0.3), (0.6, 0.02, 20, 0.5)],
)  # fmt: skip
def test_only_what_is_sure_counts(square, error, frames, share) -> None:
    assert Exposure(square, error, frames).share == share


def test_frames_that_contradict_each_other_are_unsure() -> None:
    shares = np.linspace(0, 1, 21)
    one, other = (0.5 * (share**2 - shares**2) for share in (0.2, 0.6))  # to first order
    alike, apart = together(np.array([one] * 20)), together(np.array([one, other] * 10))
    assert alike.square == pytest.approx(0.04, abs=0.005)
    assert apart.square == pytest.approx(0.20, abs=0.01)
    assert alike.error == pytest.approx(0, abs=0.002)
    assert apart.error == pytest.approx(0.16 / np.sqrt(20), rel=0.05)


def test_faces_on_which_no_blur_would_be_seen_say_nothing() -> None:
    assert together(np.zeros((20, 21))) == Exposure(0, 0, 0)
    assert together(np.zeros((0,))) == Exposure(0, 0, 0)


def test_brows_beside_the_picture_say_nothing() -> None:
    around = np.array([[0.0, 0], [60, 0], [60, 40], [0, 40]])
    picture = np.random.default_rng(0).normal(100, 30, (80, 90)).astype(np.float32)
    inside = _Look(picture, around + 10)
    for away in ((200, 10), (10, 300), (-200, 10), (10, -90), (-58, 10)):
        moving = _Look(picture, around + away)
        assert _told(moving, [inside], np.array([5.0, 1.0])) is None
        assert np.isfinite(_told(inside, [moving], np.array([5.0, 1.0]))).all()
    assert _told(inside, [inside], np.array([5.0, 1.0]))[0] == pytest.approx(0, abs=1e-6)


def test_a_file_keeps_it(tmp_path: Path) -> None:
    told = Exposure(0.21, 0.03, 17)
    save_exposure(tmp_path / "shutter", told)
    again = load_exposure(tmp_path / "shutter")
    assert (again.square, again.error) == pytest.approx((told.square, told.error))
    assert (again.frames, again.share) == (told.frames, told.share)
    with pytest.raises(InputError):
        load_exposure(tmp_path)
