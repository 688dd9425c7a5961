"""The animated face for other programs: USD and Alembic, written by Blender's own exporters.

USD keeps the shape keys as blend shapes with their weights over time; Alembic holds every frame's
vertices. Head, camera and the empty that both hang on are written, over the head's frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy

from ..errors import UserError
from . import rig

USD = (".usdc", ".usda", ".usd", ".usdz")
ALEMBIC = (".abc",)


def formats() -> tuple[str, ...]:
    """Endings of the files that this Blender writes; some are built without."""
    built = bpy.app.build_options
    return (*(USD if built.usd else ()), *(ALEMBIC if built.alembic else ()))


def export(head: bpy.types.Object, path: Path) -> None:
    """Write a head with its animation.

    Args:
        head: made by Face Mesh.
        path: of the file; its ending says which kind.

    Raises:
        UserError: this Blender does not write such files, or this one cannot be written.
    """
    known, suffix = formats(), path.suffix.lower()
    if suffix not in known:
        endings = " or ".join(known) or "nothing: this Blender was built without USD and Alembic"
        raise UserError(f"'{path.name}' is no name for a mesh: end it in {endings}.")
    note, scene = rig.noted_job(head), _scene_of(head)
    first, last = note.first, note.first + note.count - 1
    with _alone(scene, head), _range(scene, first, last):
        try:
            _write(path, first, last)
        except RuntimeError as error:
            raise UserError(f"'{path.name}' cannot be written: {error}") from error
    if not path.is_file():
        raise UserError(f"'{path.name}' was not written: see Blender's console.")


def _write(path: Path, first: int, last: int) -> None:
    """Have Blender write what is selected, as this Blender's exporter takes it."""
    usd = path.suffix.lower() in USD
    operator: Any = bpy.ops.wm.usd_export if usd else bpy.ops.wm.alembic_export
    words: dict[str, Any] = {"export_custom_properties": False}  # they name folders
    if usd:
        words |= dict.fromkeys(("selected_objects_only", "export_animation"), True)
    else:
        words |= {"selected": True, "start": first, "end": last}
    known = operator.get_rna_type().properties
    operator(filepath=str(path), **{name: value for name, value in words.items() if name in known})


def _scene_of(head: bpy.types.Object) -> bpy.types.Scene:
    """A scene that shows a head, the current one before others.

    Raises:
        UserError: there is none.
    """
    shown = [scene for scene in bpy.data.scenes if head.name in scene.objects]
    if not shown:
        raise UserError(f"'{head.name}' is in no scene: link it to one first.")
    return bpy.context.scene if bpy.context.scene in shown else shown[0]


@contextmanager
def _alone(scene: bpy.types.Scene, head: bpy.types.Object) -> Iterator[None]:
    """The scene current, with nothing but the head and what belongs to it selected."""
    layer = bpy.context.view_layer if scene == bpy.context.scene else scene.view_layers[0]
    family = [item for item in (head, head.parent, rig.camera_of(head)) if item is not None]
    before = {item: item.select_get(view_layer=layer) for item in layer.objects}
    with bpy.context.temp_override(scene=scene, view_layer=layer):
        for item in before:
            item.select_set(item in family, view_layer=layer)
        try:
            yield
        finally:
            for item, selected in before.items():
                item.select_set(selected, view_layer=layer)


@contextmanager
def _range(scene: bpy.types.Scene, first: int, last: int) -> Iterator[None]:
    """The scene's frames for a moment; USD writes those."""
    before = scene.frame_start, scene.frame_end, scene.frame_current
    scene.frame_start, scene.frame_end = first, last
    try:
        if scene.frame_start != first:
            raise UserError("The head's first frame is before 0: move its strip and make it again.")
        yield
    finally:
        scene.frame_start, scene.frame_end = before[:2]
        scene.frame_set(before[2])
