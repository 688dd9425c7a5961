"""Strips to a job and back: the only file that knows what Blender's versions call things."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy

from . import job_folder
from .errors import UserError
from .timing import MAX_CHANNEL, Cut, Placement, Span, free_channel, picture_span, speech_cut

PICTURES = ("MOVIE", "IMAGE")
_PERSON = "the movie or image strip that shows the person"
_SPEECH = "the sound strip with the new speech, too"
_LOOK = (
    "blend_type",
    "blend_alpha",
    "color_saturation",
    "color_multiply",
    "color_tag",
    "multiply_alpha",
    "use_flip_x",
    "use_flip_y",
    "use_float",
    "strobe",
)


# -- one name for what the versions name differently -----------------------------------------


def sequencer_scene(context: bpy.types.Context) -> bpy.types.Scene:
    """The scene whose strips the user sees (its own pointer since 5.0; None as a module)."""
    return getattr(context, "sequencer_scene", None) or context.scene


def _children(owner: Any) -> Any:
    return owner.strips if hasattr(owner, "strips") else owner.sequences


def _all(scene: bpy.types.Scene | None) -> Any:
    editor = scene.sequence_editor if scene else None
    if editor is None:
        return {}
    return editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all


def open_strips(scene: bpy.types.Scene) -> Any:
    """The strips on view: the open meta strip's, else the scene's; () without a sequencer."""
    editor = scene.sequence_editor
    if editor is None:
        return ()
    return _children(editor.meta_stack[-1] if len(editor.meta_stack) else editor)


def _owner(scene: bpy.types.Scene, strip: Any) -> Any:
    return strip.parent_meta() or scene.sequence_editor


def show_scene(context: bpy.types.Context, scene: bpy.types.Scene) -> None:
    """Make `scene` the one that the window and its sequencers show."""
    context.window.scene = scene
    if hasattr(context.workspace, "sequencer_scene"):
        context.workspace.sequencer_scene = scene


def _value(strip: Any, new: str, old: str) -> Any:
    # Since 5.2 the old names warn, and they are gone in 6.0.
    return getattr(strip, new) if hasattr(strip, new) else getattr(strip, old)


def left(strip: Any) -> int:
    """First scene frame that shows the strip."""
    return int(_value(strip, "left_handle", "frame_final_start"))


def right(strip: Any) -> int:
    """The scene frame after the last one that shows the strip."""
    return int(_value(strip, "right_handle", "frame_final_end"))


def set_handles(strip: Any, first: int, end: int) -> None:
    """Trim (or extend) the strip to the scene frames first..end-1."""
    new = hasattr(strip, "left_handle")
    setattr(strip, "right_handle" if new else "frame_final_end", end)
    setattr(strip, "left_handle" if new else "frame_final_start", first)


def placement(strip: Any) -> Placement:
    """Where a movie, image or sound strip lies."""
    return Placement(
        left(strip),
        right(strip),
        float(_value(strip, "content_start", "frame_start")),
        int(_value(strip, "content_duration", "frame_duration")),
        int(_value(strip, "content_trim_start", "animation_offset_start")),
    )


def first_source_frame(strip: Any) -> int:
    """Scene frame at which the file's first frame stands (or would, were it not trimmed)."""
    where = placement(strip)
    return round(where.start) - where.trim


def scene_rate(scene: bpy.types.Scene) -> Fraction:
    """Frames a second of the scene, exact for the broadcast rates (30/1.001 = 30000/1001)."""
    return Fraction(scene.render.fps / scene.render.fps_base).limit_denominator(1001)


def source_path(strip: Any) -> Path:
    """Absolute path of the file that a movie, image or sound strip shows."""
    if strip.type == "IMAGE":
        name = os.path.join(strip.directory, strip.elements[0].filename)  # noqa: PTH118
    else:
        name = strip.filepath if strip.type == "MOVIE" else strip.sound.filepath
    return Path(bpy.path.abspath(name))


def find(scene: bpy.types.Scene | None, name: str) -> Any:
    """The strip of that name anywhere in the scene, or None."""
    return _all(scene).get(name)


# -- what is selected ------------------------------------------------------------------------


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
    chosen = [strip for strip in open_strips(scene) if strip.select]
    pictures = [strip for strip in chosen if strip.type in PICTURES]
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
    wanted = [find(scene, name) for name in names]
    for name, strip in zip(names, wanted, strict=True):
        if strip is None:
            raise RuntimeError(f"There is no strip named '{name}' in scene '{scene.name}'.")
    for strip in open_strips(scene):
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
    own = source_path(picture)
    return [sound for sound in sounds if source_path(sound) != own] or sounds


# -- what cannot be dubbed -------------------------------------------------------------------


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
    for other in open_strips(scene):
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


def _check(scene: bpy.types.Scene, chosen: Selection) -> None:
    problem = obstacle(scene, chosen.picture) or speech_obstacle(chosen.speech)
    if problem:
        raise UserError(problem)
    for strip in (chosen.picture, chosen.speech):
        if strip is not None and not source_path(strip).is_file():
            raise UserError(
                f"The file of '{strip.name}' is missing: '{source_path(strip)}'. "
                "Find it with File > External Data, or relink the strip."
            )


def _check_rate(scene: bpy.types.Scene, strip: Any, file_length: int) -> None:
    trimmed = _value(strip, "content_trim_end", "animation_offset_end")
    where = placement(strip)
    if abs(where.length + where.trim + trimmed - file_length) > 1:
        raise UserError(
            f"'{strip.name}' plays at an adjusted rate ({strip.fps:g} fps in a scene of "
            f"{float(scene_rate(scene)):g} fps). Set the scene to {strip.fps:g} fps and add the "
            "clip again, or add it with 'Adjust Playback Rate' switched off."
        )


def _file_length(path: Path) -> int:
    """Frames of a movie file, as a strip counts them: read through a scene of its own."""
    scene = bpy.data.scenes.new("GSmooth probe")
    try:
        strips = _children(scene.sequence_editor_create())
        return placement(strips.new_movie("probe", str(path), 1, 1)).length
    finally:
        bpy.data.scenes.remove(scene)


# -- strips to a job -------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """All that is needed to make a job of strips and to place its result when it is done.

    Names stand for strips, since a strip's address may change while the job runs.

    Attributes:
        scene: name of the scene.
        picture: name of the picture strip.
        speech: name of the sound strip, or "".
        source: file of the picture strip.
        sound: file of the sound strip, or "".
        left: first scene frame of the picture strip.
        right: the scene frame after its last.
        span: its frames that are dubbed.
        to_end: whether these reach the end of the file.
        cut: the sound that is heard meanwhile.
        rate: frames a second at which the frames are shown, "N/D".
    """

    scene: str
    picture: str
    speech: str
    source: str
    sound: str
    left: int
    right: int
    span: Span
    to_end: bool
    cut: Cut | None
    rate: str

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Plan:
        """The plan that `asdict` wrote."""
        cut = Cut(**values["cut"]) if values["cut"] else None
        return cls(**values | {"span": Span(**values["span"]), "cut": cut})


def plan(scene: bpy.types.Scene, chosen: Selection) -> Plan:
    """Work out frames and seconds of a dub.

    Raises:
        UserError: the strips cannot be dubbed as they are.
    """
    _check(scene, chosen)
    video, voice, rate = chosen.picture, chosen.speech, scene_rate(scene)
    still = video.type == "IMAGE"
    span = picture_span(placement(video), still)
    length = 0 if still else _file_length(source_path(video))
    if not still:
        _check_rate(scene, video, length)
    cut = None
    if voice is not None:
        cut = speech_cut(span, placement(voice), getattr(voice, "sound_offset", 0.0), rate)
    return Plan(
        scene=scene.name,
        picture=video.name,
        speech=voice.name if voice else "",
        source=str(source_path(video)),
        sound=str(source_path(voice)) if voice else "",
        left=left(video),
        right=right(video),
        span=span,
        to_end=not still and span.source + span.count >= length,
        cut=cut,
        rate=f"{rate.numerator}/{rate.denominator}",
    )


def job_of(planned: Plan, settings: dict[str, Any]) -> dict[str, Any]:
    """The job file's content (without its output, which depends on the job's folder)."""
    cut = planned.cut
    return {
        "kind": "gsmooth-job",
        "version": 1,
        "video": planned.source,
        "start_frame": planned.span.source,
        # Blender's count of a file's frames is an estimate; the worker decodes them.
        "frame_count": None if planned.to_end else planned.span.count,
        "fps": planned.rate,
        "audio": planned.sound or None,
        "audio_start": cut.start if cut else 0.0,
        "audio_duration": cut.duration if cut else None,
        "audio_delay": cut.delay if cut else 0.0,
        "expression": None,
        "settings": settings,
    }


# -- result to strip -------------------------------------------------------------------------


def place(planned: Plan, output: Path, folder: Path, info: str, replace: bool) -> Any:
    """Put the dubbed file exactly over the old strip, which is muted or replaced.

    Returns:
        the new strip.

    Raises:
        UserError: the old strip is gone; nothing was changed.
    """
    scene = bpy.data.scenes.get(planned.scene)
    old = find(scene, planned.picture)
    if old is None or old.type not in PICTURES:
        raise UserError(
            f"The strip '{planned.picture}' is gone, so the dubbed clip was not placed. "
            f"It is in '{output}'."
        )
    # The user may have moved the strip along the timeline while the job ran.
    shift = left(old) - planned.left
    channel = old.channel if replace else _channel_beside(scene, old)
    siblings = _children(_owner(scene, old))
    new = siblings.new_movie(
        f"{planned.picture} dubbed",
        job_folder.reference(output),
        MAX_CHANNEL,
        planned.span.first + shift,
    )
    set_handles(new, planned.left + shift, planned.right + shift)
    _copy_look(old, new)
    new["gsmooth_job"], new["gsmooth_info"] = job_folder.reference(folder), info
    if replace:
        siblings.remove(old)
    else:
        old.mute = True
    new.channel = channel
    _select_only(scene, new)
    return new


def _channel_beside(scene: bpy.types.Scene, strip: Any) -> int:
    owner = _owner(scene, strip)
    taken: dict[int, bool] = {}
    for other in _children(owner):
        if left(other) < right(strip) and left(strip) < right(other):
            visible = other.type != "SOUND" and not other.mute
            taken[other.channel] = taken.get(other.channel, False) or visible
    barred = {i for i, channel in enumerate(owner.channels) if channel.lock or channel.mute}
    return free_channel(taken, strip.channel, barred)


def _copy_look(old: Any, new: Any) -> None:
    for name in _LOOK:
        if hasattr(old, name) and hasattr(new, name):
            setattr(new, name, getattr(old, name))
    _copy_values(old.transform, new.transform)
    _copy_values(old.crop, new.crop)
    if old.type == "MOVIE":
        _copy_values(old.colorspace_settings, new.colorspace_settings)
    for modifier in old.modifiers:
        twin = new.modifiers.new(modifier.name, modifier.type)
        if twin:
            _copy_values(modifier, twin)


def _copy_values(source: Any, target: Any) -> None:
    """Copy the writable plain values of one RNA struct to another of the same type."""
    for prop in source.bl_rna.properties:
        value = getattr(source, prop.identifier)
        if prop.identifier in ("rna_type", "name") or prop.type == "COLLECTION":
            continue
        if prop.type == "POINTER" and prop.is_readonly:
            _copy_values(value, getattr(target, prop.identifier))
        elif not prop.is_readonly:
            setattr(target, prop.identifier, value)


def _select_only(scene: bpy.types.Scene, strip: Any) -> None:
    for other in open_strips(scene):
        other.select = False
    strip.select = True
    scene.sequence_editor.active_strip = strip


def mute_own_sound(planned: Plan) -> None:
    """Mute the clip's own sound that lies under the dubbed frames."""
    for strip in _all(bpy.data.scenes.get(planned.scene)):
        if strip.type != "SOUND" or strip.name == planned.speech:
            continue
        overlaps = left(strip) < planned.right and planned.left < right(strip)
        if overlaps and str(source_path(strip)) == planned.source:
            strip.mute = True


# -- strips that show a job's result ---------------------------------------------------------


def dubbed_job(strip: Any) -> str:
    """The job folder noted on a dubbed strip, or ""."""
    return str(strip.get("gsmooth_job", "")) if strip else ""


def active_strip(scene: bpy.types.Scene) -> Any:
    """The active strip, or None."""
    return scene.sequence_editor.active_strip if scene.sequence_editor else None


def showing(folder: Path) -> Iterator[Any]:
    """Strips of any scene that show the result of the job in `folder`."""
    for scene in bpy.data.scenes:
        for strip in _all(scene):
            noted = dubbed_job(strip) if strip.type == "MOVIE" else ""
            if noted and job_folder.resolve(noted) == folder:
                yield strip


def show(strip: Any, output: Path, info: str) -> None:
    """Show another file of the same length in a dubbed strip."""
    strip.filepath = job_folder.reference(output)
    strip["gsmooth_info"] = info
