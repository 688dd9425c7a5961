"""The way of the data, from a job to a dubbed file. Read this file to know the program.

    track -> predict -> pose -> find captions, occluders -> (adapt) -> render + blend + translate
          -> paste -> encode

What is done for each person stands in `person.py`, stage by stage; here it is put together. The
result of a stage lies in the job's folder and is noted in the journal with a fingerprint of
everything it was made from (`job/inputs.py`). A job that is started again goes on where its
journal ends, and a changed input makes anew exactly what depends on it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from gsmooth_core.behind import Behind
from gsmooth_core.job.as_video import as_video
from gsmooth_core.job.checks import check
from gsmooth_core.job.events import Cancelled, Event, Message, Notice, OnEvent, Progress, raise_if
from gsmooth_core.job.job import Job
from gsmooth_core.job.journal import fingerprint, stamp
from gsmooth_core.job.names import JobFile
from gsmooth_core.job.notices import along, choices, notices
from gsmooth_core.job.outputs import note, standing
from gsmooth_core.job.rest import Rest
from gsmooth_core.job.result import DubResult, News, dub_result
from gsmooth_core.job.roles import Role, person_job, roles_of
from gsmooth_core.job.seen import Dubbed, before_anybody, occluded_in_words
from gsmooth_core.job.segments import Segment, Segments
from gsmooth_core.job.stored import stored_run
from gsmooth_core.job.workplace import person_folder, workplace
from gsmooth_core.media import Sound
from gsmooth_core.media.encoding.encode import SegmentWriter
from gsmooth_core.media.joining.assemble import assemble
from gsmooth_core.media.joining.mix import mix
from gsmooth_core.media.joining.splice import splice
from gsmooth_core.media.pictures.decode import in_words
from gsmooth_core.models import registry
from gsmooth_core.models.devices import check_device
from gsmooth_core.models.memory import keep_freed
from gsmooth_core.models.threads import leave_cores
from gsmooth_core.person import Part, PersonStages
from gsmooth_core.ranges import ranges_of
from gsmooth_core.storage.files import write_text
from gsmooth_core.taft.frame_keys import FrameKey, frame_keys
from gsmooth_core.taft.generators.draft import generator_for
from gsmooth_core.taft.moving import MovingBrows
from gsmooth_core.taft.segment import FramesMade
from gsmooth_core.taft.several import SeveralFaces
from gsmooth_core.taft.translate import FaceTranslator, Translator
from gsmooth_core.taft.warping.box import corners
from gsmooth_core.tracking.people.people import SPEAKER
from gsmooth_core.types import Bool

_FINISHED_BEHIND = 1  # segments whose encoders are still at work while the next one is made
_OTHER_SPEECH = 0.5  # share of edited frames beyond which the box is theirs, not the others'
_PHOTO = "Only the mouth of a photo moves in a dub; `gsmooth animate` moves its head and eyes too."
_WHOSE = (
    "The curves in 'expression.json' of the job's folder are left out: several people are dubbed. "
    "Put each person's into the folder 'person_N' in it."
)


def dub(
    job: Job,
    folder: Path,
    on_event: OnEvent = lambda event: None,
    cancelled: Cancelled = lambda: False,
    make: type[DubPipeline] | None = None,
    temporary: bool = False,
) -> DubResult:
    """Make the person in the job's video say the job's speech, or several people one each.

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
        asked, job = job, as_video(job, folder, on_event)
        pipeline = (make or DubPipeline)(job, folder, on_event, cancelled)
        pipeline.check()
        with pipeline.rest.tried_meanwhile() as begin:
            pipeline.followed.then = begin  # to follow takes two cores; what comes next, one
            parts = pipeline.parts()
            begin()
            rendered = pipeline.render(parts)
        output, written = pipeline.encode(rendered.segments)
        if not written:  # the folder's job is then what made the file that stands
            replace(asked, output=output).save(folder)
        took = time.monotonic() - started
        result = _result(pipeline, parts, rendered, output, written, took)
        write_text(folder / JobFile.REPORT, json.dumps(asdict(result), indent=1))
    return result


def _result(
    pipeline: DubPipeline,
    parts: Sequence[Part],
    rendered: Rendered,
    output: Path,
    written: bool,
    seconds: float,
) -> DubResult:
    """What is told of a dub whose output is whole."""
    captions = before_anybody([part.stages.captions(part.track) for part in parts])
    occluders = before_anybody([part.stages.occluders(part.track) for part in parts])
    late = list(pipeline.rest.late)
    if occluders:
        words = occluded_in_words(occluders, pipeline.job.start_frame)
        late.append(Notice("occluders", words))
    news = News(rendered.made, rendered.touched, written, pipeline.rest.copied())
    made = output, pipeline.source, rendered.dubbed, rendered.outside
    result = dub_result(*made, seconds, pipeline.folder, captions, news)
    return replace(result, occluders=occluders, notices=[*pipeline.notices, *late])


class DubPipeline(PersonStages):
    """The stages of one job, in their order; those of its person are its own.

    Where a job dubs several people, each has such stages in a folder of its own (`people`).

    Args:
        job: what to do.
        folder: where the results of the stages lie; it must exist.
        on_event: told about progress and messages.
        cancelled: asked before every frame.

    Raises:
        GSmoothError: the source or the face model cannot be used as the job says.
    """

    def __init__(
        self,
        job: Job,
        folder: Path,
        on_event: OnEvent = lambda event: None,
        cancelled: Cancelled = lambda: False,
    ) -> None:
        leave_cores()
        keep_freed()
        super().__init__(job, folder, on_event, cancelled)

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
        generator_for(settings.taft, settings.device, draft=settings.draft)
        if settings.tracker == "rnet":
            registry.locate("rnet")
        if settings.face == SPEAKER:
            registry.locate("sync")
        if settings.occluders:
            registry.locate("palm_detection")
            registry.locate("hand_landmarks")
        if warning := in_words(self.source.clip):
            self.emit(Message("warning", warning))
        for choice in choices(self.source):
            self.emit(choice)
        for notice in self.notices:
            self.emit(notice)
        if self.source.clip.still and self.job.animate is None:
            self.emit(Message("info", _PHOTO))
        if self.job.speech and (self.folder / "expression.json").is_file():
            self.emit(Message("warning", _WHOSE))
        for person in self.people if self.job.speech else [self]:
            person.check_speech()

    # -- stages ------------------------------------------------------------------------------

    @cached_property
    def people(self) -> list[PersonStages]:
        """The stages of each person who is dubbed; the pipeline's own where it is one alone."""
        roles = roles_of(self.job, self.inputs, self.journal, self.followed)
        return [self._person(role) for role in roles] if roles else [self]

    @cached_property
    def notices(self) -> list[Notice]:
        """What the output will not have as the source has it."""
        return [*notices(self.source), *self.rest.notices]

    @cached_property
    def rest(self) -> Rest:
        """What the output has of the source beside the frames that are made."""
        return Rest(self.source, self.journal, self.emit, self.cancelled)

    def parts(self) -> list[Part]:
        """Follow all people in one pass over the pictures, and find what each is to say."""
        tracks = [person.track() for person in self.people]
        self.followed.forget()
        pairs = zip(self.people, tracks, strict=True)
        return [Part(person, track, person.target(track)) for person, track in pairs]

    def render(self, parts: Sequence[Part]) -> Rendered:
        """Translate the frames that do not stand yet, segment by segment."""
        source, settings = self.source, self.job.settings
        translators = [part.stages.planned(part.track, part.target) for part in parts]
        runs = self.rest.plan(np.logical_or.reduce([each.wanted for each in translators]))
        inputs = fingerprint(pictures=_fingerprint_of(parts), encoding=self.rest.coded)
        segments = Segments(self.journal, self.job.output, source.count, settings, inputs, runs)
        keys = _keys_of(translators, segments)
        missing = segments.to_make(keys)
        touched = segments.touched(keys, missing)
        if missing.any():
            for part, translator in zip(parts, translators, strict=True):
                part.stages.read(translator, missing)
        boxes = [translator.composer.box for translator in translators]
        pairs = zip(parts, translators, strict=True)
        movers = [mover for part, each in pairs if (mover := part.stages.brows(part, each.wanted))]
        faces = translators[0] if len(translators) == 1 else SeveralFaces(translators)
        together = MovingBrows(faces, movers) if movers else faces
        worst, done = 0, int((~missing).sum())
        self.emit(Progress("render", done, source.count))
        making = self._making(missing, together)
        with making as frames, Behind("finish", _FINISHED_BEHIND) as behind:
            for segment in segments:
                wanted = missing[segment.frames]
                outside = segments.outside(segment)
                if wanted.any():
                    outside, finish = self._segment(segment, wanted, frames, done)
                    noted = segment, keys, boxes, outside
                    behind.do(partial(_in_turn, finish, partial(segments.record, *noted)))
                    done += int(wanted.sum())
                worst = max(worst, outside)
        dubbed = [
            _dubbed(part, translator, alone=len(parts) == 1)
            for part, translator in zip(parts, translators, strict=True)
        ]
        return Rendered(list(segments), worst, missing, touched, dubbed)

    def encode(self, segments: list[Segment]) -> tuple[Path, bool]:
        """Join the segments and the sound; the output is there when this returns.

        Returns:
            the output, and whether it was written: not where it is already what it should be.
        """
        source = self.source
        for person in self.people:
            person.source.see_unchanged()
        self.emit(Progress("encode", 0, 1))
        frames, (sound, carried) = source.length, along(source, self._mixed())
        beside = [[*stamp(given.path), repr(given)] for given in (sound, carried) if given]

        def inputs() -> str:
            made = [piece.path for piece in self.rest.pieces(segments)]
            return fingerprint(segments=made, frames=frames, beside=beside, **self.rest.stamp())

        output = standing(self.folder, inputs(), self.job.output)
        written = output is None
        if output is None:
            with self.rest.pictures(segments) as (files, timed):
                where = self.job.output, source.shown, frames
                output = assemble(
                    files, *where, sound, carried, timed=timed, first=source.first,
                    on_loss=self.rest.lost,
                )  # fmt: skip
            note(self.folder, inputs(), output)  # less may be copied than was meant
        self.emit(Progress("encode", 1, 1))
        return output, written

    # -- how a stage is done -----------------------------------------------------------------

    def _person(self, role: Role) -> PersonStages:
        job = person_job(self.job, role, self.source.count)
        folder = person_folder(self.folder, role.face)

        def emit(event: Event) -> None:
            if isinstance(event, Message):
                event = Message(event.level, f"Person {role.face}: {event.text}")
            self.emit(event)

        person = type(self)(job, folder, emit, self.cancelled)
        person.followed, person.turns = self.followed, role.turns
        return person

    def _mixed(self) -> Sound | None:
        """The speeches of several people as one sound."""
        if not self.job.speech or self.job.settings.keep_source_audio:
            return None
        seconds = float(self.source.shown.frame_count / self.source.shown.fps)
        return Sound(mix(list(self.job.speech.values()), seconds, self.folder / JobFile.SOUND))

    def _making(self, wanted: Bool, translator: Translator) -> FramesMade:
        """The frames `wanted` (T,) of the job, to be made."""
        source = self.source
        runs = [(a, b - a + 1) for a, b in ranges_of(wanted)]
        frames = (pair for run in runs for pair in enumerate(source.read(*run), run[0]))
        return FramesMade(stored_run(source, runs, translator) or frames, translator)

    def _segment(
        self, segment: Segment, wanted: Bool, frames: FramesMade, done: int
    ) -> tuple[int, Callable[[], None]]:
        """Write the frames `wanted` of a segment, with `done` frames of the job before them.

        Returns:
            the largest change of a pixel outside the masks of its frame, and what makes the file
            whole: the encoder still has pictures to code, while the next ones can be made.
        """
        source, patches = self.source, not wanted.all()
        patch = f"patch_{segment.number:05d}{segment.path.suffix}"
        path = segment.path.with_name(patch) if patches else segment.path
        where = path, source.shown, self.job.output
        writer = SegmentWriter(*where, wish=self.rest.encoding, stored=frames.stored)

        def on_frame(made: int) -> None:
            raise_if(self.cancelled)
            self.emit(Progress("render", done + made, source.count))

        later = ExitStack()
        outside = frames.write(int(wanted.sum()), writer, on_frame, later)

        def finish() -> None:
            later.close()
            if patches:
                splice(segment.path, path, wanted, source.shown.fps, writer.muxer)

        return outside, finish


@dataclass(frozen=True)
class Rendered:
    """The pictures of a job.

    Attributes:
        segments: in order.
        outside: the largest change of a pixel outside the masks of its frame.
        made: (T,) frames that were made now.
        touched: (T,) those of them whose own curves are as they were.
        dubbed: whose.
    """

    segments: list[Segment]
    outside: int
    made: Bool
    touched: Bool
    dubbed: list[Dubbed]


def _in_turn(*steps: Callable[[], None]) -> None:
    for step in steps:
        step()


def _fingerprint_of(parts: Sequence[Part]) -> str:
    """Everything that the pictures depend on."""
    prints = [part.stages.inputs.render() for part in parts]
    if len(parts) == 1:
        return prints[0]
    turns = [None if p.stages.turns is None else p.stages.turns.tolist() for p in parts]
    return fingerprint(people=prints, turns=turns)


def _keys_of(translators: Sequence[FaceTranslator], segments: Segments) -> list[FrameKey]:
    """The keys of all frames; what the generators see is what they saw, where frames stand."""
    own = [translator.composer.box for translator in translators]
    known = [box for noted in segments.boxes if (box := corners(noted))]
    if len(known) != len(own):
        return frame_keys(translators)
    for translator, box in zip(translators, known, strict=True):
        translator.composer.keep_box(box)
    keys = frame_keys(translators)
    if segments.edited(keys).mean() > _OTHER_SPEECH:
        for translator, box in zip(translators, own, strict=True):
            translator.composer.keep_box(box)
        keys = frame_keys(translators)
    return keys


def _dubbed(part: Part, translator: FaceTranslator, *, alone: bool) -> Dubbed:
    speech = None if alone else part.stages.job.audio
    lettered = translator.composer.captions is not None
    covered = translator.composer.covered if lettered else None
    combed, refused = translator.composer.combed, tuple(translator.composer.refused)
    return Dubbed(part.track, part.stages.turns, speech, covered, combed, refused)
