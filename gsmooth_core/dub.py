"""The way of the data, from a job to a dubbed file. Read this file to know the program.

    track -> predict -> pose -> find occluders -> (adapt) -> render + blend + translate + paste
          -> encode

Each stage is one method of `Run`; its result lies in the job's folder and is noted in the journal
with a fingerprint of everything it was made from. A job that is started again goes on where
its journal ends, and a changed input makes anew exactly what depends on it.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from gsmooth_core import __version__
from gsmooth_core.a2ep import PredictSettings, merge_expression, predict_expression
from gsmooth_core.face.curves import fit_curves
from gsmooth_core.face.mesh import export_mesh
from gsmooth_core.face.morphable import load_face_model
from gsmooth_core.face.texture import clip_texture
from gsmooth_core.job.checks import check
from gsmooth_core.job.events import Cancelled, Message, OnEvent, Progress, raise_if
from gsmooth_core.job.job import Job
from gsmooth_core.job.journal import Journal, fingerprint
from gsmooth_core.job.source import FrameReader, Source, repeat_track
from gsmooth_core.job.workplace import workplace
from gsmooth_core.mafb.occlusion.find import OcclusionSettings, find_occluders
from gsmooth_core.mafb.occlusion.occluders import Occluders, load_occluders, save_occluders
from gsmooth_core.media.assemble import assemble
from gsmooth_core.media.decode import in_words
from gsmooth_core.media.encode import SegmentWriter, segment_path
from gsmooth_core.models import registry
from gsmooth_core.models.devices import check_device
from gsmooth_core.models.threads import leave_cores
from gsmooth_core.storage.arrays import load_expression, load_track, save_expression, save_track
from gsmooth_core.storage.files import write_image, write_text
from gsmooth_core.taft.adapt import AdaptSettings, learn, sample_count
from gsmooth_core.taft.checkpoint import load_generator
from gsmooth_core.taft.compose import ComposeSettings
from gsmooth_core.taft.correctives import Personal, load_personal, save_personal
from gsmooth_core.taft.references import ReferenceSettings
from gsmooth_core.taft.samples import ClipData
from gsmooth_core.taft.translate import FaceTranslator, Translated
from gsmooth_core.tracking import track_face
from gsmooth_core.types import Bool, Expression, FaceTrack, FrameSource, Image


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
    make: type[Run] | None = None,
    temporary: bool = False,
) -> DubResult:
    """Make the person in the job's video say the job's speech.

    Args:
        job: what to do.
        folder: the job's folder; it is made when it is not there, and kept.
        on_event: told about progress and messages.
        cancelled: asked before every frame.
        make: another way to run the stages, for experiments.
        temporary: whether the folder is only there for this output, see `workplace`.

    Raises:
        GSmoothError: with what to do; the output is then as it was before.
        CancelledError: the user stopped it; finished work stays in the folder.
    """
    started = time.monotonic()
    check(job)
    with workplace(folder, job.output, temporary=temporary):
        job.save(folder)
        run = (make or Run)(job, folder, on_event, cancelled)
        run.check()
        track = run.track()
        target = run.target(track)
        segments, outside = run.render(track, target)
        run.source.see_unchanged()
        run.tell(Progress("encode", 0, 1))
        shown = run.source.shown
        output = assemble(segments, job.output, shown, shown.frame_count, run.source.sound())
        run.tell(Progress("encode", 1, 1))
        result = DubResult(
            output=str(output),
            frames=shown.frame_count,
            fps=f"{shown.fps.numerator}/{shown.fps.denominator}",
            size=(shown.width, shown.height),
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
        leave_cores()
        self.source = Source(job)
        self.model = load_face_model()
        self.journal = Journal(folder)

    def check(self) -> None:
        """Refuse what would fail later, before the long stages begin.

        Raises:
            InputError: the device that the job names is not there.
            ModelError: a model is missing or damaged.
            NoSpeechError: there is nothing to hear where the picture is.
        """
        check_device(self.job.settings.device)
        for name in ("face_landmarker", "face_model", "taft"):
            registry.locate(name)
        if warning := in_words(self.source.clip):
            self.tell(Message("warning", warning))
        if self._given() is None:
            registry.locate("a2ep")
            self.source.speech()

    # -- stages ------------------------------------------------------------------------------

    def track(self) -> FaceTrack:
        """Follow the face and fit the model to it (the paper's R-Net role)."""
        inputs = fingerprint(**self._track_inputs())
        path = self.folder / "track.safetensors"
        if not self.journal.finished("track", inputs, path):
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
        weights = registry.locate("a2ep")
        inputs = fingerprint(version=__version__, a2ep=weights, **self.source.speech_stamp())
        path = self.folder / "predicted.safetensors"
        if not self.journal.finished("predict", inputs, path):
            save_expression(path, self._predict())
            self.journal.record("predict", inputs, path)
        return load_expression(path)

    def occluders(self, track: FaceTrack) -> Occluders | None:
        """What passes before the lower face, where there is anything and the job asks for it."""
        settings = self._occlusion_settings()
        if settings is None or self.source.clip.still:
            return None
        inputs = fingerprint(**self._track_inputs(), occluders=asdict(settings))
        path = self.folder / "occluders.safetensors"
        if not self.journal.finished("occluders", inputs, path):
            on_progress = self._progress("occluders", self.source.count)
            save_occluders(
                path, find_occluders(self._opened, track, self.model, settings, on_progress)
            )
            self.journal.record("occluders", inputs, path)
        found = load_occluders(path)
        if not len(found):
            return None
        text = f"Something is before the mouth in {len(found)} frames; it stays there."
        self.tell(Message("info", text))
        return found

    def adapt(self, track: FaceTrack) -> Personal | None:
        """What the clip teaches about the person; None where it is too short for that."""
        path, settings = self.folder / "personal.safetensors", AdaptSettings()
        inputs = fingerprint(**self._look_inputs(), **self._adapt_inputs())
        if not self.journal.finished("adapt", inputs, path):
            on_frame = self._progress("adapt", sample_count(settings))
            generator, compose = load_generator(), self.compose_settings()
            data = ClipData(track, self.model, self._opened, generator, compose, self._device)
            learned = learn(data, settings, self.job.settings.adapt, on_frame)
            if learned is None:
                text = "The clip is too short to learn from; not adapted."
                self.tell(Message("warning", text))
                return None
            on_frame(sample_count(settings))  # a short clip has fewer
            save_personal(path, learned)
            self.journal.record("adapt", inputs, path)
        return load_personal(path)

    def render(self, track: FaceTrack, target: Expression) -> tuple[list[Path], int]:
        """Translate all frames, segment by segment; what an earlier run finished is kept.

        Returns:
            the segments, and the largest change of a pixel outside its mask.
        """
        inputs = self._render_inputs(target)
        starts = range(0, self.source.count, self.job.settings.chunk_frames)
        paths, worst = [], 0
        translator: FaceTranslator | None = None
        for part, start in enumerate(starts):
            path = segment_path(self.folder, part, self.job.output)
            done = self.journal.finished("segment", inputs, path, part)
            if done is None:
                translator = translator or self._translator(track, target)
                outside = self._segment(path, start, translator)
                self.journal.record("segment", inputs, path, part, outside=outside)
                done = {"outside": outside}
            paths.append(path)
            worst = max(worst, int(done["outside"]))
            end = min(start + self.job.settings.chunk_frames, self.source.count)
            self.tell(Progress("render", end, self.source.count))
        return paths, worst

    def mesh(self, track: FaceTrack, curves: Expression) -> dict[str, str]:
        """Write the face as a mesh with shape keys and curves, and the clip's own texture."""
        mesh, texture = self.folder / "mesh.safetensors", self.folder / "texture.png"
        export_mesh(mesh, self.model, track, curves)
        inputs = fingerprint(**self._track_inputs())
        if not self.journal.finished("texture", inputs, texture):
            with closing(self.source.frames()) as frames:
                write_image(texture, clip_texture(frames, track, self.model))
            self.journal.record("texture", inputs, texture)
        return {"mesh": str(mesh), "texture": str(texture)}

    def translator(
        self, track: FaceTrack, target: Expression, frames: FrameSource
    ) -> FaceTranslator:
        """What makes the frames of this job; its references are read from `frames`."""
        generator, compose = load_generator(), self.compose_settings()
        before = self.occluders(track)
        clear = before.unoccluded(track) if before else track
        personal = self.adapt(clear) if self.job.settings.adapt else None
        return FaceTranslator(
            track,
            self.model,
            target.values,
            frames,
            generator,
            compose,
            self._device,
            personal,
            before,
        )

    def compose_settings(self) -> ComposeSettings:
        """What the job's settings mean for the picture."""
        settings = self.job.settings
        return ComposeSettings(
            whole_face=settings.mask == "face",
            size=0 if settings.crop_size == "auto" else int(settings.crop_size),
            references=ReferenceSettings(gap=settings.reference_gap),
        )

    # -- how a stage is done -----------------------------------------------------------------

    def _given(self) -> Path | None:
        """Curves that the user edited or gave."""
        edited = self.folder / "expression.json"
        return edited if edited.is_file() else self.job.expression

    def _track(self) -> FaceTrack:
        source = self.source
        frames = 1 if source.clip.still else source.count
        pictures = source.read(0, frames)
        track = track_face(
            pictures, source.shown, self.model, on_progress=self._progress("track", frames)
        )
        return repeat_track(track, source.count) if source.clip.still else track

    def _merged(self, track: FaceTrack) -> Expression:
        return merge_expression(track, self.predict(), self.job.settings)

    def _predict(self) -> Expression:
        source = self.source
        on_progress = self._progress("predict", source.count)
        whole = PredictSettings(bounded=False)  # strength and smoothing follow in `_merged`
        return predict_expression(
            source.speech(), source.count, source.shown.fps, on_progress, whole
        )

    def _progress(self, stage: str, total: int, before: int = 0) -> Callable[[int], None]:
        self.tell(Progress(stage, before, total))

        def on_progress(done: int) -> None:
            raise_if(self.cancelled)
            self.tell(Progress(stage, before + done, total))

        return on_progress

    @property
    def _device(self) -> str | None:
        """What the generator works on; None for the best."""
        return None if self.job.settings.device == "auto" else self.job.settings.device

    def _occlusion_settings(self) -> OcclusionSettings | None:
        return OcclusionSettings() if self.job.settings.occluders else None

    def _opened(self) -> closing[FrameReader]:
        return closing(self.source.frames())

    def _translator(self, track: FaceTrack, target: Expression) -> FaceTranslator:
        with closing(self.source.frames()) as frames:
            return self.translator(track, target, frames)

    def _segment(self, path: Path, start: int, translator: FaceTranslator) -> int:
        count = min(self.job.settings.chunk_frames, self.source.count - start)
        settings, worst = self.job.settings, 0
        frames = self.source.read(start, count)
        writer = SegmentWriter(
            path, self.source.shown, self.job.output, crf=settings.crf, preset=settings.preset
        )
        with writer, closing(translator.translate_all(enumerate(frames, start))) as made:
            for index, (frame, translated) in enumerate(made, start):
                raise_if(self.cancelled)
                worst = max(worst, _outside_difference(frame, translated))
                writer.write(translated.frame)
                self.tell(Progress("render", index + 1, self.source.count))
        return worst

    def _track_inputs(self) -> dict[str, Any]:
        weights = {name: registry.locate(name) for name in ("face_model", "face_landmarker")}
        return {"version": __version__, **self.source.pictures_stamp(), **weights}

    def _look_inputs(self) -> dict[str, Any]:
        """What the look of a face depends on, whatever it says."""
        settings, occlusion = self.job.settings, self._occlusion_settings()
        return {
            **self._track_inputs(),
            "occluders": asdict(occlusion) if occlusion else None,
            "track": self.folder / "track.safetensors",
            "taft": registry.locate("taft"),
            "look": (settings.mask, settings.crop_size, settings.reference_gap),
        }

    def _adapt_inputs(self) -> dict[str, Any]:
        return {"adapt": asdict(AdaptSettings()), "seconds": self.job.settings.adapt}

    def _render_inputs(self, target: Expression) -> str:
        settings = self.job.settings
        shown = np.round(target.values, 5).tobytes()
        return fingerprint(
            **self._look_inputs(),
            target=hashlib.sha256(shown).hexdigest(),
            **(self._adapt_inputs() if settings.adapt else {}),
            container=self.job.output.suffix.lower(),
            encoder=(settings.crf, settings.preset),
            chunk_frames=settings.chunk_frames,
        )


def _outside_difference(frame: Image, translated: Translated) -> int:
    """Largest change of a pixel outside the mask; the promise is 0."""
    difference = cv2.absdiff(frame, translated.frame)  # (H, W, 3)
    difference[translated.mask] = 0
    return int(difference.max(initial=0))


def _ranges(frames: Bool) -> list[tuple[int, int]]:
    """[first, last] of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], frames, [False]]).astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in edges.reshape(-1, 2)]  # pairs: begin, end


def _in_words(ranges: list[tuple[int, int]], first: int, most: int = 5) -> str:
    named = [f"{a + first}" if a == b else f"{a + first}-{b + first}" for a, b in ranges[:most]]
    more = f" and {len(ranges) - most} more places" if len(ranges) > most else ""
    return f"frame {', '.join(named)}{more}"
