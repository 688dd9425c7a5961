"""ExpNet: what a frame depends on, and what it does not."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from gsmooth_core.a2ep import PRESETS, predict_expression
from gsmooth_core.a2ep.encoders import MelFrames, SpectrogramFrames
from gsmooth_core.a2ep.expnet import COLUMNS, ExpNet, SpectrogramWindow
from gsmooth_core.a2ep.mel import BLOCK
from gsmooth_core.a2ep.model import A2EP, load_checkpoint, save_checkpoint
from gsmooth_core.a2ep.stream import decode
from gsmooth_core.errors import ModelError
from tests.a2ep.small import ALL_NAMES, NAMES, babble, lively

SPECTROGRAM = replace(PRESETS["expnet"], d=64, components=len(NAMES))
WHISPER = replace(
    PRESETS["expnet-whisper"], d=64, components=len(NAMES), encoder_width=24, encoder_heads=2,
    encoder_depth=1,
)  # fmt: skip
E = len(NAMES)


def started(net):
    """With small weights that let signals through, and a last layer that is not zero."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.dim() > 1:
                spread = (2.0 / parameter[0].numel()) ** 0.5
                parameter.copy_(spread * torch.randn(parameter.shape, generator=generator))
    return net.eval()


@pytest.fixture(params=[SPECTROGRAM, WHISPER], ids=["spectrogram", "whisper"])
def net(request):
    made = started(ExpNet(request.param))
    made.scale.copy_(torch.linspace(0.5, 1.5, E))
    made.mean.copy_(torch.linspace(0.1, 0.4, E + 2))
    return made


def features(net, frames, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(frames + 2 * net.context, net.config.encoder_width)).astype(np.float32)


def said(net, heard, reference=None, blink=None):
    return net.expressed(net.start(reference, blink), heard, 0, len(heard))


def test_the_preset_has_the_papers_sizes():
    config = PRESETS["expnet"]
    net = ExpNet(config)
    assert net.out.in_features == 512 + (config.components + 2) + 1
    assert (2 * config.context + 1) / 25 == 0.2  # seconds
    shapes = []
    for layer in net.window.layers:
        layer.register_forward_hook(lambda _layer, _given, made: shapes.append(made.shape[1:]))
    net.eval().hear(torch.randn(1, 5, 320))
    assert len(shapes) == 13
    assert shapes[0] == (32, 80, COLUMNS)
    assert shapes[-1] == (512, 1, 1)
    assert not net.out.weight.any()


def test_four_columns_of_a_frame_are_the_spectrogram():
    audio = torch.from_numpy(babble(0.4))[None]
    four = SpectrogramFrames()(audio, 10)
    assert four.shape == (1, 10, 320)
    torch.testing.assert_close(four.reshape(1, 10, 4, 80).mean(2), MelFrames()(audio, 10))


def test_a_window_is_read_in_the_order_of_time():
    """Columns of a line through time stay one after they are read at another rate."""
    window, seen = SpectrogramWindow(16).eval(), []
    window.layers[0].register_forward_pre_hook(lambda _layer, given: seen.append(given[0]))
    time = torch.arange(20.0).reshape(1, 5, 4, 1).expand(-1, -1, -1, 80)
    window(time.reshape(1, 5, 320))
    (image,) = seen
    assert image.shape == (1, 1, 80, COLUMNS)
    expected = (torch.arange(COLUMNS) + 0.5) * 20 / COLUMNS - 0.5
    torch.testing.assert_close(image[0, 0, 7], expected.clamp(0, 19))


def test_a_frame_knows_its_window_and_nothing_else(net):
    given = features(net, 30)
    poisoned = given.copy()
    poisoned[:10] = np.nan
    poisoned[15:] = np.nan
    clean, other = said(net, net.heard(given)), said(net, net.heard(poisoned))
    window = 2 * net.context + 1
    untouched = [t for t in range(30) if t >= 10 and t + window <= 15]
    assert untouched == [10]
    np.testing.assert_array_equal(np.isfinite(other).all(axis=1).nonzero()[0], untouched)
    np.testing.assert_allclose(other[untouched], clean[untouched], atol=1e-5)
    for frame in range(10, 15):  # each of its frames counts
        changed = given.copy()
        changed[frame] += 1
        assert np.abs(said(net, net.heard(changed))[10] - clean[10]).max() > 1e-5


def test_reference_and_blink_are_used_and_default_to_the_average(net):
    heard = net.heard(features(net, 8))
    plain = said(net, heard)
    mean = net.mean.numpy()
    np.testing.assert_array_equal(said(net, heard, mean, np.zeros(8, np.float32)), plain)
    for place in range(E + 2):
        reference = mean.copy()
        reference[place] += 0.3
        assert np.abs(said(net, heard, reference) - plain).max() > 1e-4
    blink = np.zeros(8, np.float32)
    blink[3] = 1.0
    moved = np.abs(said(net, heard, None, blink) - plain).max(axis=1)
    assert (moved > 1e-4).tolist() == [t == 3 for t in range(8)]
    state = net.start(None, blink)  # frames know their time, however many are asked for at once
    parts = [net.expressed(state, heard, first, 2) for first in (0, 2, 4, 6)]
    np.testing.assert_allclose(np.concatenate(parts), said(net, heard, None, blink), atol=1e-6)
    short = said(net, heard, None, np.ones(5, np.float32))  # beyond its end eyes are open
    np.testing.assert_array_equal(short[5:], plain[5:])


def test_a_sum_of_code_reference_and_blink_makes_the_expression(net):
    """The last layer, written out."""
    heard = net.heard(features(net, 3))
    reference = np.linspace(-0.2, 0.5, E + 2).astype(np.float32)
    blink = np.array([0.0, 0.5, 1.0], np.float32)
    weight, bias = (p.detach().numpy() for p in (net.out.weight, net.out.bias))
    sizes = np.append(net.scale.numpy(), [1, 1])
    known = (reference - net.mean.numpy()) / sizes
    rows = [np.concatenate([heard[t], known, blink[t : t + 1]]) for t in range(3)]
    expected = net.mean.numpy() + sizes * (np.stack(rows) @ weight.T + bias)
    np.testing.assert_allclose(said(net, heard, reference, blink), expected, atol=1e-4)


@pytest.mark.parametrize("sizes", [[300], [1, 2, 290, 7], [150] * 2])
def test_blocks_of_any_size_say_the_same(net, sizes):
    given = features(net, 300)[net.context : -net.context]
    padded = np.pad(given, ((net.context, net.context), (0, 0)), mode="edge")
    whole = net.hear(torch.from_numpy(padded)[None])
    expected = net(whole, net.mean[None], torch.zeros(1, 300))[0, :, :E].detach().numpy()
    blocks = np.split(given, np.cumsum(sizes)[:-1])
    np.testing.assert_allclose(np.concatenate(list(decode(net, blocks))), expected, atol=1e-4)


@pytest.mark.parametrize("config", [SPECTROGRAM, WHISPER], ids=["spectrogram", "whisper"])
def test_a_checkpoint_comes_back_and_speaks(config, tmp_path):
    model = A2EP(config, NAMES, ALL_NAMES)
    started(lively(model).decoder)
    model.rest.fill_(0.3)
    path = tmp_path / "a2ep.safetensors"
    save_checkpoint(path, model, {})
    loaded = load_checkpoint(path)
    assert loaded.config == config
    for name, tensor in model.decoder.state_dict().items():
        torch.testing.assert_close(loaded.decoder.state_dict()[name], tensor)
    made = predict_expression(babble(2.0), 50, Fraction(25), model=loaded)
    assert made.values.shape == (50, len(ALL_NAMES))
    assert np.ptp(made.values[:, made.names.index("jawOpen")]) > 0
    again = predict_expression(babble(2.0)[: 50 * BLOCK], 50, Fraction(25), model=loaded)
    np.testing.assert_array_equal(made.values, again.values)


def test_settings_that_cannot_be_expnets_are_refused(tmp_path):
    model = lively(A2EP(SPECTROGRAM, NAMES, ALL_NAMES))
    model.config = replace(SPECTROGRAM, direct=True)
    save_checkpoint(tmp_path / "a.safetensors", model, {})
    with pytest.raises(ModelError, match="ExpNet"):
        load_checkpoint(tmp_path / "a.safetensors")


def test_an_average_face_that_is_none_is_refused(tmp_path):
    model = lively(A2EP(SPECTROGRAM, NAMES, ALL_NAMES))
    model.decoder.mean.fill_(1e4)
    save_checkpoint(tmp_path / "a.safetensors", model, {})
    with pytest.raises(ModelError, match=r"decoder\.mean"):
        load_checkpoint(tmp_path / "a.safetensors")
