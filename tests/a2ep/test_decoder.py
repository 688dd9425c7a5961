import dataclasses

import numpy as np
import pytest
import torch

from gsmooth_core.a2ep.config import PRESETS, A2EPConfig
from gsmooth_core.a2ep.decoder import ExpressionDecoder, positional_encoding
from gsmooth_core.a2ep.stream import decode
from gsmooth_core.errors import ModelError
from tests.a2ep.small import CONFIG, decoder

LIKE_THE_PAPER = dataclasses.replace(CONFIG, direct=False, sigma1=0, sigma2=1, history=100)


@pytest.fixture(params=[CONFIG, LIKE_THE_PAPER], ids=["default", "paper"])
def net(request):
    return decoder(request.param)


def features(net, frames, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, frames, net.config.encoder_width, generator=generator)


def hear_all(net, x):
    """What is heard in all frames of (B, T, F); the ends see their own edge repeated."""
    first, last = (edge.expand(-1, net.context, -1) for edge in (x[:, :1], x[:, -1:]))
    return net.hear(torch.cat([first, x, last], dim=1))


@torch.inference_mode()
def free_running(net, heard, style):
    return net.run(net.start(len(heard)), heard, style, 0, heard.shape[1])


def test_one_by_one_equals_all_at_once(net):
    """Given the same history, the cached step and the masked pass say the same."""
    style = torch.eye(3)[:2]
    heard = hear_all(net, features(net, 40))
    made = free_running(net, heard, style)
    before = torch.cat([torch.zeros_like(made[:, :1]), made[:, :-1]], dim=1)
    with torch.inference_mode():
        torch.testing.assert_close(net(heard, before, style), made, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("sizes", [[40], [1] * 40, [3, 20, 1, 1, 15], [39, 1]])
def test_chunks_equal_the_whole(net, sizes):
    x = features(net, 40)[:1]
    whole = free_running(net, hear_all(net, x), torch.zeros(1, 3))[0]
    blocks = [part.numpy() for part in torch.split(x[0], sizes)]
    made = np.concatenate(list(decode(net, blocks)))
    np.testing.assert_allclose(made, whole.numpy(), atol=1e-5)


def test_state_does_not_grow():
    net, state = decoder(), decoder().start()
    heard = hear_all(net, features(net, 60)[:1])
    with torch.inference_mode():
        net.run(state, heard, torch.zeros(1, 3), 0, 60)
    assert state.frame == 60
    assert state.keys.shape[2] == CONFIG.history - 1


def test_only_the_allowed_audio_is_heard(net):
    """A frame changes when audio up to its lookahead changes, and not for what is later."""
    x = features(net, 30)[:1]
    changed = x.clone()
    changed[:, 20:] += 1.0
    style = torch.zeros(1, 3)
    a = free_running(net, hear_all(net, x), style)[0]
    b = free_running(net, hear_all(net, changed), style)[0]
    first = 20 - net.context - (net.config.sigma2 - 1)
    torch.testing.assert_close(a[:first], b[:first])
    assert (a[first] - b[first]).abs().max() > 1e-6


def test_output_starts_at_zero_and_the_ridge():
    plain = ExpressionDecoder(LIKE_THE_PAPER).eval()
    heard = torch.randn(1, 9, CONFIG.encoder_width)
    assert free_running(plain, heard, torch.zeros(1, 3)).abs().max() == 0
    with_ridge = ExpressionDecoder(CONFIG).eval()
    said = torch.randn(1, 9, CONFIG.components)
    torch.testing.assert_close(free_running(with_ridge, said, torch.zeros(1, 3)), said)


def test_ridge_is_a_window_of_features():
    net = decoder()
    x = features(net, 12)[:1]
    padded = np.pad(x[0].numpy(), ((2, 2), (0, 0)), mode="edge")
    weight, bias = (p.detach().numpy() for p in (net.direct.weight, net.direct.bias))
    expected = [np.einsum("efk,kf->e", weight, padded[t : t + 5]) + bias for t in range(12)]
    np.testing.assert_allclose(hear_all(net, x)[0].detach(), expected, atol=1e-5)


def test_style_and_history_matter():
    net = decoder()
    heard = hear_all(net, features(net, 5))
    before = torch.randn(2, 5, CONFIG.components)
    base = net(heard, before, torch.zeros(2, 3))
    assert (net(heard, before, torch.eye(3)[:2]) - base).abs().max() > 1e-4
    assert (net(heard, before + 1, torch.zeros(2, 3)) - base).abs().max() > 1e-4


def test_positions_differ_from_step_to_step_and_repeat():
    """Each time step has its own code (the axis is time); after a period it comes again."""
    table = positional_encoding(11, 16)
    assert torch.cdist(table, table).fill_diagonal_(1.0).min() > 0.01
    net = decoder()
    heard, before = torch.randn(1, 4, CONFIG.components), torch.zeros(1, 4, CONFIG.components)
    style = torch.zeros(1, 3)
    at = [net(heard, before, style, first) for first in (0, 1, 11)]
    torch.testing.assert_close(at[0], at[2])
    assert (at[0] - at[1]).abs().max() > 1e-5


def test_paper_preset_has_the_paper_sizes():
    paper = PRESETS["paper"]
    assert (paper.encoder, paper.encoder_width, paper.encoder_depth) == ("wav2vec2", 768, 12)
    assert (paper.d, paper.heads, paper.feed_forward, paper.components) == (1024, 4, 2048, 64)
    assert (paper.sigma1, paper.sigma2, paper.direct, paper.context) == (0, 1, False, 0)
    net = ExpressionDecoder(paper)
    assert net.audio.weight.shape == (1024, 768)
    assert net.embed.weight.shape == (1024, 64)
    assert net.style.bias is None
    assert net.out.weight.abs().max() == 0


def test_unknown_settings_are_refused():
    with pytest.raises(ModelError, match="flux"):
        A2EPConfig.from_dict({"d": 8, "flux": 1})
