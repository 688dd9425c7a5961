"""Which strips the user means, and why they cannot be dubbed if they cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy

from . import pictures, speeches, strips, voices
from .errors import UserError

PREVIEW = "gsmooth_preview"
"""Custom property of a strip that shows a preview: the folder of its job. Nobody means it."""
_PERSON = "the strip that shows the person"
_SPEECH = "the sound strip with the new speech, too"


@dataclass(frozen=True)
class Selection:
    """The picture strip to dub and the sound strip with the new speech (None: no speech).

    Where several people were given one each, `speeches` has these, with the people's numbers.
    """

    picture: Any
    speech: Any
    speeches: tuple[tuple[int, Any], ...] = ()

    @property
    def said(self) -> Any:
        """The speech, or the speeches by number."""
        return dict(self.speeches) or self.speech


def select(scene: bpy.types.Scene, need_speech: bool = True) -> Selection:
    """What the user means: the selected strips; of several, the active one.

    Raises:
        UserError: nothing that can be dubbed is selected, or too much.
    """
    chosen = _selected(scene)
    video = _one_picture([strip for strip in chosen if strip.type in strips.PICTURES], scene)
    if need_speech and (given := speeches.given(video)):
        return Selection(video, None, given)
    sounds = _foreign([strip for strip in chosen if strip.type == "SOUND"], video)
    if not sounds and not need_speech:
        return Selection(video, None)
    return Selection(video, _one(sounds, scene, "sound", _SPEECH))


def pairs(scene: bpy.types.Scene) -> list[Selection]:
    """Every selected picture with the selected speech that lies longest over it.

    Raises:
        UserError: nothing is selected, or a picture has no speech.
    """
    chosen = _selected(scene)
    shown = [pictures.target(scene, s) for s in chosen if s.type in strips.PICTURES]
    sounds = [strip for strip in chosen if strip.type == "SOUND"]
    if not shown:
        raise UserError(f"Select {_PERSON}, or several of them.")
    found = {picture.name: _pair(picture, sounds) for picture in shown}
    return list(found.values())


def _pair(picture: Any, sounds: list[Any]) -> Selection:
    if given := speeches.given(picture):
        return Selection(picture, None, given)
    return Selection(picture, _speech_over(picture, sounds))


def _speech_over(picture: Any, sounds: list[Any]) -> Any:
    def shared(sound: Any) -> int:
        first, end = strips.left(sound), strips.right(sound)
        return min(end, strips.right(picture)) - max(first, strips.left(picture))

    over = [sound for sound in _foreign(sounds, picture) if shared(sound) > 0]
    if not over:
        raise UserError(f"Select the speech of '{picture.name}', too: a sound strip over it.")
    return max(over, key=shared)


def _selected(scene: bpy.types.Scene) -> list[Any]:
    return [s for s in strips.open_strips(scene) if s.select and not s.get(PREVIEW)]


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
        raise UserError(
            f"Several {what} strips are selected: make one of them the active one, or Add to Queue."
        )
    return active if active in candidates else candidates[0]


def _one_picture(candidates: list[Any], scene: bpy.types.Scene) -> Any:
    """A strip that is selected together with its Speed effect is one picture."""
    shown = [pictures.target(scene, strip) for strip in candidates]
    if shown and all(strip == shown[0] for strip in shown):
        return shown[0]
    return pictures.target(scene, _one(candidates, scene, "picture", _PERSON))


def _foreign(sounds: list[Any], picture: Any) -> list[Any]:
    """Sound strips that are not the picture's own sound, unless that is all there is."""
    own = pictures.files(picture)
    return [sound for sound in sounds if str(strips.source_path(sound)) not in own] or sounds


def why_not(scene: bpy.types.Scene, need_speech: bool = True) -> str:
    """Why the selection cannot be dubbed, "" if it can: one answer for buttons and tooltips."""
    try:
        select(scene, need_speech)
    except UserError as error:
        return str(error)
    return ""


def is_photo(scene: bpy.types.Scene) -> bool:
    """Whether the selected picture is a photo, which can be moved."""
    try:
        picture = select(scene, need_speech=False).picture
    except UserError:
        return False
    return strips.is_still(picture) and not pictures.why_rendered(picture)


def remark(scene: bpy.types.Scene, chosen: Selection) -> str:
    """What the user may want to know before dubbing; "" for nothing."""
    goes_on = chosen.picture.type != "IMAGE" and scene.gsmooth.length != "trim"
    told = []
    for voice in [strip for _number, strip in chosen.speeches] or [chosen.speech]:
        late = strips.right(voice) - strips.right(chosen.picture)
        early = strips.left(chosen.picture) - strips.left(voice)
        late = 0 if goes_on and not chosen.speeches else late
        unheard = float((max(late, 0) + max(early, 0)) / strips.scene_rate(scene))
        which = f"'{voice.name}'" if chosen.speeches else "the speech"
        told += [f"{unheard:.1f} s of {which} lie outside of the clip."] if unheard else []
    reason = pictures.why_rendered(chosen.picture)
    if reason:
        count = strips.right(chosen.picture) - strips.left(chosen.picture)
        told.append(f"'{chosen.picture.name}' {reason}: Blender renders its {count} frames first.")
    reason = voices.why_mixed(chosen.speech) if chosen.speech is not None else ""
    if reason:
        told.append(f"'{chosen.speech.name}' {reason}: Blender mixes it first.")
    return " ".join(told)
