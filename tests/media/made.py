"""Small media made on the spot: every picture carries its own number in its pixels."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe

BITS = 8


def ffmpeg(*arguments: object, stdin: bytes = b"") -> None:
    command = [get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def numbered_frames(count: int, width: int = 96, height: int = 64, first: int = 0) -> np.ndarray:
    """(count, H, W, 3) uint8: the upper half shows the number in binary, the rest a gradient."""
    frames = np.zeros((count, height, width, 3), np.uint8)
    frames[:, :, :, 0] = np.linspace(40, 200, width)
    frames[:, :, :, 1] = np.linspace(60, 180, height)[:, None]
    frames[:, :, :, 2] = 120
    edges = np.linspace(0, width, BITS + 1).astype(int)
    for k in range(count):
        for bit in range(BITS):
            on = (k + first) >> bit & 1
            frames[k, : height // 2, edges[bit] : edges[bit + 1]] = 235 if on else 20
    return frames


def number_in(frame: np.ndarray) -> int:
    height, width = frame.shape[:2]
    edges = np.linspace(0, width, BITS + 1).astype(int)
    middle = frame[height // 8 : height // 4].astype(float).mean(axis=(0, 2))
    return sum(int(middle[edges[b] + 2 : edges[b + 1] - 2].mean() > 128) << b for b in range(BITS))


def write_video(
    path: Path,
    frames: np.ndarray,
    fps: Fraction | int = 25,
    *options: object,
    vf: str = "null",
    tone: float | None = None,
) -> Path:
    """Encode frames with x264 unless `options` say otherwise; `tone` adds seconds of a sine."""
    height, width = frames.shape[1:3]
    sound = [] if tone is None else ["-f", "lavfi", "-t", tone, "-i", "sine=frequency=300"]
    codec = [] if "-c:v" in options else ["-c:v", "libx264", "-crf", 12, "-preset", "veryfast"]
    even = width % 2 == 0 and height % 2 == 0
    pixels = [] if "-pix_fmt" in options else ["-pix_fmt", "yuv420p" if even else "yuv444p"]
    ffmpeg(
        *("-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", f"{width}x{height}"),
        *("-framerate", fps, "-i", "pipe:0", *sound, "-vf", vf, *codec, *pixels, *options),
        f"file:{path}",
        stdin=frames.tobytes(),
    )
    return path


def write_wav(path: Path, samples: np.ndarray, rate: int, codec: str = "pcm_s16le") -> Path:
    """Write samples (S,) or (S, channels) as WAV of any sample format."""
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    ffmpeg(
        *("-f", "f32le", "-ar", rate, "-ac", channels, "-i", "pipe:0", "-c:a", codec),
        f"file:{path}",
        stdin=samples.astype("<f4").tobytes(),
    )
    return path


def speechlike(seconds: float, rate: int = 16000) -> np.ndarray:
    """(S,) a rising tone that swells twice a second, loud enough to count as speech."""
    time = np.arange(round(seconds * rate)) / rate
    tone = np.sin(2 * np.pi * (150 * time + 100 * time**2))
    return (0.3 * tone * np.sin(2 * np.pi * time) ** 2).astype(np.float32)
