"""The dub of a strip, from strips to strip."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from .. import preferences
from ..review import notices, quality
from ..settings.options import Options
from ..storage import job_folder
from ..timeline import own_sound, planning, speeches
from ..timeline.plan import Plan
from ..timeline.target import Target
from ..worker.answers import longer, read_dub, turned
from ..worker.task import Task
from . import placing, previewing
from .job import worker_task
from .judging import Judge
from .planned import PlannedJob

_DRAFT = {
    "draft": True,
    "occluders": False,
    "grain": False,
    "sharpness": False,
    "style": False,
    "adapt": 0.0,
    "looks": 1,
    "intra": False,
    "length": "trim",
    "crop_size": 256,
    "preset": "ultrafast",
    "codec": "auto",
    "quality": "crf",
    "crf": 23,
    "depth": "auto",
}
"""Settings of a preview: whatever takes time before the first frame is left out."""


class Dub(PlannedJob):
    """The dub of a strip, which takes its place.

    Attributes:
        strips: names of the dubbed strips, once it is done.
    """

    def __init__(self, target: Target, options: Options) -> None:
        super().__init__(f"Dub '{target.picture}'")
        self.target, self.options = target, options
        self.strips: list[str] = []
        self._folder: Path
        self._said = ""  # of the dub, when its check is all that is left
        self._judge: Judge

    def _make_plan(self) -> Plan:
        return planning.make_plan(*self.target.find(), self.options.settings["length"])

    def follow(self, result: dict[str, Any]) -> Task | None:
        following = super().follow(result)
        if following is not None or not self.options.check:
            return following
        if self._said:
            return self._judge.take(result)
        self._said = self._take(result)
        self._judge = Judge(self.title, self._folder)
        return self._judge.ask()

    def _ask(self) -> Task:
        options = self.options
        job = planning.job_of(self._plan, options.settings, options.moves, options.like)
        self._folder = self._make_folder(job)
        return worker_task(self.title, "dub", job=str(self._folder))

    def _make_folder(self, job: dict[str, Any]) -> Path:
        taken = partial(placing.has_another, self._plan)
        return job_folder.make(preferences.jobs_folder(), job, asdict(self._plan), taken)

    def finish(self, result: dict[str, Any]) -> str:
        if self._said:
            return f"{self._said} {self._judge.note()}"
        return self._take(result)

    def _take(self, result: dict[str, Any]) -> str:
        """Put the clip that was made into its place; returns what to tell of it."""
        output, about = read_dub(result)
        shape, replace = placing.Shape(longer(result), turned(result)), self.options.replace
        previewing.discard(self._plan.scene)
        made = placing.place(self._plan, output, self._folder, about, replace, shape)
        if self.options.mute_own_sound:
            for strip in made:
                own_sound.mute(self._plan, strip)
        for strip in made:
            speeches.note_said(strip, self.target.speech, self.target.speech_id)
            quality.note_dub(strip, result)
            notices.note(strip, result)
        self.strips = [strip.name for strip in made]
        pieces = f" (in {len(made)} pieces)" if len(made) > 1 else ""
        return f"'{made[0].name}' is ready{pieces}: {made[0]['gsmooth_info']}."


class Preview(Dub):
    """A draft of the two seconds around a frame, laid over the strip until it is discarded."""

    def __init__(self, target: Target, options: Options, frame: int) -> None:
        settings = options.settings | _DRAFT
        super().__init__(target, Options(settings, options.moves, False, options.mute_own_sound))
        self.title = f"Preview '{target.picture}'"
        self._frame = frame

    def _make_plan(self) -> Plan:
        scene, chosen = self.target.find()
        frame = previewing.middle_near(scene, chosen.picture, self._frame)
        return planning.make_plan(scene, chosen, "trim", frame)

    def _make_folder(self, job: dict[str, Any]) -> Path:
        return job_folder.make(previewing.folder(), job, asdict(self._plan), shared=True)

    def finish(self, result: dict[str, Any]) -> str:
        output, _about = read_dub(result)
        strip = previewing.place(self._plan, output, self._folder, turned(result))
        if self.options.mute_own_sound:
            own_sound.mute(self._plan, strip)
        self.strips = [strip.name]
        return (
            f"'{strip.name}', the blue strip above the clip, shows a draft of {result['frames']} "
            "frames, rougher than the dub will be."
        )
