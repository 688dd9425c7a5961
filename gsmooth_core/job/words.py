"""What a job's speech says: recognised once, and kept in its folder."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gsmooth_core.a2ep.mel import SAMPLE_RATE
from gsmooth_core.a2ep.words import Transcript, Word, recognise
from gsmooth_core.errors import JobError
from gsmooth_core.job.events import Cancelled, OnEvent, progress
from gsmooth_core.job.journal import Journal, fingerprint
from gsmooth_core.job.names import JobFile
from gsmooth_core.job.source import Source
from gsmooth_core.storage.files import read_json, shown, write_text
from gsmooth_core.types import Float


def words_of(
    folder: Path, source: Source, on_event: OnEvent, cancelled: Cancelled
) -> tuple[Transcript, bool]:
    """The words that are heard while the job's picture is shown.

    Args:
        folder: the job's folder, or that of one of its people.
        source: of the job.
        on_event: told about progress.
        cancelled: asked after every few sentences.

    Returns:
        the words, and whether they had to be recognised now.

    Raises:
        ModelError: the recogniser is not installed.
        NoSpeechError: nothing is heard.
        InputError: the job names no speech.
    """
    path, journal = folder / JobFile.WORDS, Journal(folder)
    inputs = fingerprint(**source.speech_stamp())
    if journal.finished("words", inputs, path):
        return _read(path), False
    made = heard(source.speech(), on_event, cancelled)
    write_text(path, json.dumps(asdict(made), ensure_ascii=False, indent=1))
    journal.record("words", inputs, path)
    return made, True


def heard(
    audio: Float, on_event: OnEvent, cancelled: Cancelled, recogniser: Any = None
) -> Transcript:
    """The words of (S,) samples at 16 kHz; see `a2ep.words.recognise`."""
    seconds = len(audio) // SAMPLE_RATE
    on_progress = progress("words", seconds, on_event, cancelled)
    return recognise(audio, lambda done: on_progress(min(int(done), seconds)), recogniser)


def _read(path: Path) -> Transcript:
    content = read_json(path, JobError)
    try:
        words = tuple(_word(row) for row in content["words"])
        return Transcript(str(content["language"])[:8], words)
    except (KeyError, TypeError, ValueError) as error:
        raise JobError(f"'{shown(path)}' is damaged.", "Delete it.") from error


def _word(row: dict[str, Any]) -> Word:
    text, start, end = row["text"], float(row["start"]), float(row["end"])
    if not isinstance(text, str) or not 0 <= start <= end or not math.isfinite(end):
        raise ValueError
    return Word(text, start, end)
