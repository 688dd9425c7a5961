"""The README's first command, from nothing to a dubbed photo."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon.build import ROOT  # noqa: E402
from blender_addon.head import rig  # noqa: E402
from blender_addon.timeline import strips  # noqa: E402


@pytest.mark.slow
def test_demo_makes_a_video_and_a_file_that_can_be_moved(scene, tmp_path):
    for package in ("hibari", "skimage", "onnxruntime"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"needs the package {package}")
    from gsmooth_core.models import registry

    if any(registry.find(name) is None for name in ("face_model", "a2ep", "taft")):
        pytest.skip("a model of the way is missing")
    made, moved = tmp_path / "made", tmp_path / "moved"
    command = [sys.executable, "-m", "blender_addon.demo", "--output", str(made)]
    command += ["--text", "Hello!", "--head"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    made.rename(moved)
    assert (moved / "dubbed.mp4").stat().st_size > 10_000
    bpy.ops.wm.open_mainfile(filepath=str(moved / "dubbed.blend"))
    scene = bpy.context.scene
    dubbed, photo = strips.find(scene, "photo dubbed"), strips.find(scene, "photo")
    assert photo.mute
    assert (strips.left(dubbed), strips.right(dubbed)) == (strips.left(photo), strips.right(photo))
    assert strips.source_path(dubbed).is_relative_to(moved)
    assert strips.source_path(dubbed).is_file()
    assert any(rig.is_head(body) for body in bpy.data.objects)
