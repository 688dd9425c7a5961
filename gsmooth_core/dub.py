"""The way of the data, from a job to a dubbed file. Read this file to know the program.

    track -> predict -> pose -> render + blend + translate + paste -> encode

Each stage is one method of `Run`; its result lies in the job's folder and is noted in the journal
with a fingerprint of everything it was made from. A job that is started again goes on where
its journal ends, and a changed input makes anew exactly what depends on it.
"""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gsmooth_core import __version__, models
from gsmooth_core.a2ep import merge_expression, predict_expression
from gsmooth_core.checks import check
from gsmooth_core.curves import fit_curves
from gsmooth_core.data import Bool, Expression, FaceTrack, Float, Image
from gsmooth_core.errors import InputError
from gsmooth_core.events import Cancelled, Message, OnEvent, Progress, raise_if
from gsmooth_core.face_model import load_face_model
from gsmooth_core.files import write_image, write_text
from gsmooth_core.jobs import Job, locked
from gsmooth_core.journal import Journal, fingerprint, stamp
from gsmooth_core.media import probe, read_audio, read_frames, require_speech
from gsmooth_core.media.assemble import Sound, assemble
from gsmooth_core.media.audio import has_audio
from gsmooth_core.media.encode import SegmentWriter, segment_path
from gsmooth_core.mesh import export_mesh
from gsmooth_core.source import SAMPLE_RATE, FrameReader, heard, repeat_track
from gsmooth_core.storage import load_expression, load_track, save_expression, save_track
from gsmooth_core.taft.checkpoint import load_generator
from gsmooth_core.taft.compose import ComposeSettings
from gsmooth_core.taft.translate import FaceTranslator, Translated
from gsmooth_core.texture import clip_texture
from gsmooth_core.tracking import track_face


@dataclass(frozen=True)
class DubResult:
    """What came of a job.

    Attributes:
        output: the finished file (or folder of frames).
        frames: frames written.
        fps: rate of the output, "N/D".
        size: (width, height) in pixels.
        untouched_frames: [first, last] ranges that passed without a usable face.
        outside_mask_max_difference: largest change of any pixel outside the mask of its frame,
            before encoding; anything but 0 is a fault of the program.
        seconds: time this run took.
        job: the job's folder.
    """

    output: str
    frames: int
    fps: str
    size: tuple[int, int]
    untouched_frames: list[tuple[int, int]]
    outside_mask_max_difference: int
    seconds: float
    job: str


def dub(
    job: Job,
    folder: Path,
    on_event: OnEvent = lambda event: None,
    cancelled: Cancelled = lambda: False,
) -> DubResult:
    """Make the person in the job's video say the job's speech.

    Args:
        job: what to do.
        folder: the job's folder; it is made when it is not there, and kept.
        on_event: told about progress and messages.
        cancelled: asked before every frame.

    Raises:
        GSmoothError: with what to do; the output is then as it was before.
        CancelledError: the user stopped it; finished work stays in the folder.
    """
    started = time.monotonic()
    check(job)
    with locked(folder, job.output):
        job.save(folder)
        run = Run(job, folder, on_event, cancelled)
        run.check()
        track = run.track()
        target = run.target(track)
        segments, outside = run.render(track, target)
        run.tell(Progress("encode", 0, 1))
        output = assemble(segments, job.output, run.shown, run.count, run.sound())
        run.tell(Progress("encode", 1, 1))
        result = DubResult(
            output=str(output),
            frames=run.count,
            fps=f"{run.fps.numerator}/{run.fps.denominator}",
            size=(run.clip.width, run.clip.height),
            untouched_frames=_ranges(~track.usable),
            outside_mask_max_difference=outside,
            seconds=round(time.monotonic() - started, 2),
            job=str(folder),
        )
        write_text(folder / "report.json", json.dumps(asdict(result), indent=1))
    return result


class Run:
    """One run of a job: its clip, its journal, and the stages in their order.

    Args:
        job: what to do.
        folder: where the results of the stages lie; it must exist.
        on_event: told about progress and messages.
        cancelled: asked before every frame.

    Raises:
        GSmoothError: the source cannot be used as the job says.
    """

    def __init__(
        self,
        job: Job,
        folder: Path,
        on_event: OnEvent = lambda event: None,
        cancelled: Cancelled = lambda: False,
    ) -> None:
        self.job, self.folder, self.tell, self.cancelled = job, folder, on_event, cancelled
        self.clip = probe(job.video)
        self.model = load_face_model()
        self.journal = Journal(folder)
        self.fps = job.fps or self.clip.fps
        self.count = self._count()
        self.shown = replace(self.clip, fps=self.fps, frame_count=self.count)

    def check(self) -> None:
        """Refuse what would fail later, before the long stages begin.

        Raises:
            ModelError: a model is missing or damaged.
            NoSpeechError: there is nothing to hear where the picture is.
        """
        for name in ("face_landmarker", "face_model", "taft"):
            models.locate(name)
        if self._given() is None:
            models.locate("a2ep")
            speech = self._speech_file()
            require_speech(self._heard(speech), f"'{speech.name}'")

    # -- stages ------------------------------------------------------------------------------

    def track(self) -> FaceTrack:
        """Follow the face and fit the model to it (the paper's R-Net role)."""
        inputs = fingerprint(**self._pictures())
        path = self.folder / "track.safetensors"
        if not self.journal.finished("track", inputs):
            save_track(path, self._track())
            self.journal.record("track", inputs, path)
        track = load_track(path)
        if not track.usable.all():
            missing = _in_words(_ranges(~track.usable), self.job.start_frame)
            self.tell(Message("warning", f"No usable face in {missing}; left as they are."))
        return track

    def target(self, track: FaceTrack) -> Expression:
        """The expression that every frame is to show: edited, given, or predicted from speech.

        An `expression.json` in the job's folder holds edits of the user and comes first.
        """
        given = self._given()
        curves = load_expression(given) if given else self._merged(track)
        target = fit_curves(curves, track)
        save_expression(self.folder / "target.safetensors", target)
        return target

    def predict(self) -> Expression:
        """Expression curves of the speech (A2EP), as long as the picture."""
        speech = self._speech_file()
        inputs = fingerprint(
            **self._sound(speech), count=self.count, fps=self.fps, a2ep=models.locate("a2ep")
        )
        path = self.folder / "predicted.safetensors"
        if not self.journal.finished("predict", inputs):
            save_expression(path, self._predict(speech))
            self.journal.record("predict", inputs, path)
        return load_expression(path)

    def render(self, track: FaceTrack, target: Expression) -> tuple[list[Path], int]:
        """Translate all frames, segment by segment; what an earlier run finished is kept.

        Returns:
            the segments, and the largest change of a pixel outside its mask.
        """
        inputs = self._render_inputs(target)
        starts = range(0, self.count, self.job.settings.chunk_frames)
        paths, worst = [], 0
        translator: FaceTranslator | None = None
        for part, start in enumerate(starts):
            done = self.journal.finished("segment", inputs, part)
            if done is None:
                translator = translator or self._translator(track, target)
                path = segment_path(self.folder, part, self.job.output)
                outside = self._segment(path, start, translator)
                self.journal.record("segment", inputs, path, part, outside=outside)
                done = {"path": path, "outside": outside}
            paths.append(done["path"])
            worst = max(worst, done["outside"])
            end = min(start + self.job.settings.chunk_frames, self.count)
            self.tell(Progress("render", end, self.count))
        return paths, worst

    def mesh(self, track: FaceTrack, curves: Expression) -> dict[str, str]:
        """Write the face as a mesh with shape keys and curves, and the clip's own texture."""
        mesh, texture = self.folder / "mesh.safetensors", self.folder / "texture.png"
        export_mesh(mesh, self.model, track, curves)
        inputs = fingerprint(**self._pictures())
        if not self.journal.finished("texture", inputs):
            with closing(self._frames()) as frames:
                write_image(texture, clip_texture(frames, track, self.model))
            self.journal.record("texture", inputs, texture)
        return {"mesh": str(mesh), "texture": str(texture)}

    # -- how a stage is done -----------------------------------------------------------------

    def _given(self) -> Path | None:
        """Curves that the user edited or gave."""
        edited = self.folder / "expression.json"
        return edited if edited.is_file() else self.job.expression

    def _track(self) -> FaceTrack:
        frames = 1 if self.clip.still else self.count
        self.tell(Progress("track", 0, frames))

        def on_progress(done: int) -> None:
            raise_if(self.cancelled)
            self.tell(Progress("track", done, frames))

        pictures = read_frames(self.clip, self.job.start_frame, frames)
        track = track_face(pictures, self.shown, self.model, on_progress=on_progress)
        return repeat_track(track, self.count) if self.clip.still else track

    def _merged(self, track: FaceTrack) -> Expression:
        return merge_expression(track, self.predict(), self.job.settings)

    def _predict(self, speech: Path) -> Expression:
        self.tell(Progress("predict", 0, self.count))
        audio = require_speech(self._heard(speech), f"'{speech.name}'")

        def on_progress(done: int) -> None:
            raise_if(self.cancelled)
            self.tell(Progress("predict", done, self.count))

        return predict_expression(audio, self.count, self.fps, on_progress=on_progress)

    def _translator(self, track: FaceTrack, target: Expression) -> FaceTranslator:
        settings = self.job.settings
        compose = ComposeSettings(
            whole_face=settings.mask == "face",
            size=0 if settings.crop_size == "auto" else int(settings.crop_size),
        )
        device = None if settings.device == "auto" else settings.device
        with closing(self._frames()) as frames:
            return FaceTranslator(
                track, self.model, target.values, frames, load_generator(), compose, device
            )

    def _segment(self, path: Path, start: int, translator: FaceTranslator) -> int:
        count = min(self.job.settings.chunk_frames, self.count - start)
        settings, worst = self.job.settings, 0
        frames = read_frames(self.clip, self.job.start_frame + start, count)
        with SegmentWriter(
            path, self.shown, self.job.output, crf=settings.crf, preset=settings.preset
        ) as writer:
            for index, frame in enumerate(frames, start):
                raise_if(self.cancelled)
                translated = translator.translate(index, frame)
                worst = max(worst, _outside_difference(frame, translated))
                writer.write(translated.frame)
                self.tell(Progress("render", index + 1, self.count))
        return worst

    # -- what a stage is made from -----------------------------------------------------------

    def _count(self) -> int:
        """Frames to make."""
        job, clip = self.job, self.clip
        if not clip.still:
            left = clip.frame_count - job.start_frame
            wanted = left if job.frame_count is None else job.frame_count
            if left < 1 or wanted > left:
                raise InputError(
                    f"'{clip.path.name}' has {clip.frame_count} frames; frame "
                    f"{job.start_frame + max(wanted, 1) - 1} was asked for.",
                    "Check the start frame and the frame count.",
                )
            return wanted
        if job.frame_count is not None:
            return job.frame_count
        return max(1, round(self._still_seconds() * self.fps))

    def _still_seconds(self) -> float:
        """How long a still picture is shown when nobody says: as long as the speech or curves."""
        if self.job.expression:
            curves = load_expression(self.job.expression)
            return float(len(curves) / curves.fps)
        audio = read_audio(self._speech_file(), SAMPLE_RATE)
        rest = len(audio) / SAMPLE_RATE - self.job.audio_start
        return self.job.audio_delay + min(rest, self.job.audio_duration or rest)

    def _speech_file(self) -> Path:
        if self.job.audio is None:
            raise InputError(
                "The job names no speech.", "Give it a file with sound, or expression curves."
            )
        return self.job.audio

    def _heard(self, speech: Path) -> Float:
        seconds = float(self.count / self.fps)
        job = self.job
        audio = read_audio(speech, SAMPLE_RATE)
        return heard(audio, job.audio_start, job.audio_duration, job.audio_delay, seconds)

    def sound(self) -> Sound | None:
        """The sound of the output: the new speech, or what the source had."""
        job = self.job
        if job.audio and not job.settings.keep_source_audio:
            return Sound(job.audio, job.audio_start, job.audio_duration, job.audio_delay)
        if self.clip.has_audio and has_audio(job.video):
            return Sound(job.video, float(job.start_frame / self.clip.fps))
        return None

    def _frames(self) -> FrameReader:
        return FrameReader(self.clip, self.job.start_frame)

    def _pictures(self) -> dict[str, Any]:
        return {
            "version": __version__,
            "video": stamp(self.job.video),
            "start": self.job.start_frame,
            "count": self.count,
            "fps": self.fps,
            "face_model": models.locate("face_model"),
            "face_landmarker": models.locate("face_landmarker"),
        }

    def _sound(self, speech: Path) -> dict[str, Any]:
        job = self.job
        part = (job.audio_start, job.audio_duration, job.audio_delay)
        return {"version": __version__, "speech": stamp(speech), "part": part}

    def _render_inputs(self, target: Expression) -> str:
        settings = self.job.settings
        shown = np.round(target.values, 5).tobytes()
        return fingerprint(
            **self._pictures(),
            track=self.folder / "track.safetensors",
            target=hashlib.sha256(shown).hexdigest(),
            taft=models.locate("taft"),
            container=self.job.output.suffix.lower(),
            look=(settings.mask, settings.crop_size, settings.crf, settings.preset),
            chunk_frames=settings.chunk_frames,
        )


def _outside_difference(frame: Image, translated: Translated) -> int:
    """Largest change of a pixel outside the mask; the promise is 0."""
    difference = np.abs(frame.astype(np.int16) - translated.frame)  # (H, W, 3)
    return int(difference.max(axis=2, initial=0)[~translated.mask].max(initial=0))


def _ranges(frames: Bool) -> list[tuple[int, int]]:
    """[first, last] of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], frames, [False]]).astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in edges.reshape(-1, 2)]  # pairs: begin, end


def _in_words(ranges: list[tuple[int, int]], first: int, most: int = 5) -> str:
    named = [f"{a + first}" if a == b else f"{a + first}-{b + first}" for a, b in ranges[:most]]
    more = f" and {len(ranges) - most} more places" if len(ranges) > most else ""
    return f"frame {', '.join(named)}{more}"
