"""Operators act on the strip that is meant, whatever else is active."""

from __future__ import annotations

import json

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon.head import rig  # noqa: E402
from blender_addon.operators.rerender import edited_head  # noqa: E402
from blender_addon.storage import job_folder  # noqa: E402
from blender_addon.timeline import strips  # noqa: E402


def only(scene, *chosen):
    for strip in strips.open_strips(scene):
        strip.select = strip in chosen
    scene.sequence_editor.active_strip = chosen[0]


@pytest.fixture
def two(timeline, scene):
    """Two dubbed strips with a head each, and a clip that is not dubbed."""
    made = []
    for first, channel in ((1, 2), (61, 4)):
        movie, speech = timeline.movie(first, channel), timeline.sound(first, channel + 1)
        strips.set_handles(movie, first, first + 10 + 5 * channel)
        only(scene, movie, speech)
        assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
        dub = strips.active_strip(scene)
        assert bpy.ops.gsmooth.preview_mesh() == {"FINISHED"}
        made.append((dub, bpy.context.view_layer.objects.active))
    return [*made, timeline.movie(101, 6, name="other")]


def area(kind):
    """A context with such an editor; in it the strips' editor knows its scene."""
    strips.show_scene(bpy.context, bpy.context.scene)
    found = bpy.context.window.screen.areas[0]
    found.type = kind
    region = next(region for region in found.regions if region.type == "WINDOW")
    return bpy.context.temp_override(area=found, region=region)


def test_sequencer_means_the_strip_and_the_view_means_the_head(two, scene):
    (first, head), (_second, other), plain = two
    bpy.context.view_layer.objects.active = other
    only(scene, first)
    with area("SEQUENCE_EDITOR"):
        assert edited_head(bpy.context) == head
    with area("VIEW_3D"):
        assert edited_head(bpy.context) == other
    assert edited_head(bpy.context) == head
    only(scene, plain)
    with area("SEQUENCE_EDITOR"):
        assert edited_head(bpy.context) is None
        assert not bpy.ops.gsmooth.rerender_strip.poll()


def test_rerender_changes_the_selected_strip_only(two, scene):
    (first, _head), (second, other), _plain = two
    files = [first.filepath, second.filepath]
    bpy.context.view_layer.objects.active = other
    only(scene, first)
    with area("SEQUENCE_EDITOR"):
        assert bpy.ops.gsmooth.rerender_strip() == {"FINISHED"}
    assert first.filepath != files[0]
    assert second.filepath == files[1]


def test_selected_strip_is_meant_when_the_active_one_is_not_selected(two, scene):
    (first, head), (second, _other), plain = two
    only(scene, second)
    second.select, first.select = False, True
    assert strips.meant_strip(scene) == first
    assert edited_head(bpy.context) == head
    plain.select = True
    assert strips.meant_strip(scene) is None


def test_face_mesh_is_made_of_the_selected_clip(two, scene):
    """The active strip is a dub that has its head already, but another clip is selected."""
    (first, _head), _second, plain = two
    only(scene, first)
    first.select, plain.select = False, True
    before = set(bpy.data.objects)
    assert bpy.ops.gsmooth.preview_mesh() == {"FINISHED"}
    [head] = [body for body in set(bpy.data.objects) - before if rig.is_head(body)]
    job = json.loads((job_folder.resolve(head["gsmooth_job"]) / "job.json").read_text())
    assert job["audio"] is None
