"""What counts as smooth: the same motion, whatever the rate at which it is filmed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gsmooth_core.face.load import load_face_model
from gsmooth_core.tracking.fitting.basis import landmark_basis
from gsmooth_core.tracking.fitting.fit import FitSettings, expression_prior, observe
from gsmooth_core.tracking.fitting.projection import Camera
from gsmooth_core.tracking.fitting.sequence import Prior, SequenceSettings, solve_sequence
from tests.tracking.synthetic import HEIGHT, WIDTH, landmarks, truth

SHAPES = 4


@pytest.mark.parametrize("fps", [12.5, 24, 30000 / 1001, 60, 120])
def test_the_same_motion_is_as_smooth_at_every_rate(fps: float) -> None:
    """A steady acceleration, seen in three frames at each rate."""
    prior = Prior(np.ones(SHAPES, np.float32))
    rates = np.linspace(0.2, 1.1, 6 + SHAPES)  # of each parameter, by the second squared

    def price(rate: float) -> np.ndarray:
        before, now, after = ((np.arange(3) / rate) ** 2 / 2)[:, None] * rates
        return prior.stiffness(rate) * (before - 2 * now + after) ** 2

    np.testing.assert_allclose(price(fps), price(25), rtol=1e-6)


def test_at_25_frames_a_second_an_acceleration_of_the_given_size_costs_one() -> None:
    prior = Prior(np.ones(SHAPES, np.float32), turn=0.2, shift=0.3, zoom=0.4, change=0.5)
    sizes = np.array([0.2] * 3 + [0.3] * 2 + [0.4] + [0.5] * SHAPES)
    np.testing.assert_allclose(prior.stiffness(25) * sizes**2, 1)


def test_frames_are_joined_by_what_is_smooth_at_their_rate() -> None:
    """At twice the rate, the accelerations between frames are expected a quarter as large."""
    model, made = load_face_model(), truth(load_face_model(), frames=12)
    basis, settings = landmark_basis(model), FitSettings()
    seen = observe(landmarks(model, made, noise=0.5), model, basis, settings.closed_lips)
    rest, camera = basis.template(made.identity), Camera(made.focal, WIDTH, HEIGHT)
    prior = expression_prior(model, settings)
    names = ("turn", "shift", "zoom", "change")
    calmer = replace(prior, **{name: getattr(prior, name) / 4 for name in names})
    solved = [
        solve_sequence(seen, rest, basis, camera, p, fps, SequenceSettings())
        for p, fps in ((prior, 50.0), (calmer, 25.0), (prior, 25.0))
    ]
    np.testing.assert_allclose(solved[0], solved[1], atol=1e-9)
    shaken = [np.diff(x[:, :6], 2, axis=0).std() for x in solved]
    assert shaken[0] < 0.9 * shaken[2]
