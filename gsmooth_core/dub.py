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
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path

from gsmooth_core.job.checks import check
from gsmooth_core.job.events import Cancelled, Event, Message, OnEvent, Progress, raise_if
from gsmooth_core.job.job import Job
from gsmooth_core.job.journal import fingerprint
from gsmooth_core.job.notices import carried_by, choices, notices, takes_streams, wish_of
from gsmooth_core.job.result import DubResult, dub_result
from gsmooth_core.job.roles import Role, person_job, roles_of
from gsmooth_core.job.seen import Dubbed, captioned
from gsmooth_core.job.twins import twins
from gsmooth_core.job.workplace import person_folder, workplace
from gsmooth_core.media import Sound
from gsmooth_core.media.assemble import assemble
from gsmooth_core.media.decode import in_words
from gsmooth_core.media.encode import SegmentWriter, segment_path
from gsmooth_core.media.mix import mix
from gsmooth_core.models import registry
from gsmooth_core.models.devices import check_device
from gsmooth_core.models.threads import leave_cores
from gsmooth_core.person import Part, PersonStages
from gsmooth_core.storage.files import write_text
from gsmooth_core.taft.checkpoint import load_generator
from gsmooth_core.taft.segment import write_segment
from gsmooth_core.taft.several import SeveralFaces
from gsmooth_core.taft.translate import Translator
from gsmooth_core.tracking.people import SPEAKER

_PHOTO = "Only the mouth of a photo moves in a dub; `gsmooth animate` moves its head and eyes too."


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
        pipeline = (make or DubPipeline)(job, folder, on_event, cancelled)
        pipeline.check()
        parts = pipeline.parts()
        segments, outside = pipeline.render(parts)
        output = pipeline.encode(segments)
        seconds = time.monotonic() - started
        dubbed = [_dubbed(part, alone=len(parts) == 1) for part in parts]
        captions = captioned([part.stages.captions(part.track) for part in parts])
        result = dub_result(output, pipeline.source, dubbed, outside, seconds, folder, captions)
        result = replace(result, notices=notices(pipeline.source))
        write_text(folder / "report.json", json.dumps(asdict(result), indent=1))
    return result


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
        load_generator(settings.taft)
        if settings.tracker == "rnet":
            registry.locate("rnet")
        if settings.face == SPEAKER:
            registry.locate("sync")
        if warning := in_words(self.source.clip):
            self.emit(Message("warning", warning))
        for choice in choices(self.source):
            self.emit(choice)
        for notice in notices(self.source):
            self.emit(notice)
        if self.source.clip.still and self.job.animate is None:
            self.emit(Message("info", _PHOTO))
        for person in self.people if self.job.speech else [self]:
            person.check_speech()

    # -- stages ------------------------------------------------------------------------------

    @cached_property
    def people(self) -> list[PersonStages]:
        """The stages of each person who is dubbed; the pipeline's own where it is one alone."""
        roles = roles_of(self.job, self.inputs, self.journal, self.followed)
        return [self._person(role) for role in roles] if roles else [self]

    def parts(self) -> list[Part]:
        """Follow all people in one pass over the pictures, and find what each is to say."""
        tracks = [person.track() for person in self.people]
        self.followed.forget()
        pairs = zip(self.people, tracks, strict=True)
        return [Part(person, track, person.target(track)) for person, track in pairs]

    def render(self, parts: Sequence[Part]) -> tuple[list[Path], int]:
        """Translate all frames, segment by segment; what an earlier run finished is kept.

        Returns:
            the segments, and the largest change of a pixel outside the masks of its frame.
        """
        inputs = _fingerprint_of(parts)
        starts = range(0, self.source.count, self.job.settings.chunk_frames)
        paths, worst = [], 0
        translator: Translator | None = None
        for number, start in enumerate(starts):
            path = segment_path(self.folder, number, self.job.output)
            done = self.journal.finished("segment", inputs, path, number)
            if done is None:
                translator = translator or _translator(parts)
                outside = self._segment(path, start, translator)
                self.journal.record("segment", inputs, path, number, outside=outside)
                done = {"outside": outside}
            paths.append(path)
            worst = max(worst, int(done["outside"]))
            end = min(start + self.job.settings.chunk_frames, self.source.count)
            self.emit(Progress("render", end, self.source.count))
        return paths, worst

    def encode(self, segments: list[Path]) -> Path:
        """Join the segments and the sound; the output is there when this returns."""
        source = self.source
        for person in self.people:
            person.source.see_unchanged()
        self.emit(Progress("encode", 0, 1))
        frames, mixed = source.shown.frame_count, self._mixed()
        carried = carried_by(source, mixed=mixed is not None)
        own = source.keeps_own_sound and carried is not None and takes_streams(source)
        sound = mixed or (None if own else source.sound())
        output = assemble(segments, self.job.output, source.shown, frames, sound, carried)
        self.emit(Progress("encode", 1, 1))
        return output

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
        return Sound(mix(list(self.job.speech.values()), seconds, self.folder / "sound.wav"))

    def _segment(self, path: Path, start: int, translator: Translator) -> int:
        source, settings = self.source, self.job.settings
        count = min(settings.chunk_frames, source.count - start)
        frames, stored = source.read(start, count), twins(source, start, count)
        wish = wish_of(settings)
        writer = SegmentWriter(
            path, source.shown, self.job.output, wish=wish, stored=stored is not None
        )

        def on_frame(index: int) -> None:
            raise_if(self.cancelled)
            self.emit(Progress("render", index + 1, source.count))

        return write_segment(frames, start, translator, writer, on_frame, stored)


def _fingerprint_of(parts: Sequence[Part]) -> str:
    """Everything that the pictures depend on."""
    prints = [part.stages.inputs.render(part.target) for part in parts]
    if len(parts) == 1:
        return prints[0]
    turns = [None if p.stages.turns is None else p.stages.turns.tolist() for p in parts]
    return fingerprint(people=prints, turns=turns)


def _dubbed(part: Part, *, alone: bool) -> Dubbed:
    speech = None if alone else part.stages.job.audio
    covered = part.stages.covered(part.track, part.target)
    return Dubbed(part.track, part.stages.turns, speech, covered)


def _translator(parts: Sequence[Part]) -> Translator:
    made = [part.stages.opened_translator(part.track, part.target) for part in parts]
    return made[0] if len(made) == 1 else SeveralFaces(made)
