"""A sequence of images, where a video is read: as a job's source, and without a job."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from gsmooth_core.job.events import Message, Notice, OnEvent
from gsmooth_core.job.job import Job
from gsmooth_core.job.journal import Journal, fingerprint, stamp
from gsmooth_core.media.pictures.images import is_exr
from gsmooth_core.media.reading.probe import probe
from gsmooth_core.media.reading.sequences import ImageSequence, pack, sequence_of
from gsmooth_core.media.reading.timing import DEFAULT_FPS

_STAGE = "sequence"
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
        _see_rate(job, on_event)
        return job
    fps, journal = job.fps or DEFAULT_FPS, Journal(folder)
    flat = not is_exr(job.output)
    stamps = [stamp(images.path(place)) for place in range(images.count)]
    inputs = fingerprint(images=stamps, fps=fps, flat=flat)
    path = folder / f"sequence_{images.first}.mov"
    if not journal.finished(_STAGE, inputs, path):
        pack(images, path, fps, shown_as_video=flat)
        journal.record(_STAGE, inputs, path)
    on_event(_read(images, job.fps))
    if flat and images.after.lower() == ".exr":
        on_event(Notice("range", _RANGE))
    return replace(job, video=path, fps=None)


@contextmanager
def read_as_video(path: Path, fps: Fraction | None, on_event: OnEvent) -> Iterator[Path]:
    """What a path means, as one file: where it is a sequence of images, they are put into one.

    Args:
        path: a video, a picture, a pattern or a folder of images; with `fps` also one of them.
        fps: images a second; None for 25.
        on_event: told about the images.

    Raises:
        InputError: there are no such images, or there are gaps.
        MediaError: they cannot be read.
    """
    images = sequence_of(path, numbered=fps is not None)
    if images is None:
        if fps is not None:
            text = f"--fps is the rate of a sequence of images: '{path.name}' keeps its own."
            on_event(Message("warning", text))
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="gsmooth-") as folder:
        target = Path(folder) / f"sequence_{images.first}.mov"
        pack(images, target, fps or DEFAULT_FPS, shown_as_video=True)
        on_event(_read(images, fps))
        yield target


def _see_rate(job: Job, on_event: OnEvent) -> None:
    """Say that a video is shown at another rate than its own."""
    if job.fps is None:
        return
    clip = probe(job.video)
    if not clip.still and clip.fps != job.fps:
        how = f"{float(job.fps):.6g} frames a second instead of {float(clip.fps):.6g}"
        speed = f"it moves {float(job.fps / clip.fps):.4g} times as fast"
        on_event(Message("info", f"'{job.video.name}' is shown at {how}: {speed}."))


def _read(images: ImageSequence, fps: Fraction | None) -> Message:
    text = f"{images.count} images are read at {float(fps or DEFAULT_FPS):.6g} a second."
    return Message("info", text if fps else f"{text} --fps says otherwise.")
