"""Audio of any length -> one feature vector a frame, in windows whose seams do not show.

Neighbouring windows overlap; over the overlap the later one fades in as the earlier one fades
out, so that at a window's edge, where the encoder knows one side only, its weight is zero.
Memory is that of two windows, however long the audio.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gsmooth_core.a2ep.interface import FrameEncoder
from gsmooth_core.a2ep.mel import BLOCK, SAMPLE_RATE, level_gain
from gsmooth_core.errors import ModelError
from gsmooth_core.types import Float

FPS = SAMPLE_RATE / BLOCK  # 25 frames a second, the rate at which the model steps
WINDOW = 400  # frames
OVERLAP = 100  # frames


def frame_count(audio: Float) -> int:
    """Number of 40 ms frames that hold `audio` (S,)."""
    return max(1, -(-len(audio) // BLOCK))


def window_spans(frames: int) -> list[tuple[int, int]]:
    """(start, stop) of the windows that cover `frames` frames, each `OVERLAP` into the next."""
    step = WINDOW - OVERLAP
    count = max(1, -(-(frames - OVERLAP) // step))
    return [(i * step, min(i * step + WINDOW, frames)) for i in range(count)]


def _encode(encoder: FrameEncoder, audio: Float, gain: float, span: tuple[int, int]) -> Float:
    start, stop = span
    part = np.zeros((stop - start) * BLOCK, np.float32)
    piece = audio[start * BLOCK : stop * BLOCK]
    part[: len(piece)] = np.nan_to_num(piece) * gain
    features = encoder.listen(part, stop - start)
    if not np.isfinite(features).all():
        raise ModelError(
            "The speech encoder makes values of this sound that are no numbers.",
            "Use the speech model that comes with GSmooth.",
        )
    return features


def feature_blocks(
    encoder: FrameEncoder, audio: Float, gain: float | None = None
) -> Iterator[Float]:
    """Features of `audio` (S,) in consecutive blocks (n, F), all frames once.

    Args:
        encoder: samples -> features.
        audio: samples at 16 kHz.
        gain: factor on the samples; None brings the clip to the usual level.

    Raises:
        ModelError: the encoder makes values that are no numbers.
    """
    gain = level_gain(audio) if gain is None else gain
    fade_in = ((np.arange(OVERLAP, dtype=np.float32) + 0.5) / OVERLAP)[:, None]
    spans = window_spans(frame_count(audio))
    tail: Float | None = None
    for index, span in enumerate(spans):
        block = _encode(encoder, audio, gain, span)
        if tail is not None:
            head = block[:OVERLAP]  # the last window may end inside the overlap's width
            block[:OVERLAP] = tail[: len(head)] * (1 - fade_in) + head * fade_in
        final = index == len(spans) - 1
        tail = None if final else block[-OVERLAP:]
        yield block if final else block[:-OVERLAP]
