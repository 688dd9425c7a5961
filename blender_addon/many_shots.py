"""Dub all shots of a film without a window; an example of `api`.

    blender --background film.blend --python many_shots.py -- --speech Speech --save dubbed.blend

Every picture strip that lies under a sound strip of the channel named Speech is dubbed with that.
A shot that fails is named, and the others are made; run again, what is finished is not made anew.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

import bpy

ADDONS = ("blender_addon", "bl_ext.user_default.gsmooth")


def load_api() -> Any:
    """GSmooth's functions, from whichever of its two places it is switched on in."""
    name = next(name for name in ADDONS if name in bpy.context.preferences.addons)
    return importlib.import_module(f"{name}.api")


def shots(scene: bpy.types.Scene, channel_name: str) -> list[tuple[Any, Any]]:
    """Pairs of a picture strip and the sound strip of that channel which begins under it."""
    editor = scene.sequence_editor
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    channel = next(i for i, each in enumerate(editor.channels) if each.name == channel_name)
    pairs = []
    for sound in [strip for strip in strips if strip.type == "SOUND" and strip.channel == channel]:
        start, end = sound.frame_final_start, sound.frame_final_end
        pairs += [
            (strip, sound)
            for strip in strips
            if strip.type == "MOVIE" and not strip.mute
            if strip.frame_final_start < end and start < strip.frame_final_end
        ]
    return pairs


def main(arguments: list[str]) -> int:
    """Dub them; returns how many failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speech", default="Speech", help="name of the channel")
    parser.add_argument("--save", type=Path, required=True, help="the blend file to write")
    options = parser.parse_args(arguments)
    api, scene = load_api(), bpy.context.scene
    for picture, sound in shots(scene, options.speech):
        api.add_to_queue(picture, sound)
    entries = api.run_queue()
    for entry in entries:
        sys.stdout.write(f"{entry.target.picture}: {entry.state}. {entry.text}\n")
    bpy.ops.wm.save_as_mainfile(filepath=str(options.save.absolute()))
    return sum(entry.state != "done" for entry in entries)


if __name__ == "__main__":
    sys.exit(main(sys.argv[sys.argv.index("--") + 1 :]))
