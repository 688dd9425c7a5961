"""Which strips the user means, and why they cannot be dubbed if they cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy

from ..errors import UserError
from . import obstacles, pictures, speeches, stacking, strips, voices

_SEVERAL = 2
PREVIEW = "gsmooth_preview"
"""Custom property of a strip that shows a preview: the folder of its job. Nobody means it."""
_NOTHING = (
    "Select two strips: the video or photo of the person, and the sound with the new speech. "
    "Shift-click selects a second one."
)
_PICTURE = "Select the video or photo of the person, too: Shift-click it."
_ONE_PICTURE = "Select the video or photo of the person."
_SPEECH = "Select the sound with the new speech, too: Shift-click it."


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


def select(
    scene: bpy.types.Scene, need_speech: bool = True, from_original: bool = True
) -> Selection:
    """What the user means: the selected strips; of several, the active one.

    Args:
        scene: whose strips they are.
        need_speech: whether a picture alone is too little.
        from_original: whether a dub stands for the strip that it was made from, and says what it
            says where no other speech is selected. Made from the dub, a second one would be softer.

    Raises:
        UserError: nothing that can be dubbed is selected, or too much.
    """
    chosen = _selected(scene)
    shown = _one_picture(chosen, scene, need_speech)
    video = (from_original and dubbed_from(scene, shown)) or shown
    if need_speech and (given := speeches.given(video)):
        return Selection(video, None, given)
    sounds = _foreign([strip for strip in chosen if strip.type == "SOUND"], video)
    if not sounds and not need_speech:
        return Selection(video, None)
    if not sounds and (last := speeches.said(shown)) is not None:
        return Selection(video, last)
    return Selection(video, _one(sounds, scene, "sound", _SPEECH))


def dubbed_from(scene: bpy.types.Scene, strip: Any) -> Any:
    """The strip from which a dub was made, where a dub of it again would show the same frames.

    None for a strip that is no dub, and where the original is gone, or one of both was moved or
    cut since.
    """
    old = stacking.original(scene, strip) if strips.dubbed_job(strip) else None
    if old is None or strips.left(old) != strips.left(strip):
        return None
    return old if strips.right(old) <= strips.right(strip) else None


def pairs(scene: bpy.types.Scene) -> list[Selection]:
    """Every selected picture with the selected speech that lies longest over it.

    Raises:
        UserError: nothing is selected, or a picture has no speech.
    """
    chosen = _selected(scene)
    shown = [pictures.target(scene, s) for s in chosen if s.type in strips.PICTURES]
    sounds = [strip for strip in chosen if strip.type == "SOUND"]
    if not shown:
        raise UserError("Select the video or photo of a person and its speech, or several of both.")
    found = {strip.name: _pair(scene, strip, sounds) for strip in shown}
    return list(found.values())


def _pair(scene: bpy.types.Scene, shown: Any, sounds: list[Any]) -> Selection:
    picture = dubbed_from(scene, shown) or shown
    if given := speeches.given(picture):
        return Selection(picture, None, given)
    if not sounds and (last := speeches.said(shown)) is not None:
        return Selection(picture, last)
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
        raise UserError(advice)
    active = scene.sequence_editor.active_strip
    if len(candidates) > 1 and active not in candidates:
        raise UserError(
            f"Several {what} strips are selected: Shift-click the one that you mean, so that it "
            "is the active one; or Add to Queue, for all."
        )
    return active if active in candidates else candidates[0]


def _one_picture(chosen: list[Any], scene: bpy.types.Scene, need_speech: bool) -> Any:
    """A strip that is selected together with its Speed effect is one picture."""
    candidates = [strip for strip in chosen if strip.type in strips.PICTURES]
    advice = (_PICTURE if chosen else _NOTHING) if need_speech else _ONE_PICTURE
    shown = [pictures.target(scene, strip) for strip in candidates]
    if shown and all(strip == shown[0] for strip in shown):
        return shown[0]
    return pictures.target(scene, _one(candidates, scene, "picture", advice))


def _foreign(sounds: list[Any], picture: Any) -> list[Any]:
    """Sound strips that are not the picture's own sound, unless that is all there is."""
    own = pictures.files(picture)
    return [sound for sound in sounds if str(strips.source_path(sound)) not in own] or sounds


def why_not(scene: bpy.types.Scene, need_speech: bool = True) -> str:
    """Why the selection cannot be dubbed, "" if it can: one answer for buttons and tooltips."""
    try:
        chosen = select(scene, need_speech)
        obstacles.check_files(chosen)
        if need_speech:
            obstacles.check_overlap(chosen)
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


def remarks(scene: bpy.types.Scene, chosen: Selection) -> list[str]:
    """What the user may want to know before dubbing."""
    goes_on = chosen.picture.type != "IMAGE" and scene.gsmooth.length != "trim"
    told = _which_of_several(scene, chosen) + obstacles.unnoticed(chosen, scene)
    for voice in obstacles.voices_of(chosen):
        told += _unheard(scene, chosen, voice, goes_on and not chosen.speeches)
    reason = pictures.why_rendered(chosen.picture)
    if reason:
        count = strips.right(chosen.picture) - strips.left(chosen.picture)
        told.append(f"'{chosen.picture.name}' {reason}: Blender renders its {count} frames first.")
    reason = voices.why_mixed(chosen.speech) if chosen.speech is not None else ""
    if reason:
        told.append(f"'{chosen.speech.name}' {reason}: Blender mixes it first.")
    return told


def has_length(chosen: Selection) -> bool:
    """Whether the setting Length says what is done, since the speech outlasts the clip."""
    if chosen.speech is None or chosen.picture.type == "IMAGE":
        return False
    return strips.right(chosen.speech) > strips.right(chosen.picture)


def _which_of_several(scene: bpy.types.Scene, chosen: Selection) -> list[str]:
    """Which of several selected sounds is meant, which nobody could see otherwise."""
    sounds = [strip for strip in _selected(scene) if strip.type == "SOUND"]
    count = len(_foreign(sounds, chosen.picture))
    if chosen.speech is None or count < _SEVERAL:
        return []
    return [
        f"{count} sounds are selected: '{chosen.speech.name}', the one clicked last, is the "
        "speech. For several people give each one under People."
    ]


def _unheard(scene: bpy.types.Scene, chosen: Selection, voice: Any, goes_on: bool) -> list[str]:
    """What of a speech is not heard, since the clip is not there then."""
    early = strips.left(chosen.picture) - strips.left(voice)
    late = 0 if goes_on else strips.right(voice) - strips.right(chosen.picture)
    rate = float(strips.scene_rate(scene))
    told = [f"its first {early / rate:.1f} seconds, before the clip begins"] if early > 0 else []
    told += [f"its last {late / rate:.1f} seconds, after the clip ends"] if late > 0 else []
    if not told:
        return []
    way = "move the sound strip"
    if late > 0 and strips.is_still(chosen.picture):
        way += ", or drag the end of the photo to the right"
    elif late > 0 and has_length(chosen):
        way += ", or choose another Length below"
    return [f"Of '{voice.name}' is not spoken: {' and '.join(told)}. To change that, {way}."]
