"""Checking lip sync of strips: what is asked of the worker, what is kept, what is moved."""

from __future__ import annotations

import json
import subprocess

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import preferences  # noqa: E402
from blender_addon.review import sync_check  # noqa: E402
from blender_addon.timeline import strips  # noqa: E402
from blender_addon.worker import runtime  # noqa: E402
from tests.blender.conftest import ffmpeg  # noqa: E402


@pytest.fixture
def late(monkeypatch):
    return lambda frames: monkeypatch.setenv("GSMOOTH_DOUBLE_OFFSET", str(frames))


def job(scene):
    """The job of the last check."""
    folders = (preferences.jobs_folder() / "sync").iterdir()
    newest = max(folders, key=lambda folder: (folder / "job.json").stat().st_mtime_ns)
    return json.loads((newest / "job.json").read_text())


def check(**options):
    assert bpy.ops.gsmooth.check_sync(**options) == {"FINISHED"}


def test_pair_is_compared_as_the_timeline_has_it(timeline, scene):
    movie, sound = timeline.movie(first=11), timeline.sound(first=16)
    check()
    asked = job(scene)
    assert asked["fps"] == "25/1"
    assert asked["audio"].endswith("speech.wav")
    assert asked["audio_delay"] == pytest.approx(5 / 25)
    assert movie[sync_check.INFO] == "3 frames late"
    assert (strips.left(movie), strips.left(sound)) == (11, 16)


def test_movie_alone_is_compared_with_its_own_sound(timeline, scene):
    """In the file's own rate: Blender may show its frames at another one."""
    timeline.movie(file="fast.mp4")
    check()
    assert (job(scene)["audio"], job(scene)["fps"]) == (None, None)


def test_own_sound_strip_is_found_without_being_selected(timeline, scene, media):
    movie = timeline.movie(first=11)
    own = timeline.sound(first=14, file="clip.mp4", name="own")
    own.select = False
    try:
        check()
    except RuntimeError:
        pytest.skip("this Blender opens no sound strip of a silent clip")
    assert job(scene)["audio"].endswith("clip.mp4")
    assert movie[sync_check.SOUND] == "own"


def test_late_sound_is_moved_earlier_when_asked(timeline, scene):
    movie, sound = timeline.movie(first=11), timeline.sound(first=16)
    check()
    movie.select = True
    scene.sequence_editor.active_strip = movie
    assert bpy.ops.gsmooth.move_sound() == {"FINISHED"}
    assert strips.left(sound) == 13
    assert strips.right(sound) - strips.left(sound) == strips.placement(sound).length
    assert strips.left(movie) == 11
    assert sync_check.why_not_moved(scene) == "Picture and sound fit: there is nothing to move."


def test_one_undo_step_puts_the_sound_back(timeline, scene):
    movie = timeline.movie(first=11)
    timeline.sound(first=16)
    check()
    scene.sequence_editor.active_strip = movie
    bpy.ops.ed.undo_push(message="checked")
    bpy.ops.gsmooth.move_sound()
    bpy.ops.ed.undo_push(message="Move Sound")  # what Blender does itself after a button
    assert strips.left(strips.find(bpy.context.scene, "speech")) == 13
    bpy.ops.ed.undo()
    assert strips.left(strips.find(bpy.context.scene, "speech")) == 16
    assert not sync_check.why_not_moved(bpy.context.scene)


def test_early_sound_is_moved_later_and_trims_stay(timeline, scene, late):
    late(-4)
    timeline.movie(first=11)
    sound = timeline.sound(first=11)
    strips.set_handles(sound, 15, 40)
    check(move=True)
    assert (strips.left(sound), strips.right(sound)) == (19, 44)
    assert strips.placement(sound).start == 15


def test_offset_is_in_time_whatever_the_rate_of_the_scene(timeline, scene, late):
    scene.render.fps = 50
    late(3)
    timeline.movie(file="fast.mp4")
    sound = timeline.sound(first=31)
    check(move=True)
    assert strips.left(sound) == 25


def test_unsure_check_moves_nothing(timeline, scene, late):
    late(100)
    movie, sound = timeline.movie(), timeline.sound(first=16)
    check(move=True)
    assert strips.left(sound) == 16
    scene.sequence_editor.active_strip = movie
    assert not bpy.ops.gsmooth.move_sound.poll()
    assert "not sure" in sync_check.why_not_moved(scene)
    assert movie[sync_check.INFO].startswith("Lips and sound do not fit")


def test_unsure_check_forgets_an_older_sure_one(timeline, scene, late):
    movie = timeline.movie()
    timeline.sound()
    check()
    assert sync_check.SECONDS in movie
    late(100)
    check()
    assert sync_check.SECONDS not in movie


def test_locked_or_missing_sound_is_not_moved(timeline, scene):
    movie, sound = timeline.movie(), timeline.sound()
    check()
    scene.sequence_editor.active_strip = movie
    sound.lock = True
    assert "locked" in sync_check.why_not_moved(scene)
    timeline.strips.remove(sound)
    assert "no strip of its own" in sync_check.why_not_moved(scene)


def test_still_picture_is_refused(timeline, scene):
    timeline.image()
    assert "still picture" in sync_check.why_not(scene)
    assert not bpy.ops.gsmooth.check_sync.poll()


def test_worker_error_becomes_a_blender_error(timeline, double):
    movie = timeline.movie()
    double("error")
    with pytest.raises(RuntimeError, match="There is no face"):
        bpy.ops.gsmooth.check_sync()
    assert sync_check.INFO not in movie


def test_dub_of_the_same_strips_keeps_its_job_folder(timeline, scene):
    """A check must not touch the folder in which the dub of these strips lies, with edits."""
    movie, sound = timeline.movie(), timeline.sound()
    bpy.ops.gsmooth.dub_strip()
    dubbed = strips.active_strip(scene)
    folder = preferences.jobs_folder()
    edits = [path for path in folder.iterdir() if (path / "plan.json").exists()]
    for path in edits:
        (path / "expression.json").write_text("{}")
    dubbed.select = False
    movie.select = sound.select = True
    scene.sequence_editor.active_strip = movie
    check()
    assert edits
    assert all((path / "expression.json").exists() for path in edits)


@pytest.mark.slow
def test_real_worker(timeline, scene, core_python, tmp_path, monkeypatch):
    """A photo does not speak: the face is found, the lips are compared, and nothing fits."""
    code = (
        "import sys; from skimage import data, io;"
        "io.imsave(sys.argv[1], data.astronaut()[:320, 60:380], check_contrast=False)"
    )
    photo, movie = tmp_path / "photo.png", tmp_path / "photo.mp4"
    if subprocess.run([core_python, "-c", code, str(photo)]).returncode:
        pytest.skip("needs scikit-image for its public-domain photo")
    command = [ffmpeg(), "-y", "-loglevel", "error", "-loop", "1", "-i", str(photo), "-t", "2"]
    command += ["-f", "lavfi", "-t", "2", "-i", "anoisesrc=a=0.2:seed=1", "-r", "25"]
    subprocess.run([*command, "-pix_fmt", "yuv420p", "-shortest", str(movie)], check=True)
    monkeypatch.setattr(runtime, "ENTRY", ("-m", "gsmooth_core.app.worker"))
    monkeypatch.setenv("GSMOOTH_PYTHON", core_python)
    preferences.look_again()
    timeline.media = tmp_path
    strip = timeline.movie(file="photo.mp4")
    check()
    assert strip[sync_check.INFO].startswith("Lips and sound do not fit well enough")
    assert sync_check.SECONDS not in strip
    folder = next(f for f in (preferences.jobs_folder() / "sync").iterdir() if "photo" in f.name)
    assert (folder / "sync.svg").read_text().startswith("<svg")
