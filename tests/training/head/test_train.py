"""What the head generator is given and asked for."""

from __future__ import annotations

import numpy as np
import torch

from gsmooth_core.taft.generators.generator import build
from training.head.inputs import HEAD, head_input
from training.head.scene import KINDS, SIZE
from training.head.train import WINDOW, batch_of, joined, terms, window


def sample(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    pictures = {name: rng.integers(0, 256, (SIZE, SIZE, 3), np.uint8) for name in KINDS}
    free = np.zeros((SIZE, SIZE), np.uint8)
    free[: SIZE // 2] = 1
    return {"truth": pictures["layer"].copy(), **pictures, "free": free, "region": free}


def test_untrained_it_returns_the_person_before_the_background() -> None:
    flat = [np.full((32, 32, 3), level, np.uint8) for level in (200, 60, 60)]
    with torch.inference_mode():
        made = build(HEAD)(head_input(*flat)) * 255
    assert float((made - 200).abs().max()) < 12


def test_a_window_cuts_everything_alike_and_lights_pictures_only() -> None:
    part = window(sample(), np.random.default_rng(3))
    assert part["truth"].shape == (WINDOW, WINDOW, 3)
    np.testing.assert_array_equal(part["truth"], part["layer"])
    np.testing.assert_array_equal(part["free"], part["region"])
    assert set(np.unique(part["free"])) <= {0, 1}


def test_the_right_picture_costs_nothing_and_what_is_not_free_does_not_count() -> None:
    batch = joined([batch_of(window(sample(n), np.random.default_rng(n))) for n in range(2)])
    right = terms(lambda _inputs: batch.truth, batch)
    assert float(right["total"]) < 1e-5
    held = batch.truth + 0.5 * (1 - batch.free)
    assert float(terms(lambda _inputs: held, batch)["total"]) < 1e-5
    wrong = batch.truth + 0.5 * batch.free
    assert float(terms(lambda _inputs: wrong, batch)["photo"]) > 0.1
