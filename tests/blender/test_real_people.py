"""Two people who are given a speech each, with the real worker: both mouths move."""

from __future__ import annotations

import subprocess
from array import array
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon.head import rig  # noqa: E402
from blender_addon.review import people, quality, quality_curve  # noqa: E402
from blender_addon.timeline import speeches, strips  # noqa: E402
from tests.blender.conftest import ffmpeg  # noqa: E402
from tests.blender.test_end_to_end import folder  # noqa: E402, F401
from tests.blender.test_real_worker import SIDE, footage, real  # noqa: E402, F401

pytestmark = pytest.mark.slow
FIRST, COUNT = 5, 12
ROWS, COLUMNS = slice(140, 200), slice(110, 200)  # the mouth


@pytest.fixture
def talk(real, footage):  # noqa: F811
    """Two of the same face beside each other, and a sound for each."""
    pair = footage / "pair.mp4"
    command = [ffmpeg(), "-y", "-loglevel", "error", "-i", str(footage / "clip.mp4")]
    command += ["-filter_complex", "[0]split[a][b];[a][b]hstack", "-crf", "1", str(pair)]
    subprocess.run(command, check=True)
    scene = real.scene
    scene.render.resolution_x = 2 * SIDE
    movie = real.movie(first=FIRST, file="pair.mp4")
    strips.set_handles(movie, FIRST, FIRST + COUNT)
    left = real.sound(first=FIRST, channel=3, name="left")
    right = real.sound(first=FIRST, channel=4, name="right")
    scene.sequence_editor.active_strip = movie
    for strip in real.strips:
        strip.select = strip == movie
    return movie, left, right


def rendered(scene, frame):
    """Red of each pixel, row by row from the top."""
    scene.render.resolution_x, scene.render.resolution_y = 2 * SIDE, SIDE
    scene.view_settings.view_transform = "Standard"
    scene.render.filepath = str(Path(bpy.app.tempdir) / "pair.png")
    scene.frame_set(frame)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(scene.render.filepath)
    pixels = array("f", [0.0]) * (2 * SIDE * SIDE * 4)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    red, width = pixels[::4], 2 * SIDE
    return [red[row * width : (row + 1) * width] for row in range(SIDE)][::-1]


def changes(scene, dub, movie):
    """How much the mouths differ from the clip's at most, left and right, in levels."""
    found = [0.0, 0.0]
    for frame in range(FIRST, FIRST + COUNT, 3):
        pictures = []
        for muted in (False, True):
            dub.mute, movie.mute = muted, not muted
            pictures.append(rendered(scene, frame))
        dub.mute, movie.mute = False, True
        for side in range(2):
            columns = slice(COLUMNS.start + side * SIDE, COLUMNS.stop + side * SIDE)
            pairs = [
                abs(a - b)
                for one, other in zip(*(p[ROWS] for p in pictures), strict=True)
                for a, b in zip(one[columns], other[columns], strict=True)
            ]
            found[side] = max(found[side], 255 * sum(pairs) / len(pairs))
    return found


def test_both_speak_and_each_is_edited(talk, real):  # noqa: F811
    movie, left, right = talk
    scene = real.scene
    assert bpy.ops.gsmooth.find_people() == {"FINISHED"}
    assert [person.number for person in people.seen_in(movie)] == [1, 2]
    speeches.give(movie, 1, left)
    speeches.give(movie, 2, right)
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    dub = strips.active_strip(scene)
    assert "2 people are seen, both were dubbed" in dub["gsmooth_info"]
    assert min(changes(scene, dub, movie)) > 2
    # The face of the second one; it is the head that lies on the right.
    assert bpy.ops.gsmooth.preview_mesh(person=2) == {"FINISHED"}
    head = bpy.context.view_layer.objects.active
    assert rig.noted_job(head).folder.name == "person_2"
    assert rig.noted_job(head).count == COUNT
    assert bpy.ops.gsmooth.rerender_strip() == {"FINISHED"}
    assert min(changes(scene, dub, movie)) > 2
    # Both are judged; the one whose head this is has her own curve on it.
    assert bpy.ops.gsmooth.check_quality() == {"FINISHED"}
    verdict = quality.of_strip(strips.active_strip(scene)).verdict
    assert ["Person 1: " in verdict, "Person 2: " in verdict] == [True, True]
    assert sorted(quality.pages(strips.active_strip(scene))) == [1, 2]
    assert quality_curve.NAME in head
