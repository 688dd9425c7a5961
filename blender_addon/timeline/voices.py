"""Which sound strips are read from their file as they are; all others are mixed by Blender first.

A plain strip plays its file true to time. One that is retimed plays it otherwise, and one whose
file is packed into the blend file has none: what is spoken then is what Blender plays.
"""

from __future__ import annotations

import os
from typing import Any

import bpy

from . import strips


def why_mixed(strip: Any) -> str:
    """Why the strip's sound cannot be read from a file; "" if it can, as far as is seen here.

    Cheap enough for drawing code: no file is opened. Blender 4.2 and 4.3 do not tell that a sound
    is retimed, see `at_another_speed`.
    """
    if len(getattr(strip, "retiming_keys", ())):
        return "is retimed"
    lost = not os.path.isfile(strips.source_path(strip))  # noqa: PTH113 - Path's raises
    return "is packed into this file" if lost and strip.sound.packed_file else ""


def at_another_speed(scene: bpy.types.Scene, strip: Any) -> bool:
    """Whether a sound strip is shorter or longer than its sound, where its keys are not told."""
    if hasattr(strip, "retiming_keys"):
        return False
    rate = scene.render.fps, scene.render.fps_base
    with strips.probing() as (probe, timeline):
        probe.render.fps, probe.render.fps_base = rate
        plain = timeline.new_sound("probe", strip.sound.filepath, 1, 1)
        other = abs(strips.placement(plain).length - strips.placement(strip).length) > 1
        bpy.data.sounds.remove(plain.sound)  # each strip brings one of its own
        return other
