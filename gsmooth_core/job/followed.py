"""The people of a job's clip: followed in one pass, for however many of them are dubbed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.job.events import Cancelled, Message, OnEvent, progress
from gsmooth_core.job.length import repeat_track
from gsmooth_core.job.names import JobFile
from gsmooth_core.job.source import Source
from gsmooth_core.job.speaker import choose, turns_of
from gsmooth_core.networks.answers import kept_answers
from gsmooth_core.tracking.people.people import People
from gsmooth_core.tracking.tracker import Tracker, build_tracker
from gsmooth_core.types import Bool, FaceTrack


class Followed:
    """Everybody in a job's clip; the pictures are read when the first of them is asked for.

    Args:
        source: of the job.
        model: the face model to fit.
        on_event: told about progress and messages.
        cancelled: asked after every frame.
        folder: where what is known of the frames is kept until `settle`; None for nowhere.

    Attributes:
        then: called when all pictures have been looked at.
    """

    def __init__(
        self,
        source: Source,
        model: MorphableModel,
        on_event: OnEvent,
        cancelled: Cancelled,
        folder: Path | None = None,
    ) -> None:
        self._folder = folder
        self._answers = folder / JobFile.ANSWERS if folder else None
        self._source, self._model = source, model
        self._emit, self._cancelled = on_event, cancelled
        self._found: tuple[Tracker, People] | None = None
        self.then: Callable[[], None] = lambda: None

    def turns(self) -> dict[str, Bool]:
        """Who takes turns in the clip's own sound, see `speaker.turns_of`."""
        clip = self._source.clip
        return {} if clip.still else turns_of(self._follow()[1], clip, self._source.job.start_frame)

    def track(self, face: str) -> FaceTrack:
        """The track of the person that a setting names, see `speaker.choose`.

        Raises:
            NoFaceError: nobody is seen.
            InputError: there is no such person.
        """
        tracker, people = self._follow()
        source = self._source
        person = choose(people, face, source.clip, source.job.start_frame, self._warn)
        track = tracker.fit(people, person, source.shown)
        return repeat_track(track, source.count) if source.clip.still else track

    def settle(self) -> None:
        """The track stands: nothing has to be known of the frames any more."""
        if self._answers is not None:
            self._answers.unlink(missing_ok=True)

    def forget(self) -> None:
        """Give back the memory of what was followed."""
        self._found = None

    def _follow(self) -> tuple[Tracker, People]:
        if self._found is None:
            source, settings = self._source, self._source.job.settings
            tracker = build_tracker(settings.tracker, self._model, settings.device, settings.looks)
            count = 1 if source.clip.still else source.count
            on_progress = progress("track", count, self._emit, self._cancelled)
            frames = source.read(0, count)
            with kept_answers(self._answers):
                self._found = tracker, tracker.follow(frames, on_progress, self._folder)
            self.then()
        return self._found

    def _warn(self, text: str) -> None:
        self._emit(Message("warning", text))
