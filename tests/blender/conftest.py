"""A fresh Blender file with the add-on on, small clips, and the worker's stand-in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import wave
from array import array
from pathlib import Path

import pytest

# Blender reads its user folders when it is imported. A process of several that test side by side
# inherits those of the one that started it, in which its neighbours empty the jobs' folder.
if "PYTEST_XDIST_WORKER" in os.environ or "BLENDER_USER_RESOURCES" not in os.environ:
    os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp(prefix="gsmooth-test-")

HERE = Path(__file__).parent
CORE_PYTHON = os.environ.get("GSMOOTH_PYTHON", sys.executable)
FRAMES, FPS = 40, 25


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.blender)


def ffmpeg() -> str:
    found = shutil.which("ffmpeg")
    if found:
        return found
    return pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()


def make_clip(path: Path, rate: str = "25", frames: int = FRAMES) -> Path:
    """A 64x36 movie whose grey level says the frame's number: 20 + 5 n."""
    picture = f"color=black:s=64x36:r={rate},geq=lum='20+5*N':cb=128:cr=128"
    command = [ffmpeg(), "-y", "-loglevel", "error", "-f", "lavfi", "-i", picture]
    command += ["-frames:v", str(frames), "-c:v", "libx264", "-crf", "1", "-pix_fmt", "yuv420p"]
    subprocess.run([*command, str(path)], check=True)
    return path


def make_sound(path: Path, seconds: float = 2.0) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(array("h", [1000, -1000] * int(8000 * seconds)).tobytes())
    return path


@pytest.fixture(scope="session")
def media(tmp_path_factory):
    """clip.mp4, fast.mp4 (50 fps), photo.png, speech.wav, in a folder with an awkward name."""
    pytest.importorskip("bpy")
    folder = tmp_path_factory.mktemp("it's a 'föhn' %d clip")
    make_clip(folder / "clip.mp4")
    make_clip(folder / "fast.mp4", "50")
    command = [ffmpeg(), "-y", "-loglevel", "error", "-i", str(folder / "clip.mp4")]
    subprocess.run(
        [*command, "-frames:v", "1", "-update", "1", str(folder / "photo.png")], check=True
    )
    make_sound(folder / "speech.wav")
    return folder


@pytest.fixture(scope="session")
def core_python() -> str:
    """A Python that can run gsmooth_core: GSMOOTH_PYTHON as the tests were started, or this."""
    code = "import numpy, safetensors, onnxruntime, cv2"
    done = subprocess.run([CORE_PYTHON, "-c", code], capture_output=True)
    if done.returncode:
        pytest.skip("needs GSMOOTH_PYTHON, a Python with gsmooth_core's packages")
    return CORE_PYTHON


@pytest.fixture
def scene(monkeypatch):
    """An empty file at 25 fps with a sequencer and the add-on; the worker is the double."""
    bpy = pytest.importorskip("bpy")
    import addon_utils

    bpy.ops.wm.read_factory_settings(use_empty=True)
    addon_utils.enable("blender_addon", default_set=True)
    from blender_addon import preferences
    from blender_addon.worker import runtime

    monkeypatch.setenv("GSMOOTH_PYTHON", sys.executable)
    monkeypatch.setattr(runtime, "ENTRY", (str(HERE / "double.py"),))
    preferences.look_again()
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = FPS, 1.0
    scene.sequence_editor_create()
    yield scene
    addon_utils.disable("blender_addon")


def shown_frame(scene, frame, x=32):
    """Number of the source frame that the sequencer shows, read from a rendered pixel.

    Args:
        scene: whose strips are shown.
        frame: scene frame.
        x: column of the pixel, of 64.
    """
    import bpy

    scene.render.resolution_x, scene.render.resolution_y = 64, 36
    scene.render.image_settings.file_format = "PNG"
    scene.view_settings.view_transform = "Standard"
    path = Path(bpy.app.tempdir) / f"shown{frame}.png"
    scene.frame_set(frame)
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    middle = image.pixels[(18 * 64 + x) * 4]
    bpy.data.images.remove(image)
    return round((middle * 255 * 219 / 255 + 16 - 20) / 5)


class Timeline:
    """Adds strips under the names that the running Blender uses."""

    def __init__(self, scene, media):
        self.scene, self.media = scene, media

    @property
    def strips(self):
        editor = self.scene.sequence_editor
        return editor.strips if hasattr(editor, "strips") else editor.sequences

    def movie(self, first=1, channel=2, file="clip.mp4", name="clip"):
        return self.strips.new_movie(name, str(self.media / file), channel, first)

    def image(self, first=1, end=21, channel=2):
        from blender_addon.timeline import strips

        strip = self.strips.new_image("photo", str(self.media / "photo.png"), channel, first)
        strips.set_handles(strip, first, end)
        return strip

    def sound(self, first=1, channel=1, file="speech.wav", name="speech"):
        try:
            return self.strips.new_sound(name, str(self.media / file), channel, first)
        except RuntimeError as error:  # one wheel is built without sound
            pytest.skip(f"this Blender has no sound: {error}")


@pytest.fixture
def timeline(scene, media):
    return Timeline(scene, media)


@pytest.fixture
def double(monkeypatch):
    """Tells the double how to misbehave."""
    return lambda manner: monkeypatch.setenv("GSMOOTH_DOUBLE", manner)
