"""How many samples a second the new sound track of an output has.

Editors expect a track to have the rate of the one whose place it takes, or 48 kHz. A speech made
by a synthesiser often has less. What is heard at a higher rate keeps it, so that nothing is lost.
"""

from __future__ import annotations

from pathlib import Path

from gsmooth_core.media.joining.carry import Carried
from gsmooth_core.media.reading.description import describe
from gsmooth_core.media.sound.audio import RATES

USUAL = 48_000
"""Hz that editors expect where a source says nothing."""


def track_rate(heard: list[tuple[Path, int]], carried: Carried | None) -> int:
    """The rate of a new track.

    Args:
        heard: file, and which of its sounds, of all that is heard in it.
        carried: the source, if there is one.

    Returns:
        Hz: the source's, or the highest of what is heard where that is more.

    Raises:
        MediaError: a file cannot be read.
    """
    usual = _rate(carried.path, carried.replaced or 0) if carried else 0
    return max([usual or USUAL, *(_rate(path, track) for path, track in heard)])


def _rate(path: Path, track: int) -> int:
    """Hz of one of a file's sounds; 0 where there is none, or of a rate that nobody means."""
    sounds = describe(path).sounds
    if track >= len(sounds):
        return 0
    low, high = RATES
    rate = sounds[track].sample_rate
    return rate if low <= rate <= high else 0
