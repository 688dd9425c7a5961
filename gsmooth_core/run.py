"""A job, whatever it is: the one place that knows which pipeline does it."""

from __future__ import annotations

from pathlib import Path

from gsmooth_core.dub import DubPipeline, dub
from gsmooth_core.job.events import Cancelled, OnEvent
from gsmooth_core.job.job import Job
from gsmooth_core.job.result import DubResult
from gsmooth_core.media.reading.still import is_picture_format, is_still


def pipeline_of(job: Job) -> type[DubPipeline]:
    """What does a job: a dub, that of a photo, or an animation that is then dubbed."""
    if job.animate is not None:
        from gsmooth_core.animate import AnimatePipeline  # what photos need, clips do without

        return AnimatePipeline
    if not _is_picture(job.video):
        return DubPipeline
    from gsmooth_core.photo import PhotoPipeline

    return PhotoPipeline


def _is_picture(path: Path) -> bool:
    """Whether a file is made for pictures; what cannot be read is refused later, with words."""
    try:
        return path.is_file() and (is_still(path) or is_picture_format(path))
    except OSError:
        return False


def run_job(
    job: Job,
    folder: Path,
    on_event: OnEvent = lambda event: None,
    cancelled: Cancelled = lambda: False,
    make: type[DubPipeline] | None = None,
    temporary: bool = False,
) -> DubResult:
    """Do a job; see `dub.dub`.

    Args:
        job: what to do.
        folder: the job's folder; it is made when it is not there, and kept.
        on_event: told about progress and messages.
        cancelled: asked before every frame.
        make: a pipeline with other stages, for experiments.
        temporary: whether the folder is only there for this output.

    Raises:
        GSmoothError: with what to do; the output is then as it was before.
        CancelledError: the user stopped it; finished work stays in the folder.
    """
    pipeline = make or pipeline_of(job)
    return dub(job, folder, on_event, cancelled, make=pipeline, temporary=temporary)
