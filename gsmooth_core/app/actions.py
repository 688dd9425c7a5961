"""What the worker and the command line can do with a job folder; both call these and no more.

Heavy rooms are imported where they are used, so that help, errors and `ping` come at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gsmooth_core.errors import InputError, JobError
from gsmooth_core.job.as_video import as_video
from gsmooth_core.job.events import Cancelled, Message, OnEvent
from gsmooth_core.job.job import Job, load_job, read_rate
from gsmooth_core.job.names import JobFile
from gsmooth_core.storage.files import is_within, same_file, shown
from gsmooth_core.storage.locks import locked

if TYPE_CHECKING:
    from gsmooth_core.dub import DubPipeline

JobAction = Callable[[Path, OnEvent, Cancelled], dict[str, Any]]

_ONE_OF_SEVERAL = "Several people take turns here; the mesh is the face of who speaks most."


def dub(
    folder: Path, on_event: OnEvent, cancelled: Cancelled, output: str | None = None
) -> dict[str, Any]:
    """Make the dubbed video of the job in `folder`; see `dub_job`.

    A job file may come from a stranger, and what it names would be overwritten. So an output
    outside of the folder is only written where whoever asks names it too.

    Args:
        folder: the job's folder.
        on_event: told about progress and messages.
        cancelled: asked before every frame.
        output: the output that is asked for; None for one within the folder.

    Raises:
        JobError: the job's output is another one.
    """
    job = load_job(folder)
    asked = same_file(job.output, Path(output)) if output else is_within(job.output, folder)
    if not asked:
        raise JobError(
            f"The job would write '{shown(job.output)}', which nobody asked for.",
            "Name it as `output` in the request, or put it into the job's folder.",
        )
    return dub_job(job, folder, on_event, cancelled)


def dub_job(
    job: Job, folder: Path, on_event: OnEvent, cancelled: Cancelled, *, temporary: bool = False
) -> dict[str, Any]:
    """Make the dubbed video of `job`, whose work lies in `folder` (see `dub.dub`).

    Raises:
        GSmoothError: the job cannot be done; what is finished stays in the folder.
    """
    from gsmooth_core.run import run_job

    return asdict(run_job(job, folder, on_event, cancelled, temporary=temporary))


def track(folder: Path, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    """Follow the face of the job's clip; leaves track.safetensors."""
    with _run(folder, on_event, cancelled) as run:
        found = run.track()
    usable = int(found.usable.sum())
    return {"track": str(folder / JobFile.TRACK), "frames": len(found), "usable": usable}


def predict(folder: Path, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    """Predict the expression of the job's speech; leaves predicted.safetensors."""
    with _run(folder, on_event, cancelled) as run:
        curves = run.predict()
    return {"expression": str(folder / JobFile.PREDICTED), "frames": len(curves)}


def mesh(folder: Path, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    """Make the posed mesh of the job, for the viewport; leaves mesh.safetensors, texture.png.

    It speaks the job's speech or curves; without either it moves as the clip's face does.
    """
    with _run(folder, on_event, cancelled) as run:
        found = run.track()
        if run.job.settings.face == "speaker" and len(run.people) > 1:
            run.emit(Message("warning", _ONE_OF_SEVERAL))
        speaks = run.job.audio or run.job.expression or (folder / "expression.json").is_file()
        return dict(run.mesh(found, run.target(found) if speaks else found.curves))


def sync(folder: Path, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    """Measure how the job's picture and sound lie to each other; leaves sync.svg."""
    job = load_job(folder)
    from gsmooth_core.evaluation.sync.check import check_job

    with locked(folder):
        return check_job(as_video(job, folder, on_event), folder, on_event, cancelled)


def faces(folder: Path, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    """List who is seen in the job's frames; leaves a picture of each in people/."""
    job = load_job(folder)
    from gsmooth_core.app.faces import faces_of_job

    with locked(folder):
        job = as_video(job, folder, on_event)
        return faces_of_job(job, folder / "people", on_event, cancelled)


def words(
    folder: Path, on_event: OnEvent, cancelled: Cancelled, face: str | None = None
) -> dict[str, Any]:
    """Say which word of the job's speech is spoken when, and where lips stay open."""
    from gsmooth_core.app.job_words import words_of_job

    return words_of_job(folder, on_event, cancelled, face)


def report(
    folder: Path,
    on_event: OnEvent,
    cancelled: Cancelled,
    page: Path | None = None,
    face: str | None = None,
) -> dict[str, Any]:
    """Measure the finished dub of the job; leaves report.html and quality.json."""
    load_job(folder)
    from gsmooth_core.evaluation.report.shot_report import describe
    from gsmooth_core.evaluation.report.shot_report import report as measure

    with locked(folder):
        found = measure(folder, page, on_event, cancelled, face)
    return asdict(found) | {"text": describe(asdict(found))}


def curves(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Write curves in another format; both files are named by whoever asks.

    Args:
        arguments: `curves` and `output` (paths), `fps` (a rate, or None for the curves' own).
    """
    source, output = arguments.get("curves"), arguments.get("output")
    if not (isinstance(source, str) and source and isinstance(output, str) and output):
        raise InputError("The request names no curves and output.", "Update the add-on.")
    fps = read_rate("fps", arguments.get("fps"))
    from gsmooth_core.app import stages

    return stages.curves(Path(source), Path(output), fps)


@contextmanager
def _run(folder: Path, on_event: OnEvent, cancelled: Cancelled) -> Iterator[DubPipeline]:
    job = load_job(folder)
    from gsmooth_core.run import pipeline_of

    with locked(folder):
        job = as_video(job, folder, on_event)
        yield pipeline_of(job)(job, folder, on_event, cancelled)


JOB_ACTIONS: dict[str, JobAction] = {
    "dub": dub,
    "track": track,
    "predict": predict,
    "mesh": mesh,
    "sync": sync,
    "faces": faces,
    "report": report,
    "words": words,
}
