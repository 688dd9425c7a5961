"""Two seconds of a dub as a draft, above the clip, and gone without a trace."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import preferences  # noqa: E402
from blender_addon.errors import UserError  # noqa: E402
from blender_addon.jobs import previewing  # noqa: E402
from blender_addon.panels import dub_panel  # noqa: E402
from blender_addon.settings.options import options_of  # noqa: E402
from blender_addon.storage import job_folder  # noqa: E402
from blender_addon.timeline import selection, strips  # noqa: E402
from blender_addon.timeline.timing import Span, around  # noqa: E402
from tests.blender.conftest import make_clip, make_sound, shown_frame  # noqa: E402
from tests.blender.recorder import Recorder  # noqa: E402


@pytest.fixture
def clip(timeline, scene, media):
    """Four seconds of picture from frame 11, five of speech from frame 1."""
    make_clip(media / "long.mp4", frames=100)
    make_sound(media / "long.wav", 5.0)
    timeline.sound(first=1, file="long.wav")
    movie = timeline.movie(first=11, file="long.mp4")
    scene.sequence_editor.active_strip = movie
    return movie


def preview(scene, at):
    scene.frame_set(at)
    assert bpy.ops.gsmooth.preview() == {"FINISHED"}
    [strip] = previewing.of_scene(scene)
    return strip, job_folder.read(job_folder.resolve(strip[selection.PREVIEW]))


@pytest.mark.parametrize(("at", "first"), [(11, 11), (60, 35), (110, 61), (36, 11)])
def test_it_shows_the_two_seconds_around_the_playhead(scene, clip, at, first):
    before = [shown_frame(scene, frame) for frame in (first, at, first + 49)]
    strip, job = preview(scene, at)
    assert (strips.left(strip), strips.right(strip)) == (first, first + 50)
    assert (job["start_frame"], job["frame_count"]) == (first - 11, 50)
    assert (job["audio_start"], job["audio_duration"]) == ((first - 1) / 25, 2.0)
    assert strip.channel > clip.channel
    assert not clip.mute
    assert [shown_frame(scene, frame) for frame in (first, at, first + 49)] == before


def test_a_shorter_clip_is_shown_whole(timeline, scene):
    timeline.movie(first=1)
    timeline.sound(first=1)
    strip, _job = preview(scene, 40)
    assert (strips.left(strip), strips.right(strip)) == (1, 41)


def test_draft_settings_are_no_one_elses(scene, clip):
    _strip, job = preview(scene, 60)
    assert job["settings"]["preset"] == "ultrafast"
    assert job["settings"]["adapt"] == 0.0
    assert job["settings"]["draft"]
    assert "preset" not in options_of(scene).settings


def test_with_other_settings_the_face_is_not_followed_again(scene, clip):
    first, job = preview(scene, 60)
    folder, place = job_folder.resolve(first[selection.PREVIEW]), strips.left(first)
    (folder / "track.safetensors").write_bytes(b"followed")
    scene.gsmooth.strength = 1.4
    for frame, at in ((60, place), (68, place), (48, place), (75, 50)):
        strip, again = preview(scene, frame)
        assert strips.left(strip) == at
        kept = job_folder.resolve(strip[selection.PREVIEW]) == folder
        assert kept == (at == place)
        if kept:
            assert (folder / "track.safetensors").is_file()
            assert again["settings"]["strength"] == pytest.approx(1.4)
            assert again["output"] != job["output"]  # Blender may have the old one open
    assert not folder.exists()


def test_discarded_it_leaves_nothing(timeline, scene, clip):
    before = sorted(strip.name for strip in timeline.strips)
    strip, _job = preview(scene, 60)
    folder = job_folder.resolve(strip[selection.PREVIEW])
    assert folder.is_dir()
    assert bpy.ops.gsmooth.discard_preview() == {"FINISHED"}
    assert sorted(strip.name for strip in timeline.strips) == before
    assert not folder.exists()
    assert not bpy.ops.gsmooth.discard_preview.poll()


def test_own_sound_is_silent_under_it_and_whole_again_after(timeline, scene, clip, media):
    own = timeline.sound(first=11, channel=5, file="long.wav", name="own")
    own.sound = own.sound.copy()
    own.sound.filepath = str(media / "long.mp4")
    place = strips.left(own), strips.right(own)
    own.select = False
    preview(scene, 60)
    pieces = [s for s in timeline.strips if s.name.startswith("own")]
    assert [(strips.left(s), strips.right(s)) for s in pieces if s.mute] == [(35, 85)]
    assert bpy.ops.gsmooth.discard_preview() == {"FINISHED"}
    [whole] = [s for s in timeline.strips if s.name.startswith("own")]
    assert ((strips.left(whole), strips.right(whole)), whole.mute) == (place, False)


def test_a_strangers_preview_goes_without_a_trace(timeline, scene, clip):
    """Whatever else its strip has, or has not."""
    preview(scene, 60)[0].pop("gsmooth_of")
    assert bpy.ops.gsmooth.discard_preview() == {"FINISHED"}
    assert not any(strip.mute for strip in timeline.strips)


def test_the_next_preview_takes_its_place(scene, clip):
    first, _job = preview(scene, 20)
    folder = job_folder.resolve(first[selection.PREVIEW])
    first.select = True  # nobody means the preview itself
    second, _job = preview(scene, 90)
    assert strips.left(second) == 61
    assert not folder.exists()


def test_a_dub_ends_the_preview(scene, clip):
    preview(scene, 60)
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    assert previewing.of_scene(scene) == []
    assert strips.active_strip(scene).channel == 2


def test_playhead_beside_the_clip_is_named(scene, clip):
    scene.frame_set(5)
    assert not bpy.ops.gsmooth.preview.poll()
    with pytest.raises(UserError, match="playhead"):
        around(Span(11, 100, 0), 111, 50)


def test_a_folder_that_is_none_of_a_preview_stays(scene, clip, tmp_path):
    """A blend file may be a stranger's."""
    (tmp_path / "valuable").mkdir()
    strip, _job = preview(scene, 60)
    strip[selection.PREVIEW] = str(tmp_path / "valuable")
    assert bpy.ops.gsmooth.discard_preview() == {"FINISHED"}
    assert (tmp_path / "valuable").is_dir()
    assert preferences.jobs_folder().is_dir()


def test_the_panel_offers_it(scene, clip):
    def buttons():
        layout = Recorder()
        dub_panel.GSMOOTH_PT_dub.draw(type("Panel", (), {"layout": layout})(), bpy.context)
        return [button.name for button in layout.buttons]

    assert "gsmooth.preview" in buttons()
    assert "gsmooth.discard_preview" not in buttons()
    preview(scene, 60)
    assert "gsmooth.discard_preview" in buttons()
