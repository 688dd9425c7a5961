"""Speech that Blender plays otherwise than its file is: what is spoken is what Blender plays."""

from __future__ import annotations

from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon.panels import dub_panel  # noqa: E402
from blender_addon.storage import job_folder  # noqa: E402
from blender_addon.timeline import strips, voices  # noqa: E402
from tests.blender.hearing import RATE, mix, read, tones  # noqa: E402
from tests.blender.recorder import Recorder  # noqa: E402
from tests.blender.test_operator_matrix import sequencer  # noqa: E402

FRAME = RATE // 25


@pytest.fixture
def voice(timeline, media):
    """Sound with a pause in its middle, from frame 11 to 61."""
    tones(media / "voice.wav", (500, 0.8), (0, 0.4), (500, 0.8))
    return timeline.sound(first=11, file="voice.wav")


def retime(timeline, strip, percent=200):
    """As the user does: scripts crash Blender before 5.2 when they add keys."""
    for other in timeline.strips:
        other.select = other == strip
    timeline.scene.sequence_editor.active_strip = strip
    with sequencer():
        bpy.ops.sequencer.retiming_segment_speed_set(speed=percent)


def dub(timeline, *selected):
    for strip in timeline.strips:
        strip.select = strip in selected
    timeline.scene.sequence_editor.active_strip = selected[0]
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    new = strips.active_strip(timeline.scene)
    return job_folder.read(job_folder.resolve(new["gsmooth_job"]))


def loud(samples, count):
    """Whether anything is heard in each frame."""
    parts = [samples[i * FRAME : (i + 1) * FRAME] for i in range(count)]
    return [sum(map(abs, part)) > 1000 * FRAME for part in parts]


def spoken(job, count):
    """The same of what a job speaks in its first frames."""
    samples = read(job["audio"])[round(job["audio_start"] * RATE) :]
    used = samples[: round(job["audio_duration"] * RATE)]
    delay = round(job["audio_delay"] * RATE)
    return loud([0] * delay + list(used) + [0] * (count * FRAME), count)


@pytest.mark.slow  # a module's own mixer can crash the process
@pytest.mark.parametrize("first", [11, 1, 16])
def test_retimed_speech_is_spoken_as_blender_plays_it(timeline, scene, voice, first):
    """The clip begins with the speech, before it, or in the midst of it."""
    retime(timeline, voice)
    movie = timeline.movie(first=first)
    heard = loud(mix(scene, first, first + 40), 40)
    assert heard.count(True) in range(8, 24)
    job = dub(timeline, movie, voice)
    alike = [one == other for one, other in zip(spoken(job, 40), heard, strict=True)]
    assert alike.count(False) <= 1  # one that is heard for half of its time
    assert Path(job["audio"]).suffix == ".avi"
    assert Path(job["video"]).name == "clip.mp4"


@pytest.mark.slow  # a module's own mixer can crash the process
def test_where_it_is_loud_however_its_strip_is(timeline, scene, voice):
    """Volume, pan and mute of the strip are for ears."""
    retime(timeline, voice)
    movie = timeline.movie(first=11)
    heard = loud(mix(scene, 11, 51), 40)
    voice.volume, voice.mute = 0.05, True
    voice.keyframe_insert("volume", frame=11)
    assert spoken(dub(timeline, movie, voice), 40) == heard


def test_a_plain_strip_is_read_from_its_file(timeline, scene, voice):
    movie = timeline.movie(first=11)
    strips.set_handles(voice, 15, 40)
    assert Path(dub(timeline, movie, voice)["audio"]).name == "voice.wav"
    sounds = len(bpy.data.sounds)
    assert not voices.at_another_speed(scene, voice)
    assert len(bpy.data.sounds) == sounds


def test_speech_that_goes_on_is_mixed_to_its_end(timeline, scene, voice):
    retime(timeline, voice, 50)
    scene.gsmooth.length = "hold"
    job = dub(timeline, timeline.movie(first=11), voice)
    assert job["audio_duration"] == pytest.approx(strips.right(voice) / 25 - 11 / 25)
    assert spoken(job, 90)[65:85] == [True] * 20


def test_packed_speech_needs_no_file(timeline, voice, tmp_path, media):
    path = tones(tmp_path / "packed.wav", (500, 1.6))
    packed = timeline.strips.new_sound("packed", str(path), 4, 11)
    packed.sound.pack()
    path.unlink()
    assert spoken(dub(timeline, timeline.movie(first=11), packed), 30) == [True] * 30


def test_the_panel_says_that_it_is_mixed(timeline, scene, voice):
    if not hasattr(voice, "retiming_keys"):
        pytest.skip("this Blender does not tell that sound is retimed")
    retime(timeline, voice)
    timeline.movie(first=11).select = voice.select = True
    layout = Recorder()
    dub_panel._draw_selection(layout, scene)
    assert "Blender mixes it first." in " ".join(layout.labels)


def test_retimed_sound_can_be_checked_for_sync(timeline, scene, voice):
    retime(timeline, voice)
    movie = timeline.movie(first=11)
    for strip in timeline.strips:
        strip.select = strip in (movie, voice)
    assert bpy.ops.gsmooth.check_sync() == {"FINISHED"}
    assert movie["gsmooth_sync_sound"] == voice.name
