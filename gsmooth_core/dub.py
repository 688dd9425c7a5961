"""The way of the data, from a job to a dubbed file. Read this file to know the program.

    track -> predict -> pose -> find captions, occluders -> (adapt) -> render + blend + translate
          -> paste -> encode

Each stage is one method of `DubPipeline`. Its result lies in the job's folder and is noted in the
journal with a fingerprint of everything it was made from (`job/inputs.py`). A job that is started
again goes on where its journal ends, and a changed input makes anew exactly what depends on it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from gsmooth_core.a2ep import PredictSettings, load_a2ep, merge_expression, predict_expression
from gsmooth_core.face.curves import fit_curves
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.mesh import export_mesh
from gsmooth_core.face.texture import clip_texture
from gsmooth_core.job import seen
from gsmooth_core.job.checks import check
from gsmooth_core.job.events import Cancelled, Message, OnEvent, Progress, raise_if
from gsmooth_core.job.inputs import StageInputs
from gsmooth_core.job.job import Job
from gsmooth_core.job.journal import Journal
from gsmooth_core.job.result import DubResult, dub_result
from gsmooth_core.job.source import FrameReader, Source, repeat_track
from gsmooth_core.job.stage import Stage, optional_result_of, result_of
from gsmooth_core.job.workplace import workplace
from gsmooth_core.mafb.occlusion.captions import CaptionSettings, find_captions
from gsmooth_core.mafb.occlusion.find import OcclusionSettings, find_occluders
from gsmooth_core.mafb.occlusion.occluders import Occluders, load_occluders, save_occluders
from gsmooth_core.media.assemble import assemble
from gsmooth_core.media.decode import in_words
from gsmooth_core.media.encode import SegmentWriter, segment_path
from gsmooth_core.media.images import write_image
from gsmooth_core.models import registry
from gsmooth_core.models.devices import check_device
from gsmooth_core.models.threads import leave_cores
from gsmooth_core.storage.arrays import load_expression, load_track, save_expression, save_track
from gsmooth_core.storage.files import write_text
from gsmooth_core.taft.adapt import AdaptSettings, learn, sample_count
from gsmooth_core.taft.checkpoint import load_generator
from gsmooth_core.taft.compose import ComposeSettings
from gsmooth_core.taft.correctives import Personal, load_personal, save_personal
from gsmooth_core.taft.references import ReferenceSettings
from gsmooth_core.taft.samples import ClipData
from gsmooth_core.taft.segment import write_segment
from gsmooth_core.taft.translate import FaceTranslator
from gsmooth_core.tracking.tracker import build_tracker
from gsmooth_core.types import Expression, FaceTrack, FrameSource, Image

_UNHEARD = 0.1  # seconds of speech after the last picture that are worth a word


def dub(
    job: Job,
    folder: Path,
    on_event: OnEvent = lambda event: None,
    cancelled: Cancelled = lambda: False,
    make: type[DubPipeline] | None = None,
    temporary: bool = False,
) -> DubResult:
    """Make the person in the job's video say the job's speech.

    Args:
        job: what to do.
        folder: the job's folder; it is made when it is not there, and kept.
        on_event: told about progress and messages.
        cancelled: asked before every frame.
        make: a pipeline with other stages, for experiments.
        temporary: whether the folder is only there for this output, see `workplace`.

    Raises:
        GSmoothError: with what to do; the output is then as it was before.
        CancelledError: the user stopped it; finished work stays in the folder.
    """
    started = time.monotonic()
    check(job)
    with workplace(folder, job.output, temporary=temporary):
        job.save(folder)
        pipeline = (make or DubPipeline)(job, folder, on_event, cancelled)
        pipeline.check()
        track = pipeline.track()
        target = pipeline.target(track)
        segments, outside = pipeline.render(track, target)
        output = pipeline.encode(segments)
        seconds = time.monotonic() - started
        captions = pipeline.captions(track)
        result = dub_result(output, pipeline.source, track, outside, seconds, folder, captions)
        write_text(folder / "report.json", json.dumps(asdict(result), indent=1))
    return result


class DubPipeline:
    """The stages of one job, in their order.

    Args:
        job: what to do.
        folder: where the results of the stages lie; it must exist.
        on_event: told about progress and messages.
        cancelled: asked before every frame.

    Raises:
        GSmoothError: the source or the face model cannot be used as the job says.
    """

    adapt_settings = AdaptSettings()

    def __init__(
        self,
        job: Job,
        folder: Path,
        on_event: OnEvent = lambda event: None,
        cancelled: Cancelled = lambda: False,
    ) -> None:
        self.job, self.folder, self.emit, self.cancelled = job, folder, on_event, cancelled
        leave_cores()
        self.source = Source(job)
        self.model = load_face_model(job.settings.face_model)
        self.journal = Journal(folder)
        self.occlusion = OcclusionSettings() if job.settings.occluders else None
        self.captioning = CaptionSettings() if job.settings.occluders else None
        ways = self.occlusion, self.adapt_settings, self.captioning
        self.inputs = StageInputs(self.source, folder, *ways)

    def check(self) -> None:
        """Refuse what would fail later, before the long stages begin.

        Raises:
            InputError: the device that the job names is not there.
            ModelError: a model is missing, damaged or of another kind.
            NoSpeechError: there is nothing to hear where the picture is.
        """
        settings = self.job.settings
        check_device(settings.device)
        registry.locate("face_landmarker")
        registry.locate("recognise")
        load_generator(settings.taft)
        if settings.tracker == "rnet":
            registry.locate("rnet")
        if warning := in_words(self.source.clip):
            self.emit(Message("warning", warning))
        if self._given() is None:
            load_a2ep(settings.a2ep)
            self.source.speech()
            if (unheard := self.source.unheard_seconds()) > _UNHEARD:
                text = f"The speech is longer than the picture: its last {unheard:.1f} s are lost."
                self.emit(Message("warning", text))

    # -- stages ------------------------------------------------------------------------------

    def track(self) -> FaceTrack:
        """Follow the face and fit the model to it (the paper's R-Net role)."""
        name, inputs = "track.safetensors", self.inputs.track()
        stage = Stage("track", name, inputs, self._track, save_track, load_track)
        track = result_of(stage, self.journal)
        for text in seen.warnings(track, self.source):
            self.emit(Message("warning", text))
        return track

    def predict(self) -> Expression:
        """Expression curves of the speech (A2EP), as long as the picture."""
        name, inputs = "predicted.safetensors", self.inputs.predict()
        stage = Stage("predict", name, inputs, self._predict, save_expression, load_expression)
        return result_of(stage, self.journal)

    def target(self, track: FaceTrack) -> Expression:
        """The expression that every frame is to show: edited, given, or predicted from speech.

        An `expression.json` in the job's folder holds edits of the user and comes first.
        """
        given = self._given()
        curves = load_expression(given) if given else self.merged(track)
        target = fit_curves(curves, track)
        save_expression(self.folder / "target.safetensors", target)
        return target

    def merged(self, track: FaceTrack) -> Expression:
        """The predicted mouth in the manner of this person, with the face's other movements."""
        a2ep = load_a2ep(self.job.settings.a2ep)
        return merge_expression(track, self.predict(), self.job.settings, a2ep)

    def captions(self, track: FaceTrack) -> Occluders | None:
        """What was burned in over the lower face, where there is anything and the job asks."""
        if self.captioning is None or self.source.clip.still:
            return None

        def find() -> Occluders:
            on_progress = self._progress("captions", self.source.count)
            return find_captions(self._opened, track, self.model, self.captioning, on_progress)

        name, inputs = "captions.safetensors", self.inputs.captions()
        stage = Stage("captions", name, inputs, find, save_occluders, load_occluders)
        return result_of(stage, self.journal)

    def occluders(self, track: FaceTrack, captions: Occluders | None = None) -> Occluders | None:
        """What passes before the lower face, where there is anything and the job asks for it."""
        settings = self.occlusion
        if settings is None or self.source.clip.still:
            return None

        def find() -> Occluders:
            on_progress = self._progress("occluders", self.source.count)
            opened, model = self._opened, self.model
            return find_occluders(opened, track, model, settings, on_progress, captions)

        name, inputs = "occluders.safetensors", self.inputs.occluders()
        stage = Stage("occluders", name, inputs, find, save_occluders, load_occluders)
        found = result_of(stage, self.journal)
        if not len(found):
            return None
        text = f"Something is before the mouth in {len(found)} frames; it stays there."
        self.emit(Message("info", text))
        return found

    def adapt(self, track: FaceTrack) -> Personal | None:
        """What the clip teaches about the person; None where it is too short for that."""

        def teach() -> Personal | None:
            return self._learn(track)

        name, inputs = "personal.safetensors", self.inputs.adapt()
        stage = Stage("adapt", name, inputs, teach, save_personal, load_personal)
        return optional_result_of(stage, self.journal)

    def render(self, track: FaceTrack, target: Expression) -> tuple[list[Path], int]:
        """Translate all frames, segment by segment; what an earlier run finished is kept.

        Returns:
            the segments, and the largest change of a pixel outside its mask.
        """
        inputs = self.inputs.render(target)
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
            self.emit(Progress("render", end, self.source.count))
        return paths, worst

    def encode(self, segments: list[Path]) -> Path:
        """Join the segments and the sound; the output is there when this returns."""
        source = self.source
        source.see_unchanged()
        self.emit(Progress("encode", 0, 1))
        frames, sound = source.shown.frame_count, source.sound()
        output = assemble(segments, self.job.output, source.shown, frames, sound)
        self.emit(Progress("encode", 1, 1))
        return output

    def mesh(self, track: FaceTrack, curves: Expression) -> dict[str, str]:
        """Write the face as a mesh with shape keys and curves, and the clip's own texture."""
        mesh = self.folder / "mesh.safetensors"
        export_mesh(mesh, self.model, track, curves)

        def unwrap() -> Image:
            with closing(self.source.frames()) as frames:
                return clip_texture(frames, track, self.model)

        stage = Stage("texture", "texture.png", self.inputs.track(), unwrap, write_image, str)
        return {"mesh": str(mesh), "texture": str(result_of(stage, self.journal))}

    def translator(
        self, track: FaceTrack, target: Expression, frames: FrameSource
    ) -> FaceTranslator:
        """What makes the frames of this job; its references are read from `frames`."""
        generator, compose = load_generator(self.job.settings.taft), self.compose_settings()
        captions = self.captions(track) or None
        if captions:
            text = seen.captions_in_words(captions, self.job.start_frame)
            self.emit(Message("info", text))
        occluders = self.occluders(track, captions)
        unoccluded = track
        for before in (occluders, captions):
            unoccluded = before.unoccluded(unoccluded) if before else unoccluded
        personal = self.adapt(unoccluded) if self.job.settings.adapt else None
        return FaceTranslator(
            track,
            self.model,
            target.values,
            frames,
            generator,
            compose,
            self._device,
            personal,
            occluders,
            captions,
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
        source, settings = self.source, self.job.settings
        frames = 1 if source.clip.still else source.count
        tracker = build_tracker(settings.tracker, self.model, settings.device, settings.face)
        on_progress = self._progress("track", frames)
        track = tracker.track(source.read(0, frames), source.shown, on_progress)
        return repeat_track(track, source.count) if source.clip.still else track

    def _predict(self) -> Expression:
        source = self.source
        on_progress = self._progress("predict", source.count)
        whole = PredictSettings(bounded=False)  # strength and smoothing follow in `merged`
        model = load_a2ep(self.job.settings.a2ep)
        return predict_expression(
            source.speech(), source.count, source.shown.fps, on_progress, whole, model
        )

    def _learn(self, track: FaceTrack) -> Personal | None:
        settings = self.adapt_settings
        on_frame = self._progress("adapt", sample_count(settings))
        generator, compose = load_generator(self.job.settings.taft), self.compose_settings()
        data = ClipData(track, self.model, self._opened, generator, compose, self._device)
        learned = learn(data, settings, self.job.settings.adapt, on_frame)
        if learned is None:
            text = "The clip is too short to learn from; not adapted."
            self.emit(Message("warning", text))
            return None
        on_frame(sample_count(settings))  # a short clip has fewer
        return learned

    def _progress(self, stage: str, total: int) -> Callable[[int], None]:
        self.emit(Progress(stage, 0, total))

        def on_progress(done: int) -> None:
            raise_if(self.cancelled)
            self.emit(Progress(stage, done, total))

        return on_progress

    @property
    def _device(self) -> str | None:
        """What the generator works on; None for the best."""
        return None if self.job.settings.device == "auto" else self.job.settings.device

    def _opened(self) -> closing[FrameReader]:
        return closing(self.source.frames())

    def _translator(self, track: FaceTrack, target: Expression) -> FaceTranslator:
        with self._opened() as frames:
            return self.translator(track, target, frames)

    def _segment(self, path: Path, start: int, translator: FaceTranslator) -> int:
        source, settings = self.source, self.job.settings
        frames = source.read(start, min(settings.chunk_frames, source.count - start))
        writer = SegmentWriter(
            path, source.shown, self.job.output, crf=settings.crf, preset=settings.preset
        )

        def on_frame(index: int) -> None:
            raise_if(self.cancelled)
            self.emit(Progress("render", index + 1, source.count))

        return write_segment(frames, start, translator, writer, on_frame)
