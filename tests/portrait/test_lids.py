"""Lids close the eyes, look like lids, and touch nothing else."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from gsmooth_core.portrait.lid_check import opening
from gsmooth_core.portrait.lids import Lids
from gsmooth_core.tracking.following.detector import FaceDetector
from gsmooth_core.tracking.following.landmarks import Crop, FaceMesh
from tests.portrait.drawn import LASH, SKIN, Drawn, draw, lower

SIZES = (30, 60, 200)


@pytest.fixture(scope="module", params=SIZES)
def drawn(request) -> Drawn:
    return draw(request.param)


@pytest.fixture(scope="module")
def lids(drawn) -> Lids:
    return Lids(drawn.photo, drawn.points)


def test_open_is_the_photo(drawn, lids):
    assert np.array_equal(lids.closed(0), drawn.photo)


def test_results_are_the_callers_own(lids):
    first = lids.closed(0.5)
    kept = first.copy()
    first[:] = 0
    assert np.array_equal(lids.closed(0.5), kept)
    assert lids.closed(0).any()


def test_shut_eyes_show_no_eyeball(drawn, lids):
    assert drawn.eyeball(lids.closed(1)) < 0.01 * drawn.eyeball(drawn.photo)


def test_closing_never_opens(drawn, lids):
    seen = [drawn.eyeball(lids.closed(a)) for a in np.linspace(0, 1, 13)]
    assert all(later < earlier for earlier, later in itertools.pairwise(seen[:-1]))
    assert seen[6] == pytest.approx(0.5 * seen[0], rel=0.25)


def test_only_the_eyes_change(drawn, lids):
    allowed = drawn.near(0.75, 0.75, 0.48, 0.45)
    for amount in (0.3, 1):
        changed = (lids.closed(amount) != drawn.photo).any(2)
        assert changed.any()
        assert not (changed & ~allowed).any()


def test_what_is_not_covered_yet_stays_sharp(drawn, lids):
    iris = drawn.near(0.15, 0.15, 0.02, 0.01)  # well below the lid at .3
    assert np.array_equal(lids.closed(0.3)[iris], drawn.photo[iris])


def test_the_lid_is_skin(drawn, lids):
    lid = drawn.near(0.25, 0.25, 0.12, -0.03)
    assert np.abs(lids.closed(1)[lid].mean(0) - SKIN).max() < 12


def test_the_lid_has_the_skins_grain():
    drawn = draw(120)
    shut = Lids(drawn.photo, drawn.points).closed(1).mean(2)
    fine = shut - cv2.GaussianBlur(shut, (0, 0), 2)
    lid, cheek = drawn.near(0.25, 0.25, 0.12, -0.03), drawn.near(0.25, 0.25, -0.3, 0.5)
    assert 0.4 < fine[lid].std() / fine[cheek].std() < 1.1


def test_lids_meet_in_a_dark_line_just_above_the_lower_lid(drawn, lids):
    x, y = (int(c) for c in drawn.centres[0])
    column = lids.closed(1)[:, x].mean(1)
    reach = int(0.3 * drawn.width)
    row = y - reach + int(np.argmin(column[y - reach : y + reach]))
    meets = lower(np.array(0.5), 0.32) * drawn.width
    assert -0.12 * drawn.width < row - y - meets < 0.02 * drawn.width
    assert column[row] < np.mean(LASH) + 45


def test_lashes_do_not_become_stripes():
    drawn = draw(120, hairs=True)
    shut = Lids(drawn.photo, drawn.points).closed(1)
    lid = shut[drawn.near(0.25, 0.25, 0.08, -0.01)].reshape(2, -1, 3)
    spread = shut[int(drawn.centres[0][1] - 0.05 * 120), 160:200].mean(1).std()
    assert spread < 8, lid.mean()


def test_levels_are_a_24th(lids):
    assert np.array_equal(lids.closed(0.5), lids.closed(0.51))
    assert not np.array_equal(lids.closed(0.5), lids.closed(0.5 + 1 / 24))


def test_amounts_beyond_are_held(lids, drawn):
    assert np.array_equal(lids.closed(-1), drawn.photo)
    assert np.array_equal(lids.closed(2), lids.closed(1))


@pytest.mark.parametrize("angle", [20, 90, 180])
def test_a_turned_head_is_painted_alike(angle):
    drawn = draw(60)
    turn = cv2.getRotationMatrix2D((150, 150), angle, 1)
    size = (300, 300)
    photo = cv2.warpAffine(drawn.photo, turn, size, borderMode=cv2.BORDER_REPLICATE)
    points = ((drawn.points - 0.5) @ turn[:, :2].T + turn[:, 2] + 0.5).astype(np.float32)
    shut = Lids(photo, points).closed(1)
    assert drawn.eyeball(shut) < 0.01 * drawn.eyeball(photo)


def test_grey_stays_grey():
    drawn = draw(60)
    grey = np.repeat(drawn.photo.mean(2, keepdims=True).astype(np.uint8), 3, 2)
    shut = Lids(grey, drawn.points).closed(1)
    assert (np.ptp(shut, axis=2) <= 1).all()


def test_eyes_at_the_border_are_painted():
    drawn = draw(60)
    cut = 65
    lids = Lids(drawn.photo[:, cut:], drawn.points - np.array([cut, 0], np.float32))
    assert drawn.eyeball(lids.closed(1)) < 0.02 * drawn.eyeball(drawn.photo)


@pytest.mark.parametrize("points", [np.zeros((468, 2)), np.full((478, 2), np.nan)])
def test_bad_landmarks_are_refused(points):
    with pytest.raises(ValueError, match="478"):
        Lids(draw(30).photo, points.astype(np.float32))


def _glasses(drawn: Drawn) -> Drawn:
    photo = drawn.photo.copy()
    photo[drawn.near(0.8, 0.8, 0.5, 0.5)] //= 8
    return Drawn(photo, drawn.points, drawn.width, drawn.centres)


def _shifted(drawn: Drawn) -> Drawn:
    moved = drawn.points - np.array([1.2 * drawn.width, 0], np.float32)
    return Drawn(drawn.photo, moved, drawn.width, drawn.centres)


@pytest.mark.parametrize(
    ("drawn", "words"),
    [
        (draw(9), "smaller"),
        (draw(60, gap=0.08), "already shut"),
        (_glasses(draw(60)), "dark glasses"),
        (_shifted(draw(60)), "inside"),
    ],
)
def test_eyes_that_cannot_close_are_told(drawn, words):
    lids = Lids(drawn.photo, drawn.points)
    assert not lids.ok
    assert words in lids.reason


def test_a_head_turned_away_is_told():
    drawn = draw(60)
    points = drawn.points.copy()
    far = points[:, 0] > drawn.photo.shape[1] / 2 + 1
    points[far, 0] = 190 + 0.3 * (points[far, 0] - 190)
    assert "turned" in Lids(drawn.photo, points).reason


def _landmarks(photo: np.ndarray) -> np.ndarray:
    mesh, crop = FaceMesh(), Crop.around(FaceDetector().detect(photo)[0])
    for _ in range(3):
        points = mesh.landmarks(photo, crop).points
        crop = Crop.of_points(points)
    return points


def _left_open(photo: np.ndarray) -> float:
    points = _landmarks(photo)
    shut = Lids(photo, points).closed(1)
    again = FaceMesh().landmarks(shut, Crop.of_points(points)).points
    return float(opening(again).mean() / opening(points).mean())


def test_the_networks_see_a_real_photo_shut():
    photo = data.astronaut()
    assert _left_open(photo) <= 0.35
    assert Lids(photo, _landmarks(photo)).ok


@pytest.mark.footage
def test_the_networks_see_four_of_five_photos_shut():
    folder = Path(os.environ["GSMOOTH_FOOTAGE"]).parent / "photos"
    files = sorted(p for p in folder.glob("*") if p.suffix in {".jpg", ".png"})
    if not files:
        pytest.skip("no photos here")
    left = [_left_open(cv2.imread(str(p))[..., ::-1].copy()) for p in files]
    assert np.mean(np.array(left) <= 0.35) >= 0.8, left
