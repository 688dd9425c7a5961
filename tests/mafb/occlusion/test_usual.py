"""The usual look of a face does not depend on its light, nor on what passes before it."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gsmooth_core.mafb.crop import crop_transforms
from gsmooth_core.mafb.occlusion.chart import SAMPLED, sample
from gsmooth_core.mafb.occlusion.usual import deviation, usual_look
from tests.mafb.occlusion import made
from tests.mafb.occlusion.test_patches import chart
from tests.taft import scene

SKIN = np.float32([170, 120, 100])
FRAMES = 20


def clip(seed: int) -> np.ndarray:
    """(T, C, 3) uint8 colours of one skin with its grain."""
    rng = np.random.default_rng(seed)
    cells = len(chart().regions)
    own = SKIN * rng.uniform(0.8, 1.1, (cells, 1))
    return (own + rng.normal(0, 2, (FRAMES, cells, 3))).clip(0, 255).astype(np.uint8)


def test_every_frame_shows_the_same_skin_in_a_cell() -> None:
    track = made.clip()
    transforms = crop_transforms(track, scene.face_model(), SAMPLED)
    rows = [sample(chart(), track, n, made.bare()[n], transforms[n]) for n in range(0, 24, 3)]
    colours, seen = (np.array(part) for part in zip(*rows, strict=True))
    always = seen.all(0) & chart().skin
    assert always.sum() > 600
    spread = colours[:, always].astype(float).std(0).mean(1)
    assert np.median(spread) < 3
    assert np.percentile(spread, 95) < 12


@given(st.integers(0, 99), st.floats(0.5, 1.4), st.floats(-0.4, 0.4))
@settings(max_examples=15, deadline=None)
def test_light_is_not_unusual(seed: int, gain: float, tilt: float) -> None:
    colours = clip(seed)
    seen = np.ones(colours.shape[:2], bool)
    usual = usual_look(chart(), colours, seen)
    x = chart().places[1] / 32 - 1
    light = colours[3] * gain * np.exp(tilt * x)[:, None]
    lit = light.clip(0, 255).astype(np.uint8)
    whole = (light < 255).all(1)  # beyond white a colour changes, whatever the light
    assert np.percentile(deviation(chart(), usual, lit, seen[3])[whole], 95) < 3


@given(st.integers(0, 99), st.floats(0.3, 0.75))
@settings(max_examples=15, deadline=None)
def test_a_third_of_a_face_is_unusual_and_the_rest_is_not(seed: int, shade: float) -> None:
    colours = clip(seed)
    seen = np.ones(colours.shape[:2], bool)
    below = chart().places[0] > 42
    for frame in range(7):  # and it is so in a third of the frames
        colours[frame, below] = (colours[frame, below] * shade).astype(np.uint8)
    usual = usual_look(chart(), colours, seen)
    away = deviation(chart(), usual, colours[3], seen[3])
    assert np.median(away[below]) > 4
    assert np.median(away[~below]) < 2
    assert np.median(deviation(chart(), usual, colours[12], seen[12])) < 2


def test_a_face_that_is_unusual_all_over_counts_less() -> None:
    colours = clip(0)
    seen = np.ones(colours.shape[:2], bool)
    usual = usual_look(chart(), colours, seen)
    shuffled = np.random.default_rng(0).permutation(colours[0])
    away = deviation(chart(), usual, shuffled, seen[0])
    assert np.median(away) < 1.5


def test_what_is_not_seen_has_no_deviation() -> None:
    colours = clip(0)
    seen = np.ones(colours.shape[:2], bool)
    usual = usual_look(chart(), colours, seen)
    seen[0, :50] = False
    away = deviation(chart(), usual, colours[0], seen[0])
    assert np.isnan(away[:50]).all()
    assert np.isfinite(away[50:]).all()
