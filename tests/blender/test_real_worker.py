"""The real worker on a real timeline: timeline frame t shows the dub of what was there.

The footage is a face with a grey patch in a corner that counts frames, far from all that a dub
touches: read from rendered pictures before and after, it must be the same everywhere.
"""

from __future__ import annotations

import subprocess

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import preferences  # noqa: E402
from blender_addon.storage import job_folder  # noqa: E402
from blender_addon.timeline import strips  # noqa: E402
from blender_addon.worker import runtime  # noqa: E402
from gsmooth_core.job.job import load_job  # noqa: E402
from gsmooth_core.job.settings import AnimateSettings  # noqa: E402
from tests.blender.conftest import ffmpeg  # noqa: E402
from tests.blender.test_end_to_end import folder, rendered  # noqa: E402, F401
from tests.blender.test_operator_matrix import adjusted  # noqa: E402

pytestmark = pytest.mark.slow
SIDE, PATCH, FRAMES, COUNT = 320, 40, 24, 10
MOUTH = (140, 200, 110, 200)  # rows and columns
HAIR = (20, 70, 60, 260)
WALL = (0, 60, 270, 320)


@pytest.fixture(scope="module")
def footage(folder):  # noqa: F811
    """clip.mp4 at 25 fps, whose patch is 20 + 8 n; photo.png and speech.wav beside it."""
    patch = f"color=black:s={PATCH}x{PATCH}:r=25,geq=lum='20+8*N':cb=128:cr=128"
    joined = "[0]format=yuv420p[face];[face][1]overlay=0:0:format=yuv420"
    command = [ffmpeg(), "-y", "-loglevel", "error", "-loop", "1", "-r", "25"]
    command += ["-i", str(folder / "photo.png"), "-f", "lavfi", "-i", patch]
    command += ["-filter_complex", joined, "-frames:v", str(FRAMES), "-r", "25"]
    command += ["-c:v", "libx264", "-crf", "1", "-pix_fmt", "yuv420p", str(folder / "clip.mp4")]
    subprocess.run(command, check=True)
    return folder


@pytest.fixture
def real(scene, timeline, footage, core_python, monkeypatch):
    """The timeline with the real worker behind it."""
    monkeypatch.setattr(runtime, "ENTRY", ("-m", "gsmooth_core.app.worker"))
    monkeypatch.setenv("GSMOOTH_PYTHON", core_python)
    preferences.look_again()
    timeline.media = footage
    scene.render.resolution_x = scene.render.resolution_y = SIDE  # else Blender scales what it adds
    scene.gsmooth.strength = 2.0
    return timeline


def plain(timeline):
    strip = timeline.movie(first=5)
    strips.set_handles(strip, 5, 5 + COUNT)
    return strip


def trimmed(timeline):
    strip = timeline.movie(first=1)
    strips.set_handles(strip, 9, 9 + COUNT)
    return strip


def another_rate(timeline):
    """25 fps in a scene of 24: one frame of the file a frame of the scene."""
    timeline.scene.render.fps = 24
    return trimmed(timeline)


def adjusted_rate(timeline):
    timeline.scene.render.fps = 24
    return adjusted(timeline, "clip.mp4")


def reverse(timeline):
    strip = timeline.movie(first=5)
    strip.use_reverse_frames = True
    return strip


def retimed(timeline):
    if bpy.app.version < (5, 2):
        pytest.skip("scripts crash this Blender when they retime")
    strip = timeline.movie(first=5)
    strip.retiming_keys.add(timeline_frame=10)
    strip.retiming_keys[-1].timeline_frame = 21
    return strip


def counter(pixels):
    """Number of the frame, from the middle of its patch."""
    value = pixels[((SIDE - PATCH // 2) * SIDE + PATCH // 2) * 4] * 255
    return round((value * 219 / 255 + 16 - 20) / 8)


def difference(a, b, box):
    """Mean absolute difference over some rows and columns, counted from the top left."""
    top, bottom, left, right = box
    rows = [
        range((SIDE - 1 - y) * SIDE + left, (SIDE - 1 - y) * SIDE + right)
        for y in range(top, bottom)
    ]
    steps = [abs(a[4 * i + c] - b[4 * i + c]) for row in rows for i in row for c in range(3)]
    return sum(steps) / len(steps)


def look(scene, handles):
    """Counters of the frames from before the strip to after it, and a picture of its middle."""
    first, end = handles
    pictures = [rendered(scene, at) for at in range(first - 1, end + 1)]
    return [counter(pixels) for pixels in pictures], pictures[len(pictures) // 2]


def dub(scene, strip, speech):
    for other in strips.open_strips(scene):
        other.select = other in (strip, speech)
    scene.sequence_editor.active_strip = strip
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    new = strips.active_strip(scene)
    assert "kept as they were" not in new["gsmooth_info"]
    return new


@pytest.mark.parametrize("case", [plain, trimmed, another_rate, adjusted_rate, reverse, retimed])
def test_timeline_shows_the_dub_of_what_was_there(scene, real, case):
    strip = case(real)
    handles = strips.left(strip), strips.right(strip)
    speech = real.sound(first=handles[0], channel=8)
    counters, before = look(scene, handles)
    assert len(set(counters)) > COUNT / 2
    new = dub(scene, strip, speech)
    assert (strips.left(new), strips.right(new)) == handles
    now, after = look(scene, handles)
    assert now == counters
    assert difference(before, after, MOUTH) > 2 * difference(before, after, HAIR)


def test_dub_of_a_dub_has_its_frames_and_its_place(scene, real):
    strip = plain(real)
    handles, channel = (strips.left(strip), strips.right(strip)), strip.channel
    speech = real.sound(first=5, channel=8)
    counters, _ = look(scene, handles)
    first = dub(scene, strip, speech)
    strips.set_handles(speech, 5, 5 + COUNT // 2)
    second = dub(scene, first, speech)
    assert (second.channel, first.mute) == (channel, True)
    assert look(scene, handles)[0] == counters


def test_still_stays_where_it_does_not_speak(scene, real):
    strip = real.image(first=5, end=5 + COUNT)
    speech = real.sound(first=5, channel=8)
    before = rendered(scene, 9)
    new = dub(scene, strip, speech)
    after = rendered(scene, 9)
    assert (strips.left(new), strips.right(new)) == (5, 5 + COUNT)
    assert difference(before, after, MOUTH) > 2 * difference(before, after, HAIR)


def test_photo_moves_its_head_and_goes_on_moving_after_an_edit(scene, real):
    scene.gsmooth.photo, scene.gsmooth.head, scene.gsmooth.seed = "full", 2.0, 5
    strip = real.image(first=5, end=5 + COUNT)
    new = dub(scene, strip, real.sound(first=5, channel=8))
    frames = [rendered(scene, at) for at in (5, 9)]  # it begins and ends at rest
    assert difference(*frames, HAIR) > 3 * difference(*frames, WALL)
    assert bpy.ops.gsmooth.preview_mesh() == {"FINISHED"}
    head = bpy.context.view_layer.objects.active
    scene.gsmooth.photo = "mouth"
    for point in jaw(head).keyframe_points:
        point.co.y = 0.8
    assert bpy.ops.gsmooth.rerender_strip() == {"FINISHED"}
    job = load_job(job_folder.resolve(new["gsmooth_job"]))
    assert job.animate == AnimateSettings(head=2.0, seed=5)
    edited = rendered(scene, 9)
    assert difference(frames[1], edited, MOUTH) > 2 * difference(frames[1], edited, HAIR)
    assert difference(frames[1], edited, HAIR) < difference(*frames, HAIR) / 2  # moves the same


def jaw(head):
    from blender_addon.head import actions

    curves = actions.curves_of(head.data.shape_keys)
    return next(c for c in curves if c.data_path == 'key_blocks["jawOpen"].value')
