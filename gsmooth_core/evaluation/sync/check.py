"""Sync of a file or a job: follow the face, read the sound, compare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from gsmooth_core.a2ep.mel import SAMPLE_RATE
from gsmooth_core.errors import InputError, NoFaceError
from gsmooth_core.evaluation.sync.describe import advice, describe, to_json
from gsmooth_core.evaluation.sync.plot import draw
from gsmooth_core.job.checks import check_target
from gsmooth_core.job.events import Cancelled, Message, OnEvent, Progress, progress
from gsmooth_core.job.job import Job
from gsmooth_core.job.names import JobFile
from gsmooth_core.job.roles import Role, person_job
from gsmooth_core.job.source import Source
from gsmooth_core.job.speaker import choose
from gsmooth_core.media import probe, read_audio, read_frames, require_speech
from gsmooth_core.storage.files import write_text
from gsmooth_core.sync.expert import LipSound
from gsmooth_core.sync.measure import load_sync_expert, measure_sync
from gsmooth_core.sync.offset import SyncResult
from gsmooth_core.sync.windows import present
from gsmooth_core.tracking.people.people import LARGEST, follow_people
from gsmooth_core.types import Clip, Float, Image


@dataclass(frozen=True)
class _Pictures:
    """A `face` in `count` frames of a clip from frame `start` on, shown at `fps`."""

    clip: Clip
    start: int
    count: int
    fps: Fraction
    face: str

    def read(self) -> Iterator[Image]:
        """Decode them."""
        return read_frames(self.clip, self.start, self.count)


def check_video(
    video: Path,
    audio: Path | None,
    expert: Path | None,
    plot: Path | None,
    on_event: OnEvent,
    cancelled: Cancelled,
    face: str = LARGEST,
) -> dict[str, Any]:
    """Measure the sync of a video with its own sound, or with another.

    Args:
        video: a video with a talking face.
        audio: any file with sound that begins with the picture; None is the video's own.
        expert: weights, see `load_sync_expert`.
        plot: SVG file to draw.
        on_event: called with progress.
        cancelled: asked after every frame.
        face: whose lips, see `DubSettings.face`.

    Raises:
        GSmoothError: no face, no sound, too short, or a file that cannot be read or written.
    """
    if plot is not None and plot.suffix.lower() != ".svg":
        raise InputError(f"'{plot.name}' is no name for the plot.", "End it in .svg.")
    if plot is not None:
        check_target(plot)
    judge = load_sync_expert(expert)
    clip = probe(video)
    source = audio or video
    sound = require_speech(read_audio(source, SAMPLE_RATE), f"The sound of '{source.name}'")
    pictures = _Pictures(clip, 0, clip.frame_count, clip.fps, face)
    found, seconds = _measure(pictures, sound, judge, on_event, cancelled)
    return _told(found, seconds, plot, video.name)


def check_job(job: Job, folder: Path, on_event: OnEvent, cancelled: Cancelled) -> dict[str, Any]:
    """Measure the sync of a job's picture with its sound, as the job lays them to each other.

    The lips are those of the person who is to be dubbed; the first of several, with their speech.
    Without a sound of its own the job has that of its video. Leaves `sync.svg` in the folder.

    Raises:
        GSmoothError: see `check_video`.
    """
    judge = load_sync_expert()
    if job.speech:
        number, said = next(iter(job.speech.items()))
        job = person_job(job, Role(number, said), Source(job).count)
    source, face = Source(job).filmed, job.settings.face
    if job.audio is not None:
        sound = source.speech()
    else:
        start = float(job.start_frame / source.clip.fps)
        heard = read_audio(
            job.video, SAMPLE_RATE, start, source.shown.duration, source.clip.sound_track
        )
        sound = require_speech(heard, f"The sound of '{job.video.name}'")
    pictures = _Pictures(source.clip, job.start_frame, source.count, source.shown.fps, face)
    found, seconds = _measure(pictures, sound, judge, on_event, cancelled)
    return _told(found, seconds, folder / JobFile.SYNC, job.video.name)


def _measure(
    pictures: _Pictures,
    sound: Float,
    expert: LipSound,
    on_event: OnEvent,
    cancelled: Cancelled,
) -> tuple[SyncResult, float]:
    """The measurement, and for how many seconds a face was seen."""
    name, count = pictures.clip.path.name, pictures.count
    if pictures.clip.still:
        raise InputError(f"'{name}' is a still picture: its lips do not move.", "Choose a video.")

    on_progress = progress("track", count, on_event, cancelled)
    people = follow_people(pictures.read(), lambda _frame, _face: None, on_progress=on_progress)
    clip, start, face = pictures.clip, pictures.start, pictures.face
    person = choose(people, face, clip, start, lambda text: on_event(Message("warning", text)))
    landmarks = people.track(person)[0].flat()
    seen = int(present(landmarks).sum())
    if not seen:
        raise NoFaceError(f"No frame of '{name}' shows a face.", "Choose one in which one speaks.")
    on_event(Progress("sync", 0, 1))
    frames = pictures.read() if expert.wants_pictures else None
    found = measure_sync(landmarks, pictures.fps, sound, expert, frames)
    on_event(Progress("sync", 1, 1))
    return found, float(seen / pictures.fps)


def _told(found: SyncResult, seconds: float, plot: Path | None, title: str) -> dict[str, Any]:
    if plot is not None:
        plot.parent.mkdir(parents=True, exist_ok=True)
        write_text(plot, draw(found, title))
    text = f"{describe(found)} {advice(found, seconds)}".strip()
    drawn = {"plot": str(plot) if plot else None}
    return to_json(found) | {"seconds": round(seconds, 2), "text": text} | drawn
