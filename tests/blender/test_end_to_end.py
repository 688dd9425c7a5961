"""The real worker, from strips to strips: a photo is given speech, its curves are edited."""

from __future__ import annotations

import math
import subprocess
import wave
from array import array
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import preferences  # noqa: E402
from blender_addon.head import actions, rig, shape_keys  # noqa: E402
from blender_addon.timeline import selection, strips  # noqa: E402
from blender_addon.worker import interpreter, runtime  # noqa: E402

pytestmark = pytest.mark.slow
FRAMES = 10


@pytest.fixture(scope="module")
def folder(core_python, tmp_path_factory):
    """photo.png, and a second of a voice-like buzz in speech.wav."""
    folder = tmp_path_factory.mktemp("real")
    code = (
        "import sys; from skimage import data, io;"
        "io.imsave(sys.argv[1], data.astronaut()[:320, 60:380], check_contrast=False)"
    )
    done = subprocess.run([core_python, "-c", code, str(folder / "photo.png")])
    if done.returncode:
        pytest.skip("needs scikit-image for its public-domain photo")
    code = (
        "import sys; from gsmooth_core.models import registry as models;"
        "sys.exit(any(models.find(n) is None for n in ('face_model', 'a2ep', 'taft')))"
    )
    if subprocess.run([core_python, "-c", code], env=interpreter.worker_environment()).returncode:
        pytest.skip("a model of the way is missing")
    buzz = (
        sum(math.sin(2 * math.pi * 130 * k * i / 16000) / k for k in range(1, 12))
        * (0.6 + 0.4 * math.sin(2 * math.pi * 3 * i / 16000))
        for i in range(16000)
    )
    with wave.open(str(folder / "speech.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(array("h", (int(6000 * value) for value in buzz)).tobytes())
    return folder


@pytest.fixture
def dubbed(scene, timeline, folder, core_python, monkeypatch):
    monkeypatch.setattr(runtime, "ENTRY", ("-m", "gsmooth_core.app.worker"))
    monkeypatch.setenv("GSMOOTH_PYTHON", core_python)
    preferences.look_again()
    timeline.media = folder
    timeline.image(first=5, end=5 + FRAMES)
    timeline.sound(first=5)
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    return strips.active_strip(scene)


def rendered(scene, frame):
    scene.render.resolution_x = scene.render.resolution_y = 320
    scene.view_settings.view_transform = "Standard"
    path = Path(bpy.app.tempdir) / "frame.png"
    scene.render.filepath = str(path)
    scene.frame_set(frame)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    pixels = array("f", [0.0]) * (320 * 320 * 4)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels


def difference(a, b, rows):
    """Mean absolute difference over some rows, counted from the top."""
    first, end = (320 - rows[1]) * 320 * 4, (320 - rows[0]) * 320 * 4
    return sum(abs(x - y) for x, y in zip(a[first:end], b[first:end], strict=True)) / (end - first)


def test_strip_mesh_and_edit(scene, dubbed):
    assert (strips.left(dubbed), strips.right(dubbed)) == (5, 5 + FRAMES)
    assert selection.why_not(scene)
    assert bpy.ops.gsmooth.preview_mesh() == {"FINISHED"}
    head = bpy.context.view_layer.objects.active
    assert rig.is_head(head)
    assert len(shape_keys.key_names(head)) == 52
    assert head.data.materials[0].node_tree.nodes.get("Image Texture").image.size[0] > 0

    before = rendered(scene, 9)
    keys = head.data.shape_keys
    for curve in actions.curves_of(keys):
        if curve.data_path == 'key_blocks["jawOpen"].value':
            for point in curve.keyframe_points:
                point.co.y = 0.8
            curve.update()
    assert bpy.ops.gsmooth.rerender_strip() == {"FINISHED"}
    after = rendered(scene, 9)
    top, mouth = difference(before, after, (0, 60)), difference(before, after, (130, 250))
    assert mouth > 0.004
    assert top < mouth / 4
