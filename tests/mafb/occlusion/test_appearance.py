"""What a face looks like does not depend on its light, nor on what passes in front of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsmooth_core.mafb.crop import crop_transforms
from gsmooth_core.mafb.occlusion.appearance import (
    _median,
    fit_appearance,
    illumination,
    solved,
    z_scores,
)
from gsmooth_core.mafb.occlusion.canonical import SAMPLED, sample
from tests.mafb.occlusion import made
from tests.mafb.occlusion.test_patches import canonical
from tests.taft import scene

SKIN = np.float32([170, 120, 100])
FRAMES = 20


def clip(seed: int) -> np.ndarray:
    """(T, C, 3) uint8 colours of one skin with its grain."""
    rng = np.random.default_rng(seed)
    texels = len(canonical().regions)
    own = SKIN * rng.uniform(0.8, 1.1, (texels, 1))
    return (own + rng.normal(0, 2, (FRAMES, texels, 3))).clip(0, 255).astype(np.uint8)


def test_every_frame_shows_the_same_skin_in_a_texel() -> None:
    track = made.clip()
    transforms = crop_transforms(track, scene.face_model(), SAMPLED)
    rows = [sample(canonical(), track, n, made.bare()[n], transforms[n]) for n in range(0, 24, 3)]
    colours, seen = (np.array(part) for part in zip(*rows, strict=True))
    always = seen.all(0) & canonical().skin
    assert always.sum() > 600
    deviation = colours[:, always].astype(float).std(0).mean(1)
    assert np.median(deviation) < 3
    assert np.percentile(deviation, 95) < 12


@given(st.integers(0, 99), st.floats(0.5, 1.4), st.floats(-0.4, 0.4))
@settings(max_examples=15, deadline=None)
def test_light_is_not_unusual(seed: int, gain: float, tilt: float) -> None:
    colours = clip(seed)
    seen = np.ones(colours.shape[:2], bool)
    appearance = fit_appearance(canonical(), colours, seen)
    x = canonical().places[1] / 32 - 1
    light = colours[3] * gain * np.exp(tilt * x)[:, None]
    lit = light.clip(0, 255).astype(np.uint8)
    whole = (light < 255).all(1)  # beyond white a colour changes, whatever the light
    assert np.percentile(z_scores(canonical(), appearance, lit, seen[3])[whole], 95) < 3


@given(st.integers(0, 99), st.floats(0.3, 0.75))
@settings(max_examples=15, deadline=None)
def test_a_third_of_a_face_is_unusual_and_the_rest_is_not(seed: int, shade: float) -> None:
    colours = clip(seed)
    seen = np.ones(colours.shape[:2], bool)
    below = canonical().places[0] > 42
    for frame in range(7):  # and it is so in a third of the frames
        colours[frame, below] = (colours[frame, below] * shade).astype(np.uint8)
    appearance = fit_appearance(canonical(), colours, seen)
    z = z_scores(canonical(), appearance, colours[3], seen[3])
    assert np.median(z[below]) > 4
    assert np.median(z[~below]) < 2
    assert np.median(z_scores(canonical(), appearance, colours[12], seen[12])) < 2


@pytest.mark.parametrize("from_column", [34, 40, 46])
@pytest.mark.parametrize("dark", [0.5, 1.0])
def test_a_post_before_one_side_is_no_light(from_column: int, dark: float) -> None:
    """Light that falls off across the face, as far, is."""
    colours = clip(3)
    seen = np.ones(colours.shape[:2], bool)
    appearance = fit_appearance(canonical(), colours, seen)
    column = canonical().places[1]
    post = np.where((column > from_column)[:, None], np.median(colours) * np.exp(-dark), colours[3])
    z = z_scores(canonical(), appearance, post.astype(np.uint8), seen[3])
    assert np.median(z[column > from_column]) > 6
    assert np.median(z[column <= from_column]) < 2
    lit = colours[3] * np.exp(-dark * column / 64)[:, None]
    z = z_scores(canonical(), appearance, lit.astype(np.uint8), seen[3])
    assert np.median(z[column > from_column]) < 2


@pytest.mark.parametrize("soft", [0, 4, 8])
@pytest.mark.parametrize("dark", [0.5, 0.8, 1.2])
def test_a_shadow_over_one_side_is_no_post(dark: float, soft: int) -> None:
    colours = clip(3)
    seen = np.ones(colours.shape[:2], bool)
    appearance = fit_appearance(canonical(), colours, seen)
    away = canonical().places[1] - 34.0
    edge = 1 / (1 + np.exp(-away * 4 / soft)) if soft else away > 0
    shaded = colours[3] * np.exp(-dark * edge)[:, None]
    z = z_scores(canonical(), appearance, shaded.astype(np.uint8), seen[3])
    for side in (away > 4, away < -4):
        assert np.median(z[side]) < 3


def test_a_face_that_is_unusual_all_over_counts_less() -> None:
    colours = clip(0)
    seen = np.ones(colours.shape[:2], bool)
    appearance = fit_appearance(canonical(), colours, seen)
    shuffled = np.random.default_rng(0).permutation(colours[0])
    z = z_scores(canonical(), appearance, shuffled, seen[0])
    assert np.median(z) < 1.5


def test_what_is_not_seen_has_no_score() -> None:
    colours = clip(0)
    seen = np.ones(colours.shape[:2], bool)
    appearance = fit_appearance(canonical(), colours, seen)
    seen[0, :50] = False
    z = z_scores(canonical(), appearance, colours[0], seen[0])
    assert np.isnan(z[:50]).all()
    assert np.isfinite(z[50:]).all()


@given(st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_light_is_fitted_as_by_reweighted_least_squares(seed: int) -> None:
    rng = np.random.default_rng(seed)
    texels = len(canonical().regions)
    y, x = (2 * place / 64 - 1 for place in canonical().places)
    terms = np.stack([np.ones_like(x), x, y, x * x], 1)
    seen = rng.random(texels) > 0.2
    difference = (terms @ rng.normal(0, 0.2, (4, 3)) + rng.normal(0, 0.02, (texels, 3))) * (
        seen[:, None]
    )
    difference[rng.random(texels) < 0.2] += 0.7  # a hand
    upper = np.where(canonical().regions == 0, 1.0, 0.5) * (canonical().skin & seen)
    weight, fitted = upper, np.zeros_like(difference)
    for _ in range(4):
        root = np.sqrt(weight)[:, None]
        fitted = terms @ np.linalg.lstsq(terms * root, difference * root, rcond=None)[0]
        weight = upper / (1 + (np.abs(difference - fitted).mean(1) / 0.08) ** 2) ** 2
    found = illumination(canonical(), difference.astype(np.float32), seen)
    np.testing.assert_allclose(found, fitted, atol=1e-4)


def test_few_equations_are_solved() -> None:
    rng = np.random.default_rng(2)
    root, right = rng.normal(size=(5, 5)), rng.normal(size=(5, 3))
    normal = root @ root.T + np.eye(5)
    np.testing.assert_allclose(solved(normal, right), np.linalg.solve(normal, right), atol=1e-9)


@given(st.integers(0, 99), st.booleans())
@settings(max_examples=20, deadline=None)
def test_the_median_is_that_of_the_known_frames(seed: int, several: bool) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(9, 30, 3) if several else (9, 30)).astype(np.float32)
    known = rng.random((9, 30)) > 0.5
    known[:, 3] = False
    masked = np.where(known[..., None] if several else known, values, np.nan)
    masked[:, ~known.any(0)] = 0
    np.testing.assert_allclose(_median(values, known), np.nanmedian(masked, 0), atol=1e-7)
