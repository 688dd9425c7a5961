"""The dubbed strip: where it stands, what it shows, what happens to the old one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon.jobs import placing  # noqa: E402
from blender_addon.settings.options import options_of  # noqa: E402
from blender_addon.storage import job_folder  # noqa: E402
from blender_addon.timeline import planning, selection, strips  # noqa: E402
from tests.blender.conftest import shown_frame  # noqa: E402


def dub(**options):
    assert bpy.ops.gsmooth.dub_strip(**options) == {"FINISHED"}
    return strips.active_strip(bpy.context.scene)


def job_of(strip):
    folder = job_folder.resolve(strip["gsmooth_job"])
    return json.loads((folder / "job.json").read_text())


def test_new_strip_lies_over_the_old_one(timeline):
    old = timeline.movie(first=11)
    timeline.sound(first=11)
    new = dub()
    assert (strips.left(new), strips.right(new)) == (11, 51)
    assert (new.channel, old.channel) == (2, 3)
    assert old.mute
    assert not new.mute
    assert Path(bpy.path.abspath(new.filepath)).is_file()
    assert [s.name for s in timeline.strips if s.select] == [new.name]


def test_trimmed_strip_keeps_handles_and_frames(timeline, scene):
    old = timeline.movie(first=11)
    timeline.sound(first=11)
    strips.set_handles(old, 21, 41)
    before = [shown_frame(scene, frame) for frame in (21, 30, 40)]
    new = dub()
    assert (strips.left(new), strips.right(new)) == (21, 41)
    assert (job_of(new)["start_frame"], job_of(new)["frame_count"]) == (10, 20)
    assert [shown_frame(scene, frame) for frame in (21, 30, 40)] == before == [10, 19, 29]


def test_extended_handles_hold_the_same_still_frames(timeline, scene):
    old = timeline.movie(first=11)
    timeline.sound(first=11)
    strips.set_handles(old, 6, 56)
    before = [shown_frame(scene, frame) for frame in (6, 11, 50, 55)]
    new = dub()
    assert (strips.left(new), strips.right(new)) == (6, 56)
    assert job_of(new)["frame_count"] is None
    assert [shown_frame(scene, frame) for frame in (6, 11, 50, 55)] == before == [0, 0, 39, 39]


@pytest.mark.parametrize("frames", [30, -20])
def test_strip_moved_during_the_job_shows_the_same_frames_where_it_is_now(
    timeline, scene, media, frames
):
    old = timeline.movie(first=41)
    timeline.sound(first=41)
    strips.set_handles(old, 36, 86)  # five still frames on either side
    plan = planning.make_plan(scene, selection.select(scene))
    strips.move(old, frames)
    looked_at = [at + frames for at in (36, 41, 42, 80, 85)]
    before = [shown_frame(scene, at) for at in looked_at]
    # All of the clip is dubbed, so that the clip itself can stand for the result.
    [new] = placing.place(plan, media / "clip.mp4", media, "", replace=False)
    assert (strips.left(new), strips.right(new)) == (36 + frames, 86 + frames)
    assert old.mute
    assert [shown_frame(scene, at) for at in looked_at] == before == [0, 0, 1, 39, 39]


@pytest.mark.parametrize("moved", [0, 30])
@pytest.mark.parametrize("handles", [(21, 51), (11, 41), (16, 31)])
def test_strip_trimmed_during_the_job_shows_the_same_frames_in_its_present_handles(
    timeline, scene, media, handles, moved
):
    old = timeline.movie(first=11)
    timeline.sound(first=11)
    plan = planning.make_plan(scene, selection.select(scene))
    strips.move(old, moved)
    first, end = handles[0] + moved, handles[1] + moved
    strips.set_handles(old, first, end)
    looked_at = [first, first + 5, end - 1]
    before = [shown_frame(scene, at) for at in looked_at]
    [new] = placing.place(plan, media / "clip.mp4", media, "good", replace=False)
    assert (strips.left(new), strips.right(new)) == (first, end)
    assert [shown_frame(scene, at) for at in looked_at] == before
    assert before == [at - 11 - moved for at in looked_at]
    assert new["gsmooth_info"] == "good"


def test_handles_pulled_out_during_the_job_are_followed_and_named(timeline, scene, media):
    """The dub of frames 10 to 19; the clip itself, cut to these, stands for it."""
    old = timeline.movie(first=11)
    timeline.sound(first=11)
    strips.set_handles(old, 21, 31)
    plan = planning.make_plan(scene, selection.select(scene))
    strips.set_handles(old, 18, 36)
    [new] = placing.place(plan, media / "clip.mp4", media, "good", replace=False)
    assert (strips.left(new), strips.right(new)) == (18, 36)
    assert new["gsmooth_info"].startswith("good, 8 frames")
    strips.set_handles(old, 5, 31)
    [again] = placing.place(plan, media / "clip.mp4", media, "good", replace=False)
    assert again["gsmooth_info"].startswith("good, 10 frames")  # before 11 it holds the first


@pytest.mark.parametrize("longer", [30, 0, -1])
def test_a_dub_of_another_length_has_all_its_frames_and_room_for_them(
    timeline, scene, media, longer
):
    old = timeline.movie(first=11)
    timeline.sound(first=11)
    strips.set_handles(old, 11, 21)
    plan = planning.make_plan(scene, selection.select(scene))
    timeline.movie(first=30, channel=2, name="behind")
    [new] = placing.place(plan, media / "clip.mp4", media, "", False, placing.Shape(longer))
    assert (strips.left(new), strips.right(new)) == (11, 21 + longer)
    assert (new.channel == 2) == (longer < 9)


@pytest.mark.parametrize("length", ["trim", "loop"])
def test_what_is_heard_after_the_clip_goes_into_the_job_that_goes_on(timeline, scene, length):
    old = timeline.movie(first=11)
    sound = timeline.sound(first=11)
    strips.set_handles(old, 11, 21)
    strips.set_handles(sound, 11, 31)
    scene.gsmooth.length = length
    chosen = selection.select(scene)
    assert bool(selection.remarks(scene, chosen)) == (length == "trim")
    job = planning.job_of(planning.make_plan(scene, chosen, length), options_of(scene).settings)
    assert job["settings"]["length"] == length
    assert job["audio_duration"] == pytest.approx(0.4 if length == "trim" else 0.8, abs=1e-6)


def test_the_answer_says_how_much_longer_the_dub_is():
    from blender_addon.worker.answers import longer

    assert longer({"frames": 90, "source_frames": 60}) == 30
    assert longer({"frames": 90}) == 0
    assert longer({"frames": 90, "source_frames": "60"}) == 0


@pytest.mark.parametrize("trimmed", [(16, 31), (11, 26)])
def test_still_trimmed_during_the_job_keeps_its_words_where_they_are(
    timeline, scene, media, trimmed
):
    old = timeline.image(first=11, end=31)
    timeline.sound(first=11)
    plan = planning.make_plan(scene, selection.select(scene))
    strips.set_handles(old, *trimmed)
    [new] = placing.place(plan, media / "clip.mp4", media, "good", replace=False)
    assert (strips.left(new), strips.right(new)) == trimmed
    assert strips.first_source_frame(new) == 11  # where its first word is said
    assert new["gsmooth_info"] == "good"


def test_still_moved_during_the_job_takes_its_words_along(timeline, scene, media):
    old = timeline.image(first=11, end=31)
    timeline.sound(first=11)
    plan = planning.make_plan(scene, selection.select(scene))
    strips.move(old, -3)
    [new] = placing.place(plan, media / "clip.mp4", media, "good", replace=False)
    assert (strips.left(new), strips.right(new)) == (8, 28)
    assert strips.first_source_frame(new) == 8


def test_trimmed_content_is_respected(timeline):
    old = timeline.movie(first=11)
    timeline.sound(first=11)
    name = "content_trim_start" if hasattr(old, "content_trim_start") else "animation_offset_start"
    setattr(old, name, 5)
    left, right = strips.left(old), strips.right(old)
    new = dub()
    assert (strips.left(new), strips.right(new)) == (left, right)
    assert (job_of(new)["start_frame"], job_of(new)["frame_count"]) == (5, None)


def test_clip_of_another_rate_is_counted_in_scene_frames(timeline):
    """A 50 fps file shows one frame a scene frame; the sound beside it is true to time."""
    timeline.movie(first=1, file="fast.mp4")
    speech = timeline.sound(first=11)
    strips.set_handles(speech, 16, 36)
    job = job_of(dub())
    assert job["fps"] == "25/1"
    timing = (job["audio_delay"], job["audio_start"], job["audio_duration"])
    assert timing == pytest.approx((15 / 25, 5 / 25, 20 / 25))


def test_still_speaks_for_as_long_as_its_strip(timeline):
    timeline.image(first=5, end=25)
    timeline.sound(first=5)
    new = dub()
    assert (strips.left(new), strips.right(new)) == (5, 25)
    assert (job_of(new)["frame_count"], job_of(new)["fps"]) == (20, "25/1")


def test_replace_takes_the_old_ones_place(timeline):
    old = timeline.movie(channel=5)
    old_name = old.name
    timeline.sound()
    new = dub(replace=True)
    assert new.channel == 5
    assert strips.find(bpy.context.scene, old_name) is None


def test_look_of_the_strip_is_kept(timeline):
    old = timeline.movie()
    timeline.sound()
    old.transform.offset_x, old.transform.scale_x, old.crop.min_x = 12, 0.5, 3
    old.blend_alpha, old.color_multiply = 0.75, 0.5
    old.modifiers.new("grade", "BRIGHT_CONTRAST").bright = 7
    new = dub()
    assert (new.transform.offset_x, new.transform.scale_x, new.crop.min_x) == (12, 0.5, 3)
    assert (new.blend_alpha, new.color_multiply) == (0.75, 0.5)
    assert new.modifiers["grade"].bright == 7


def test_every_modifier_is_carried_over(timeline):
    old = timeline.movie()
    timeline.sound()
    base = getattr(bpy.types, "StripModifier", None) or bpy.types.SequenceModifier
    kinds = [item.identifier for item in base.bl_rna.properties["type"].enum_items]
    made = [kind for kind in kinds if old.modifiers.new(kind, kind)]
    assert "CURVES" in made
    curve = old.modifiers["CURVES"].curve_mapping.curves[3]
    curve.points.new(0.3, 0.7)
    new = dub()
    assert [modifier.type for modifier in new.modifiers] == made
    points = new.modifiers["CURVES"].curve_mapping.curves[3].points
    assert [tuple(point.location) for point in points] == [
        tuple(point.location) for point in curve.points
    ]


def test_animation_of_the_strip_is_carried_over(timeline, scene):
    old = timeline.movie()
    timeline.sound()
    for frame, value in ((1, 0.0), (21, 1.0)):
        old.blend_alpha = value
        old.keyframe_insert("blend_alpha", frame=frame)
    new = dub()
    for frame in (1, 8, 21):
        scene.frame_set(frame)
        assert new.blend_alpha == pytest.approx(old.blend_alpha, abs=1e-6)
    assert new.blend_alpha == 1.0


def test_own_sound_may_be_selected_too(timeline, media):
    """Blender selects a clip together with its sound: the other sound strip is meant."""
    timeline.movie()
    own = timeline.sound(channel=1, name="own")
    own.sound = own.sound.copy()
    own.sound.filepath = str(media / "clip.mp4")
    timeline.sound(channel=3)
    assert job_of(dub())["audio"] == str(media / "speech.wav")


def test_strip_in_an_open_meta_strip(timeline, scene):
    movie, sound = timeline.movie(first=11), timeline.sound(first=11)
    meta = timeline.strips.new_meta("meta", 1, 11)
    movie.move_to_meta(meta)
    sound.move_to_meta(meta)
    strips.set_handles(meta, 11, 51)
    scene.sequence_editor.display_stack(meta)
    new = dub()
    assert new.parent_meta() == meta
    assert (strips.left(new), strips.right(new)) == (11, 51)


def test_saved_file_gets_relative_paths(timeline, tmp_path):
    timeline.movie()
    timeline.sound()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "film.blend"))
    new = dub()
    assert new.filepath.startswith("//gsmooth")
    assert new["gsmooth_job"].startswith("//gsmooth")
    assert list(tmp_path.glob("gsmooth/*/clip_dubbed.mp4"))


def test_same_job_goes_to_the_same_folder(timeline):
    movie, sound = timeline.movie(), timeline.sound()
    first = dub()["gsmooth_job"]
    for strip in timeline.strips:
        strip.select = strip in (movie, sound)
    assert dub()["gsmooth_job"] == first
    strips.set_handles(movie, 5, 20)
    for strip in timeline.strips:
        strip.select = strip in (movie, sound)
    assert dub()["gsmooth_job"] != first


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda t, m, s: setattr(m, "select", False), "Select the video or photo"),
        (lambda t, m, s: setattr(s, "select", False), "Select the sound"),
        (lambda t, m, s: strips.set_handles(s, 41, 45), "overlap"),
        (lambda t, m, s: setattr(m, "filepath", "/nowhere/x.mp4"), "missing"),
        (lambda t, m, s: setattr(m, "filepath", f"/{'x' * 300}/a.mp4"), "missing"),
    ],
)
def test_what_cannot_be_dubbed_is_refused_in_words(timeline, spoil, words):
    movie, sound = timeline.movie(), timeline.sound()
    spoil(timeline, movie, sound)
    with pytest.raises(RuntimeError, match=words):
        bpy.ops.gsmooth.dub_strip()
    assert len(timeline.strips) == 2
    assert not movie.mute


def test_one_undo_step_restores_the_old_strip(timeline):
    timeline.movie()
    timeline.sound()
    bpy.ops.ed.undo_push(message="strips")
    new = dub()
    name = new.name
    bpy.ops.ed.undo_push(message="Dub Strip")  # what Blender does itself after a button
    bpy.ops.ed.undo()
    scene = bpy.context.scene
    assert strips.find(scene, name) is None
    assert not strips.find(scene, "clip").mute


@pytest.mark.parametrize(
    ("people", "words"),
    [
        (None, ""),
        ([{"number": 1, "chosen": True}], ""),
        (
            [{"number": 1, "chosen": False}, {"number": 2, "chosen": True}],
            "; 2 people are seen, number 2 was dubbed (People)",
        ),
        ([{"number": n, "chosen": True} for n in (1, 2)], "; 2 people are seen, both were dubbed"),
        (
            [{"number": n, "chosen": n < 3} for n in (1, 2, 3)],
            "; 3 people are seen, 1 and 2 were dubbed",
        ),
        (
            [{"number": n, "chosen": True} for n in (1, 2, 3)],
            "; 3 people are seen, all of them were dubbed",
        ),
        ([{"number": "2", "chosen": True}, "x"], "; 2 people are seen, one was dubbed"),
        ({"number": 1}, ""),
    ],
)
def test_the_strip_says_who_was_dubbed(tmp_path, people, words):
    from blender_addon.worker.answers import read_dub

    (tmp_path / "o.mp4").write_bytes(b"film")
    answer = {"output": str(tmp_path / "o.mp4"), "frames": 9, "untouched_frames": [[0, 2]]}
    text = read_dub(answer | {"people": people})[1]
    assert text.startswith("9 frames, 3 kept as they were" + words)
    assert bool(words) == ("people" in text)
