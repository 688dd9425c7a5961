"""A job whose source is a sequence of images, as one whose source is a video."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from gsmooth_core.job.events import Message, Notice, OnEvent
from gsmooth_core.job.job import Job
from gsmooth_core.job.journal import Journal, fingerprint, stamp
from gsmooth_core.media.images import is_exr
from gsmooth_core.media.sequences import pack, sequence_of

_STAGE = "sequence"
_FPS = Fraction(25)
_RANGE = (
    "The images hold light as it is (OpenEXR), and the output as screens show it: what is brighter "
    "than white is cut, and 16 bits are left."
)


def as_video(job: Job, folder: Path, on_event: OnEvent) -> Job:
    """The job, with its images put into a file of its folder where its source is a sequence.

    Raises:
        InputError: there are no such images, or there are gaps.
        MediaError: they cannot be read.
    """
    if job.animate is not None:
        return job
    images = sequence_of(job.video, numbered=job.fps is not None)
    if images is None:
        return job
    fps, journal = job.fps or _FPS, Journal(folder)
    flat = not is_exr(job.output)
    stamps = [stamp(images.path(place)) for place in range(images.count)]
    inputs = fingerprint(images=stamps, fps=fps, flat=flat)
    path = folder / f"sequence_{images.first}.mov"
    if not journal.finished(_STAGE, inputs, path):
        pack(images, path, fps, shown_as_video=flat)
        journal.record(_STAGE, inputs, path)
    text = f"{images.count} images are read at {float(fps):.6g} a second."
    on_event(Message("info", text if job.fps else f"{text} --fps says otherwise."))
    if flat and images.after.lower() == ".exr":
        on_event(Notice("range", _RANGE))
    return replace(job, video=path, fps=None)
