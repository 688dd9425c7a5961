"""Checking lip sync: which strips are compared, what is noted of it, which strip is moved."""

from __future__ import annotations

from typing import Any

import bpy

from ..errors import UserError
from ..timeline import pictures, planning, selection, strips
from ..timeline.plan import Plan

INFO, SECONDS, SOUND = "gsmooth_sync_info", "gsmooth_sync_seconds", "gsmooth_sync_sound"
"""Custom properties of a checked movie strip: in words, how late its sound is (only when that
is sure), and the name of the sound strip that was heard."""
_LONGEST = 3600.0  # seconds; no offset is as long


def choose(scene: bpy.types.Scene) -> selection.Selection:
    """The movie strip and the sound strip to compare; without one, the file's own sound.

    A sound strip of the same file beside the movie is its own sound, selected or not.

    Raises:
        UserError: nothing that can be checked is selected.
    """
    chosen = selection.select(scene, need_speech=False, from_original=False)
    if chosen.picture.type != "MOVIE":
        raise UserError("A still picture has no moving lips: select a movie strip.")
    if chosen.speech is None:
        return selection.Selection(chosen.picture, _own_sound(scene, chosen.picture))
    return chosen


def _own_sound(scene: bpy.types.Scene, picture: Any) -> Any:
    own = [
        strip
        for strip in strips.open_strips(scene)
        if strip.type == "SOUND"
        and not strip.mute
        and strips.source_path(strip) == strips.source_path(picture)
        and strips.overlap(strip, picture)
    ]
    return own[0] if len(own) == 1 else None


def why_not(scene: bpy.types.Scene) -> str:
    """Why the selection cannot be checked, "" if it can."""
    try:
        chosen = choose(scene)
    except UserError as error:
        return str(error)
    reason = pictures.why_rendered(chosen.picture)
    if reason:
        return f"'{chosen.picture.name}' {reason}: only a plain movie strip can be checked."
    return ""


def job_of(planned: Plan, settings: dict[str, Any]) -> dict[str, Any]:
    """The job of a check: the sound as the timeline has it, or the file's own as the file has it.

    Without a sound strip the file's own rate counts, not the rate at which its frames are shown.
    """
    job = planning.job_of(planned, settings)
    return job if planned.sound else job | {"fps": None}


def note(strip: Any, result: dict[str, Any], sound: str) -> None:
    """Keep what was measured with the movie strip, for the panel and for moving."""
    strip[INFO] = result["text"]
    strip[SOUND] = sound
    if result["sure"]:
        strip[SECONDS] = float(result["offset_seconds"])
    elif SECONDS in strip:
        del strip[SECONDS]


def checked(scene: bpy.types.Scene) -> Any:
    """The movie strip whose check is meant: the active strip, or the only selected one, or None."""
    active = strips.active_strip(scene)
    chosen = [strip for strip in strips.open_strips(scene) if strip.select and INFO in strip]
    if active is not None and INFO in active:
        return active
    return chosen[0] if len(chosen) == 1 else None


def frames_to_move(scene: bpy.types.Scene, strip: Any) -> int:
    """Scene frames by which the sound strip has to move to fit; earlier is negative."""
    noted = strip.get(SECONDS, 0.0)  # of a stranger's file: anything
    seconds = noted if isinstance(noted, float) and abs(noted) < _LONGEST else 0.0
    return -round(seconds * float(strips.scene_rate(scene)))


def why_not_moved(scene: bpy.types.Scene) -> str:
    """Why the sound of the checked strip cannot be moved, "" if it can."""
    strip = checked(scene)
    return obstacle(scene, strip) if strip else "Check the sync of a movie strip first."


def obstacle(scene: bpy.types.Scene, strip: Any) -> str:
    """Why the sound of this checked movie strip cannot be moved, "" if it can."""
    if SECONDS not in strip:
        return "The check was not sure enough to move anything by."
    sound = strips.find(scene, str(strip.get(SOUND, "")))
    if sound is None:
        return (
            "The sound is no strip of its own: select the movie strip together with its sound "
            "strip and check again."
        )
    if sound.lock:
        return f"'{sound.name}' is locked: unlock it first."
    if frames_to_move(scene, strip) == 0:
        return "Picture and sound fit: there is nothing to move."
    return ""


def move_sound(scene: bpy.types.Scene, strip: Any) -> str:
    """Move the sound strip of a checked movie strip to where it fits; returns what was done."""
    frames, sound = frames_to_move(scene, strip), strips.find(scene, str(strip[SOUND]))
    strips.move(sound, frames)
    count = f"{abs(frames)} frame{'s' if abs(frames) > 1 else ''}"
    text = f"'{sound.name}' was moved {count} {'earlier' if frames < 0 else 'later'}."
    strip[SECONDS] = float(strip[SECONDS]) + frames / float(strips.scene_rate(scene))
    strip[INFO] = text
    return text
