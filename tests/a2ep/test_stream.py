import numpy as np
import pytest
import torch

from gsmooth_core.a2ep.stream import EMIT, HALF_WINDOW, decode, normalise
from tests.a2ep.small import decoder


def naive(features, weights):
    """Frame by frame: less the weighted mean over 20 s on either side."""
    rows = []
    for t in range(len(features)):
        near = slice(max(0, t - HALF_WINDOW), t + HALF_WINDOW + 1)
        rows.append(features[t] - np.average(features[near], axis=0, weights=weights[near]))
    return np.array(rows)


@pytest.mark.parametrize(("frames", "block"), [(1, 1), (40, 7), (1700, 300), (1700, 1700)])
def test_normalising_is_a_running_weighted_mean(frames, block):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(frames, 3)).astype(np.float32) + np.linspace(0, 5, frames)[:, None]
    features = features.astype(np.float32)
    weights = rng.uniform(0.02, 1.0, frames).astype(np.float32)
    blocks = [features[i : i + block] for i in range(0, frames, block)]
    made = np.concatenate(list(normalise(blocks, weights)))
    np.testing.assert_allclose(made, naive(features, weights), atol=1e-4)


def test_normalising_holds_a_bounded_stretch():
    """What is given out lags what is taken in by the window, however long the stream."""
    taken = 0

    def blocks():
        nonlocal taken
        for _ in range(400):
            taken += 50
            yield np.ones((50, 2), np.float32)

    given = lag = 0
    for block in normalise(blocks(), np.ones(20_000, np.float32)):
        given += len(block)
        lag = max(lag, taken - given)
    assert given == 20_000
    assert lag <= HALF_WINDOW + EMIT + 50


def test_an_empty_stream_gives_nothing():
    assert list(normalise([], np.ones(0, np.float32))) == []
    assert list(decode(decoder(), [])) == []


@pytest.mark.parametrize("block", [1, 3, 50, 120])
def test_what_listens_aside_hears_every_frame_once_in_its_context(block):
    """Against a convolution over the whole with repeated edges."""
    made = decoder()
    context = made.context
    head = torch.nn.Conv1d(made.config.encoder_width, 1, 2 * context + 1)
    features = np.random.default_rng(0).normal(size=(120, made.config.encoder_width))
    features = features.astype(np.float32)

    def closing(heard):
        with torch.inference_mode():
            return head(torch.from_numpy(heard).T[None])[0, 0].numpy()

    found = []
    blocks = [features[i : i + block] for i in range(0, 120, block)]
    list(decode(made, blocks, on_features=lambda heard: found.append(closing(heard))))
    padded = np.pad(features, ((context, context), (0, 0)), mode="edge")
    with torch.inference_mode():
        whole = head(torch.from_numpy(padded.T.copy())[None])[0, 0].numpy()
    np.testing.assert_allclose(np.concatenate(found), whole, atol=1e-5)
