"""Rims of glasses are found where they were drawn, nowhere else, and stay in a blink."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from skimage import data

from gsmooth_core.portrait.lids import Lids
from gsmooth_core.portrait.rim_lines import best_line, closed_line
from gsmooth_core.portrait.rims import find_rims
from gsmooth_core.tracking.following.detector import FaceDetector
from gsmooth_core.tracking.following.landmarks import Crop, FaceMesh
from tests.portrait.drawn import Drawn, draw

DARK, BRIGHT = (40, 32, 30), (250, 246, 240)


def worn(drawn: Drawn, thick: float, colour: tuple[int, int, int], parts: str = "around bridge"):
    """The picture with glasses over it, whose upper rims lie before the lids' skin, and (H, W) 0..1
    where these are.
    """
    scale, width = 8, drawn.width
    share = np.zeros([scale * n for n in drawn.photo.shape[:2]], np.uint8)
    line = max(1, round(scale * thick * width))
    first, last = (180, 360) if "above" in parts else (0, 360)
    middles = [np.asarray(c) + np.array([0, 0.14 * width]) for c in drawn.centres]
    for middle in middles:
        axes = tuple(int(scale * width * r) for r in (0.85, 0.51))
        at = tuple(int(v) for v in scale * middle)
        if "around" in parts or "above" in parts:
            cv2.ellipse(share, at, axes, 0, first, last, 255, line)
    if "bridge" in parts:
        pairs = zip(middles, (1, -1), strict=True)
        ends = [scale * (m + np.array([way * 0.85 * width, 0])) for m, way in pairs]
        cv2.line(share, *(tuple(int(v) for v in end) for end in ends), 255, line)
    size = drawn.photo.shape[1::-1]
    small = cv2.resize(share, size, interpolation=cv2.INTER_AREA)[..., None] / 255
    return np.rint(drawn.photo * (1 - small) + small * colour).astype(np.uint8), small[..., 0]


@pytest.mark.parametrize("width", [30, 60, 200])
@pytest.mark.parametrize(("thick", "colour"), [(0.04, DARK), (0.1, DARK), (0.04, BRIGHT)])
def test_rims_are_found_and_stay_while_lids_close_behind_them(width, thick, colour) -> None:
    drawn = draw(width)
    photo, share = worn(drawn, thick, colour)
    rims = find_rims(photo, drawn.points)
    assert rims is not None
    around = drawn.near(0.5, 0.5, 0.6, 0.7) & (share > 0.9)
    assert around.any()
    assert (rims.share[around] > 0.5).mean() > 0.9
    assert (rims.share[share == 0] > 0.5).mean() < 0.05
    closed = Lids(photo, drawn.points).closed(1)
    wanted = Lids(drawn.photo, drawn.points).closed(1)
    wanted = wanted * (1 - share[..., None]) + share[..., None] * colour
    apart = np.abs(closed - wanted).max(2)
    assert np.median(apart[around]) < 3
    assert np.percentile(apart[around], 90) < 40
    bare = np.where(share[..., None] > 0, drawn.photo[:1, :1], closed)
    assert drawn.eyeball(bare) < 0.05 * drawn.eyeball(drawn.photo)


@pytest.mark.parametrize("hairs", [False, True])
@pytest.mark.parametrize("parts", ["", "bridge", "around", "above bridge"])
def test_what_is_not_all_of_a_frame_is_no_rim(hairs, parts) -> None:
    drawn = draw(60, hairs)
    photo = worn(drawn, 0.04, DARK, parts)[0] if parts else drawn.photo
    assert find_rims(photo, drawn.points) is None


def test_a_wrinkled_skin_is_full_of_lines_and_wears_no_glasses() -> None:
    drawn = draw(100)
    noise = np.random.default_rng(0).normal(0, 1, drawn.photo.shape[:2])
    lines = 400 * cv2.GaussianBlur(noise, (0, 0), 2.5)[..., None]
    photo = np.clip(drawn.photo + lines, 0, 255).astype(np.uint8)
    assert find_rims(photo, drawn.points) is None


def test_a_fold_close_around_each_eye_is_no_rim() -> None:
    """All around, and joined by a bridge, but with no more room than a deep-set eye takes."""
    drawn = draw(100)
    photo = drawn.photo.copy()
    for middle in drawn.centres:
        at = tuple(int(v) for v in np.add(middle, (0, 10)))
        cv2.ellipse(photo, at, (54, 36), 0, 0, 360, DARK, 3, cv2.LINE_AA)
    ends = (np.add(c, (way * 54, 10)) for c, way in zip(drawn.centres, (1, -1), strict=True))
    cv2.line(photo, *(tuple(int(v) for v in end) for end in ends), DARK, 3, cv2.LINE_AA)
    assert find_rims(photo, drawn.points) is None


def test_a_photo_without_glasses_has_none() -> None:
    photo = data.astronaut()
    mesh = FaceMesh()
    crop = Crop.around(FaceDetector().detect(photo)[0])
    points = mesh.landmarks(photo, crop).points
    assert find_rims(photo, points[:, :2]) is None


def test_rims_that_the_picture_cuts_are_no_fault() -> None:
    drawn = draw(60)
    photo, _ = worn(drawn, 0.05, DARK)
    left = round(0.9 * drawn.width)
    cut = np.ascontiguousarray(photo[:, left:])
    rims = find_rims(cut, drawn.points - np.float32([left, 0]))
    assert rims is None or rims.share.shape == cut.shape[:2]


def worth(reward: np.ndarray, line: tuple[int, ...]) -> float:
    bends = np.abs(np.diff(line))
    if bends.max() > 3:
        return -np.inf
    return float(reward[np.arange(len(line)), line].sum() - 0.4 * (bends**2).sum())


def test_the_best_line_is_the_best_of_all() -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        reward = rng.normal(0, 2, (5, 6)).astype(np.float32)
        every = list(itertools.product(range(6), repeat=5))
        best = max(worth(reward, line) for line in every)
        assert worth(reward, tuple(best_line(reward, None))) == pytest.approx(best, abs=1e-4)
        held = max(worth(reward, line) for line in every if line[0] == line[-1] == 2)
        assert worth(reward, tuple(best_line(reward, 2))) == pytest.approx(held, abs=1e-4)


def test_a_closed_line_ends_where_it_begins() -> None:
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    wanted = np.rint(10 + 6 * np.sin(turn)).astype(int)
    reward = np.random.default_rng(0).normal(0, 1, (48, 20))
    reward[np.arange(48), wanted] += 8
    line = closed_line(reward.astype(np.float32))
    assert (line == wanted).mean() > 0.9
    assert abs(line[0] - line[-1]) <= 3
