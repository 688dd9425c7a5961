"""Small, brief and faint things are not before the face; large ones are."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsmooth_core.face.render import face_surface
from gsmooth_core.mafb.occlusion.chart import CELLS, Chart, chart_of
from gsmooth_core.mafb.occlusion.patches import Patches, PatchSettings, lasting
from tests.taft import scene

FRAMES = 9


@cache
def chart() -> Chart:
    return chart_of(face_surface(scene.face_model(), scene.track(2).identity))


def calm(seed: int = 0) -> np.ndarray:
    """(T, C) deviations of a face with nothing before it."""
    rng = np.random.default_rng(seed)
    return np.abs(rng.normal(0, 0.8, (FRAMES, len(chart().regions)))).astype(np.float16)


def around_chin(radius: float) -> np.ndarray:
    """(C,) cells of a disc on the chin."""
    rows, columns = chart().places
    chin = np.flatnonzero((chart().regions == 1) & chart().replaced)
    y, x = np.median(rows[chin]), CELLS / 2
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


def find(away: np.ndarray) -> dict[int, np.ndarray]:
    return Patches(chart(), away, PatchSettings()).find()


@given(st.integers(0, 1000), st.integers(0, 40))
@settings(max_examples=15, deadline=None)
def test_scattered_cells_are_nothing(seed: int, count: int) -> None:
    away = calm(seed)
    rng = np.random.default_rng(seed)
    away[4, rng.integers(0, away.shape[1], count)] = 30
    assert find(away) == {}


@given(st.floats(10, 60))
@settings(max_examples=10, deadline=None)
def test_a_plain_patch_is_found_in_a_single_frame(deviation: float) -> None:
    away, disc = calm(), around_chin(5)
    away[4, disc] = deviation
    found = find(away)
    assert list(found) == [4]
    assert found[4][chart().places][disc].mean() > 0.95
    assert found[4].sum() < 1.4 * disc.sum()


def test_a_small_one_is_not() -> None:
    away = calm()
    away[4, around_chin(2)] = 30
    assert find(away) == {}


def test_a_faint_patch_must_be_large_and_last() -> None:
    disc = around_chin(10)
    away = calm()
    away[3:7, disc] = 5
    found = find(away)
    assert {3, 4, 5, 6} <= set(found)
    assert found[4][chart().places][disc].mean() > 0.8
    brief, small = calm(), calm()
    brief[4, disc] = 5
    small[3:7, around_chin(4)] = 5
    assert find(brief) == {}
    assert find(small) == {}


def test_what_is_not_seen_is_not_before_the_face() -> None:
    away = calm()
    away[:, around_chin(9)] = np.nan
    assert find(away) == {}


@pytest.mark.parametrize(
    ("strength", "lasts"),
    [
        ([0, 4, 4, 4, 4, 4, 0], [0, 1, 1, 1, 1, 1, 0]),
        ([0, 4, 4, 4, 4, 0, 0], [0, 0, 0, 0, 0, 0, 0]),
        ([2.5, 2.5, 4, 2.5, 2.5, 0, 0], [1, 1, 1, 1, 1, 0, 0]),
        ([2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5], [0, 0, 0, 0, 0, 0, 0]),
    ],
)
def test_faint_signs_go_on_around_a_clear_one(strength, lasts) -> None:
    found = lasting(np.array(strength, np.float32), PatchSettings())
    assert found.astype(int).tolist() == lasts
