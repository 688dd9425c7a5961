"""What is heard of a scene, as Blender itself mixes it."""

from __future__ import annotations

import math
import subprocess
import wave
from array import array
from pathlib import Path

import bpy

from tests.blender.conftest import ffmpeg

RATE = 48000


def mix(scene, first, end):
    """The scene's sound in these frames: samples of its left channel, 48,000 a second.

    It comes out of a movie file that Blender renders: `sound.mixdown` of the 5.2 that Debian has
    fails now and then.
    """
    path = Path(bpy.app.tempdir) / "mix.avi"
    render, image = scene.render, scene.render.image_settings
    kept = scene.frame_start, scene.frame_end
    scene.frame_start, scene.frame_end = first, end - 1
    render.resolution_x, render.resolution_y, render.filepath = 64, 36, str(path)
    if hasattr(image, "media_type"):
        image.media_type = "VIDEO"
    image.file_format = "FFMPEG"
    render.ffmpeg.format, render.ffmpeg.codec, render.ffmpeg.audio_codec = "AVI", "FFV1", "PCM"
    render.ffmpeg.audio_mixrate = RATE
    bpy.ops.render.render(animation=True)
    if hasattr(image, "media_type"):
        image.media_type = "IMAGE"
    scene.frame_start, scene.frame_end = kept
    return read(path)


def read(movie):
    """Samples of the left channel of any file, 48,000 a second."""
    path = Path(movie).with_suffix(".read.wav")
    command = [ffmpeg(), "-y", "-loglevel", "error", "-i", str(movie), "-vn", "-ac", "1"]
    command += ["-af", "pan=mono|c0=c0", "-ar", str(RATE), "-c:a", "pcm_s16le", str(path)]
    subprocess.run(command, check=True)
    with wave.open(str(path)) as file:
        return array("h", file.readframes(file.getnframes()))


def tone(samples, hertz):
    """How loud a tone is in the samples: the amplitude of its Fourier component."""
    turns = [2 * math.pi * hertz * i / RATE for i in range(len(samples))]
    cos = sum(s * math.cos(t) for s, t in zip(samples, turns, strict=True))
    sin = sum(s * math.sin(t) for s, t in zip(samples, turns, strict=True))
    return 2 * math.hypot(cos, sin) / max(1, len(samples))


def tones(path, *parts, rate=16000):
    """A sound file: of each part the tone (hertz) and how long it lasts (seconds)."""
    samples = array("h")
    for hertz, seconds in parts:
        turns = (2 * math.pi * hertz * i / rate for i in range(round(seconds * rate)))
        samples.extend(round(8000 * math.sin(t)) for t in turns)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return path
