"""Which strips the user means, and why they cannot be dubbed if they cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy

from . import strips
from .errors import UserError

_PERSON = "the movie or image strip that shows the person"
_SPEECH = "the sound strip with the new speech, too"


@dataclass(frozen=True)
class Selection:
    """The picture strip to dub and the sound strip with the new speech (None: no speech)."""

    picture: Any
    speech: Any


def select(scene: bpy.types.Scene, need_speech: bool = True) -> Selection:
    """What the user means: the selected strips; of several, the active one.

    Raises:
        UserError: nothing that can be dubbed is selected, or too much.
    """
    chosen = [strip for strip in strips.open_strips(scene) if strip.select]
    pictures = [strip for strip in chosen if strip.type in strips.PICTURES]
    video = _one(pictures, scene, "picture", _PERSON)
    sounds = _foreign([strip for strip in chosen if strip.type == "SOUND"], video)
    if not sounds and not need_speech:
        return Selection(video, None)
    return Selection(video, _one(sounds, scene, "sound", _SPEECH))


def select_named(scene: bpy.types.Scene, *names: str) -> None:
    """Select these strips and no others.

    Raises:
        RuntimeError: one of them is not there.
    """
    wanted = [strips.find(scene, name) for name in names]
    for name, strip in zip(names, wanted, strict=True):
        if strip is None:
            raise RuntimeError(f"There is no strip named '{name}' in scene '{scene.name}'.")
    for strip in strips.open_strips(scene):
        strip.select = strip in wanted


def _one(candidates: list[Any], scene: bpy.types.Scene, what: str, advice: str) -> Any:
    if not candidates:
        raise UserError(f"Select {advice}.")
    active = scene.sequence_editor.active_strip
    if len(candidates) > 1 and active not in candidates:
        raise UserError(f"Several {what} strips are selected: make one of them the active one.")
    return active if active in candidates else candidates[0]


def _foreign(sounds: list[Any], picture: Any) -> list[Any]:
    """Sound strips that are not the picture's own sound, unless that is all there is."""
    own = strips.source_path(picture)
    return [sound for sound in sounds if strips.source_path(sound) != own] or sounds


def obstacle(scene: bpy.types.Scene, strip: Any) -> str:
    """Why this picture strip's frames are not the file's frames one by one; "" if they are.

    Cheap enough for drawing code: no file is opened.
    """
    name = f"'{strip.name}'"
    if strip.lock:
        return f"{name} is locked: unlock it first."
    if len(getattr(strip, "retiming_keys", ())):
        return f"{name} is retimed: reset its retiming, dub it, then retime the result."
    if strip.type == "MOVIE" and strip.use_reverse_frames:
        return f"{name} plays in reverse: switch that off, dub it, then reverse the result."
    if strip.type == "IMAGE" and len(strip.elements) > 1:
        return f"{name} is an image sequence: render it to a movie file and dub that."
    user = _effect_on(scene, strip)
    if user:
        return f"The effect '{user}' uses {name}: dub the strip first, then add the effect to it."
    return ""


def _effect_on(scene: bpy.types.Scene, strip: Any) -> str:
    for other in strips.open_strips(scene):
        if strip in (getattr(other, "input_1", None), getattr(other, "input_2", None)):
            return str(other.name)
    return ""


def speech_obstacle(strip: Any) -> str:
    """Why this sound strip cannot be used as it is; "" if it can."""
    if strip is not None and len(getattr(strip, "retiming_keys", ())):
        return f"'{strip.name}' is retimed: render it to a sound file and use that."
    return ""


def why_not(scene: bpy.types.Scene, need_speech: bool = True) -> str:
    """Why the selection cannot be dubbed, "" if it can: one answer for buttons and tooltips."""
    try:
        chosen = select(scene, need_speech)
    except UserError as error:
        return str(error)
    return obstacle(scene, chosen.picture) or speech_obstacle(chosen.speech)


def goes_on(scene: bpy.types.Scene, picture: Any) -> bool:
    """Whether a dub of this strip goes on after its end, while there is speech."""
    return bool(picture.type != "IMAGE" and scene.gsmooth.length != "trim")


def remark(scene: bpy.types.Scene, chosen: Selection) -> str:
    """What the user may want to know before dubbing; "" for nothing."""
    late = strips.right(chosen.speech) - strips.right(chosen.picture)
    early = strips.left(chosen.picture) - strips.left(chosen.speech)
    late = 0 if goes_on(scene, chosen.picture) else late
    unheard = float((max(late, 0) + max(early, 0)) / strips.scene_rate(scene))
    return f"{unheard:.1f} s of the speech lie outside of the clip." if unheard else ""
