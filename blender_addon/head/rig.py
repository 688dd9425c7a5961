"""The scene around the head: an upright frame of reference, the clip's camera, its texture.

The core's camera space is that of a Blender camera at the origin, so head and camera hang on one
empty, turned upright; seen through the camera the mesh lies on the picture.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..storage import job_folder
from ..storage.checks import FRAME, PATH, RATE, check, whole
from .mesh_file import HeadMesh
from .shape_keys import build_head

_SENSOR = 36.0
_SKIN = (0.62, 0.42, 0.33, 1.0)
_LAST_FRAME = 1_048_574  # of any Blender scene
_NOTES = {
    "gsmooth_job": PATH,
    "gsmooth_first": FRAME,
    "gsmooth_count": whole(1, _LAST_FRAME),
    "gsmooth_rate": RATE,
}


@dataclass(frozen=True)
class Note:
    """Which job a head belongs to.

    Attributes:
        folder: the job's folder, which may not be there.
        first: scene frame of the first value of its curves.
        count: number of values.
        rate: frames a second, "N/D".
    """

    folder: Path
    first: int
    count: int
    rate: str


@dataclass(frozen=True)
class Picture:
    """What lies behind the head in the camera's view.

    Attributes:
        path: movie or image file.
        start: scene frame at which its first frame stands.
        length: its frames, up to the last one used.
        still: one image.
    """

    path: Path
    start: int
    length: int
    still: bool


def build(
    scene: bpy.types.Scene,
    name: str,
    head: HeadMesh,
    first: int,
    picture: Picture,
    texture: Path | None,
) -> bpy.types.Object:
    """Add head, camera and their empty to the scene, in a collection of their own.

    Returns:
        the head object.
    """
    collection = bpy.data.collections.new(f"GSmooth {name}")
    scene.collection.children.link(collection)
    frame = bpy.data.objects.new(f"{name} rig", None)
    frame.empty_display_size = 0.5
    frame.rotation_euler[0] = math.pi / 2
    body = build_head(f"{name} head", head, first)
    body.data.materials.append(_material(f"{name} skin", texture))
    camera = bpy.data.objects.new(f"{name} camera", _camera(scene, name, head, picture))
    for item in (frame, body, camera):
        collection.objects.link(item)
    body.parent = camera.parent = frame
    if scene.camera is None:
        scene.camera = camera
    return body


def _camera(
    scene: bpy.types.Scene, name: str, head: HeadMesh, picture: Picture
) -> bpy.types.Camera:
    camera = bpy.data.cameras.new(f"{name} camera")
    render = scene.render
    frame = (render.resolution_x * render.pixel_aspect_x) / (
        render.resolution_y * render.pixel_aspect_y
    )
    # The background is fitted into the view, so the sensor follows the side that it touches.
    wide = head.width / head.height >= frame
    camera.sensor_fit = "HORIZONTAL" if wide else "VERTICAL"
    camera.sensor_width = camera.sensor_height = _SENSOR
    camera.display_size = 0.3  # its outline would hide the head at this scale
    camera.lens = head.focal * _SENSOR / (head.width if wide else head.height)
    camera.show_background_images = True
    _background(camera, picture)
    return camera


def _background(camera: bpy.types.Camera, picture: Picture) -> None:
    image = _image(picture.path)
    if image is None:
        return
    background = camera.background_images.new()
    background.image = image
    background.alpha, background.frame_method = 1.0, "FIT"
    if not picture.still:
        user = background.image_user
        user.frame_start, user.frame_duration = picture.start, picture.length
        user.use_auto_refresh = True


def _material(name: str, texture: Path | None) -> bpy.types.Material:
    material = bpy.data.materials.new(name)
    material.diffuse_color = _SKIN
    if material.node_tree is None:
        material.use_nodes = True
    tree = material.node_tree
    skin = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    skin.inputs["Base Color"].default_value = _SKIN
    skin.inputs["Roughness"].default_value = 0.6
    image = _image(texture) if texture is not None else None
    if image is not None:
        node = tree.nodes.new("ShaderNodeTexImage")
        node.image = image
        node.location = (-320, 280)
        tree.links.new(node.outputs["Color"], skin.inputs["Base Color"])
    return material


def _image(path: Path) -> bpy.types.Image | None:
    """The image or movie at `path`, or None: a head without it is still of use."""
    if not os.path.isfile(path):  # noqa: PTH113 - says no to any name; Path raises for some
        return None
    try:
        return bpy.data.images.load(job_folder.reference(path), check_existing=True)
    except (RuntimeError, ValueError):  # no picture, or a name that Blender cannot take
        return None


def note_job(body: bpy.types.Object, folder: Path, first: int, count: int, rate: str) -> None:
    """Write on the head which job and frames it belongs to."""
    body["gsmooth_job"] = job_folder.reference(folder)
    body["gsmooth_first"], body["gsmooth_count"], body["gsmooth_rate"] = first, count, rate


def noted_job(body: bpy.types.Object) -> Note:
    """What `note_job` wrote on a head; the blend file may be a stranger's.

    Raises:
        UserError: something else stands there.
    """
    check(body, _NOTES, f"'{body.name}'", "make the mesh again.")
    first, count, rate = (body[f"gsmooth_{name}"] for name in ("first", "count", "rate"))
    return Note(job_folder.resolve(body["gsmooth_job"]), first, count, rate)


def is_head(body: Any) -> bool:
    """Whether this object is a head made by GSmooth."""
    return body is not None and body.type == "MESH" and PATH.fits(body.get("gsmooth_job"))


def heads(folder: Path) -> Iterator[bpy.types.Object]:
    """Heads that belong to the job in `folder`."""
    for body in bpy.data.objects:
        if is_head(body) and job_folder.resolve(body["gsmooth_job"]) == folder:
            yield body


def heads_of_dub(folder: Path) -> Iterator[bpy.types.Object]:
    """Those, and the heads of the several people whom the job dubs."""
    for body in bpy.data.objects:
        if is_head(body):
            own = job_folder.resolve(body["gsmooth_job"])
            if own == folder or (own.parent == folder and job_folder.dub_of(own) == folder):
                yield body


def camera_of(body: bpy.types.Object) -> bpy.types.Object | None:
    """The camera that hangs on the same empty as the head."""
    siblings = body.parent.children if body.parent else ()
    return next((item for item in siblings if item.type == "CAMERA"), None)


def activate(scene: bpy.types.Scene, body: bpy.types.Object) -> None:
    """Make the head the active object where the scene shows it."""
    for layer in scene.view_layers:
        layer.update()  # learns of what was linked just now
        if body.name in layer.objects:
            layer.objects.active = body
            body.select_set(True, view_layer=layer)


def remove(body: bpy.types.Object) -> None:
    """Take a head away with its camera, empty and collection."""
    for collection in list(body.users_collection):
        if collection.name.startswith("GSmooth "):
            for item in list(collection.objects):
                bpy.data.objects.remove(item)
            bpy.data.collections.remove(collection)
            return
    bpy.data.objects.remove(body)
