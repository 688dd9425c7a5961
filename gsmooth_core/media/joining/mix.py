"""Several sounds heard at once, as one file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gsmooth_core.media.joining.assemble import write_wav
from gsmooth_core.media.sound.audio import read_audio
from gsmooth_core.storage.files import atomic
from gsmooth_core.types import Float

RATE = 48_000


def mixed(sounds: Sequence[Float]) -> Float:
    """The sum of sounds that begin together.

    Each keeps its loudness. Where the sum would clip, all of it is made quieter by one factor, so
    that nothing is distorted and nobody gets louder beside another.

    Args:
        sounds: (S_n,) samples each, -1..1, at one rate.

    Returns:
        (max S_n,) -1..1.
    """
    total = np.zeros(max(len(sound) for sound in sounds), np.float32)
    for sound in sounds:
        total[: len(sound)] += sound
    peak = max(1.0, float(np.abs(total).max(initial=0.0)))
    return total / np.float32(peak)


def mix(paths: Sequence[Path], seconds: float, target: Path) -> Path:
    """Write the first `seconds` of several sounds, mixed, as mono 48 kHz WAV.

    Raises:
        MediaError: one cannot be read, or `target` not be written.
    """
    total = mixed([read_audio(path, RATE, duration=seconds) for path in paths])
    with atomic(target) as partial:
        write_wav(partial, total, RATE)
    return target
