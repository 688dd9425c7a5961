"""Which of a sound's channels hold the speech.

A mean of all channels is what is heard in most files. Not so where one channel is the other's
opposite (a microphone wired the wrong way round): their mean is silence. And surround sound keeps
its speech in the centre, where the other channels would only lie over it.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from gsmooth_core.media import ffmpeg
from gsmooth_core.media.reading.description import Stream, check_readable, describe

_RATE = 8000
_SECONDS = 900  # that are listened to
_OPPOSITE = 0.1  # of the louder channel's power that a mean must keep; one of two alone keeps 1/4
_HEARD = 1e-6  # mean power of a channel that is no silence (-60 dBFS)
_CENTRES = {"3.0": 2, "3.1": 2, "4.0": 2, "4.1": 2, "5.0": 2, "5.1": 2, "6.1": 2, "7.1": 2}


def to_speech(path: Path, track: int = 0) -> str:
    """Filter that takes the speech out of a sound's channels: "", or with a last comma.

    Raises:
        MediaError: the file cannot be read.
    """
    path = path.absolute()
    return _filter(path, track, check_readable(path))


@lru_cache(maxsize=64)
def _filter(path: Path, track: int, _stamp: tuple[int, int]) -> str:
    sounds = describe(path).sounds
    if track >= len(sounds) or not 2 <= sounds[track].channels <= 8:
        return ""
    chosen = _channel(path, track, sounds[track])
    return "" if chosen is None else f"pan=mono|c0=c{chosen},"


def _channel(path: Path, track: int, sound: Stream) -> int | None:
    """The channel to listen to alone; None where all are mixed."""
    centre = _CENTRES.get(sound.layout.partition("(")[0])
    if sound.channels > 2 and centre is None:
        return None
    powers = _powers(path, track, sound.channels)
    if powers is None:
        return None
    single, mean = powers
    if centre is not None:
        return centre if single[centre] > _HEARD else None
    loudest = int(single.argmax())
    opposite = single[loudest] > _HEARD and mean < _OPPOSITE * single[loudest]
    return loudest if opposite else None


def _powers(
    path: Path, track: int, channels: int
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], float] | None:
    """(C,) mean power of each channel, and that of their mean; None where nothing is heard."""
    arguments = ffmpeg.command(
        *(*ffmpeg.input_arguments(path, "-t", str(_SECONDS)), "-map", f"0:a:{track}", "-vn"),
        *("-ar", str(_RATE), "-f", "f32le", "-"),
    )
    total, mixed, count, rest = np.zeros(channels), 0.0, 0, b""
    with ffmpeg.Pipe(arguments, write=False, timeout=600) as pipe:
        for part in pipe.parts():
            data = rest + part
            whole = len(data) // (4 * channels) * 4 * channels
            rest = data[whole:]
            samples = np.frombuffer(data[:whole], np.float32).reshape(-1, channels)
            samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float64)
            total += (samples**2).sum(0)
            mixed += float((samples.mean(1) ** 2).sum())
            count += len(samples)
        pipe.finish()
    return (total / count, mixed / count) if count else None
