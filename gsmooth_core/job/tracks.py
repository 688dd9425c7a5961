"""Which of a file's sound tracks is the speech: as the job says, or the one in which one speaks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from gsmooth_core.a2ep import load_a2ep
from gsmooth_core.a2ep.mel import SAMPLE_RATE
from gsmooth_core.a2ep.spoken import spoken_share
from gsmooth_core.errors import GSmoothError, InputError
from gsmooth_core.job.job import Job
from gsmooth_core.media import read_audio
from gsmooth_core.media.reading.description import Stream, check_readable, describe
from gsmooth_core.media.reading.still import is_still
from gsmooth_core.text import counted

_LISTENED = 60.0  # seconds of each track that are listened to
_SPOKEN = 0.05  # share of a track that is speech at least, where one speaks in it
_CLEARLY = 1.2  # times as much speech as in the first track that another one must hold


@dataclass(frozen=True)
class Track:
    """A sound track that was chosen.

    Attributes:
        index: its number among the file's sounds, from 0.
        said: why, for a person; "" where there was nothing to choose.
    """

    index: int
    said: str = ""


def speech_track(job: Job) -> Track:
    """The track of the job's speech.

    Raises:
        InputError: there is no track of that number.
        MediaError: the file cannot be read.
    """
    return chosen(job.audio, job.settings.audio_track) if job.audio else Track(0)


def own_track(job: Job) -> Track:
    """The track of the speech in the job's video.

    Raises:
        InputError: there is no track of that number.
        MediaError: the file cannot be read.
    """
    # Stills are not described: they have readers of their own.
    still = is_still(job.video)
    return Track(0) if still else chosen(job.video, job.settings.source_audio_track)


def chosen(path: Path, wish: str) -> Track:
    """The track that a setting asks for.

    Args:
        path: any file.
        wish: "auto", or a number from 1.
    """
    sounds = describe(path).sounds
    if wish != "auto":
        if int(wish) > max(len(sounds), 1):
            text = f"'{path.name}' has {counted(len(sounds), 'sound track')}, and no number {wish}."
            raise InputError(text, "See them with `gsmooth probe`.")
        return Track(int(wish) - 1)
    if len(sounds) < 2:
        return Track(0)
    return _heard(path.absolute(), check_readable(path))


@lru_cache(maxsize=32)
def _heard(path: Path, _stamp: tuple[int, int]) -> Track:
    sounds = describe(path).sounds
    shares = np.array([_share(path, index, sound) for index, sound in enumerate(sounds)])
    best, count = int(shares.argmax()), len(sounds)
    if shares[best] < _SPOKEN:
        said = f"In none of the {count} sound tracks of '{path.name}' speech is heard"
        return Track(0, f"{said}; track 1 is used.")
    if shares[best] < _CLEARLY * shares[0]:
        best = 0  # the same voice twice, as in files with a track for each channel
    return Track(best, f"The speech of '{path.name}' is on sound track {best + 1} of {count}.")


def _share(path: Path, index: int, sound: Stream) -> float:
    """How much of a track is speech, 0..1."""
    if not sound.decodable:
        return 0.0
    try:
        audio = read_audio(path, SAMPLE_RATE, duration=_LISTENED, track=index)
    except GSmoothError:  # a track without a sample, or damaged: there are others
        return 0.0
    return spoken_share(audio, load_a2ep())
