"""Real clips in and out again: frame for frame, rate for rate, in step with OpenCV's reading."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from gsmooth_core.media import (
    SegmentWriter,
    Sound,
    assemble,
    probe,
    read_audio,
    read_frames,
    require_speech,
    segment_path,
)
from gsmooth_core.media.encoding.encoders import Wish

pytestmark = [pytest.mark.footage, pytest.mark.slow]

# name: size, rate, frames
CLIPS = {
    "styletalk_feifeili_clip1.mp4": ((256, 256), Fraction(30), 302),
    "liutaocode-talking_face_preprocessing__data_processing_raw_data_FAzSK8PLmGI.mp4": (
        (1280, 720), Fraction(30000, 1001), 150,
    ),
    "Zumbalamambo-emotion-morphing__src-videos_obama.mp4": (
        (640, 480), Fraction(30000, 1001), 147,
    ),
    "vincent-thevenin-Realistic-Neural-Talking-Head-Models__examples_fine_tuning_test_video.mp4": (
        (224, 224), Fraction(25), 100,
    ),
    "rizkiarm-LipNet__evaluation_samples_GRID_brbk7n.mpg": ((360, 288), Fraction(25), 75),
    # of variable rate: 135 pictures on a grid of 30 a second, 498 with one gap of 8
    "OpenTalker-video-retalking__examples_face_1.mp4": ((700, 700), Fraction(30), 183),
    "MrWhite429-face_simulate__data_trump.mp4": ((352, 392), Fraction(30), 505),
}  # fmt: skip


@pytest.mark.parametrize("name", CLIPS)
def test_there_and_back(footage: Path, tmp_path: Path, name: str) -> None:
    size, fps, count = CLIPS[name]
    source = footage / "clips" / name
    clip = probe(source)
    assert ((clip.width, clip.height), clip.fps, clip.frame_count) == (size, fps, count)
    output = tmp_path / "out.mp4"
    segments = []
    for part, start in enumerate(range(0, count, 64)):
        segments.append(segment_path(tmp_path, part, output))
        with SegmentWriter(segments[-1], clip, output, wish=Wish(preset="veryfast")) as writer:
            for frame in read_frames(clip, start, min(64, count - start)):
                writer.write(frame)
    assemble(segments, output, clip, count, Sound(source))
    for before, after in zip(read_frames(clip), read_frames(probe(output)), strict=True):
        assert np.abs(before.astype(int) - after).mean() < 2
    capture = cv2.VideoCapture(str(output))
    assert sum(1 for _ in iter(lambda: capture.read()[0], False)) == count
    own, written = require_speech(read_audio(source)), read_audio(output)
    shared = min(len(own), len(written))
    assert np.corrcoef(own[:shared], written[:shared])[0, 1] > 0.98


def test_every_clip_can_be_read(footage: Path) -> None:
    for path in sorted((footage / "clips").glob("*.mp*")):
        clip = probe(path)
        capture = cv2.VideoCapture(str(path))
        if clip.fps == Fraction(capture.get(cv2.CAP_PROP_FPS)).limit_denominator(1001):
            assert clip.frame_count == int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), path.name
        assert len(list(read_frames(clip, max(0, clip.frame_count - 3)))) == min(
            3, clip.frame_count
        )
        require_speech(read_audio(path))
