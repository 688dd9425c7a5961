"""Who says what in a job: one speech for each of several people, or one for whoever spoke there."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gsmooth_core.errors import JobError
from gsmooth_core.job.followed import Followed
from gsmooth_core.job.inputs import StageInputs
from gsmooth_core.job.job import Job
from gsmooth_core.job.journal import Journal
from gsmooth_core.job.names import JobFile
from gsmooth_core.job.stage import Stage, result_of
from gsmooth_core.ranges import Ranges, ranges_of
from gsmooth_core.storage.files import is_there, read_json, write_text
from gsmooth_core.tracking.people.people import SPEAKER
from gsmooth_core.types import Bool

Turns = dict[str, Ranges]
"""Person's number -> [first, last] ranges of the frames in which the person speaks."""


@dataclass(frozen=True)
class Role:
    """A person who is dubbed.

    Attributes:
        face: the person's number.
        speech: file with what is said.
        turns: (T,) the frames in which it is this person who says it; None for all.
    """

    face: str
    speech: Path | None
    turns: Bool | None = None


def roles_of(job: Job, inputs: StageInputs, journal: Journal, followed: Followed) -> list[Role]:
    """The roles of a job that dubs several people.

    With a speech for each they are the job's own. With one speech for the speaker they are those
    of the people who take turns in the clip's own sound.

    Args:
        job: what to do.
        inputs: what its stages depend on.
        journal: of the job's folder, where the turns are kept.
        followed: everybody in the clip.

    Returns:
        none where one person alone is dubbed.
    """
    if job.speech:
        return [Role(face, path) for face, path in job.speech.items()]
    edited = (journal.folder / "expression.json").is_file()
    if job.settings.face != SPEAKER or job.audio is None or edited:
        return []
    if job.settings.length != "trim":  # pictures that are repeated or left out have no turns
        return []

    def find() -> Turns:
        return {face: ranges_of(frames) for face, frames in followed.turns().items()}

    stage = Stage("turns", JobFile.TURNS, inputs.track(), find, _save, _load)
    return _roles(result_of(stage, journal), job, inputs.count)


def roles_in(job: Job, folder: Path, count: int) -> list[Role]:
    """The roles of a finished job, as `roles_of` gave them; none where one person was dubbed."""
    if job.speech or job.settings.face != SPEAKER or not is_there(folder / JobFile.TURNS):
        return [Role(face, path) for face, path in job.speech.items()]
    return _roles(_load(folder / JobFile.TURNS), job, count)


def person_job(job: Job, role: Role, count: int) -> Job:
    """The job of one of several people, over `count` frames."""
    settings = replace(job.settings, face=role.face, length="trim")
    return replace(job, speech={}, audio=role.speech, frame_count=count, settings=settings)


def _roles(turns: Turns, job: Job, count: int) -> list[Role]:
    if len(turns) < 2:
        return []
    return [Role(face, job.audio, _frames(ranges, count)) for face, ranges in turns.items()]


def _frames(ranges: Ranges, count: int) -> Bool:
    out = np.zeros(count, bool)
    for first, last in ranges:
        out[first : last + 1] = True
    return out


def _save(path: Path, turns: Turns) -> None:
    write_text(path, json.dumps(turns))


def _load(path: Path) -> Turns:
    content = read_json(path, JobError)
    try:
        return {
            str(int(face)): [(int(a), int(b)) for a, b in ranges]
            for face, ranges in content.items()
        }
    except (AttributeError, TypeError, ValueError) as error:
        raise JobError(f"'{path.name}' of the job is damaged.", "Remove it.") from error
