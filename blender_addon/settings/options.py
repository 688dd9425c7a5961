"""How a dub is made: what the panel says, or what a script says instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy

from ..errors import UserError
from .option_values import checked

OUTPUT = ("codec", "quality", "crf", "depth", "intra", "audio_track", "source_audio_track")
JOB = (
    *("strength", "smoothing", "style", "mask", "occluders", "grain", "sharpness", "shutter"),
    *("length", "adapt", "looks", *OUTPUT),
)
FACE = ("person", "speaker")
PHOTO = ("photo", "head", "blink", "brows", "seed", "movement")
STRIPS = ("replace", "mute_own_sound", "check")
MOVES = ("mode", "motion", "head", "blink", "brows", "seed")
"""The parts of a job that say how a photo moves."""
LIKE = "copy_look_of"
NAMES = (*JOB, *FACE, *PHOTO, *STRIPS, LIKE)


@dataclass(frozen=True)
class Options:
    """How a dub is made.

    Attributes:
        settings: the part of the job file of that name.
        moves: how a photo moves; None for the mouth alone.
        replace: remove the old strip instead of putting it away.
        mute_own_sound: mute the clip's own sound under the dub.
        check: judge the dub when it is made.
        like: a video as which the dub is coded; "" for the clip itself.
    """

    settings: dict[str, Any]
    moves: dict[str, Any] | None
    replace: bool
    mute_own_sound: bool
    check: bool = False
    like: str = ""


def options_of(scene: bpy.types.Scene, strip: Any = None, **changes: Any) -> Options:
    """What the scene's settings say, but for `changes`.

    Args:
        scene: whose settings count.
        strip: the strip that is dubbed, which may have a person of its own.
        changes: values by the names of the settings, see `NAMES`.

    Raises:
        UserError: there is no such setting, or it cannot be what is given.
    """
    unknown = sorted(set(changes) - set(NAMES))
    if unknown:
        raise UserError(f"There is no option '{unknown[0]}': there are {', '.join(NAMES)}.")
    panel = scene.gsmooth
    changes = {name: checked(panel, name, value) for name, value in changes.items()}
    values = {name: getattr(panel, name) for name in (*JOB, *PHOTO, *STRIPS, LIKE)}
    values |= panel.face_of(strip) | changes
    nobody_named = "speaker" if values["speaker"] else "largest"
    face = str(values["person"]) if values["person"] else nobody_named
    depth = values["depth"]
    settings = {name: values[name] for name in JOB} | {"face": face}
    settings["depth"] = depth if depth == "auto" else int(depth)
    like = bpy.path.abspath(values[LIKE]) if values[LIKE] else ""
    return Options(settings, _moves(values), **{n: bool(values[n]) for n in STRIPS}, like=like)


def _moves(values: dict[str, Any]) -> dict[str, Any] | None:
    if values["photo"] == "mouth":
        return None
    movement = values["movement"]
    followed = bpy.path.abspath(movement) if movement else "auto"
    amounts = {name: values[name] for name in ("head", "blink", "brows", "seed")}
    return {"mode": values["photo"], "motion": followed} | amounts
