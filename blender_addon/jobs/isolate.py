"""A scene that shows one of its strips alone, without that strip's look."""

from __future__ import annotations

from typing import Any

import bpy

from ..head import actions
from ..timeline import pictures, put_away, strip_look, strips
from ..timeline.following import TAG

_OUTPUT = {
    "use_sequencer": True,
    "use_compositing": False,
    "use_border": False,
    "use_multiview": False,
    "resolution_percentage": 100,
    "use_file_extension": True,
    "use_overwrite": True,
}


def isolate(scene: bpy.types.Scene, tag: str, kind: str) -> None:
    """Remove all strips that the tagged one does not need, and its look.

    Raises:
        LookupError: there is no such strip.
    """
    [strip, *_copies] = [
        each for each in strips.all_strips(scene) if each.get(TAG) == tag and each.type == kind
    ]
    kept = [strip, *pictures.inputs(strip)]
    (_loud if kind == "SOUND" else _bare)(scene, strip)
    while (owner := strip.parent_meta()) is not None:
        _remove_others(owner, kept)
        _bare(scene, owner)
        strip, kept = owner, [owner]
    _remove_others(scene.sequence_editor, kept)


def _remove_others(owner: Any, kept: list[Any]) -> None:
    siblings = strips.children(owner)
    names = [strip.name for strip in siblings if strip not in kept]
    # Effects first: what they use cannot go before them.
    names.sort(key=lambda name: not hasattr(siblings[name], "input_1"))
    for name in names:
        other = siblings.get(name)  # may be gone with another
        if other is not None:
            siblings.remove(other)
    for channel in owner.channels:
        channel.mute = False


def _bare(scene: bpy.types.Scene, strip: Any) -> None:
    """Take the look from a strip, and what animates it."""
    put_away.show(strip)
    strip.modifiers.clear()
    actions.drop_animation(scene, strip_look.path_part(strip), strip_look.PATHS)
    for name, value in strip_look.NEUTRAL.items():
        if hasattr(strip, name):
            setattr(strip, name, value)
    for part in (strip.transform, strip.crop):
        for prop in part.bl_rna.properties:
            if prop.type in ("INT", "FLOAT") and not prop.is_readonly:
                setattr(part, prop.identifier, _default(prop))


def _loud(scene: bpy.types.Scene, strip: Any) -> None:
    """Have a sound strip heard as it is in its file, in the middle, though at its own speed."""
    strip.mute, strip.volume, strip.pan = False, 1.0, 0.0
    actions.drop_animation(scene, strip_look.path_part(strip), ("volume", "pan"))
    scene.audio_volume, scene.use_audio = 1.0, True


def with_sound(scene: bpy.types.Scene, first: int, count: int) -> None:
    """Have the sound in the movie file; Blender renders no strips where nothing is seen."""
    strips.add_colour(scene.sequence_editor, first, count)
    render = scene.render.ffmpeg
    render.audio_codec, render.audio_mixrate, render.audio_channels = "PCM", 48000, "STEREO"
    render.audio_volume = 1.0


def _default(prop: Any) -> Any:
    return list(prop.default_array) if prop.is_array else prop.default


def set_output(scene: bpy.types.Scene, size: list[int], output: str) -> None:
    """Have the scene rendered into a lossless movie file, in the colours that files have."""
    render = scene.render
    for name, value in _OUTPUT.items():
        setattr(render, name, value)
    for prop in render.bl_rna.properties:  # no date in the file: the same picture, the same bytes
        if prop.identifier.startswith("use_stamp"):
            setattr(render, prop.identifier, False)
    render.resolution_x, render.resolution_y = size
    render.filepath = output
    scene.frame_step = 1
    settings = render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "VIDEO"
    settings.file_format, settings.color_mode = "FFMPEG", "RGB"
    render.ffmpeg.format, render.ffmpeg.codec = "AVI", "FFV1"
    render.ffmpeg.audio_codec = "NONE"
    view = scene.view_settings
    scene.display_settings.display_device = "sRGB"
    view.view_transform, view.look, view.exposure, view.gamma = "Standard", "None", 0.0, 1.0
    view.use_curve_mapping = False
