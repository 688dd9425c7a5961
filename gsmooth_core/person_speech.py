"""What one person of a clip is to say, and in whose manner: stages that are kept in a folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from gsmooth_core.a2ep import PredictSettings, SpeechModel, load_a2ep, merge_expression
from gsmooth_core.a2ep.components import said
from gsmooth_core.a2ep.manner import Manner
from gsmooth_core.a2ep.manner_file import Taught, load_style, load_taught, save_taught
from gsmooth_core.a2ep.merge import settled
from gsmooth_core.a2ep.predict import Spoken, predict_speech
from gsmooth_core.errors import NoSpeechError
from gsmooth_core.face.curves import fit_curves
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.job.edits import as_before
from gsmooth_core.job.events import Cancelled, Message, OnEvent, progress
from gsmooth_core.job.inputs import StageInputs
from gsmooth_core.job.job import Job
from gsmooth_core.job.journal import Journal
from gsmooth_core.job.names import JobFile
from gsmooth_core.job.source import Source
from gsmooth_core.job.stage import Stage, result_of
from gsmooth_core.job.teaching import Listeners, told
from gsmooth_core.job.turns import at_turns
from gsmooth_core.media.encoding.pace import rows_of
from gsmooth_core.storage.arrays import load_expression, save_expression
from gsmooth_core.storage.rows import load_rows, save_rows
from gsmooth_core.taft.lending.heard import Heard
from gsmooth_core.types import Bool, Expression, FaceTrack, Float

_STEADY = Fraction(50)
"""Rate of the curves of pictures that keep their own time, before these are chosen from them."""


class SpeechStages(ABC):
    """The stages of one person that have to do with speech; `PersonStages` has the others.

    Attributes:
        turns: (T,) the frames in which this person is dubbed; None for all.
    """

    job: Job
    folder: Path
    source: Source
    model: MorphableModel
    journal: Journal
    inputs: StageInputs
    emit: OnEvent
    cancelled: Cancelled
    turns: Bool | None

    def check_speech(self) -> None:
        """Refuse a speech in which nothing is heard where the picture is, or curves that are none.

        Raises:
            InputError: the curves are damaged.
            ModelError: the model that predicts from it is missing or damaged.
            NoSpeechError: there is nothing to hear.
        """
        if given := self._given():
            load_expression(given)
            return
        a2ep = load_a2ep(self.job.settings.a2ep)
        if self.job.speaks_like:
            load_style(self.job.speaks_like, a2ep)
        self.source.speech()
        if warning := self.source.length_in_words():
            self.emit(Message("warning", warning))

    def predict(self) -> Expression:
        """Expression curves of the speech (A2EP), as long as the picture."""
        name, inputs = JobFile.PREDICTED, self.inputs.predict()
        stage = Stage("predict", name, inputs, self._predict, save_expression, load_expression)
        return result_of(stage, self.journal)

    def heard(self) -> Float:
        """(T, H) what is heard in the speech: for a manner that remembers sounds, and lenders."""

        def hear() -> Float:
            return self._spoken.heard

        name, inputs = JobFile.HEARD, self.inputs.predict()
        return result_of(Stage("hear", name, inputs, hear, save_rows, load_rows), self.journal)

    def target(self, track: FaceTrack) -> Expression:
        """The expression that every frame is to show: edited, given, or predicted from speech.

        An `expression.json` in the job's folder holds edits of the user and comes first.
        """
        given = self._given()
        given_curves = said(load_expression(given)) if given else None
        curves = self._at_pictures(given_curves) if given_curves is not None else self.merged(track)
        target = fit_curves(curves, track)
        if self.turns is not None:
            target = at_turns(target, track, self.turns)
        path = self.folder / JobFile.TARGET
        target = as_before(target, path)
        save_expression(path, target)
        return target

    def merged(self, track: FaceTrack) -> Expression:
        """The predicted mouth in the manner of this person, with the face's other movements."""
        a2ep, predicted = load_a2ep(self.job.settings.a2ep), self.predict()
        manner = self.manner(track, a2ep)
        alike = self.heard_alike(track)
        heard = alike.wanted if alike else self.heard() if manner and manner.memory else None
        self._let_go()
        return merge_expression(track, predicted, self.job.settings, a2ep, manner, heard)

    def manner(self, track: FaceTrack, a2ep: SpeechModel) -> Manner | None:
        """How this person speaks, where clips show it and the job asks for it."""
        if self.job.speaks_like:
            return settled(load_style(self.job.speaks_like, a2ep), track, a2ep)
        taught = self.taught(track)
        if taught is None:
            return None
        told(taught, self.emit)
        return taught.manner

    def taught(self, track: FaceTrack) -> Taught | None:
        """What clips show of how this person speaks; None where the job does not ask them."""
        job, clip = self.job, self.source.clip
        unasked = job.speaks_like or not job.settings.style or (clip.still and not job.teach)
        if unasked or clip.paced:
            return None

        def listen() -> Taught:
            a2ep = load_a2ep(job.settings.a2ep)
            listeners = Listeners(self.model, a2ep, job.settings, self.emit, self.cancelled)
            return listeners.teach(job.teach, self.source.filmed, self.filmed(track))

        name, inputs = JobFile.MANNER, self.inputs.manner()
        stage = Stage("manner", name, inputs, listen, save_taught, load_taught)
        return result_of(stage, self.journal)

    def heard_alike(self, track: FaceTrack) -> Heard | None:
        """What is heard in the clip beside what is to be said; None where either is not known."""
        taught = self.taught(track) if self.job.audio else None
        if taught is None or taught.heard is None:
            return None
        try:
            wanted = self.heard()
        except NoSpeechError:  # curves are given instead of what would be heard
            return None
        self._let_go()
        own = taught.heard[self.source.pictures]
        return Heard(own, wanted, float(self.source.shown.fps))

    @abstractmethod
    def filmed(self, track: FaceTrack) -> FaceTrack:
        """A track of this job's frames, as a track of the pictures that they show."""

    # -- how a stage is done -----------------------------------------------------------------

    def _given(self) -> Path | None:
        """Curves that the user edited or gave."""
        edited = self.folder / "expression.json"
        return edited if edited.is_file() else self.job.expression

    def _let_go(self) -> None:
        """Forget what was predicted and heard, which lies in files now."""
        self.__dict__.pop("_spoken", None)

    def _predict(self) -> Expression:
        return self._spoken.curves

    @cached_property
    def _spoken(self) -> Spoken:
        source = self.source
        count, fps = source.count, source.shown.fps
        if source.clip.paced:
            count, fps = max(1, round(count / fps * _STEADY)), _STEADY
        on_progress = progress("predict", count, self.emit, self.cancelled)
        whole = PredictSettings(bounded=False)  # strength and smoothing follow in `merged`
        model = load_a2ep(self.job.settings.a2ep)
        spoken = predict_speech(source.speech(), count, fps, on_progress, whole, model)
        if not source.clip.paced:
            return spoken
        rows = rows_of(source.clip, _STEADY, count)
        return replace(spoken, curves=self._at_pictures(spoken.curves), heard=spoken.heard[rows])

    def _at_pictures(self, curves: Expression) -> Expression:
        """Curves at a steady rate, as pictures that keep their own time show them."""
        source = self.source
        if not source.clip.paced:
            return curves
        if len(curves) == source.count:  # of its frames, as edits are
            return replace(curves, fps=source.shown.fps)
        rows = rows_of(source.clip, curves.fps, len(curves))
        return replace(curves, values=curves.values[rows], fps=source.shown.fps)
