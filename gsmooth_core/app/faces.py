"""Who is seen in a video: what `gsmooth faces` does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from gsmooth_core.errors import InputError, JobError, NoFaceError
from gsmooth_core.evaluation.sync.describe import to_json
from gsmooth_core.job.events import Cancelled, OnEvent, progress
from gsmooth_core.job.job import Job
from gsmooth_core.job.speaker import turns_of, voices
from gsmooth_core.media import probe, read_frames
from gsmooth_core.media.pictures.images import write_image
from gsmooth_core.ranges import Part, Ranges, describe_ranges, ranges_of
from gsmooth_core.storage.files import make_folder, shown
from gsmooth_core.sync import SyncResult
from gsmooth_core.text import counted
from gsmooth_core.tracking.people.people import LARGEST, People, Person, follow_people
from gsmooth_core.types import Bool, Clip, Image

_PICTURE = re.compile(r"person_\d+\.png")


def faces(
    video: Path,
    folder: Path | None,
    part: Part,
    on_event: OnEvent,
    cancelled: Cancelled,
) -> dict[str, Any]:
    """List the people of a video, with a picture of each where there is a folder for it.

    Args:
        video: video or still image.
        folder: where to put `person_1.png` and so on; it is made when it is not there, and may
            hold no such picture yet.
        part: first frame, and number of frames; None means to the end. A dub of the same frames
            counts people as this does.
        on_event: told about progress.
        cancelled: asked after every frame.

    Raises:
        NoFaceError: nobody is seen.
        GSmoothError: a file that cannot be read or written.
    """
    clip, (start, count) = probe(video), part
    if folder is not None:
        _check_free(folder)
    if clip.still:
        start, count = 0, 1
    count = clip.frame_count - start if count is None else count
    if not 0 <= start < start + count <= clip.frame_count:
        text = f"'{video.name}' has {counted(clip.frame_count, 'frame')}."
        raise InputError(text, "Check the start frame and the frame count.")
    on_progress = progress("track", count, on_event, cancelled)
    frames = read_frames(clip, start, count)
    found = follow_people(frames, lambda _frame, _face: None, on_progress=on_progress)
    if not found.people:
        text = f"No frame of '{video.name}' shows a face."
        raise NoFaceError(text, "Choose one in which people are seen from the front.")
    if folder is not None:
        make_folder(folder)
    people = [_told(found, person, folder, start) for person in found.people]
    _add_speakers(people, found, clip, start)
    shots = [
        _ranges(found.shot == number, start)[0] for number in np.unique(found.shot[found.shot >= 0])
    ]
    dissolves = _ranges(found.shot < 0, start)
    text = "\n".join(_in_words(person) for person in people)
    return {
        "people": people, "frames": len(found.shot), "fps": str(clip.fps),
        "shots": shots, "dissolves": dissolves, "text": text,
    }  # fmt: skip


def faces_of_job(job: Job, folder: Path, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    """List the people whom a job's frames show, with pictures in place of those of an earlier run.

    Args:
        job: the job; of its settings nothing matters.
        folder: where pictures go, within the job's own.
        on_event: told about progress.
        cancelled: asked after every frame.

    Raises:
        JobError: the folder is a link.
        GSmoothError: as by `faces`.
    """
    if folder.is_symlink():
        raise JobError(f"'{shown(folder)}' is a link.", "Remove it.")
    for picture in folder.iterdir() if folder.is_dir() else ():
        if _PICTURE.fullmatch(picture.name):
            picture.unlink()
    return faces(job.video, folder, (job.start_frame, job.frame_count), on_event, cancelled)


def _check_free(folder: Path) -> None:
    """Refuse a folder with such pictures: they are another video's, or the user's; and a file."""
    if folder.is_file():
        raise InputError(f"'{shown(folder)}' is a file.", "Name a folder for the pictures.")
    if folder.is_dir() and any(_PICTURE.fullmatch(path.name) for path in folder.iterdir()):
        raise InputError(
            f"'{shown(folder)}' holds pictures of people already.", "Choose an empty folder."
        )


def _ranges(frames: Bool, start: int) -> Ranges:
    """Runs of frames, counted from the video's first."""
    return [(first + start, last + start) for first, last in ranges_of(frames)]


def _told(found: People, person: Person, folder: Path | None, start: int) -> dict[str, Any]:
    picture = folder / f"person_{person.number}.png" if folder is not None else None
    if picture is not None:
        write_image(picture, _thumbnail(person))
    seen = found.seen[:, person.number - 1]
    largest = found.choose(LARGEST)
    return {
        "number": person.number,
        "frames": int(seen.sum()),
        "ranges": _ranges(seen, start),
        "width": round(float(np.median(person.widths)), 1),
        "largest": largest is not None and largest.number == person.number,
        "thumbnail": str(picture) if picture is not None else None,
    }


def _add_speakers(people: list[dict[str, Any]], found: People, clip: Clip, start: int) -> None:
    """Say of each person how sure it is that the clip's own sound is theirs, and where."""
    speaking = turns_of(found, clip, start)
    most = max(speaking, key=lambda number: int(speaking[number].sum()), default="")
    for person, heard in zip(people, voices(found, clip, start), strict=True):
        number = str(person["number"])
        turns = _ranges(speaking[number], start) if number in speaking else []
        person["speaker"] = number == most
        person["speaks"] = {"ranges": turns, **_measured(heard)} if heard is not None else None


def _measured(heard: SyncResult) -> dict[str, Any]:
    names = ("confidence", "threshold", "sure", "offset_frames", "per_second")
    values = to_json(heard)
    return {name: values[name] for name in names}


def _thumbnail(person: Person) -> Image:
    """(150, 150, 3): the most frontal of the pictures that were kept."""
    chips = [chip for sighting in person.sightings for chip in sighting.chips]
    return min(chips, key=lambda chip: chip[1])[2]


def _in_words(person: dict[str, Any]) -> str:
    where = describe_ranges(person["ranges"], 0)
    frames = counted(person["frames"], "frame")
    text = f"{person['number']}: {frames}, {person['width']:.0f} pixels wide"
    text += ", the largest" if person["largest"] else ""
    if speaks := person["speaks"]:
        lips = f"lips fit the sound by {speaks['confidence']:.2f}"
        sure = f" (strangers' by up to {speaks['threshold']:.2f})"
        text += (", the speaker; " if person["speaker"] else "; ") + lips + sure
    picture = f"; {person['thumbnail']}" if person["thumbnail"] else ""
    return f"{text}; {where}{picture}"
