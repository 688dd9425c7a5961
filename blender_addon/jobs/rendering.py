"""Strips whose frames or sound are in no file: rendered by a second Blender, out of sight."""

from __future__ import annotations

import hashlib
import re
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy

from .. import preferences
from ..errors import UserError
from ..storage.checks import FILE, FILE_FRAME, check, record, rows
from ..timeline import following, pictures
from ..timeline.plan import Plan
from ..worker.events import Failure
from ..worker.process import Process
from ..worker.task import Task

_SMALL = (64, 36)  # pixels beside a sound
_BLOCK = 1 << 20
_PARTIAL = re.compile(r"[0-9a-f]{32}\.(blend|avi)")
_LONGEST = 86400.0  # seconds after which nobody writes such a file any more


class _Render(Task):
    """Leaves nothing behind when it fails, or when its Blender had to be killed."""

    def _kill(self, failure: Failure) -> None:
        super()._kill(failure)
        self._release()

    def _release(self) -> None:
        super()._release()
        if self.result is None:
            for path in (self.arguments["file"], *(p["output"] for p in self.arguments["parts"])):
                with suppress(OSError):  # swept up later
                    Path(path).unlink(missing_ok=True)


def missing(planned: Plan) -> list[str]:
    """Which of a plan's files are still to be rendered: "source", "sound", numbers of people."""
    picture = ["source"] if planned.rendered and not planned.source else []
    sound = ["sound"] if planned.mixed and not planned.sound else []
    return picture + sound + [str(said.number) for said in planned.speeches if not said.sound]


def next_task(title: str, planned: Plan) -> Task | None:
    """A task that renders all files of the plan that are missing; None where none is.

    Raises:
        UserError: no file can be written, or no second Blender be started.
    """
    if not missing(planned):
        return None
    [place, *_rest] = following.find_parts(planned)
    folder = _folder()
    blend = folder / f"{uuid.uuid4().hex}.blend"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        bpy.data.libraries.write(str(blend), {place.scene}, path_remap="ABSOLUTE")
        process = Process(_command(), preferences.user_folder() / "logs" / "render.log")
    except (OSError, RuntimeError) as error:
        raise UserError(f"The strip cannot be rendered: {error}") from error
    parts = [_part(planned, what, place) for what in missing(planned)]
    arguments = {"file": str(blend), "scene": place.scene.name, "parts": parts}
    task = _Render(title, "render", arguments, process)
    task.stage = str(parts[0]["stage"])  # from the start: it is no worker that starts
    return task


def _part(planned: Plan, what: str, place: following.Part) -> dict[str, Any]:
    """The request for one of the files."""
    first, count = _frames(planned, what)
    picture = what == "source"
    return {
        "tag": following.voice_tag(planned.tag, int(what)) if what.isdigit() else planned.tag,
        "kind": place.strip.type if picture else "SOUND",
        "size": pictures.size(place.scene, place.strip) if picture else _SMALL,
        "stage": "source" if picture else "mix",
        "first": first,
        "count": count,
        "output": str(_folder() / f"{uuid.uuid4().hex}.avi"),
    }


def _frames(planned: Plan, what: str) -> tuple[int, int]:
    """First scene frame, and number of frames, of a file that is missing."""
    if what == "source" or planned.cut is None:
        return planned.span.first, planned.span.count
    rate = float(Fraction(planned.rate))
    delay, duration = round(planned.cut.delay * rate), round(planned.cut.duration * rate)
    return planned.span.first + delay, duration


def _folder() -> Path:
    return preferences.jobs_folder() / "rendered"


def _command() -> list[str]:
    script = str(Path(__file__).with_name("render_script.py"))
    if bpy.app.binary_path:
        return [bpy.app.binary_path, "--background", "--factory-startup", "--python", script]
    return [sys.executable, script]  # Blender as a module


def _sweep(folder: Path) -> None:
    """Remove what renders that were stopped have left; another Blender's may be running."""
    for old in folder.glob("*"):
        with suppress(OSError):
            if _PARTIAL.fullmatch(old.name) and time.time() - old.stat().st_mtime > _LONGEST:
                old.unlink()


_MADE = record({"output": FILE, "frames": FILE_FRAME}, "a rendered file")
_ANSWER = {"parts": rows(_MADE, "a list of rendered files")}


def with_files(planned: Plan, result: dict[str, Any]) -> Plan:
    """The plan with the rendered files as those that were missing.

    Raises:
        UserError: a file is not whole.
    """
    wanted = missing(planned)
    check(result, _ANSWER, "Blender's answer", "dub the strip again.")
    if len(result["parts"]) != len(wanted):
        raise UserError(f"Blender rendered {len(result['parts'])} of {len(wanted)} files.")
    for what, made in zip(wanted, result["parts"], strict=True):
        count = _frames(planned, what)[1]
        if made["frames"] != count:
            raise UserError(f"Blender rendered {made['frames']} of {count} frames.")
        planned = _with_file(planned, what, _keep(planned, what, Path(made["output"])))
    return planned


def _keep(planned: Plan, what: str, made: Path) -> str:
    """Name a file by what is in it: the same strip gives the same job, which goes on."""
    digest = hashlib.sha256()
    with made.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    name = planned.picture if what == "source" else planned.speech or f"person {what}"
    stem = bpy.path.clean_name(name)[:40]
    target = made.with_name(f"{stem}-{digest.hexdigest()[:16]}.avi")
    if target.exists():
        made.unlink()
    else:
        made.replace(target)
    return str(target)


def _with_file(planned: Plan, what: str, path: str) -> Plan:
    if not what.isdigit():
        return replace(planned, **{what: path})
    speeches = [
        replace(said, sound=path) if str(said.number) == what else said for said in planned.speeches
    ]
    return replace(planned, speeches=tuple(speeches))
