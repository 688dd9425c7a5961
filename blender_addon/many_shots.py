"""Dub all shots of a film without a window; an example of `api`.

    blender --background film.blend --python many_shots.py -- --speech Speech --save dubbed.blend

Every movie strip is dubbed with the sound strip of the channel named Speech that lies over it.
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


def load(module: str) -> Any:
    """A module of GSmooth, from whichever of its two places it is switched on in."""
    name = next(name for name in ADDONS if name in bpy.context.preferences.addons)
    return importlib.import_module(f"{name}.{module}")


def shots(scene: bpy.types.Scene, channel_name: str) -> list[tuple[Any, Any]]:
    """Pairs of a picture strip and the sound strip of that channel that lies over it."""
    strips = load("timeline.strips")  # knows Blender's versions
    editor = scene.sequence_editor
    channel = next(i for i, each in enumerate(editor.channels) if each.name == channel_name)
    found = list(strips.children(editor))
    sounds = [strip for strip in found if strip.type == "SOUND" and strip.channel == channel]
    pictures = [strip for strip in found if strip.type == "MOVIE" and not strip.mute]
    return [(one, sound) for sound in sounds for one in pictures if strips.overlap(one, sound)]


def main(arguments: list[str]) -> int:
    """Dub them; returns how many failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speech", default="Speech", help="name of the channel")
    parser.add_argument("--save", type=Path, required=True, help="the blend file to write")
    options = parser.parse_args(arguments)
    api, scene = load("api"), bpy.context.scene
    for picture, sound in shots(scene, options.speech):
        api.add_to_queue(picture, sound)
    entries = api.run_queue()
    for entry in entries:
        sys.stdout.write(f"{entry.target.picture}: {entry.state}. {entry.text}\n")
    bpy.ops.wm.save_as_mainfile(filepath=str(options.save.absolute()))
    return sum(entry.state != "done" for entry in entries)


if __name__ == "__main__":
    sys.exit(main(sys.argv[sys.argv.index("--") + 1 :]))
