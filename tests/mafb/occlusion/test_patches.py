"""Small, brief and faint things are no occluders; large ones are."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsmooth_core.face.render import face_surface
from gsmooth_core.mafb.occlusion.canonical import TEXELS, CanonicalMap, canonical_map
from gsmooth_core.mafb.occlusion.patches import Patches, PatchSettings, lasting
from tests.taft import scene

FRAMES = 9


@cache
def canonical() -> CanonicalMap:
    return canonical_map(face_surface(scene.face_model(), scene.track(2).identity))


def calm(seed: int = 0) -> np.ndarray:
    """(T, C) z-scores of a face with nothing in front of it."""
    rng = np.random.default_rng(seed)
    return np.abs(rng.normal(0, 0.8, (FRAMES, len(canonical().regions)))).astype(np.float16)


def around_chin(radius: float) -> np.ndarray:
    """(C,) texels of a disc on the chin."""
    rows, columns = canonical().places
    chin = np.flatnonzero((canonical().regions == 1) & canonical().replaced)
    y, x = np.median(rows[chin]), TEXELS / 2
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


def find(z: np.ndarray) -> dict[int, np.ndarray]:
    return Patches(canonical(), z, PatchSettings()).find()


@given(st.integers(0, 1000), st.integers(0, 40))
@settings(max_examples=15, deadline=None)
def test_scattered_texels_are_nothing(seed: int, count: int) -> None:
    z = calm(seed)
    rng = np.random.default_rng(seed)
    z[4, rng.integers(0, z.shape[1], count)] = 30
    assert find(z) == {}


@given(st.floats(10, 60))
@settings(max_examples=10, deadline=None)
def test_a_plain_patch_is_found_in_a_single_frame(score: float) -> None:
    z, disc = calm(), around_chin(5)
    z[4, disc] = score
    found = find(z)
    assert list(found) == [4]
    assert found[4][canonical().places][disc].mean() > 0.95
    assert found[4].sum() < 1.4 * disc.sum()


def test_a_small_one_is_not() -> None:
    z = calm()
    z[4, around_chin(2)] = 30
    assert find(z) == {}


def test_a_faint_patch_must_be_large_and_last() -> None:
    disc = around_chin(10)
    z = calm()
    z[3:7, disc] = 5
    found = find(z)
    assert {3, 4, 5, 6} <= set(found)
    assert found[4][canonical().places][disc].mean() > 0.8
    brief, small = calm(), calm()
    brief[4, disc] = 5
    small[3:7, around_chin(4)] = 5
    assert find(brief) == {}
    assert find(small) == {}


def test_where_little_of_the_face_is_seen_only_plain_patches_count() -> None:
    z, disc = calm(), around_chin(7)
    z[2:8, disc] = 3.6
    assert set(find(z)) >= {3, 4, 5, 6}
    few = np.ones(FRAMES, bool)
    assert Patches(canonical(), z, PatchSettings(), few).find() == {}
    z[4, disc] = 30
    assert 4 in Patches(canonical(), z, PatchSettings(), few).find()


def test_what_is_not_seen_is_no_occluder() -> None:
    z = calm()
    z[:, around_chin(9)] = np.nan
    assert find(z) == {}


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
