"""What the panel says at each moment, to somebody who has never seen it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import panels  # noqa: E402
from blender_addon.errors import UserError  # noqa: E402
from blender_addon.jobs import job_queue  # noqa: E402
from blender_addon.panels import dub_panel, people_panel, queue_panel, settings_panel  # noqa: E402
from blender_addon.review import comparing, versions  # noqa: E402
from blender_addon.storage import job_folder  # noqa: E402
from blender_addon.timeline import obstacles, selection, speeches, strips  # noqa: E402
from blender_addon.worker import runtime  # noqa: E402
from tests.blender.conftest import make_sound  # noqa: E402
from tests.blender.recorder import Recorder  # noqa: E402


def panel():
    layout = Recorder()
    dub_panel.GSMOOTH_PT_dub.draw(SimpleNamespace(layout=layout), bpy.context)
    return layout


def told():
    return " ".join(panel().labels)


def choose(scene, *chosen):
    for strip in strips.open_strips(scene):
        strip.select = strip in chosen
    scene.sequence_editor.active_strip = chosen[-1] if chosen else None


def deed():
    return next(b.text for b in panel().buttons if b.name == "gsmooth.dub_strip")


@pytest.fixture
def clip(timeline, scene):
    """A clip and its speech, both from frame 11 on, selected; the clip is active."""
    movie, speech = timeline.movie(first=11), timeline.sound(first=11)
    strips.set_handles(speech, 11, 51)
    choose(scene, speech, movie)
    return movie, speech


@pytest.fixture
def dub(scene, clip):
    """The only strip that is selected after the dub of the clip."""
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    return strips.active_strip(scene)


# -- what has to be selected ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ((), "Select two strips: the video or photo of the person, and the sound"),
        ((0,), "Select the sound with the new speech, too: Shift-click it."),
        ((1,), "Select the video or photo of the person, too: Shift-click it."),
    ],
)
def test_what_is_still_to_be_selected(scene, clip, chosen, words):
    choose(scene, *[clip[i] for i in chosen])
    assert words in told()


def test_where_no_speech_is_needed_none_is_asked_for(scene, clip):
    choose(scene)
    with pytest.raises(UserError, match=r"^Select the video or photo of the person\.$"):
        selection.select(scene, need_speech=False)


def test_of_several_sounds_the_panel_says_which(timeline, scene, clip, media):
    assert "sounds are selected" not in told()
    make_sound(media / "other.wav")
    other = timeline.sound(first=11, channel=5, file="other.wav", name="other")
    choose(scene, *clip, other)
    assert "2 sounds are selected: 'other', the one clicked last, is the speech." in told()
    choose(scene, other, clip[0], clip[1])
    assert "2 sounds are selected: 'speech'" in told()


def test_what_is_not_spoken_is_told_with_a_way_out(scene, clip):
    movie, speech = clip
    assert "is not spoken" not in told()
    strips.set_handles(speech, 11, 61)
    assert (
        "its last 0.4 seconds, after the clip ends. To change that, move the sound strip" in told()
    )
    assert "choose another Length" in told()
    scene.gsmooth.length = "hold"
    assert "is not spoken" not in told()
    strips.set_handles(movie, 21, 51)
    assert "its first 0.4 seconds, before the clip begins. To change that, move the sound" in told()
    assert "choose another Length" not in told()


def test_a_speech_that_is_too_long_has_the_way_out_beside_it(scene, clip):
    """The choice stays where it is once it is made."""
    _movie, speech = clip
    assert "length" not in panel().props
    strips.set_handles(speech, 11, 61)
    for choice in ("trim", "hold"):
        scene.gsmooth.length = choice
        assert panel().props.count("length") == 1
    choose(scene, speech)
    assert "length" not in panel().props


def test_a_photo_that_is_too_short_has_no_length_to_choose(timeline, scene):
    photo, speech = timeline.image(), timeline.sound()
    choose(scene, speech, photo)
    assert strips.right(speech) > strips.right(photo)
    assert "length" not in panel().props


# -- what would stop it, or be in vain --------------------------------------------------------


def test_a_speech_beside_the_clip_is_no_speech_for_it(scene, clip):
    movie, speech = clip
    strips.move(speech, strips.right(movie) - strips.left(speech))
    assert "The speech does not overlap the clip: move the sound strip over it." in told()
    assert "is not spoken" not in told()
    assert selection.why_not(scene) == obstacles.NO_OVERLAP
    assert selection.why_not(scene, need_speech=False) == ""
    strips.move(speech, -1)
    assert selection.why_not(scene) == ""


@pytest.mark.parametrize("which", [0, 1])
def test_a_missing_file_is_named_before_anything_begins(scene, clip, which, tmp_path):
    gone = str(tmp_path / "gone.mp4")
    owner = clip[0] if which == 0 else clip[1].sound
    owner.filepath = gone
    assert f"The file of '{clip[which].name}' is missing: '{gone}'." in told()
    assert "relink the strip" in selection.why_not(scene)


@pytest.mark.parametrize("which", [0, 1])
def test_a_muted_channel_is_told(scene, clip, which):
    strip = clip[which]
    channel = scene.sequence_editor.channels[strip.channel]
    assert "is muted" not in told()
    channel.mute = True
    assert selection.why_not(scene) == ""
    if which == 0:
        assert f"Channel {strip.channel} is muted: switch it on to see the dub." in told()
    else:
        assert f"'{strip.name}' is muted: it will be spoken, but not heard." in told()


def test_a_muted_speech_is_told_once(scene, clip):
    clip[1].mute = scene.sequence_editor.channels[clip[1].channel].mute = True
    assert told().count("is muted") == 1


def test_the_clips_own_sound_says_nothing_new(timeline, scene, clip, media):
    movie, speech = clip
    assert "own sound" not in told()
    speech.sound.filepath = movie.filepath
    assert f"'{speech.name}' is the clip's own sound: for new words select" in told()
    assert selection.why_not(scene) == ""


def test_what_a_photo_moves_has_a_heading(timeline, scene):
    photo, speech = timeline.image(), timeline.sound()
    choose(scene, speech, photo)
    assert "What moves:" in panel().labels
    assert "move the sound strip, or drag the end of the photo to the right." in told()


# -- a dubbed strip ------------------------------------------------------------------------------


def test_the_panel_of_a_dub_begins_with_what_it_is(dub):
    layout = panel()
    assert layout.labels[0] == "This strip is dubbed."
    names = [button.name.removeprefix("gsmooth.") for button in layout.buttons]
    # Versions may be there of a test before, which dubbed the same.
    first = [name for name in names if not name.endswith("_version")][:4]
    assert first == ["compare_original", "restore_strip", "check_quality", "dub_strip"]


def test_the_panel_of_a_dub_whose_folder_is_gone_has_its_buttons(dub, tmp_path):
    dub["gsmooth_job"], dub.filepath = str(tmp_path / "gone"), str(tmp_path / "gone" / "a.mp4")
    assert "gsmooth.dub_strip" in [button.name for button in panel().buttons]


def test_the_report_is_offered_where_there_is_one(dub):
    assert bpy.ops.gsmooth.check_quality() == {"FINISHED"}
    assert "Look at this shot before it goes out: visible edge." in told()
    assert "The strip's colour: red for poor" in told()
    names = [button.name for button in panel().buttons]
    assert "gsmooth.open_report" in names and "gsmooth.check_quality" not in names


def test_a_preview_of_a_dub_is_seen(scene, clip, dub):
    """It is of the original, which lies out of sight below."""
    scene.frame_set(20)
    assert bpy.ops.gsmooth.preview() == {"FINISHED"}
    [draft] = [s for s in strips.open_strips(scene) if s.get(selection.PREVIEW)]
    assert draft.channel > dub.channel


def test_a_dub_is_dubbed_again_from_its_original(scene, clip, dub):
    """With what it says, where nothing else is selected: only settings may have changed."""
    movie, speech = clip
    assert deed() == "Dub Again from the Original"
    chosen = selection.select(scene)
    assert (chosen.picture, chosen.speech) == (movie, speech)
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    again = strips.active_strip(scene)
    job = job_folder.read(job_folder.resolve(again["gsmooth_job"]))
    assert job["video"] == str(strips.source_path(movie))
    seen = [s for s in strips.open_strips(scene) if s.type == "MOVIE" and not s.mute]
    assert seen == [again]


def test_a_dub_in_the_queue_is_made_from_its_original_too(scene, clip, dub):
    [pair] = selection.pairs(scene)
    assert (pair.picture, pair.speech) == clip


def test_another_speech_that_is_selected_with_a_dub_is_meant(timeline, scene, clip, dub, media):
    make_sound(media / "other.wav")
    other = timeline.sound(first=11, channel=5, file="other.wav", name="other")
    choose(scene, other, dub)
    chosen = selection.select(scene)
    assert (chosen.picture, chosen.speech) == (clip[0], other)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda clip, dub: strips.move(dub, 5),
        lambda clip, dub: strips.set_handles(dub, 11, 41),
        lambda clip, dub: setattr(clip, "mute", False),
    ],
)
def test_a_dub_that_was_moved_or_cut_is_itself_the_clip(scene, clip, dub, spoil):
    spoil(clip[0], dub)
    assert deed() == "Dub the Dub Again"
    assert "what is dubbed again is the dub" in told()
    assert selection.select(scene).picture == dub


def test_what_a_stranger_noted_is_no_speech(scene, clip, dub):
    for noted in (7, "x", "{}", '{"strip": 3}', '{"strip": ["clip", "b"]}'):
        dub[speeches.SAID] = noted
        assert speeches.said(dub) is None
    assert "Select the sound with the new speech" in told()


def test_sync_of_a_dub_is_that_of_the_dub(scene, dub):
    from blender_addon.review import sync_check

    assert sync_check.choose(scene).picture == dub


def test_a_crossfade_shows_the_newest_dub(timeline, scene, clip):
    """Also where the one before is dubbed again, whose place it had."""
    movie, speech = clip
    other = timeline.movie(first=41, channel=5, name="other")
    new = bpy.app.version >= (5, 0)
    words = {"length": 10} if new else {"frame_end": 51}
    names = ("input1", "input2") if bpy.app.version >= (4, 5) else ("seq1", "seq2")
    words |= dict(zip(names, (movie, other), strict=True))
    fade = timeline.strips.new_effect("fade", "CROSS", 7, 41, **words)
    choose(scene, speech, movie)
    for _ in range(2):
        assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
        assert fade.input_1 == strips.active_strip(scene)


def test_a_comparison_says_which_half_is_which(scene, dub):
    assert comparing.in_words(dub) == ""
    assert bpy.ops.gsmooth.compare_original() == {"FINISHED"}
    beside = versions.comparison(dub)
    assert beside.name == "original (right half)"
    assert "Left half: this dub. Right half: the original." in told()
    [button] = [b for b in panel().buttons if b.name == "gsmooth.compare_original"]
    assert button.pressed
    assert bpy.ops.gsmooth.compare_original() == {"FINISHED"}
    assert "Left half" not in told()


def test_a_compared_version_is_named(scene, dub):
    other = strips.source_path(dub).with_name("clip_dubbed_v2.mp4")
    other.write_bytes(strips.source_path(dub).read_bytes())
    try:
        versions.forget()
        assert bpy.ops.gsmooth.compare_version(number=2) == {"FINISHED"}
        assert versions.comparison(dub).name == "version 2 (right half)"
        assert "Left half: this dub. Right half: version 2." in told()
    finally:
        other.unlink()
        versions.forget()


# -- several people, and what goes on ------------------------------------------------------------


def test_several_people_are_announced_in_the_panel_that_everybody_sees(scene, clip):
    assert "people are seen" not in told()
    assert bpy.ops.gsmooth.find_people() == {"FINISHED"}
    assert runtime.outcome().text == "2 people are seen."
    runtime.tell(None)
    assert "2 people are seen: choose below, under People." in told()
    assert bpy.ops.gsmooth.choose_person(person=2) == {"FINISHED"}
    assert "Person 2 of 2 is dubbed: see below, under People." in told()


def test_the_queue_says_which_strip_is_gone(timeline, scene, clip):
    movie, speech = clip
    names = [strip.name for strip in clip]
    assert bpy.ops.gsmooth.add_to_queue() == {"FINISHED"}
    [entry] = job_queue.entries()
    timeline.strips.remove(speech)
    with pytest.raises(UserError, match=f"^Of '{names[0]}' the speech is gone: '{names[1]}'.$"):
        entry.target.find()
    timeline.strips.remove(movie)
    with pytest.raises(UserError, match=f"^The strip '{names[0]}' is gone.$"):
        entry.target.find()


def test_settings_come_before_people_and_those_before_the_queue():
    """The first screen shows the line of the settings, which notices name."""
    order = list(panels.CLASSES)
    people, queue = people_panel.GSMOOTH_PT_people, queue_panel.GSMOOTH_PT_queue
    settings = settings_panel.GSMOOTH_PT_settings
    assert order.index(settings) < order.index(people) < order.index(queue)


def test_a_discarded_preview_is_not_announced(scene, clip):
    scene.frame_set(20)
    assert bpy.ops.gsmooth.preview() == {"FINISHED"}
    assert "shows a draft of 40 frames" in told()
    assert bpy.ops.gsmooth.discard_preview() == {"FINISHED"}
    assert "draft" not in told()


@pytest.mark.parametrize(("up", "words"), [(False, "Starting the worker"), (True, "Preparing")])
def test_a_worker_that_is_up_is_not_started(scene, clip, up, words):
    task = SimpleNamespace(stage="start", process=SimpleNamespace(ready=up))
    from blender_addon.worker.task import Task

    assert Task.stage_text.fget(task) == words
