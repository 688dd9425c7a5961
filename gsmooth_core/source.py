"""What a job takes from its sources: single frames in order, the part of a sound that is heard."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from gsmooth_core.data import Clip, FaceTrack, Float, Image
from gsmooth_core.media import read_frames

SAMPLE_RATE = 16000


class FrameReader:
    """Gives single frames of a clip, asked for in ascending order, decoding each only once.

    Args:
        clip: the clip.
        start: the clip's frame that is number 0 here.
    """

    def __init__(self, clip: Clip, start: int = 0) -> None:
        self._clip, self._next = clip, 0
        count = None if not clip.still else 1
        self._frames = read_frames(clip, 0 if clip.still else start, count)
        self._last: Image | None = None

    def close(self) -> None:
        """End the decoder, which may be in the middle of the clip."""
        getattr(self._frames, "close", lambda: None)()

    def __call__(self, index: int) -> Image:
        """(H, W, 3) uint8 RGB of frame `index`, which may not lie before the last one."""
        if self._clip.still:
            index = 0
        if self._last is None or index >= self._next:
            self._last = next(islice(self._frames, index - self._next, None))
            self._next = index + 1
        elif index != self._next - 1:
            raise ValueError(f"frame {index} was asked for after frame {self._next - 1}")
        return self._last


def heard(
    audio: Float, start: float, duration: float | None, delay: float, seconds: float
) -> Float:
    """The sound as the picture hears it, as long as the picture.

    Args:
        audio: (S,) 16 kHz mono.
        start: second of the sound at which the used part begins; silence before the sound.
        duration: how much of it is used; None for all.
        delay: seconds of the picture before it is heard.
        seconds: length of the picture.

    Returns:
        (round(seconds * 16000),) with silence where nothing is heard.
    """
    result = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    first = round(start * SAMPLE_RATE)
    last = len(audio) if duration is None else first + round(duration * SAMPLE_RATE)
    offset = round(delay * SAMPLE_RATE) - min(first, 0)
    part = audio[max(first, 0) : max(last, 0)][: max(len(result) - offset, 0)]
    result[offset : offset + len(part)] = part
    return result


def repeat_track(track: FaceTrack, count: int) -> FaceTrack:
    """The track of a still picture, shown `count` times."""
    names = ("expression", "rotation", "translation", "light", "confidence", "landmarks")
    frames: dict[str, Any] = {n: np.repeat(getattr(track, n)[:1], count, axis=0) for n in names}
    return replace(track, **frames)
