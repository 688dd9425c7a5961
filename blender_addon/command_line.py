"""Dub strips without a window: blender --command gsmooth FILE.blend --picture A --speech B."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import bpy

from .timeline import selection, strips

_handles: list[object] = []


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="blender --command gsmooth",
        description="Dub a strip of a blend file and save the file.",
    )
    parser.add_argument("file", type=Path, help="the blend file")
    parser.add_argument("--scene", help="its scene; without it, the one that the file opens with")
    parser.add_argument("--picture", required=True, help="name of the movie or image strip")
    parser.add_argument("--speech", required=True, help="name of the sound strip")
    parser.add_argument("--replace", action="store_true", help="put it in the old strip's place")
    parser.add_argument("--mesh", action="store_true", help="add the face mesh, too")
    parser.add_argument("--save", type=Path, help="save under another name")
    return parser


def run(arguments: list[str]) -> int:
    """Do what the arguments say.

    Returns:
        the exit status: 0 when the strip is there and the file saved, 1 for an error that was
        reported, 2 for arguments that make no sense.
    """
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    try:
        _dub(options)
    except RuntimeError as error:  # what bpy.ops makes of a reported error
        sys.stderr.write(f"{str(error).strip()}\n")
        return 1
    return 0


def _dub(options: argparse.Namespace) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(options.file.absolute()))
    if options.scene:
        _show_scene(options.scene)
    scene = strips.sequencer_scene(bpy.context)
    selection.select_named(scene, options.picture, options.speech)
    bpy.ops.gsmooth.dub_strip(replace=options.replace)
    if options.mesh:
        bpy.ops.gsmooth.preview_mesh()
    target = options.save or options.file
    bpy.ops.wm.save_as_mainfile(filepath=str(target.absolute()))


def _show_scene(name: str) -> None:
    scene = bpy.data.scenes.get(name)
    if scene is None:
        raise RuntimeError(f"There is no scene named '{name}'.")
    strips.show_scene(bpy.context, scene)


def register() -> None:
    """Give Blender the command."""
    _handles.append(bpy.utils.register_cli_command("gsmooth", run))


def unregister() -> None:
    """Take it away again."""
    while _handles:
        bpy.utils.unregister_cli_command(_handles.pop())
