"""What is done for one person of a clip, each stage of it kept in a folder.

A job that dubs one person is done in the job's own folder; one that dubs several has a folder
`person_N` in it for each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.mesh import export_mesh
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.face.texture import clip_texture
from gsmooth_core.job import seen
from gsmooth_core.job.events import Cancelled, Message, OnEvent, progress
from gsmooth_core.job.followed import Followed
from gsmooth_core.job.frames import OpenFrames
from gsmooth_core.job.inputs import StageInputs
from gsmooth_core.job.job import Job
from gsmooth_core.job.journal import Journal
from gsmooth_core.job.kept import KeptPictures
from gsmooth_core.job.lending import read_lenders
from gsmooth_core.job.length import gather_occluders, gather_personal, shown
from gsmooth_core.job.names import JobFile
from gsmooth_core.job.nearby import opened_near
from gsmooth_core.job.source import Source
from gsmooth_core.job.stage import Stage, optional_result_of, result_of
from gsmooth_core.job.watched import Watched
from gsmooth_core.mafb.occlusion.captions import CaptionSettings, find_captions
from gsmooth_core.mafb.occlusion.find import OcclusionSettings, find_occluders
from gsmooth_core.mafb.occlusion.glimpses import Glimpses
from gsmooth_core.mafb.occlusion.hands import HandWatch, find_hands, find_held, united
from gsmooth_core.mafb.occlusion.occluders import Occluders, load_occluders, save_occluders
from gsmooth_core.media.pictures.images import write_image
from gsmooth_core.person_speech import SpeechStages
from gsmooth_core.storage.arrays import load_track, save_track
from gsmooth_core.taft.adaptation.adapt import AdaptSettings, learn, sample_count
from gsmooth_core.taft.brows import BrowMover, with_filmed_brows
from gsmooth_core.taft.composition import ComposeSettings
from gsmooth_core.taft.correctives import Personal, load_personal, save_personal
from gsmooth_core.taft.generators.draft import generator_for
from gsmooth_core.taft.generators.interface import Generator
from gsmooth_core.taft.lending.lenders import likely
from gsmooth_core.taft.lending.references import ReferenceSettings
from gsmooth_core.taft.samples import ClipData
from gsmooth_core.taft.translate import FaceTranslator
from gsmooth_core.types import Bool, Expression, FaceTrack, FrameSource, Image


class PersonStages(SpeechStages):
    """The stages of one person, in their order.

    Args:
        job: what to do; it names one person and one speech.
        folder: where the results of the stages lie; it must exist.
        on_event: told about progress and messages.
        cancelled: asked before every frame.

    Attributes:
        turns: (T,) the frames in which this person is dubbed; None for all.

    Raises:
        GSmoothError: the source or the face model cannot be used as the job says.
    """

    adapt_settings = AdaptSettings()
    source_type: type[Source] = Source

    def __init__(
        self,
        job: Job,
        folder: Path,
        on_event: OnEvent = lambda event: None,
        cancelled: Cancelled = lambda: False,
    ) -> None:
        self.job, self.folder, self.emit, self.cancelled = job, folder, on_event, cancelled
        self.source = self.source_type(job)
        self.model = self.face_model()
        self.journal = Journal(folder)
        self.occlusion = OcclusionSettings() if job.settings.occluders else None
        self.captioning = CaptionSettings() if job.settings.occluders else None
        ways = self.occlusion, self.adapt_settings, self.captioning
        self.inputs = StageInputs(self.source, folder, *ways)
        self.turns: Bool | None = None
        self._reading = Watched()

    @cached_property
    def followed(self) -> Followed:
        """Everybody in the clip; several people of a job share it."""
        return Followed(self.source.filmed, self.model, self.emit, self.cancelled, self.folder)

    def track(self) -> FaceTrack:
        """Follow the face and fit the model to it (the paper's R-Net role), frame by frame."""
        track = self.filmed_track()
        for text in seen.warnings(track, self.source):
            self.emit(Message("warning", text))
        return track if self.source.plain else track.gathered(self.source.pictures)

    def filmed_track(self) -> FaceTrack:
        """The face in each picture that is used, as it was filmed."""
        name, inputs = JobFile.TRACK, self.inputs.track()
        stage = Stage("track", name, inputs, self._track, save_track, load_track)
        track = result_of(stage, self.journal)
        self.followed.settle()
        return track

    def captions(self, track: FaceTrack) -> Occluders | None:
        """What was burned in over the lower face, where there is anything and the job asks."""
        found = self._filmed_captions(track)
        return gather_occluders(found, self.source.pictures) if found else None

    def _filmed_captions(self, track: FaceTrack) -> Occluders | None:
        settings = self.captioning
        if settings is None or self.source.clip.still:
            return None

        def find() -> Occluders:
            on_progress = self._progress("captions", self.source.taken)
            filmed, model = self.filmed(track), self.model
            hands = HandWatch(filmed, model, self.occlusion.hands) if self.occlusion else None
            self._reading = Watched(Glimpses(filmed, model), hands, self._keeping(filmed))
            opened = self._reading.opened(opened_near(self.source, filmed, model))
            return find_captions(opened, filmed, model, settings, on_progress)

        name, inputs = JobFile.CAPTIONS, self.inputs.captions()
        stage = Stage("captions", name, inputs, find, save_occluders, load_occluders)
        return result_of(stage, self.journal) or None

    def occluders(self, track: FaceTrack) -> Occluders | None:
        """What passes before the lower face, where there is anything and the job asks for it.

        A photo has no other frames to compare with, so that hands alone are known in it.
        """
        settings = self.occlusion
        if settings is None:
            return None

        def find() -> Occluders:
            on_progress = self._progress("occluders", self.source.taken)
            filmed, model = self.filmed(track), self.model
            opened = opened_near(self.source, filmed, model)
            if self.source.clip.still:
                return find_held(opened, filmed, model, on_progress)
            captions = self._filmed_captions(track)  # before: its reading serves this one, too
            seen = captions, self._reading.glimpses
            found = find_occluders(opened, filmed, model, settings, on_progress, *seen)
            hands = self._reading.hands or HandWatch(filmed, model, settings.hands)
            return united(found, find_hands(opened, filmed, model, hands, on_progress))

        name, inputs = JobFile.OCCLUDERS, self.inputs.occluders()
        stage = Stage("occluders", name, inputs, find, save_occluders, load_occluders)
        found = result_of(stage, self.journal)
        self._reading = Watched(kept=self._reading.kept)  # the rest is not needed any more
        return gather_occluders(found, self.source.pictures) if len(found) else None

    def adapt(self, track: FaceTrack) -> Personal | None:
        """What the clip teaches about the person; None where it is too short for that."""

        def teach() -> Personal | None:
            return self._learn(self.filmed(track))

        name, inputs = JobFile.PERSONAL, self.inputs.adapt()
        stage = Stage("adapt", name, inputs, teach, save_personal, load_personal)
        learned = optional_result_of(stage, self.journal)
        return gather_personal(learned, self.source.pictures) if learned else None

    def mesh(self, track: FaceTrack, curves: Expression) -> dict[str, str]:
        """Write the face as a mesh with shape keys and curves, and the clip's own texture."""
        mesh = self.folder / JobFile.MESH
        export_mesh(mesh, self.model, track, curves)

        def unwrap() -> Image:
            with self._opened() as frames:
                return clip_texture(frames, self.filmed(track), self.model)

        stage = Stage("texture", JobFile.TEXTURE, self.inputs.track(), unwrap, write_image, str)
        return {"mesh": str(mesh), "texture": str(result_of(stage, self.journal))}

    def translator(
        self, track: FaceTrack, target: Expression, frames: FrameSource | None
    ) -> FaceTranslator:
        """What makes this person's frames; its references are among the pictures `frames`."""
        generator, compose = self._generator(), self.compose_settings(track)
        captions = self.captions(track)
        if captions:
            text = seen.captions_in_words(captions, self.job.start_frame)
            self.emit(Message("info", text))
        occluders = self.occluders(track)
        if occluders:
            text = seen.occluded_in_words(occluders.ranges(), self.job.start_frame)
            self.emit(Message("info", text))
        if occluders and self.source.clip.still:
            self.emit(Message("warning", seen.HELD_PHOTO))
        unoccluded = track
        for before in (occluders, captions):
            unoccluded = before.unoccluded(unoccluded) if before else unoccluded
        personal = self.adapt(unoccluded) if self.job.settings.adapt else None
        whole = self.job.settings.mask == "face"
        made = FaceTranslator(
            track,
            self.model,
            target.values if whole else with_filmed_brows(target, track),
            self.source.shows(frames) if frames else None,
            generator,
            compose,
            self._device,
            personal,
            occluders,
            captions,
            self.heard_alike(track),
        )
        made.asked = target.values
        return made

    def planned(self, track: FaceTrack, target: Expression) -> FaceTranslator:
        """What makes this person's frames; `read` its references before the first of them."""
        made = self.translator(track, target, None)
        if made.composer.covered.any():
            text = seen.covered_in_words(made.composer.covered, self.job.start_frame)
            self.emit(Message("warning", text))
        if self.turns is not None:
            made.wanted = made.wanted & self.turns
        return made

    def brows(self, part: Part, wanted: Bool) -> BrowMover | None:
        """What moves the brows in the frames `wanted` (T,); None where no curve asks for it."""
        if self.job.settings.mask == "face":
            return None  # all of the face is drawn, with its brows and eyes
        lids = self.job.animate is not None
        if unseen := seen.unseen_in_words(part.track, part.target, blinks=lids):
            self.emit(Message("info", unseen))
        mover = BrowMover(part.track, self.model, part.target.values)
        mover.moved &= wanted
        return mover if mover.moved.any() else None

    def read(self, translator: FaceTranslator, only: Bool) -> None:
        """Read what lends to the frames `only` (T,), see `lending`."""
        given = translator, self.source, self.journal, self.inputs
        read_lenders(*given, only, self._reading.kept)
        self._reading = Watched()
        if combed := translator.composer.combed:
            text = seen.combs_in_words(combed, self.job.start_frame)
            self.emit(Message("warning", text))

    def face_model(self) -> MorphableModel:
        """The 3D face that the job asks for."""
        return load_face_model(self.job.settings.face_model)

    def crop_size(self, track: FaceTrack) -> int:
        """Side in pixels of the crop of a face; 0 where it is to be chosen by the face's size."""
        asked = self.job.settings.crop_size
        return 0 if asked == "auto" else int(asked)

    def compose_settings(self, track: FaceTrack) -> ComposeSettings:
        """What the job's settings mean for the picture of a face."""
        settings = self.job.settings
        return ComposeSettings(
            whole_face=settings.mask == "face",
            size=self.crop_size(track),
            grain=settings.grain,
            sharpness=settings.sharpness and not settings.draft,
            shutter=settings.shutter,
            references=ReferenceSettings(gap=settings.reference_gap),
            shelf=self.folder,
        )

    # -- how a stage is done -----------------------------------------------------------------

    def filmed(self, track: FaceTrack) -> FaceTrack:
        """A track of this job's frames, as a track of the pictures that they show."""
        if self.source.plain:
            return track
        filmed = self.filmed_track()
        return filmed.only(shown(track, filmed))

    def _keeping(self, filmed: FaceTrack) -> KeptPictures:
        """Keeps what is likely to lend, and the pictures after it, which grain is looked for in."""
        lends = likely(filmed, self.model, ReferenceSettings(gap=self.job.settings.reference_gap))
        lends[filmed.following[lends]] = True
        return KeptPictures(filmed, self.model, lends, self.folder)

    def _track(self) -> FaceTrack:
        return self.followed.track(self.job.settings.face)

    def _learn(self, track: FaceTrack) -> Personal | None:
        settings = self.adapt_settings
        on_frame = self._progress("adapt", sample_count(settings))
        generator, compose = self._generator(), self.compose_settings(track)
        data = ClipData(track, self.model, self._opened, generator, compose, self._device)
        learned = learn(data, settings, self.job.settings.adapt, on_frame)
        if learned is None:
            self.emit(Message("warning", "The clip is too short to learn from; not adapted."))
            return None
        on_frame(sample_count(settings))  # a short clip has fewer
        return learned

    def _progress(self, stage: str, total: int) -> Callable[[int], None]:
        return progress(stage, total, self.emit, self.cancelled)

    def _generator(self) -> Generator:
        return generator_for(self.job.settings.taft, self._device, draft=self.job.settings.draft)

    @property
    def _device(self) -> str | None:
        """What the generator works on; None for the best."""
        return None if self.job.settings.device == "auto" else self.job.settings.device

    def _opened(self) -> closing[OpenFrames]:
        return closing(self.source.frames())


class Part(NamedTuple):
    """A person, followed and with words to say."""

    stages: PersonStages
    track: FaceTrack
    target: Expression
