"""The clip's own sound under a dub: silent there and nowhere else, and heard again after."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon.jobs import placing  # noqa: E402
from blender_addon.timeline import own_sound, planning, selection, strips  # noqa: E402


@pytest.fixture
def sounds(timeline, media):
    """Makes sound strips of the clip itself."""

    def make(first, end, name="own", channel=1):
        strip = timeline.sound(first=first, channel=channel, name=name)
        strip.sound = strip.sound.copy()
        strip.sound.filepath = str(media / "clip.mp4")
        strips.set_handles(strip, first, end)
        strip.select = False
        return strip

    return make


def dub(timeline, *selected):
    scene = timeline.scene
    for strip in timeline.strips:
        strip.select = strip in selected
    scene.sequence_editor.active_strip = selected[0]
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    return strips.active_strip(scene)


def heard(timeline, name="own"):
    """Scene frames at which sound strips of that name are heard."""
    return sorted(
        frame
        for strip in timeline.strips
        if strip.type == "SOUND" and strip.name.startswith(name) and not strip.mute
        for frame in range(strips.left(strip), strips.right(strip))
    )


def test_own_sound_is_muted_and_others_stay(timeline, sounds):
    movie, speech = timeline.movie(), timeline.sound(channel=3)
    music, own = timeline.sound(channel=4, name="music"), sounds(1, 41)
    dub(timeline, movie, speech)
    assert own.mute
    assert (speech.mute, music.mute, strips.left(speech)) == (False, False, 1)


def test_sound_in_one_piece_below_a_split_picture(timeline, sounds):
    """Only under the middle piece, which is dubbed, is it silent."""
    movie, speech = timeline.movie(), timeline.sound(channel=3)
    middle = movie.split(frame=11, split_method="SOFT")
    middle.split(frame=31, split_method="SOFT")
    sounds(1, 41)
    new = dub(timeline, middle, speech)
    assert heard(timeline) == [*range(1, 11), *range(31, 41)]
    pieces = [strip for strip in timeline.strips if strip.name.startswith("own")]
    assert {strips.first_source_frame(strip) for strip in pieces} == {1}  # none has moved
    timeline.scene.sequence_editor.active_strip = new
    assert bpy.ops.gsmooth.restore_strip() == {"FINISHED"}
    assert heard(timeline) == list(range(1, 41))
    assert len([strip for strip in timeline.strips if strip.name.startswith("own")]) == 1


def test_two_dubs_cut_one_sound_and_give_it_back_whole(timeline, sounds):
    movie, speech = timeline.movie(), timeline.sound(channel=3)
    second = movie.split(frame=21, split_method="SOFT")
    strips.set_handles(movie, 8, 14)
    own = sounds(1, 41)
    first = dub(timeline, movie, speech)
    other = dub(timeline, second, speech)
    assert heard(timeline) == [*range(1, 8), *range(14, 21)]
    for new in (first, other):
        for strip in timeline.strips:
            strip.select = strip == new
        timeline.scene.sequence_editor.active_strip = new
        assert bpy.ops.gsmooth.restore_strip() == {"FINISHED"}
    assert heard(timeline) == list(range(1, 41))
    assert [strip.name for strip in timeline.strips if strip.name.startswith("own")] == [own.name]


def test_a_piece_that_was_changed_meanwhile_stays_a_piece(timeline, sounds):
    movie, speech = timeline.movie(), timeline.sound(channel=3)
    strips.set_handles(movie, 11, 31)
    sounds(1, 41)
    new = dub(timeline, movie, speech)
    next(
        s for s in timeline.strips if s.name.startswith("own") and strips.left(s) == 31
    ).volume = 0.5
    timeline.scene.sequence_editor.active_strip = new
    assert bpy.ops.gsmooth.restore_strip() == {"FINISHED"}
    assert heard(timeline) == list(range(1, 41))
    pieces = [strip for strip in timeline.strips if strip.name.startswith("own")]
    assert sorted((strips.left(s), strips.right(s), s.volume) for s in pieces) == [
        (1, 31, 1.0),
        (31, 41, 0.5),
    ]


def test_end_of_the_take_is_no_sound_of_its_own(timeline, sounds):
    """Sound is a frame or two longer than its picture."""
    movie, speech = timeline.movie(), timeline.sound(channel=3)
    sounds(1, 44)
    dub(timeline, movie, speech)
    assert heard(timeline) == []


def test_sound_that_the_user_muted_stays_muted(timeline, sounds):
    movie, speech, own = timeline.movie(), timeline.sound(channel=3), sounds(1, 41)
    own.mute = True
    dub(timeline, movie, speech)
    assert bpy.ops.gsmooth.restore_strip() == {"FINISHED"}
    assert own.mute


def test_two_own_sounds(timeline, sounds):
    """A stereo pair on two channels."""
    movie, speech = timeline.movie(), timeline.sound(channel=3)
    sounds(1, 41, name="own left")
    sounds(1, 60, name="own right", channel=5)
    dub(timeline, movie, speech)
    assert heard(timeline, "own left") == []
    assert heard(timeline, "own right") == list(range(41, 60))


def test_muting_can_be_switched_off(timeline, sounds):
    movie, speech, own = timeline.movie(), timeline.sound(channel=3), sounds(1, 41)
    timeline.scene.gsmooth.mute_own_sound = False
    dub(timeline, movie, speech)
    assert not own.mute


@pytest.mark.parametrize(("frames", "muted"), [(0, [True, False]), (60, [False, True])])
def test_own_sound_is_muted_where_the_strip_is_now(timeline, scene, media, sounds, frames, muted):
    old = timeline.movie(first=1, channel=2)
    timeline.sound(first=1, channel=3)
    plan = planning.make_plan(scene, selection.select(scene))
    own = [sounds(first, first + 30) for first in (1, 71)]
    strips.move(old, frames)
    [new] = placing.place(plan, media / "clip.mp4", media, "", replace=False)
    own_sound.mute(plan, new)
    assert [strip.mute for strip in own] == muted
