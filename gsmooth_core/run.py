"""A job, whatever it is: the one place that knows which pipeline does it."""

from __future__ import annotations

from pathlib import Path

from gsmooth_core.animate import AnimatePipeline
from gsmooth_core.dub import DubPipeline, dub
from gsmooth_core.job.events import Cancelled, OnEvent
from gsmooth_core.job.job import Job
from gsmooth_core.job.result import DubResult


def pipeline_of(job: Job) -> type[DubPipeline]:
    """What does a job: a dub, or an animation that is then dubbed."""
    return AnimatePipeline if job.animate else DubPipeline


def run_job(
    job: Job,
    folder: Path,
    on_event: OnEvent = lambda event: None,
    cancelled: Cancelled = lambda: False,
    temporary: bool = False,
) -> DubResult:
    """Do a job; see `dub.dub`.

    Args:
        job: what to do.
        folder: the job's folder; it is made when it is not there, and kept.
        on_event: told about progress and messages.
        cancelled: asked before every frame.
        temporary: whether the folder is only there for this output.

    Raises:
        GSmoothError: with what to do; the output is then as it was before.
        CancelledError: the user stopped it; finished work stays in the folder.
    """
    return dub(job, folder, on_event, cancelled, pipeline_of(job), temporary)
