"""The versions that Re-render leaves: used, compared, deleted; and two strips of one job."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import preferences  # noqa: E402
from blender_addon.review import versions  # noqa: E402
from blender_addon.storage import job_folder  # noqa: E402
from blender_addon.timeline import strips  # noqa: E402
from tests.blender.conftest import shown_frame  # noqa: E402

FIRST = 11


def choose(scene, *chosen):
    for strip in strips.open_strips(scene):
        strip.select = strip in chosen
    scene.sequence_editor.active_strip = chosen[0]


def edit(value):
    head = bpy.context.view_layer.objects.active
    key = head.data.shape_keys.key_blocks[1]
    key.value = value
    key.keyframe_insert("value", frame=FIRST + 3)


@pytest.fixture
def dub(scene, timeline):
    """A dubbed strip that was edited once: two versions, of which the second is used."""
    shutil.rmtree(preferences.jobs_folder(), ignore_errors=True)
    timeline.movie(first=FIRST)
    timeline.sound(first=FIRST)
    bpy.ops.gsmooth.dub_strip()
    strip = scene.sequence_editor.active_strip
    assert bpy.ops.gsmooth.preview_mesh() == {"FINISHED"}
    edit(0.7)
    assert bpy.ops.gsmooth.rerender_strip() == {"FINISHED"}
    yield strip
    shutil.rmtree(preferences.jobs_folder(), ignore_errors=True)


def files(strip):
    return sorted(path.name for path in strips.source_path(strip).parent.glob("*_dubbed*"))


def test_an_edit_makes_a_version_and_no_edit_makes_none(dub):
    assert files(dub) == ["clip_dubbed.mp4", "clip_dubbed_v2.mp4"]
    assert [version.number for version in versions.of_strip(dub)] == [1, 2]
    assert bpy.ops.gsmooth.rerender_strip() == {"FINISHED"}
    assert strips.source_path(dub).name == "clip_dubbed_v2.mp4"
    assert files(dub) == ["clip_dubbed.mp4", "clip_dubbed_v2.mp4"]
    edit(0.2)
    assert bpy.ops.gsmooth.rerender_strip() == {"FINISHED"}
    assert strips.source_path(dub).name == "clip_dubbed_v3.mp4"


def test_another_version_is_used_and_the_used_one_is_not_deleted(dub):
    assert bpy.ops.gsmooth.use_version(number=1) == {"FINISHED"}
    assert strips.source_path(dub).name == "clip_dubbed.mp4"
    with pytest.raises(RuntimeError, match="use another one"):
        bpy.ops.gsmooth.delete_version(number=1)
    assert bpy.ops.gsmooth.delete_version(number=2) == {"FINISHED"}
    assert files(dub) == ["clip_dubbed.mp4"]
    with pytest.raises(RuntimeError, match="no version 2"):
        bpy.ops.gsmooth.use_version(number=2)


def test_compared_versions_show_the_same_frames_side_by_side(scene, dub):
    assert bpy.ops.gsmooth.compare_version(number=1) == {"FINISHED"}
    beside = versions.comparison(dub)
    assert (strips.left(beside), strips.right(beside)) == (strips.left(dub), strips.right(dub))
    assert beside.channel > dub.channel
    assert (beside.crop.min_x, beside.crop.max_x) == (32, 0)
    assert shown_frame(scene, FIRST + 9) == 9
    assert strips.meant_strip(scene) == dub
    assert bpy.ops.gsmooth.compare_version(number=1) == {"FINISHED"}
    assert versions.comparison(dub) is None


@pytest.mark.parametrize(("still", "flip"), [(False, False), (False, True), (True, False)])
def test_a_dub_is_compared_with_what_was_dubbed(timeline, scene, still, flip):
    """The same frames at the same place, in the right half; gone with the dub."""
    picture = timeline.image(FIRST, FIRST + 20) if still else timeline.movie(first=FIRST - 4)
    if not still:
        strips.set_handles(picture, FIRST, FIRST + 20)
    picture.use_flip_x = flip
    timeline.sound(first=FIRST)
    bpy.ops.gsmooth.dub_strip()
    new = strips.active_strip(scene)
    before = shown_frame(scene, FIRST + 9)
    assert bpy.ops.gsmooth.compare_original() == {"FINISHED"}
    beside = versions.comparison(new)
    assert (strips.left(beside), strips.right(beside)) == (FIRST, FIRST + 20)
    assert (beside.channel > new.channel, beside.use_flip_x) == (True, flip)
    assert strips.source_path(beside) == strips.source_path(picture)
    assert shown_frame(scene, FIRST + 9, 50) == before
    new.mute = True  # the right half alone is the original's
    assert shown_frame(scene, FIRST + 9, 50) == before
    assert shown_frame(scene, FIRST + 9, 14) < 0
    new.mute = False
    assert strips.meant_strip(scene) == new
    assert bpy.ops.gsmooth.compare_original() == {"FINISHED"}
    assert versions.comparison(new) is None
    bpy.ops.gsmooth.compare_original()
    count = len(timeline.strips)
    assert bpy.ops.gsmooth.restore_strip() == {"FINISHED"}
    assert len(timeline.strips) == count - 2


def test_a_new_dub_ends_the_comparison_with_the_one_before(scene, timeline):
    clip, speech = timeline.movie(first=FIRST), timeline.sound(first=FIRST)
    bpy.ops.gsmooth.dub_strip()
    bpy.ops.gsmooth.compare_original()
    choose(scene, clip, speech)
    bpy.ops.gsmooth.dub_strip()
    assert not [strip for strip in timeline.strips if strip.get(versions.COMPARES)]


def test_files_that_are_no_versions_are_not_listed(dub, tmp_path):
    folder = strips.source_path(dub).parent
    (folder / "other_v3.mp4").touch()
    (folder / "clip_dubbed_v4.mp4").symlink_to(tmp_path / "elsewhere.mp4")
    versions.forget()
    assert [version.number for version in versions.of_strip(dub)] == [1, 2]


def test_a_second_strip_of_the_same_clip_has_a_folder_of_its_own(scene, timeline, dub):
    """Edits of one would else show in the other."""
    clip, speech = timeline.movie(first=101, channel=5), timeline.sound(first=101, channel=6)
    choose(scene, clip, speech)
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    other = scene.sequence_editor.active_strip
    one = job_folder.resolve(dub["gsmooth_job"])
    assert job_folder.resolve(other["gsmooth_job"]) == Path(f"{one}-2")


def test_the_same_strip_goes_on_in_its_folder(scene, dub):
    choose(scene, strips.find(scene, "clip"), strips.find(scene, "speech"))
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    assert scene.sequence_editor.active_strip["gsmooth_job"] == dub["gsmooth_job"]
