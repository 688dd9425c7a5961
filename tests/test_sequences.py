"""Numbered images through a whole dub, read by PyAV: every sample outside the mask stays."""

from fractions import Fraction

import av
import numpy as np
import pytest

from gsmooth_core.dub import dub
from gsmooth_core.errors import InputError
from gsmooth_core.job.job import Job
from gsmooth_core.job.settings import DubSettings
from tests.clips import curves, pictures
from tests.media import made

COUNT, TOP = 3, 56
SETTINGS = DubSettings(preset="ultrafast", occluders=False, style=False)


def sequence(folder, suffix, pixels, first):
    shown = np.array(pictures()[:COUNT])
    alpha = np.full((*shown.shape[:3], 1), 255, np.uint8)
    alpha[:, :20] = 90
    pattern = folder / f"shot.%04d.{suffix}"
    made.ffmpeg(
        *("-f", "rawvideo", "-pix_fmt", "rgba", "-video_size", "256x240", "-i", "pipe:0"),
        *("-pix_fmt", pixels, "-strict", "unofficial", "-q:v", 1, "-start_number", first, pattern),
        stdin=np.concatenate([shown, alpha], -1).tobytes(),
    )
    return pattern


def read(path):
    with av.open(str(path)) as file:
        frame = next(file.decode(video=0))
        rows = [np.frombuffer(p, np.uint8).reshape(p.height, -1)[:TOP] for p in frame.planes]
        return frame.format.name, b"".join(row.tobytes() for row in rows)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "pixels", "to"),
    [
        ("exr", "gbrapf32le", "exr"),
        ("exr", "gbrpf32le", "exr"),
        ("png", "rgba64be", "png"),
        ("png", "rgb24", "png"),
        ("tif", "rgb48le", "tif"),
    ],
)
def test_images_become_images_of_the_same_numbers(suffix, pixels, to, tmp_path):
    pattern = sequence(tmp_path, suffix, pixels, 1001)
    spoken = curves(tmp_path / "curves.json", 0.3 * np.ones(COUNT))
    output = tmp_path / "out" / f"new.%04d.{to}"
    result = dub(Job(pattern, output, expression=spoken, settings=SETTINGS), tmp_path / "job")
    assert (result.frames, result.fps, result.notices) == (COUNT, "25/1", [])
    assert result.outside_mask_max_difference == 0
    assert len(list((tmp_path / "out").iterdir())) == COUNT
    for number in range(1001, 1001 + COUNT):
        old = read(tmp_path / f"shot.{number}.{suffix}")
        new = read(tmp_path / "out" / f"new.{number}.{to}")
        assert old == new


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "pixels", "to", "told"),
    [
        ("exr", "gbrpf32le", "mov", ["depth", "range"]),
        ("png", "rgb24", "mp4", ["chroma"]),
        ("jpg", "yuvj444p", "mov", []),
        ("png", "rgba64be", "jpg", ["depth", "alpha"]),
    ],
)
def test_images_become_what_the_output_holds_and_losses_are_told(
    suffix, pixels, to, told, tmp_path
):
    pattern, events = sequence(tmp_path, suffix, pixels, 7), []
    spoken = curves(tmp_path / "curves.json", 0.3 * np.ones(COUNT))
    output = tmp_path / ("out.%02d.jpg" if to == "jpg" else f"out.{to}")
    rate = Fraction(24000, 1001)
    job = Job(pattern, output, expression=spoken, fps=rate, settings=SETTINGS)
    result = dub(job, tmp_path / "job", events.append)
    assert (result.frames, result.fps) == (COUNT, "24000/1001")
    assert sorted(e.what for e in events if e.event == "notice") == sorted(told)


def test_a_gap_ends_before_any_work(tmp_path):
    pattern = sequence(tmp_path, "png", "rgb24", 1)
    (tmp_path / "shot.0002.png").unlink()
    job = Job(pattern, tmp_path / "o.mp4", expression=curves(tmp_path / "c.json", [0.1]))
    with pytest.raises(InputError, match="missing"):
        dub(job, tmp_path / "job")
