"""A finished dub job, opened to be measured: its source, its output, and the faces in both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gsmooth_core.errors import JobError, MediaError, NoFaceError, NoSpeechError
from gsmooth_core.evaluation.metrics.compare import Comparison, Curves, slow_measures
from gsmooth_core.evaluation.metrics.masks import Masks
from gsmooth_core.evaluation.metrics.silence import silent_frames
from gsmooth_core.evaluation.metrics.summary import Faces, add_motion
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.job.job import Job, load_job
from gsmooth_core.job.journal import Journal, fingerprint
from gsmooth_core.job.length import gather_track
from gsmooth_core.job.source import Source
from gsmooth_core.media import probe, read_frames
from gsmooth_core.media.still import read_still
from gsmooth_core.storage.arrays import load_arrays, load_expression, load_track, save_arrays
from gsmooth_core.storage.files import check_file, is_there, read_json, shown
from gsmooth_core.storage.layout import ArrayLayout, Layout
from gsmooth_core.tracking import track_face
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
    """

    job: Job
    folder: Path
    source: Source
    track: FaceTrack
    target: Expression
    outside: int

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


def open_shot(folder: Path) -> Shot:
    """Read what a finished job left in its folder.

    Raises:
        JobError: there is no finished job.
        GSmoothError: its source cannot be read any more.
    """
    job = load_job(folder)
    needed = [folder / name for name in ("track.safetensors", "target.safetensors", "report.json")]
    if not all(is_there(path) for path in (*needed, job.output)):
        raise JobError(f"The job in '{shown(folder)}' is not finished.", _UNFINISHED)
    result = read_json(needed[-1], JobError)
    outside = result.get("outside_mask_max_difference") if isinstance(result, dict) else None
    if not isinstance(outside, int) or isinstance(outside, bool):
        raise JobError(f"'{shown(needed[-1])}' is damaged.", _UNFINISHED)
    source, track = Source(job), load_track(folder / "track.safetensors")
    return Shot(
        job,
        folder,
        source,
        track if source.plain else gather_track(track, source.pictures),
        load_expression(folder / "target.safetensors"),
        outside,
    )


def found_landmarks(shot: Shot, on_progress: OnProgress = _quiet) -> Float:
    """(T, 478, 2) landmarks of the dubbed pictures, found from nothing; kept in the job's folder.

    NaN where no face is found.
    """
    output, journal = shot.job.output, Journal(shot.folder)
    path = shot.folder / "found.safetensors"
    inputs = fingerprint(output=output)
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
    model: MorphableModel = load_face_model()
    try:
        track = track_face(
            shot.made(), shot.source.shown, model,
            on_progress=lambda n: on_progress("find", n, count),
        )  # fmt: skip
    except NoFaceError:
        return np.full((count, 478, 2), np.nan, np.float32)
    return track.landmarks


def _pictures(folder: Path) -> Iterator[Image]:
    for path in sorted(folder.glob("*.png")):
        check_file(path, MediaError)
        yield read_still(path)
