"""A finished dub job, opened to be measured: its source, its output, and the faces in both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gsmooth_core.errors import InputError, JobError, MediaError, NoSpeechError
from gsmooth_core.evaluation.metrics.compare import Comparison, Curves, slow_measures
from gsmooth_core.evaluation.metrics.masks import Masks
from gsmooth_core.evaluation.metrics.silence import silent_frames
from gsmooth_core.evaluation.metrics.summary import Faces, add_motion
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.mouth import eye_distance
from gsmooth_core.job.job import Job, load_job
from gsmooth_core.job.journal import Journal, fingerprint
from gsmooth_core.job.names import JobFile
from gsmooth_core.job.roles import person_job, roles_in
from gsmooth_core.job.seen import INTERLACED, OTHERWISE, Dubbed
from gsmooth_core.job.source import Source
from gsmooth_core.media import probe, read_frames
from gsmooth_core.media.reading.still import read_still
from gsmooth_core.storage.arrays import load_arrays, load_expression, load_track, save_arrays
from gsmooth_core.storage.files import check_file, is_there, read_json, shown
from gsmooth_core.storage.layout import ArrayLayout, Layout
from gsmooth_core.tracking.following.follow import FollowSettings
from gsmooth_core.tracking.people.people import follow_people
from gsmooth_core.types import Bool, Expression, FaceTrack, Float, Image

LANDMARKS: Layout = {"landmarks": ArrayLayout(("T", 478, 2), 1e6, gaps=True)}
_UNFINISHED = "Run the job to its end (`gsmooth dub --job FOLDER ...`), then ask for its report."

OnProgress = Callable[[str, int, int], None]
"""Called with the stage, the frames done and the frames in all."""


def _quiet(stage: str, done: int, total: int) -> None:
    pass


@dataclass(frozen=True)
class Shot:
    """A dubbed clip beside its source.

    Attributes:
        job: what was asked for.
        folder: where it was worked on.
        source: the pictures and the sound.
        track: the face in the source.
        target: the expression that was asked for.
        outside: largest change of a pixel outside of the mask before encoding.
        dubbed: everybody whose face was dubbed, among them this one.
    """

    job: Job
    folder: Path
    source: Source
    track: FaceTrack
    target: Expression
    outside: int
    dubbed: tuple[Dubbed, ...] = ()

    def untouched(self) -> Shot:
        """The source as a shot whose output is itself."""
        job = replace(self.job, output=self.job.video)
        return replace(self, job=job, source=Source(job), target=self.track.curves, outside=0)

    def masks(self) -> Masks:
        """What the job replaced."""
        whole = self.job.settings.mask == "face"
        return Masks(self.track, load_face_model(), self.target.values, whole_face=whole)

    def made(self) -> Iterator[Image]:
        """The dubbed frames."""
        output = self.job.output
        if output == self.job.video:
            return self.source.read(0, self.source.count)
        return _pictures(output) if output.is_dir() else read_frames(probe(output))


def open_shot(folder: Path, face: str | None = None) -> Shot:
    """Read what a finished job left in its folder.

    Args:
        folder: the job's folder.
        face: number of the person, where several were dubbed; the first by default.

    Raises:
        JobError: there is no finished job.
        InputError: it did not dub that person.
        GSmoothError: its source cannot be read any more.
    """
    job = load_job(folder)
    _see_finished(folder, folder / JobFile.REPORT, job.output)
    source = Source(job)
    roles = roles_in(job, folder, source.count)
    places = [folder / f"person_{role.face}" for role in roles] or [folder]
    names = (JobFile.TRACK, JobFile.TARGET)
    _see_finished(folder, *(place / name for place in places for name in names))
    tracks = [_track_in(place, source) for place in places]
    if not roles:
        chosen, dubbed = _chosen([str(tracks[0].person)], face), [Dubbed(tracks[0])]
    else:
        chosen = _chosen([role.face for role in roles], face)
        job = person_job(job, roles[chosen], source.count)
        pairs = zip(tracks, roles, strict=True)
        dubbed = [Dubbed(track, role.turns, role.speech) for track, role in pairs]
    place, mine = places[chosen], dubbed[chosen]
    target = load_expression(place / JobFile.TARGET)
    outside, combed, refused = _told(folder / JobFile.REPORT)
    dubbed[0] = replace(dubbed[0], combed=combed, refused=refused)
    track = mine.track.only(mine.frames)
    return Shot(job, place, Source(job), track, target, outside, tuple(dubbed))


def _track_in(place: Path, source: Source) -> FaceTrack:
    track = load_track(place / JobFile.TRACK)
    return track if source.plain else track.gathered(source.pictures)


def _see_finished(folder: Path, *needed: Path) -> None:
    if not all(is_there(path) for path in needed):
        raise JobError(f"The job in '{shown(folder)}' is not finished.", _UNFINISHED)


def _chosen(faces: list[str], face: str | None) -> int:
    if face is not None and face not in faces:
        one = len(faces) == 1
        hint = "Leave --face out." if one else f"Dubbed: {', '.join(faces)}."
        raise InputError(f"Person {face} was not dubbed.", hint)
    return 0 if face is None else faces.index(face)


def _told(path: Path) -> tuple[int, list[int], list[int]]:
    """What the job's report has.

    Returns:
        the largest change of a pixel outside the masks, the frames that were no references since
        they are interlaced, and those that look otherwise; none in an old report.
    """
    result = read_json(path, JobError)
    damaged = JobError(f"'{shown(path)}' is damaged.", _UNFINISHED)
    if not isinstance(result, dict):
        raise damaged
    outside = result.get("outside_mask_max_difference")
    if not isinstance(outside, int) or isinstance(outside, bool):
        raise damaged
    frames: dict[str, list[int]] = {INTERLACED: [], OTHERWISE: []}
    try:
        for stretch in result.get("refused", []):
            frames[stretch["why"]] += range(stretch["first"], stretch["last"] + 1)
    except (KeyError, TypeError) as error:
        raise damaged from error
    return outside, frames[INTERLACED], frames[OTHERWISE]


def found_landmarks(shot: Shot, on_progress: OnProgress = _quiet) -> Float:
    """(T, 478, 2) landmarks of the dubbed pictures, found from nothing; kept in the job's folder.

    NaN where no face is found.
    """
    output, journal = shot.job.output, Journal(shot.folder)
    path = shot.folder / JobFile.FOUND
    inputs = fingerprint(output=output, looks=_looks(shot))
    if not journal.finished("found", inputs, path):
        save_arrays(path, "landmarks", {"landmarks": _find(shot, on_progress)}, {})
        journal.record("found", inputs, path)
    return load_arrays(path, "landmarks", LANDMARKS)[0]["landmarks"]


def measure(
    shot: Shot,
    found: Float,
    samples: int,
    on_progress: OnProgress = _quiet,
    known: dict[int, Float] | None = None,
) -> tuple[Curves, Faces]:
    """Measure a shot: all its curves, and the faces they were measured on.

    Args:
        shot: a finished dub beside its source.
        found: (T, 478, 2) landmarks of its output (`found_landmarks`).
        samples: number of frames for the slow measures.
        on_progress: called with stage, frames done and frames in all.
        known: embeddings of the source's faces by frame (`Comparison`).
    """
    model, count = load_face_model(), shot.source.count
    faces = Faces(shot.track, found, shot.target, _silent(shot))
    comparison = Comparison(
        shot.track, model, shot.masks(), evenly_spaced(count, samples), slow_measures(), known
    )
    curves = comparison.run(
        shot.source.read(0, count), shot.made(), lambda n: on_progress("compare", n, count)
    )
    add_motion(curves, faces, model)
    return curves, faces


def evenly_spaced(count: int, samples: int) -> list[int]:
    """`samples` frames of `count`, evenly spread."""
    places = (np.arange(min(samples, count)) + 0.5) * count / max(1, min(samples, count))
    return [int(place) for place in places]


def speech(shot: Shot) -> Float | None:
    """(S,) 16 kHz what is heard with the picture; None where nothing is."""
    try:
        return shot.source.speech() if shot.job.audio is not None else None
    except NoSpeechError:
        return None


def _silent(shot: Shot) -> Bool:
    audio, count = speech(shot), shot.source.count
    if audio is None:
        return np.zeros(count, bool)
    return silent_frames(audio, count, float(shot.track.fps))


def _find(shot: Shot, on_progress: OnProgress) -> Float:
    count = shot.source.count
    follow = FollowSettings(looks=_looks(shot))
    people = follow_people(
        shot.made(), lambda _frame, _face: None, follow, lambda n: on_progress("find", n, count)
    )
    found = [people.track(person)[0].flat() for person in people.people]
    return beside(found, shot.track.landmarks)


def _looks(shot: Shot) -> int:
    """How a dub's faces are looked at: as its source's were, or more trembling would be its own."""
    settings = shot.job.settings
    return settings.looks if settings.tracker == "fit" else 1


def beside(faces: Sequence[Float], landmarks: Float) -> Float:
    """Of the faces of a dub those that are where the dubbed face was in the source.

    Args:
        faces: (T, 478, 2) for each person that is found in the dub, NaN where not seen.
        landmarks: (T, 478, 2) of the source's face.

    Returns:
        (T, 478, 2); of several people in that place, who may be one, each where it is seen.
    """
    out = np.full_like(landmarks, np.nan)
    size = eye_distance(landmarks)
    for points in faces:
        apart = np.linalg.norm(points.mean(axis=1) - landmarks.mean(axis=1), axis=-1) / size
        both = np.isfinite(apart)
        if both.any() and np.median(apart[both]) < 1:
            seen = np.isfinite(points).all(axis=(1, 2))
            out[seen] = points[seen]
    return out


def _pictures(folder: Path) -> Iterator[Image]:
    for path in sorted(folder.glob("*.png")):
        check_file(path, MediaError)
        yield read_still(path)
