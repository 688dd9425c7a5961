"""Audio of any length -> one feature vector a frame, in windows whose seams do not show.

Neighbouring windows overlap; over the overlap the later one fades in as the earlier one fades
out, so that at a window's edge, where the encoder knows one side only, its weight is zero.
Memory is that of two windows, however long the audio.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from gsmooth_core.a2ep.mel import BLOCK, SAMPLE_RATE, level_gain
from gsmooth_core.errors import ModelError
from gsmooth_core.types import Float

FPS = SAMPLE_RATE / BLOCK  # 25 frames a second, the rate at which the model steps
WINDOW = 400  # frames
OVERLAP = 100  # frames


class FrameEncoder(Protocol):
    """What turns samples into features at 25 frames a second."""

    def __call__(self, audio: Tensor, frames: int) -> Tensor:
        """(B, frames * 640) samples -> (B, frames, F)."""
        ...


def interpolate(features: Tensor, positions: Tensor) -> Tensor:
    """Linear interpolation in time (the resampling layer of Sec. IV-B).

    Args:
        features: (B, K, F) samples of a curve at 0, 1, ..., K - 1.
        positions: (T,) where to read it; beyond the ends the end values hold.

    Returns:
        (B, T, F).
    """
    last = features.shape[1] - 1
    at = positions.to(features).clamp(0, last)
    low = at.floor().long().clamp(max=max(last - 1, 0))
    high = (low + 1).clamp(max=last)
    weight = (at - low)[None, :, None]
    return features[:, low] * (1 - weight) + features[:, high] * weight


def frame_centres(frames: int, rate: float, fps: float = FPS, first: float = 0.0) -> Tensor:
    """(frames,) positions of frame centres on a `rate` Hz axis whose sample 0 is at `first` s."""
    return ((torch.arange(frames, dtype=torch.float64) + 0.5) / fps - first) * rate


def frame_count(audio: Float) -> int:
    """Number of 40 ms frames that hold `audio` (S,)."""
    return max(1, -(-len(audio) // BLOCK))


def window_spans(frames: int) -> list[tuple[int, int]]:
    """(start, stop) of the windows that cover `frames` frames, each `OVERLAP` into the next."""
    step = WINDOW - OVERLAP
    count = max(1, -(-(frames - OVERLAP) // step))
    return [(i * step, min(i * step + WINDOW, frames)) for i in range(count)]


def device_of(encoder: FrameEncoder) -> torch.device:
    """Where an encoder's weights are; the processor for one that has none."""
    weights = encoder.parameters() if isinstance(encoder, nn.Module) else iter(())
    first = next(weights, None)
    return torch.device("cpu") if first is None else first.device


def _encode(encoder: FrameEncoder, audio: Float, gain: float, span: tuple[int, int]) -> Float:
    start, stop = span
    part = np.zeros((stop - start) * BLOCK, np.float32)
    piece = audio[start * BLOCK : stop * BLOCK]
    part[: len(piece)] = np.nan_to_num(piece) * gain
    with torch.inference_mode():
        samples = torch.from_numpy(part)[None].to(device_of(encoder))
        features = encoder(samples, stop - start)[0]
    if not bool(features.isfinite().all()):
        raise ModelError(
            "The speech encoder makes values of this sound that are no numbers.",
            "Use the speech model that comes with GSmooth.",
        )
    return features.float().cpu().numpy()


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
