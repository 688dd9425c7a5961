"""What lies over a clip lies over its dub; what was put away comes back."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon.timeline import stacking, strips  # noqa: E402
from tests.blender.conftest import shown_frame  # noqa: E402

TITLE = 0  # the photo shows the clip's first frame


def dub(*selected, **options):
    scene = bpy.context.scene
    for strip in strips.open_strips(scene):
        strip.select = strip in selected
    scene.sequence_editor.active_strip = selected[0]
    assert bpy.ops.gsmooth.dub_strip(**options) == {"FINISHED"}
    return strips.active_strip(scene)


@pytest.fixture
def clip(timeline):
    return timeline.movie(channel=3)


@pytest.fixture
def speech(timeline):
    return timeline.sound(channel=1)


def fill(timeline, *channels):
    for channel in channels:
        timeline.sound(channel=channel, name=f"music {channel}")


def lock(scene, *channels):
    for channel in channels:
        scene.sequence_editor.channels[channel].lock = True


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("full", [(), (2,), (2, 5, 6, 7)])
def test_title_directly_over_the_clip_stays_on_top(timeline, scene, clip, speech, full, replace):
    title = timeline.image(first=11, end=21, channel=4)
    fill(timeline, *full)
    new = dub(clip, speech, replace=replace)
    assert new.channel == 3
    assert [shown_frame(scene, at) for at in (10, 11, 20, 21)] == [9, TITLE, TITLE, 20]
    assert title.channel == 4
    assert len({strip.channel for strip in timeline.strips}) == len(timeline.strips)


def test_adjustment_layer_acts_on_the_dub(timeline, scene, clip, speech):
    words = {"length": 40} if bpy.app.version >= (5, 0) else {"frame_end": 41}
    layer = timeline.strips.new_effect("grade", "ADJUSTMENT", 4, 1, **words)
    layer.modifiers.new("grade", "BRIGHT_CONTRAST").bright = 20
    before = shown_frame(scene, 5)
    assert before > 4 + 3
    dub(clip, speech)
    assert shown_frame(scene, 5) == before


def test_old_strip_goes_past_locked_and_muted_channels(timeline, scene, clip, speech):
    lock(scene, 2, 4)
    scene.sequence_editor.channels[5].mute = True
    assert dub(clip, speech).channel == 3
    assert clip.channel == 6


def test_muted_strip_is_dubbed_where_it_lies(scene, clip, speech):
    clip.mute = True
    new = dub(clip, speech)
    assert (new.channel, new.mute) == (3, False)


def test_locked_strip_and_channel_are_dubbed_in_place(scene, clip, speech):
    clip.lock = True
    lock(scene, 3)
    new = dub(clip, speech)
    assert (new.channel, clip.lock, clip.mute) == (3, True, True)


def test_redub_lies_over_the_older_dub(timeline, scene, clip, speech):
    title = timeline.image(first=11, end=21, channel=4)
    first = dub(clip, speech)
    second = dub(clip, speech)
    assert (second.channel, first.mute, second.mute) == (3, True, False)
    assert [shown_frame(scene, at) for at in (10, 11, 21)] == [9, TITLE, 20]
    third = dub(second, speech)  # a dub of a dub
    assert (third.channel, second.mute, title.channel) == (3, True, 4)


def test_redub_of_a_part_lies_over_the_longer_dub_which_stays(timeline, scene, clip, speech):
    first = dub(clip, speech)
    strips.set_handles(clip, 11, 21)
    second = dub(clip, speech)
    assert second.channel > first.channel
    assert not first.mute
    assert [shown_frame(scene, at) for at in (10, 11, 20, 21)] == [9, 10, 19, 20]


def test_another_clip_over_it_is_no_older_dub(timeline, scene, clip, speech):
    """A split screen: both show the same file, dubbed one after the other."""
    other = timeline.movie(channel=5, name="other")
    top = dub(other, speech)
    assert dub(clip, speech).channel == 3
    assert (top.channel, top.mute) == (5, False)


def test_redub_goes_home_when_the_dub_was_deleted(timeline, scene, clip, speech):
    timeline.image(first=1, end=41, channel=4)
    fill(timeline, 2)
    timeline.strips.remove(dub(clip, speech))
    assert clip.channel > 4
    assert dub(clip, speech).channel == 3


def test_restore_puts_the_old_strip_back(timeline, scene, clip, speech):
    new = dub(clip, speech)
    name = new.name
    assert bpy.ops.gsmooth.restore_strip() == {"FINISHED"}
    assert (clip.channel, clip.mute) == (3, False)
    assert strips.find(scene, name) is None
    assert stacking.HOME not in clip
    assert not bpy.ops.gsmooth.restore_strip.poll()
