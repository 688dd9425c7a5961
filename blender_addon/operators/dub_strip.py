"""Dub the selected strip."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty

from .. import job_folder, own_sound, placing, planning, preferences, rendering, selection, strips
from ..checks import FILE, FILE_FRAME, Kind, rows
from ..task import Task
from .worker_operator import WorkerOperator, check_answer, worker_task

_PAIR = Kind(
    lambda value: isinstance(value, list) and len(value) == 2 and all(map(FILE_FRAME.fits, value)),
    "a first and a last frame",
)
_QUARTERS = (90, 180, 270)
RUNS = rows(_PAIR, "a list of frames")
_MOST_PEOPLE = 1000
_ANSWER = {
    "output": FILE,
    "frames": FILE_FRAME,
    "untouched_frames": RUNS,
}


def read_answer(result: dict[str, Any]) -> tuple[Path, str]:
    """The clip that the worker made, and one line about it for the strip's panel.

    Raises:
        UserError: the answer holds something else, or the clip is not there.
    """
    check_answer(result, _ANSWER)
    kept = sum(last - first + 1 for first, last in result["untouched_frames"])
    text = f"{result['frames']} frames"
    text += f", {kept} kept as they were" if kept else ""
    return Path(result["output"]), text + _who(result.get("people"))


def longer(result: dict[str, Any]) -> int:
    """Frames that a checked answer's clip has more than were taken from its source."""
    taken: Any = result.get("source_frames")
    return int(result["frames"] - taken) if FILE_FRAME.fits(taken) else 0


def turned(result: dict[str, Any]) -> int:
    """Degrees anticlockwise by which the clip stands otherwise than its source is stored."""
    degrees: Any = result.get("turned")
    return degrees if type(degrees) is int and degrees in _QUARTERS else 0


def _who(people: Any) -> str:
    """Who was dubbed, where several are seen."""
    if not isinstance(people, list) or not 1 < len(people) < _MOST_PEOPLE:
        return ""
    seen = [person for person in people if isinstance(person, dict)]
    numbers = [p.get("number") for p in seen if p.get("chosen") is True]
    chosen = f"number {numbers[0]}" if len(numbers) == 1 and type(numbers[0]) is int else "one"
    return f"; {len(people)} people are seen, {chosen} was dubbed (People)"


class GSMOOTH_OT_dub_strip(WorkerOperator, bpy.types.Operator):
    """Make the person in the selected clip say the words of the selected sound strip"""

    bl_idname = "gsmooth.dub_strip"
    bl_label = "Dub Strip"
    bl_options = {"REGISTER", "UNDO"}
    title = "Dub"

    replace: BoolProperty(
        name="Replace Strip",
        description="Remove the old strip instead of muting it on another channel",
        default=False,
        options={"HIDDEN", "SKIP_SAVE"},
    )

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        return selection.why_not(strips.sequencer_scene(context))

    def start(self, context: bpy.types.Context) -> Task:
        scene = strips.sequencer_scene(context)
        self._plan = planning.make_plan(scene, selection.select(scene))
        self._mute_sound = scene.gsmooth.mute_own_sound
        self._settings = scene.gsmooth.for_job()
        self._moves = scene.gsmooth.for_photo()
        return self._go_on()

    def follow(self, context: bpy.types.Context, result: dict[str, Any]) -> Task | None:
        if not rendering.missing(self._plan):
            return None
        self._plan = rendering.with_file(self._plan, result)
        return self._go_on()

    def _go_on(self) -> Task:
        title = f"{self.title} '{self._plan.picture}'"
        return rendering.next_task(title, self._plan) or self._dub(title)

    def _dub(self, title: str) -> Task:
        job = planning.job_of(self._plan, self._settings, self._moves)
        taken = partial(placing.has_another, self._plan)
        self._folder = job_folder.make(preferences.jobs_folder(), job, asdict(self._plan), taken)
        return worker_task(title, "dub", job=str(self._folder))

    def finish(self, context: bpy.types.Context, result: dict[str, Any]) -> str:
        output, about = read_answer(result)
        shape = placing.Shape(longer(result), turned(result))
        made = placing.place(self._plan, output, self._folder, about, self.replace, shape)
        if self._mute_sound:
            for strip in made:
                own_sound.mute(self._plan, strip)
        pieces = f" (in {len(made)} pieces)" if len(made) > 1 else ""
        return f"'{made[0].name}' is ready{pieces}: {made[0]['gsmooth_info']}."


CLASSES = (GSMOOTH_OT_dub_strip,)
