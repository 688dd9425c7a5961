"""Which word is spoken when, by Whisper as faster-whisper runs it; both are optional."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gsmooth_core.a2ep.mel import SAMPLE_RATE
from gsmooth_core.errors import ModelError
from gsmooth_core.models import registry
from gsmooth_core.models.packaged import packaged
from gsmooth_core.models.threads import network_threads
from gsmooth_core.types import Bool, Float

BLOCK = 0.01  # seconds that are loud or not
SILENT = -35.0  # decibels below the loud parts, from which on a block is silence
LATE = 0.25  # seconds that a word may go on after its recognised end
INSTALL = 'Install it with: pip install "gsmooth[words]"'
_NEEDED = ("model.bin", "config.json", "tokenizer.json")


@dataclass(frozen=True)
class Word:
    """A word as it was recognised.

    Attributes:
        text: as it is written, with its punctuation.
        start: seconds from the sound's beginning.
        end: the same.
    """

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Transcript:
    """What is said.

    Attributes:
        language: two letters, such as "en"; "" where nothing was heard.
        words: in their order.
    """

    language: str
    words: tuple[Word, ...]


def recognise(
    audio: Float,
    on_progress: Callable[[float], None] | None = None,
    recogniser: Any = None,
) -> Transcript:
    """The words of speech, in whichever of Whisper's languages it is.

    Args:
        audio: (S,) samples at 16 kHz.
        on_progress: called with the seconds that are done; may raise to stop.
        recogniser: of `load_recogniser`; None loads it.

    Raises:
        ModelError: the recogniser is not installed, or its weights are damaged.
    """
    segments, about = (recogniser or load_recogniser()).transcribe(
        audio, beam_size=2, word_timestamps=True, condition_on_previous_text=False
    )
    words: list[Word] = []
    for segment in segments:
        words += filter(None, (_word(said, len(audio) / SAMPLE_RATE) for said in segment.words))
        if on_progress:
            on_progress(float(segment.end))
    return Transcript(str(about.language) if words else "", within_sound(words, audio))


def _word(said: Any, seconds: float) -> Word | None:
    """A word as it was recognised, within the sound; None for one without text or time.

    Recognisers guess times, too: some end before they begin, or after the sound.
    """
    text = str(said.word).strip().encode("utf-8", "replace").decode("utf-8")
    start, end = float(said.start), float(said.end)
    if not text or not math.isfinite(start + end):
        return None
    start = min(max(start, 0.0), seconds)
    return Word(text, start, min(max(start, end), seconds))


def within_sound(words: Sequence[Word], audio: Float) -> tuple[Word, ...]:
    """The words without the silence before them, and to the end of their sound.

    Whisper lets a word after a pause begin in the pause, and one before a pause end early.

    Args:
        words: one after the other.
        audio: (S,) samples at 16 kHz.
    """
    loud = _loud(audio)
    bounds = [word.start for word in words[1:]] + [len(loud) * BLOCK]
    return tuple(_fitted(word, loud, until) for word, until in zip(words, bounds, strict=False))


def _loud(audio: Float) -> Bool:
    """Whether each `BLOCK` is no silence."""
    size = int(BLOCK * SAMPLE_RATE)
    whole = audio[: len(audio) // size * size].astype(np.float64).reshape(-1, size)
    level = np.sqrt((whole**2).mean(axis=1))
    usual = np.percentile(level, 95) if len(level) else 0.0
    return np.asarray(level > usual * 10 ** (SILENT / 20))


def _fitted(word: Word, loud: Bool, until: float) -> Word:
    first, last = (round(second / BLOCK) for second in (word.start, word.end))
    heard = np.flatnonzero(loud[first:last])
    if not len(heard):
        return word
    furthest = round(min(until, word.end + LATE) / BLOCK)
    quiet = np.flatnonzero(~loud[last:furthest])
    end = last + int(quiet[0]) if len(quiet) else max(furthest, last)
    return Word(word.text, (first + int(heard[0])) * BLOCK, end * BLOCK)


def load_recogniser() -> Any:
    """Whisper base, from the user's folder "whisper-base" or else from packages.

    Raises:
        ModelError: faster-whisper or the weights are not installed, or they are damaged.
    """
    try:
        from faster_whisper import WhisperModel  # an optional package
    except ImportError as error:
        text = "Words cannot be recognised: faster-whisper is not installed."
        raise ModelError(text, INSTALL) from error
    how = {"device": "cpu", "compute_type": "int8", "cpu_threads": network_threads()}
    if registry.find("whisper") is None:
        return WhisperModel("base", files=packaged("whisper", INSTALL), **how)
    folder = registry.locate("whisper")
    for name in _NEEDED:  # what lacks would be fetched from the net
        if not (folder / name).is_file():
            raise ModelError(f"The model '{folder}' has no {name}.", "Replace it.")
    return WhisperModel(str(folder), **how)
