"""What the decoder is given as its past while it learns: its own words, with gaps and noise."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from gsmooth_core.a2ep.decoder import ExpressionDecoder
from tests.a2ep.small import CONFIG, decoder
from training.a2ep.batches import Batch
from training.a2ep.fit import FitSettings, Student, disturbed

FRAMES = 40
PLAIN = FitSettings(history_dropout=0.0, history_noise=0.0, style_dropout=0.0)


def batch(size: int = 3, seed: int = 0) -> Batch:
    dice = torch.Generator().manual_seed(seed)
    draw = (size, FRAMES, CONFIG.components)
    return Batch(
        heard=torch.randn(draw, generator=dice),
        targets=torch.randn(draw, generator=dice),
        valid=torch.ones(size, FRAMES),
        style=torch.eye(CONFIG.styles)[torch.arange(size) % CONFIG.styles],
        first=4,
    )


def pasts(model: ExpressionDecoder, given: Batch, settings: FitSettings) -> list[Tensor]:
    """(B, T, E) each: the histories with which a student's decoder is asked, in turn."""
    asked: list[Tensor] = []
    with model.register_forward_pre_hook(lambda _module, inputs: asked.append(inputs[1])):
        torch.manual_seed(0)
        Student(model).eval()(given, settings)
    return asked


def later(beta: Tensor) -> Tensor:
    """What came before each frame, one by one; nothing before the first."""
    nothing = torch.zeros_like(beta[:, 0])
    return torch.stack([nothing, *beta.unbind(1)[:-1]], 1)


def test_the_past_is_what_the_model_itself_would_have_said() -> None:
    model, given = decoder(), batch()
    said = model(given.heard, later(given.targets), given.style, given.first)
    asked = pasts(model, given, PLAIN)
    assert len(asked) == 2
    torch.testing.assert_close(asked[1], later(said))
    assert (said - given.targets).abs().mean() > 0.3  # else one could be taken for the other
    answer = Student(model).eval()(given, PLAIN)
    again = model(given.heard, later(said), given.style, given.first)
    torch.testing.assert_close(answer, again)


def test_what_is_said_first_is_not_learned_from() -> None:
    """The second pass answers for the first one's mistakes, and is what learns from them."""
    model, given = decoder(), batch()
    first: list[Tensor] = []
    with model.register_forward_hook(lambda _module, _inputs, made: first.append(made)):
        Student(model).eval()(given, PLAIN)
    assert [made.requires_grad for made in first] == [False, True]


def test_the_past_is_noisy_by_a_share_of_each_components_size() -> None:
    model, given = decoder(), batch(size=60)
    settings = FitSettings(history_dropout=0.0, style_dropout=0.0)
    (_, clean), (_, noisy) = (
        pasts(model, given, s) for s in (replace(settings, history_noise=0.0), settings)
    )
    noise = (noisy - clean).detach()
    torch.testing.assert_close(noise.std((0, 1)), 0.3 * model.scale, rtol=0.06, atol=0)
    assert (noise.mean((0, 1)).abs() < 0.03 * model.scale).all()
    before, after = noise[:, :-1].flatten(), noise[:, 1:].flatten()
    assert torch.corrcoef(torch.stack([before, after]))[0, 1].abs() < 0.05  # anew each frame


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_whole_frames_of_the_past_are_hidden(share: float) -> None:
    torch.manual_seed(0)
    past = torch.rand(50, FRAMES, 4) + 1
    settings = FitSettings(history_dropout=share, history_noise=0.0)
    left = disturbed(past, settings, torch.ones(4))
    hidden = (left == 0).all(-1)
    assert torch.equal(left[~hidden], past[~hidden])
    assert float(hidden.float().mean()) == pytest.approx(share, abs=0.03)
