"""Fusion by frequency: what its bands are made of, and what it starts from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from gsmooth_core.evaluation.metrics.bands import band_energies
from gsmooth_core.taft.generators import generator as g
from gsmooth_core.taft.generators.detail import blurred
from gsmooth_core.taft.generators.fusion import _shuffled
from gsmooth_core.taft.generators.mix import SIGMAS
from tests.taft.small import SMALL, stirred


def noisy(count: int = 4, side: int = 64) -> g.GeneratorInput:
    """References that agree in nothing but their mean."""
    torch.manual_seed(0)
    return g.GeneratorInput(
        torch.rand(1, 3, side, side),
        torch.ones(1, 1, side, side),
        torch.rand(1, g.HINTS, side, side),
        torch.rand(1, count, 3, side, side),
        torch.rand(1, count, 1, 1, 1).expand(1, count, 1, side, side).contiguous(),
    )


def made(model: torch.nn.Module, x: g.GeneratorInput) -> torch.Tensor:
    with torch.inference_mode():
        return model(x)


def test_blur_is_a_gaussian() -> None:
    picture = torch.rand(1, 3, 40, 48)
    for sigma in SIGMAS:
        truth = gaussian_filter(picture[0, 1].numpy(), sigma, mode="nearest", truncate=3)
        np.testing.assert_allclose(blurred(picture, sigma)[0, 1], truth, atol=1e-5)


def test_untrained_low_frequencies_are_the_means_and_high_ones_the_best_references() -> None:
    x = noisy()
    x.validity[:] = 0.2
    x.validity[:, 2] = 1.0
    picture = made(g.build(replace(SMALL["detail"], sharpness=12)), x)
    low = blurred(g.weighted_mean(x.references, x.validity), SIGMAS[-1])
    best = x.references[:, 2]
    expected = (low + best - blurred(best, SIGMAS[-1])).clamp(0, 1)
    assert torch.allclose(picture, expected, atol=1e-3)


def test_detail_survives_references_that_disagree() -> None:
    x = noisy()
    of_one = band_energies(x.references[0, 0].permute(1, 2, 0).numpy() * 255)[0]
    energy = {}
    for name in ("default", "detail"):
        picture = made(g.build(SMALL[name]), x)[0].permute(1, 2, 0).numpy() * 255
        energy[name] = band_energies(picture)[0] / of_one
    assert energy["default"] < 0.45
    assert energy["detail"] > 1.2 * energy["default"]


def test_one_reference_comes_through_whole() -> None:
    x = noisy(count=1)
    assert torch.allclose(made(g.build(SMALL["detail"]), x), x.references[:, 0], atol=1e-4)


def test_gains_strengthen_and_weaken_detail_and_leave_the_rest() -> None:
    x, model = noisy(count=1), g.build(SMALL["detail"])
    x.references[:] = 0.3 + 0.4 * x.references
    plain = made(model, x)
    for sign in (1, -1):
        model.gain.bias.data[:] = sign
        changed = made(model, x)
        spread = (changed - blurred(changed, 2)).std() / (plain - blurred(plain, 2)).std()
        assert (spread > 1.5) if sign > 0 else (spread < 0.7)
        wide = (blurred(changed, 6) - blurred(plain, 6)).abs().max()
        assert wide < 0.04


def test_order_of_references_does_not_matter() -> None:
    x, order, model = noisy(), [2, 0, 3, 1], stirred(SMALL["detail"])
    turned = x._replace(references=x.references[:, order], validity=x.validity[:, order])
    assert torch.allclose(made(model, x), made(model, turned), atol=1e-5)


def test_it_starts_from_a_checkpoint_of_the_default() -> None:
    default, detail = stirred(SMALL["default"]), g.build(SMALL["detail"])
    left = detail.load_state_dict(default.state_dict(), strict=False)
    assert not left.unexpected_keys
    assert {key.split(".")[0] for key in left.missing_keys} == {"detail", "gain"}


def test_what_is_painted_on_a_processor_is_what_the_network_makes() -> None:
    x, model = noisy(), stirred(SMALL["detail"])
    painted = model.paint(g.GeneratorInput(*(part.numpy() for part in x)))
    np.testing.assert_allclose(painted, made(model, x).numpy(), atol=1e-4)
    assert np.abs(painted - x.references[:, 0].numpy()).mean() > 0.01


def test_pixels_are_shuffled_as_torch_does() -> None:
    score = torch.randn(3, 4, 6, 8).contiguous(memory_format=torch.channels_last)
    assert torch.equal(_shuffled(score), torch.nn.functional.pixel_shuffle(score, 2))
