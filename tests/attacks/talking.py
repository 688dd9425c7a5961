"""A clip of a talking person that needs no footage: a public-domain photo, dubbed and moved.

The photo of the demo speaks the demo's sentence, sways, comes nearer and goes back, and a dark bar
passes before its mouth.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import filelock
import numpy as np
import pytest

from blender_addon import demo
from gsmooth_core.media import probe, read_frames
from gsmooth_core.types import Image
from tests.media.made import write_video

ROOT = Path(__file__).parent.parent.parent
FRAMES = 100
SIZE = 256
BARRED = range(40, 60)  # frames in which the bar is seen
_FACE = (slice(0, 260), slice(95, 355))  # rows and columns of the photo
_DARK = (25, 28, 30)


@dataclass(frozen=True)
class Talking:
    """A clip and a speech.

    Attributes:
        video: 100 frames of 256 by 256 pixels at 25 fps, without sound.
        speech: the demo's sentence, as WAV; somewhat longer than the clip.
    """

    video: Path
    speech: Path


def talking(factory: pytest.TempPathFactory) -> Talking:
    """The clip, made once in a session of tests, however many processes share it."""
    pytest.importorskip("hibari", reason="needs the demo's packages")
    base = factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = base / "talking"
    with filelock.FileLock(base / "talking.lock"):
        made = Talking(folder / "clip.mp4", folder / "speech.wav")
        if not made.video.is_file():
            folder.mkdir(exist_ok=True)
            _make(made)
    return made


def command(clip: Talking, output: Path, *more: object) -> list[str]:
    """The command that dubs `clip` in a process of its own, as fast as it can be done."""
    words = [sys.executable, "-m", "gsmooth_core", "dub", "--json", "--preset", "ultrafast"]
    sources = ["--video", clip.video, "--audio", clip.speech, "--output", output]
    return [*words, *map(str, sources), *map(str, more)]


def _make(made: Talking) -> None:
    folder = made.video.parent
    demo.speech(made.speech, demo.TEXT)
    still = Talking(demo.photo(folder / "photo.png"), made.speech)
    photo = cv2.imread(str(still.video))[_FACE]
    cv2.imwrite(str(still.video), cv2.resize(photo, (SIZE, SIZE), interpolation=cv2.INTER_AREA))
    spoken = folder / "still.mp4"
    subprocess.run(
        command(still, spoken, "--frame-count", FRAMES), cwd=ROOT, check=True, capture_output=True
    )
    frames = [_moved(frame, n) for n, frame in enumerate(read_frames(probe(spoken)))]
    partial = folder / "clip.partial.mp4"  # a session that was stopped must not leave half a clip
    write_video(partial, np.array(frames), demo.RATE, "-crf", 6).rename(made.video)


def _moved(frame: Image, number: int) -> Image:
    """The picture a little turned, shifted and nearer, and the bar where it is at that time."""
    angle = 2 * np.pi * number / 50
    turn = cv2.getRotationMatrix2D(
        (SIZE / 2, SIZE / 2), 1.5 * np.sin(angle), 1.03 + 0.03 * np.sin(angle / 2)
    )
    turn[:, 2] += 3 * np.sin(angle), 2 * np.cos(angle)
    moved = cv2.warpAffine(frame, turn, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT)
    if number in BARRED:
        left = 40 + 8 * (number - BARRED.start)
        cv2.rectangle(moved, (left, 90), (left + 14, SIZE), _DARK, -1)
    return moved
