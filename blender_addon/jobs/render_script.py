"""Renders strips as Blender shows or plays them: run as a script by a Blender that nobody sees.

It speaks the worker's protocol on its pipes. Each strip of a request is rendered alone and without
its look (opacity, transform, crop, modifiers), since its dub will have that; losslessly, for the
frames that are asked for.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import bpy

_ADDON = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_ADDON.parent))
isolate = importlib.import_module(f"{_ADDON.name}.jobs.isolate")

_events = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)  # what Blender says of every frame belongs into the log
_stopping, _finished = threading.Event(), threading.Event()


def emit(event: str, **values: Any) -> None:
    """Send one event."""
    _events.write(json.dumps({"id": 1, "event": event, **values}) + "\n")
    _events.flush()


def _stop_when_told(*leftovers: str) -> None:
    """A line after the request cancels it; the end of stdin says that nobody waits.

    That comes after the result, too: what was rendered is somebody else's by then.
    """
    sys.stdin.readline()
    if _finished.is_set():
        return
    _stopping.set()
    for path in leftovers:
        with contextlib.suppress(OSError):  # one that is still open elsewhere is swept up later
            Path(path).unlink(missing_ok=True)
    emit("error", code="cancelled", message="The job was stopped.")
    os._exit(3)


def _load(path: str, name: str) -> bpy.types.Scene:
    with bpy.data.libraries.load(path, link=False) as (_source, wanted):
        wanted.scenes = [name]
    scene: bpy.types.Scene = wanted.scenes[0]
    return scene


def render(part: dict[str, Any], scene: bpy.types.Scene, before: int, total: int) -> int:
    """Render the frames of one strip.

    Args:
        part: what is asked for.
        scene: where the strip is; it is changed.
        before: frames of parts that are done.
        total: frames of all parts.

    Returns:
        how many were rendered.
    """
    isolate.isolate(scene, part["tag"], part["kind"])
    isolate.set_output(scene, part["size"], part["output"])
    if part["kind"] == "SOUND":
        isolate.with_sound(scene, part["first"], part["count"])
    scene.frame_start, scene.frame_end = part["first"], part["first"] + part["count"] - 1
    bpy.context.window.scene = scene  # `scene=` of the operator renders wrong frames
    done = 0

    def count(*_arguments: Any) -> None:
        nonlocal done
        done += 1
        emit("progress", stage=part["stage"], done=before + done, total=total)

    def forget(*_arguments: Any) -> None:
        # 5.2 takes wrong frames of a retimed strip from its cache, which this empties.
        scene.render.resolution_x = scene.render.resolution_x

    handlers = ((bpy.app.handlers.render_pre, forget), (bpy.app.handlers.render_post, count))
    for hooks, hook in handlers:
        hooks.append(hook)
    bpy.ops.render.render(animation=True)
    for hooks, hook in handlers:
        hooks.remove(hook)
    return done


def render_all(request: dict[str, Any]) -> None:
    """Render all that a request asks for; each part in a scene as it was."""
    parts = request["parts"]
    made: list[dict[str, Any]] = []
    total = sum(part["count"] for part in parts)
    for part in parts:
        scene = _load(request["file"], request["scene"])
        done = render(part, scene, sum(each["frames"] for each in made), total)
        made.append({"output": part["output"], "frames": done})
    _finished.set()
    with contextlib.suppress(OSError):  # swept up later
        Path(request["file"]).unlink(missing_ok=True)
    emit("result", result={"parts": made})


def main() -> None:
    """Serve one request."""
    request = json.loads(sys.stdin.readline())["arguments"]
    emit("ready")
    files = request["file"], *(part["output"] for part in request["parts"])
    threading.Thread(target=_stop_when_told, args=files, daemon=True).start()
    try:
        render_all(request)
    except (RuntimeError, OSError, LookupError) as error:
        if _stopping.is_set():  # its files were taken away; the other thread ends this process
            threading.Event().wait()
        emit("error", code="render", message=f"Blender could not render the strip: {error}")
    _events.close()
    os._exit(0)  # no wait for the thread that listens


if __name__ == "__main__":
    main()
