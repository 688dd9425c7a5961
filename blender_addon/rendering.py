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

from . import following, pictures, preferences
from .checks import FILE, FILE_FRAME, check
from .errors import UserError
from .events import Failure
from .plan import Plan
from .process import Process
from .task import Task

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
            for name in ("file", "output"):
                with suppress(OSError):  # swept up later
                    Path(self.arguments[name]).unlink(missing_ok=True)


def missing(planned: Plan) -> str:
    """Which of a plan's files is still to be rendered: "source", "sound", a number or ""."""
    if planned.rendered and not planned.source:
        return "source"
    if planned.mixed and not planned.sound:
        return "sound"
    return next((str(said.number) for said in planned.speeches if not said.sound), "")


def next_task(title: str, planned: Plan) -> Task | None:
    """A task that renders the plan's first file that is missing; None where none is.

    Raises:
        UserError: no file can be written, or no second Blender be started.
    """
    what = missing(planned)
    if not what:
        return None
    [part, *_rest] = following.find_parts(planned)
    folder = _folder()
    name = uuid.uuid4().hex
    blend, output = folder / f"{name}.blend", folder / f"{name}.avi"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        bpy.data.libraries.write(str(blend), {part.scene}, path_remap="ABSOLUTE")
        process = Process(_command(), preferences.user_folder() / "logs" / "render.log")
    except (OSError, RuntimeError) as error:
        raise UserError(f"The strip cannot be rendered: {error}") from error
    first, count = _frames(planned)
    arguments = {
        "file": str(blend),
        "scene": part.scene.name,
        "tag": following.voice_tag(planned.tag, int(what)) if what.isdigit() else planned.tag,
        "kind": part.strip.type if what == "source" else "SOUND",
        "size": pictures.size(part.scene, part.strip) if what == "source" else _SMALL,
        "stage": "source" if what == "source" else "mix",
        "first": first,
        "count": count,
        "output": str(output),
    }
    task = _Render(title, "render", arguments, process)
    task.stage = str(arguments["stage"])  # from the start: it is no worker that starts
    return task


def _frames(planned: Plan) -> tuple[int, int]:
    """First scene frame, and number of frames, of the file that is missing."""
    if missing(planned) == "source" or planned.cut is None:
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


_ANSWER = {"output": FILE, "frames": FILE_FRAME}


def with_file(planned: Plan, result: dict[str, Any]) -> Plan:
    """The plan with the rendered file as the one that was missing.

    The file is named by what is in it: the same strip gives the same job, which goes on.

    Raises:
        UserError: the file is not whole.
    """
    check(result, _ANSWER, "Blender's answer", "dub the strip again.")
    made = Path(result["output"])
    what, (_first, count) = missing(planned), _frames(planned)
    if result["frames"] != count:
        raise UserError(f"Blender rendered {result['frames']} of {count} frames.")
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
    made.with_suffix(".blend").unlink(missing_ok=True)
    if not what.isdigit():
        return replace(planned, **{what: str(target)})
    speeches = [
        replace(said, sound=str(target)) if str(said.number) == what else said
        for said in planned.speeches
    ]
    return replace(planned, speeches=tuple(speeches))
