"""The protocols: what is dubbed with what, and what each result is judged against.

(a) reconstruction: the tracked expression goes through blending and translation; (b) own speech:
the whole way from the clip's own sound (the paper's Table I); (c) other speech; (d) baselines:
the untouched video, a frozen mouth, the wrong speech.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gsmooth_core.a2ep import load_a2ep
from gsmooth_core.a2ep.manner_file import save_style
from gsmooth_core.evaluation.metrics.compare import BAND_CURVES
from gsmooth_core.face.load import load_face_model
from gsmooth_core.job.followed import Followed
from gsmooth_core.job.job import Job
from gsmooth_core.job.own_speech import own_speech
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.job.source import Source
from gsmooth_core.media import probe
from gsmooth_core.storage.arrays import save_expression
from gsmooth_core.types import FaceTrack
from training.evaluate.clips import EvalClip


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        name: how programs call it.
        label: how people call it.
        text: what it is.
        pictures: the dub whose pictures are judged; "source" for the source's own.
        sound: "own" or "other": the speech that sync is judged against.
        paired: whether its frames may be compared with the source's, which say the same words.
    """

    name: str
    label: str
    text: str
    pictures: str
    sound: str
    paired: bool


ROWS = (
    Row("original", "Untouched video", "the source itself: the best that is possible",
        "source", "own", True),
    Row("reconstruction", "Reconstruction", "(a) tracked expression, new pictures",
        "reconstruction", "own", True),
    Row("own", "Own speech", "(b) the whole way, from the clip's own sound",
        "own", "own", True),
    Row("styled", "Own speech, own way", "(b) with the way of speaking that the clip's rest shows",
        "styled", "own", True),
    Row("other", "Other speech", "(c) the whole way, from another speech, judged against that",
        "other", "other", False),
    Row("frozen", "Frozen mouth", "(d) one expression held throughout",
        "frozen", "own", True),
    Row("wrong", "Wrong speech", "(d) the pictures of (c), judged as if it were the own speech",
        "other", "own", True),
    Row("mismatch", "Untouched, other speech", "(d) the source's pictures under the other speech",
        "source", "other", False),
)  # fmt: skip

BY_NAME = {row.name: row for row in ROWS}
DUBS = ("reconstruction", "own", "styled", "other", "frozen")
"""What is rendered; the other rows look at the same pictures in another way."""

UNPAIRED = frozenset((
    "sync", "offset", "detail", *BAND_CURVES, "grain", "signal", "seam", "tone", "tone_worst",
    "jerk", "flicker", "identity", "true_identity", "outside_psnr", "follows", "silence", "cpbd",
    "true_cpbd",
))  # fmt: skip
"""Figures that mean something when the words are not the source's."""


@dataclass(frozen=True)
class Plan:
    """How clips are evaluated.

    Attributes:
        speech: the other speech.
        frames: of each clip, from its beginning.
        gap: seconds around a frame from which it may not borrow pixels.
        samples: frames a clip for the slow measures.
        poisoned: frames a clip that are poisoned before anything is believed.
        reuse: keep dubs that an older version of the program made.
        dubs: which of `DUBS` are made; rows that need others are left out.
        adapt: seconds that may be spent on learning from the clip's other parts first.
    """

    speech: Path
    frames: int = 125
    gap: float = 0.5
    samples: int = 6
    poisoned: int = 2
    reuse: bool = False
    dubs: tuple[str, ...] = DUBS
    adapt: float = 0.0

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows that can be judged with the dubs that are made."""
        sounds = {"own"} | ({"other"} if "other" in self.dubs else set())
        known = {"source", *self.dubs}
        return tuple(row for row in ROWS if row.pictures in known and row.sound in sounds)


def own_job(clip: EvalClip, plan: Plan, output: Path, frames: int) -> Job:
    """Dub a clip with its own sound, moved to where the lips are.

    Its own speech teaches nothing here: what it would teach is what the dub is judged against. In
    the row "styled" the frames behind those that are judged teach.
    """
    settings = DubSettings(reference_gap=plan.gap, adapt=plan.adapt, occluders=False, style=False)
    return Job(
        video=clip.path,
        output=output,
        audio=clip.path,
        audio_start=clip.offset / 25,
        frame_count=frames,
        settings=settings,
    )


def job_of(dub: str, clip: EvalClip, plan: Plan, folder: Path, track: Path, face: FaceTrack) -> Job:
    """The job of one of `DUBS`.

    Args:
        dub: which one.
        clip: the clip.
        plan: how it is evaluated.
        folder: where outputs go.
        track: file of the clip's track.
        face: the same, read.
    """
    job = own_job(clip, plan, folder / f"{dub}.mp4", len(face))
    if dub == "reconstruction":
        return replace(job, expression=track)
    if dub == "frozen":
        return replace(job, expression=_frozen(folder, face))
    if dub == "styled":
        style = style_of_rest(job, plan.gap, folder / "style.safetensors")
        return replace(job, speaks_like=style, settings=replace(job.settings, style=bool(style)))
    if dub == "other":
        settings = replace(job.settings, style=True)
        return replace(job, audio=plan.speech, audio_start=0.0, settings=settings)
    return job


def style_of_rest(job: Job, gap: float, path: Path) -> Path | None:
    """A style file of what the frames behind a job's teach; None where they teach nothing.

    Args:
        job: it begins with the clip.
        gap: seconds behind its last frame that teach nothing either.
        path: of the style file.
    """
    clip = probe(job.video)
    start = (job.frame_count or clip.frame_count) + round(gap * clip.fps)
    if start >= clip.frame_count:
        return None
    rest = Job(job.video, path, start_frame=start)
    source, a2ep = Source(rest), load_a2ep(job.settings.a2ep)
    face_model = load_face_model(job.settings.face_model)
    followed = Followed(source, face_model, lambda event: None, lambda: False)
    taught = own_speech(source, followed.track(rest.settings.face), a2ep)
    if taught.manner is None:
        return None
    save_style(path, taught.manner, a2ep)
    return path


def _frozen(folder: Path, face: FaceTrack) -> Path:
    """Curves that hold the clip's median expression."""
    path = folder / "frozen.json"
    if not path.is_file():
        held = np.median(face.expression[face.usable], axis=0, keepdims=True)
        values = np.repeat(held, len(face), axis=0).astype(np.float32)
        save_expression(path, replace(face.curves, values=values))
    return path
