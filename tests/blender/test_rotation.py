"""A file with a rotation tag: whatever this Blender makes of it, the dub shows the same."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.blender.conftest import ffmpeg

SIDE = 80
CORNERS = (
    "geq=r='255*lt(X,32)*lt(Y,18)+255*gte(X,32)*gte(Y,18)':g='255*gte(X,32)':b='255*gte(Y,18)'"
)


@pytest.fixture(scope="module")
def turned(media: Path) -> Path:
    """turned90.mp4, turned180.mp4, turned270.mp4: four colours in four quarters."""
    command = [ffmpeg(), "-y", "-loglevel", "error"]
    stored = media / "stored.mp4"
    source = ["-f", "lavfi", "-i", f"color=black:s=64x36:r=25,{CORNERS}", "-frames:v", "40"]
    subprocess.run([*command, *source, "-crf", "1", "-pix_fmt", "yuv420p", str(stored)], check=True)
    for degrees in (90, 180, 270):
        tag = ["-display_rotation", str(degrees), "-i", str(stored), "-c", "copy"]
        subprocess.run([*command, *tag, str(media / f"turned{degrees}.mp4")], check=True)
    return media


def seen(scene) -> list[float]:
    """A few pixels of what the sequencer shows."""
    import bpy

    scene.render.resolution_x = scene.render.resolution_y = SIDE
    scene.render.image_settings.file_format = "PNG"
    scene.view_settings.view_transform = "Standard"
    path = Path(bpy.app.tempdir) / "turned.png"
    scene.frame_set(5)
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    pixels = list(image.pixels)
    bpy.data.images.remove(image)
    return [
        round(pixels[(y * SIDE + x) * 4 + c], 1)
        for y in range(3, SIDE, 7)
        for x in range(3, SIDE, 7)
        for c in range(3)
    ]


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("look", ["plain", "placed"])
def test_the_dub_shows_what_blender_showed(scene, timeline, turned, degrees, look) -> None:
    import bpy

    strip = timeline.movie(file=f"turned{degrees}.mp4")
    timeline.sound()
    if look == "placed":
        strip.transform.scale_x, strip.transform.scale_y = 0.8, 0.5
        strip.transform.rotation, strip.transform.offset_x = 0.5, 7
        strip.crop.min_x, strip.crop.max_y = 6, 4
        strip.use_flip_x = True
    before = seen(scene)
    assert len(set(before)) > 1
    strip.select = True
    scene.sequence_editor.active_strip = strip
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    assert strip.mute
    after = seen(scene)
    # Colours blend at the edges of what is turned.
    assert sum(abs(a - b) > 0.25 for a, b in zip(before, after, strict=True)) <= 0.02 * len(before)
