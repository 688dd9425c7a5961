"""What the worker and the command line can do with a job folder; both call these and no more.

Heavy rooms are imported where they are used, so that help, errors and `ping` come at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gsmooth_core.errors import InputError
from gsmooth_core.events import Cancelled, OnEvent
from gsmooth_core.files import cannot_write
from gsmooth_core.jobs import Job, load_job, locked
from gsmooth_core.media import container_for
from gsmooth_core.media.images import check_own_folder, image_target

if TYPE_CHECKING:
    from gsmooth_core.dub import Run

JobAction = Callable[[Path, OnEvent, Cancelled], dict[str, Any]]


def dub(folder: Path, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    """Make the dubbed video of the job in `folder`; see `dub_job`."""
    return dub_job(load_job(folder), folder, on_event, cancelled)


def dub_job(job: Job, folder: Path, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    """Make the dubbed video of `job`, whose work lies in `folder`.

    Raises:
        GSmoothError: the job cannot be done; what is finished stays in the folder.
    """
    check(job)
    from gsmooth_core.dub import dub as make

    return asdict(make(job, folder, on_event, cancelled))


def track(folder: Path, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    """Follow the face of the job's clip; leaves track.safetensors."""
    with _run(folder, on_event, cancelled) as run:
        found = run.track()
    usable = int(found.usable.sum())
    return {"track": str(folder / "track.safetensors"), "frames": len(found), "usable": usable}


def predict(folder: Path, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    """Predict the expression of the job's speech; leaves predicted.safetensors."""
    with _run(folder, on_event, cancelled) as run:
        curves = run.predict()
    return {"expression": str(folder / "predicted.safetensors"), "frames": len(curves)}


def mesh(folder: Path, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    """Make the posed mesh of the job, for the viewport; leaves mesh.safetensors, texture.png.

    It speaks the job's speech or curves; without either it moves as the clip's face does.
    """
    with _run(folder, on_event, cancelled) as run:
        found = run.track()
        speaks = run.job.audio or run.job.expression or (folder / "expression.json").is_file()
        return dict(run.mesh(found, run.target(found) if speaks else found.curves))


@contextmanager
def _run(folder: Path, on_event: OnEvent, cancelled: Cancelled) -> Iterator[Run]:
    job = load_job(folder)
    from gsmooth_core.dub import Run

    with locked(folder):
        yield Run(job, folder, on_event, cancelled)


JOB_ACTIONS: dict[str, JobAction] = {
    "dub": dub,
    "track": track,
    "predict": predict,
    "mesh": mesh,
}


def check(job: Job) -> None:
    """Refuse a job that cannot end well before any work is done; make the output's folder.

    Raises:
        InputError: no speech and no curves, or an output that would overwrite an input.
        MediaError: the output's place may not be written.
    """
    if job.audio is None and job.expression is None:
        raise InputError("There is nothing to say.", "Give a sound with speech, or curves.")
    if job.expression is not None and not job.expression.is_file():
        raise InputError(f"There is no file '{job.expression}'.", "Check the path.")
    container_for(job.output)
    for source in (job.video, job.audio, job.expression):
        if source is not None and _same(source, job.output):
            raise InputError(
                f"The output '{job.output.name}' would overwrite its own source.",
                "Choose another name for the output.",
            )
    check_output(job.output)


def check_output(output: Path) -> None:
    """See that `output` can be written, and make its folder.

    Raises:
        InputError: it is a folder where a file is to be.
        MediaError: its place may not be written.
    """
    images = not container_for(output).video
    if output.is_dir() and not images:
        raise InputError(f"The output '{output}' is a folder.", "Choose a file name.")
    if images:
        check_own_folder(output)
    folder = image_target(output)[0] if images else output.parent
    probe = folder / ".gsmooth.partial"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise cannot_write(folder, error) from error


def _same(one: Path, other: Path) -> bool:
    return one.absolute().resolve() == other.absolute().resolve()
