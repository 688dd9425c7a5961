import numpy as np
import pytest

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
