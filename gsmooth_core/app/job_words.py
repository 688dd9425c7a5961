"""The words of a job, for markers on a timeline; of a finished dub with its lips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gsmooth_core.a2ep.closures import SpokenWord
from gsmooth_core.a2ep.words import Transcript
from gsmooth_core.evaluation.metrics.shot import Shot, found_landmarks, open_shot
from gsmooth_core.evaluation.report.words import seen_words
from gsmooth_core.job.as_video import as_video
from gsmooth_core.job.events import Cancelled, OnEvent, Progress, raise_if
from gsmooth_core.job.job import load_job
from gsmooth_core.job.names import JobFile
from gsmooth_core.job.source import Source
from gsmooth_core.job.words import words_of
from gsmooth_core.storage.files import is_there
from gsmooth_core.storage.locks import locked


def words_of_job(
    folder: Path, on_event: OnEvent, cancelled: Cancelled, face: str | None = None
) -> dict[str, Any]:
    """The words of a job's speech; leaves words.json.

    Of a finished dub the words have their closures, as its picture shows them.

    Args:
        folder: the job's folder.
        on_event: told about progress.
        cancelled: asked after every few sentences and every frame.
        face: number of the person, where several were dubbed; the first by default.

    Raises:
        ModelError: the recogniser is not installed.
        NoSpeechError: nothing is heard.
        InputError: the job names no speech, or did not dub that person.
    """
    job = load_job(folder)
    with locked(folder):
        if is_there(folder / JobFile.REPORT) and is_there(job.output):
            said, words = _seen(open_shot(folder, face), on_event, cancelled)
        else:
            source = Source(as_video(job, folder, on_event))
            said, _ = words_of(folder, source, on_event, cancelled)
            words = tuple(SpokenWord(word.text, word.start, word.end) for word in said.words)
    return {"language": said.language, "words": [word.to_json() for word in words]}


def _seen(
    shot: Shot, on_event: OnEvent, cancelled: Cancelled
) -> tuple[Transcript, tuple[SpokenWord, ...]]:
    # First of all what may not be installed.
    said, _ = words_of(shot.folder, shot.source, on_event, cancelled)

    def on_progress(stage: str, done: int, total: int) -> None:
        raise_if(cancelled)
        on_event(Progress(stage, done, total))

    return said, seen_words(said, shot, found_landmarks(shot, on_progress))
