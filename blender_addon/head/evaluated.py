"""An object frame by frame as Blender itself finds it: drivers, NLA and constraints count."""

from __future__ import annotations

from collections.abc import Iterator

import bpy

from ..errors import UserError


def frames(body: bpy.types.Object, first: int, count: int) -> Iterator[bpy.types.Object]:
    """The evaluated object in each frame; the scene's own frame is shown again at the end.

    Args:
        body: the object.
        first: scene frame of the first.
        count: number of frames.

    Raises:
        UserError: it is in no scene.
    """
    scene = next((scene for scene in bpy.data.scenes if body.name in scene.objects), None)
    if scene is None:
        raise UserError(f"'{body.name}' is in no scene: link it into one.")
    shown = scene.frame_current_final
    layer = next(layer for layer in scene.view_layers if body.name in layer.objects)
    for frame in range(first, first + count):
        scene.frame_set(frame)
        yield body.evaluated_get(layer.depsgraph)
    scene.frame_set(int(shown // 1), subframe=shown % 1)
