"""`blender --command gsmooth`: what scripts and render farms call."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import command_line  # noqa: E402
from blender_addon.timeline import strips  # noqa: E402


@pytest.fixture
def film(timeline, tmp_path):
    """A saved file in which nothing is selected."""
    timeline.movie(first=5)
    timeline.sound(first=5)
    for strip in timeline.strips:
        strip.select = False
    path = tmp_path / "film.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.read_homefile(use_empty=True)
    return path


def test_dubs_and_saves(film, tmp_path):
    target = tmp_path / "dubbed.blend"
    names = ["--picture", "clip", "--speech", "speech"]
    assert command_line.run([str(film), *names, "--mesh", "--save", str(target)]) == 0
    bpy.ops.wm.open_mainfile(filepath=str(target))
    strip = strips.find(bpy.context.scene, "clip dubbed")
    assert (strips.left(strip), strips.right(strip)) == (5, 45)
    assert [item.name for item in bpy.data.objects if item.type == "MESH"] == ["clip head"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--picture", "nobody", "--speech", "speech"], "no strip named 'nobody'"),
        (["--picture", "clip", "--speech", "speech", "--scene", "x"], "no scene named 'x'"),
    ],
)
def test_failure_is_status_1_in_words(film, capsys, arguments, words):
    assert command_line.run([str(film), *arguments]) == 1
    assert words in capsys.readouterr().err


def test_worker_error_is_status_1(film, double, capsys):
    double("error")
    assert command_line.run([str(film), "--picture", "clip", "--speech", "speech"]) == 1
    assert "There is no face" in capsys.readouterr().err


def test_wrong_arguments_are_status_2(scene, capsys):
    assert command_line.run(["--picture", "clip"]) == 2
    assert "usage: blender --command gsmooth" in capsys.readouterr().err
