"""A first dub that needs no file of yours: python -m blender_addon.demo --output DIR

A public-domain photo speaks a sentence made by a small speech synthesiser. Blender runs as a
Python module, with the same add-on and the same operators as in the window. DIR then holds
`dubbed.mp4`, and `dubbed.blend` with the strips and the face mesh, which can be moved together.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TEXT = "Hello! I am a photograph. From today on I say whatever you type."
RATE = 25
log = logging.getLogger("gsmooth.demo")


def photo(path: Path) -> Path:
    """Write the photo of the astronaut Eileen Collins (NASA, public domain)."""
    from skimage import data, io

    io.imsave(path, data.astronaut(), check_contrast=False)
    return path


def speech(path: Path, text: str) -> Path:
    """Write `text`, spoken."""
    from hibari import Hibari

    Hibari().save(text, str(path))
    return path


def prepare(folder: Path, text: str, *, head: bool = False) -> Any:
    """A video editing file in `folder` with the photo and the speech as selected strips.

    With `head` the photo also turns its head and blinks.

    Returns:
        the scene.
    """
    import bpy

    from blender_addon.timeline import strips

    bpy.ops.wm.read_factory_settings(app_template="Video_Editing")
    for item in list(bpy.data.objects):
        bpy.data.objects.remove(item)
    bpy.context.preferences.filepaths.save_version = 0  # no .blend1 beside the result
    bpy.ops.preferences.addon_enable(module="blender_addon")
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = RATE, 1.0
    scene.render.resolution_x = scene.render.resolution_y = 512
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "dubbed.blend"))
    scene.gsmooth.photo = "full" if head else "mouth"
    scene.sequence_editor_create()
    timeline = strips.open_strips(scene)
    speech(folder / "speech.wav", text)
    voice = timeline.new_sound("speech", "//speech.wav", 1, 1)
    photo(folder / "photo.png")
    picture = timeline.new_image("photo", "//photo.png", 2, 1)
    strips.set_handles(picture, 1, strips.right(voice) + RATE // 2)
    scene.frame_end = strips.right(picture) - 1
    return scene


def arrange(head: Any) -> None:
    """Show the head beside the strips when the file is opened."""
    import bpy

    from blender_addon.head import rig

    for area in bpy.context.window.screen.areas:
        space = area.spaces[0]
        if area.type == "FILE_BROWSER":
            area.type = "VIEW_3D"
            view = area.spaces[0]
            view.use_local_camera, view.camera = True, rig.camera_of(head)
            view.shading.color_type = "TEXTURE"
            view.region_3d.view_perspective = "CAMERA"
        elif area.type == "SEQUENCE_EDITOR" and space.view_type == "SEQUENCER":
            space.show_region_ui = True


def run(folder: Path, text: str, *, head: bool = False) -> Path:
    """Make the demo in `folder`.

    Returns:
        the dubbed video.
    """
    # Blender's user folders stay as they are, and the worker runs on this very Python.
    os.environ.setdefault("BLENDER_USER_RESOURCES", tempfile.mkdtemp(prefix="gsmooth-demo-"))
    os.environ.setdefault("GSMOOTH_PYTHON", sys.executable)
    folder.mkdir(parents=True, exist_ok=True)
    scene = prepare(folder, text, head=head)

    import bpy

    from blender_addon.timeline import strips

    bpy.ops.gsmooth.dub_strip()
    dubbed = strips.source_path(strips.active_strip(scene))
    bpy.ops.gsmooth.preview_mesh()
    arrange(bpy.context.view_layer.objects.active)
    bpy.ops.file.make_paths_relative()
    bpy.ops.wm.save_mainfile()
    return Path(shutil.copyfile(dubbed, folder / "dubbed.mp4"))


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m blender_addon.demo", description=__doc__)
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--text", default=TEXT, help="what the photo says (English)")
    parser.add_argument(
        "--head", action="store_true", help="the photo also moves its head, and blinks"
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    started = time.monotonic()
    try:
        path = run(options.output.resolve(), options.text, head=options.head)
    except ImportError as error:
        log.error("%s. Install the demo's packages: pip install -e '.[demo,blender]'", error)
        return 1
    except RuntimeError as error:
        log.error("%s", error)
        return 1
    log.info("%s and dubbed.blend beside it, in %.0f s", path, time.monotonic() - started)
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # Blender as a module may hang or complain while it is unloaded
