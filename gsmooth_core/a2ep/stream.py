"""Blocks of features in, blocks of expressions out: exact at every seam, flat in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from gsmooth_core.a2ep.interface import FrameDecoder
from gsmooth_core.types import Float

HALF_WINDOW = 500  # frames on either side over which features are averaged: 20 s
EMIT = 250  # frames that are normalised at a time


def _windowed_mean(features: Float, weights: Float, first: int, count: int) -> Float:
    """Weighted mean over +-HALF_WINDOW frames around each of `count` frames from `first`."""
    sums = np.cumsum(features * weights[:, None], axis=0, dtype=np.float64)
    sums = np.concatenate([np.zeros_like(sums[:1]), sums])
    mass = np.concatenate([[0.0], np.cumsum(weights, dtype=np.float64)])
    at = np.arange(first, first + count)
    low = np.maximum(at - HALF_WINDOW, 0)
    high = np.minimum(at + HALF_WINDOW + 1, len(features))
    mean = (sums[high] - sums[low]) / (mass[high] - mass[low])[:, None]
    return mean.astype(np.float32)  # type: ignore[no-any-return]


def normalise(blocks: Iterable[Float], weights: Float) -> Iterator[Float]:
    """Subtract from each frame the mean of the speech in the 20 s before and after it.

    What remains is what is said, without the voice and the room.

    Args:
        blocks: consecutive (n, F) features.
        weights: (T,) positive; how much each frame is speech.

    Yields:
        Consecutive (m, F), in all as many frames.
    """
    held: Float | None = None
    start = done = 0  # frame of held[0]; first frame not yet given out
    for block in blocks:
        held = block if held is None else np.concatenate([held, block])
        while start + len(held) - done > HALF_WINDOW + EMIT:
            w = weights[start : start + len(held)]
            mean = _windowed_mean(held, w, done - start, EMIT)
            yield held[done - start : done - start + EMIT] - mean
            done += EMIT
            drop = max(done - HALF_WINDOW - start, 0)
            held, start = held[drop:], start + drop
    if held is not None and start + len(held) > done:
        w = weights[start : start + len(held)]
        left = start + len(held) - done
        yield held[done - start :] - _windowed_mean(held, w, done - start, left)


def _with_edges(blocks: Iterable[Float], context: int) -> Iterator[tuple[Float, bool]]:
    """The blocks with the first and last frame repeated `context` times, and whether it is last."""
    waiting: Float | None = None
    for block in blocks:
        if waiting is None:
            block = np.concatenate([np.repeat(block[:1], context, axis=0), block])
        else:
            yield waiting, False
        waiting = block
    if waiting is not None:
        yield np.concatenate([waiting, np.repeat(waiting[-1:], context, axis=0)]), True


def decode(
    decoder: FrameDecoder,
    blocks: Iterable[Float],
    style: Float | None = None,
    on_features: Callable[[Float], None] | None = None,
) -> Iterator[Float]:
    """Run the decoder over a stream of features.

    Args:
        decoder: in evaluation mode.
        blocks: consecutive (n, F) features.
        style: (styles,); None is no style.
        on_features: called with (m + 2 context, F) features at a time, for as many frames m in
            all as there are.

    Yields:
        Consecutive (m, E) expressions, in all as many frames.
    """
    config, state = decoder.config, decoder.start()
    style = np.zeros(config.styles, np.float32) if style is None else style
    raw = np.zeros((0, config.encoder_width), np.float32)
    heard = np.zeros((0, decoder.heard_width), np.float32)
    first = 0  # frame of heard[0]
    for block, final in _with_edges(blocks, decoder.context):
        raw = np.concatenate([raw, block])
        if len(raw) > 2 * decoder.context:
            heard = np.concatenate([heard, decoder.heard(raw)])
            if on_features:
                on_features(raw)
            raw = raw[len(raw) - 2 * decoder.context :]
        ahead = 0 if final else config.sigma2 - 1
        ready = first + len(heard) - ahead - state.frame
        if ready <= 0:
            continue
        yield decoder.spoken(state, heard, style, state.frame - first, ready)
        drop = max(state.frame - config.sigma1 - first, 0)
        heard, first = heard[drop:], first + drop
