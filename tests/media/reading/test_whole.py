"""Images that were cut off are named, and never left out so that the next one takes their place."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.errors import MediaError
from gsmooth_core.media import probe, read_frames
from gsmooth_core.media.reading.sequences import pack, sequence_of
from gsmooth_core.media.reading.whole import is_whole, size_of
from tests.media import made

COUNT, WIDTH, HEIGHT = 4, 48, 37
KINDS = {
    "png": ("rgb24",),
    "tif": ("rgb24",),
    "jpg": ("yuvj444p",),
    "dpx": ("gbrp10le",),
    "exr": ("gbrpf32le", "-compression", "zip16"),
}


def images(folder: Path, kind: str) -> Path:
    pattern, (pixels, *more) = folder / f"shot.%04d.{kind}", KINDS[kind]
    noise = np.random.default_rng(0).integers(0, 255, (COUNT, HEIGHT, WIDTH, 3), np.uint8)
    made.ffmpeg(
        *("-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", f"{WIDTH}x{HEIGHT}"),
        *("-i", "pipe:0", "-pix_fmt", pixels, "-strict", "unofficial", *more),
        *("-start_number", 8, pattern),
        stdin=noise.tobytes(),
    )
    return pattern


@pytest.mark.parametrize("cut", [0.4, 0.98])
@pytest.mark.parametrize("kind", KINDS)
def test_a_sequence_with_an_image_that_was_cut_off_is_refused(kind, cut, tmp_path):
    pattern, target = images(tmp_path, kind), tmp_path / "sequence_8.mov"
    broken = tmp_path / f"shot.0010.{kind}"
    data = broken.read_bytes()
    broken.write_bytes(data[: int(cut * len(data))])
    found = sequence_of(pattern)
    assert found is not None
    with pytest.raises(MediaError, match=r"0010|number 10,"):
        pack(found, target, Fraction(25), shown_as_video=False)
        list(read_frames(probe(target), 0, COUNT - 1))
    broken.write_bytes(data)
    pack(found, target, Fraction(25), shown_as_video=False)
    assert len(list(read_frames(probe(target)))) == COUNT


@pytest.mark.parametrize("compression", ["none", "rle", "zip1", "zip16"])
def test_an_exr_of_each_compression(compression, tmp_path):
    coded = ("-pix_fmt", "gbrapf32le", "-compression", compression)
    path = tmp_path / "a.exr"
    made.ffmpeg("-f", "lavfi", "-i", "testsrc=size=48x37", "-frames:v", 1, *coded, path)
    data = path.read_bytes()
    assert is_whole(path)
    for size in (20, 200, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        assert not is_whole(path)


def test_an_exr_whose_writer_stopped_before_it_said_where_the_lines_lie(tmp_path):
    images(tmp_path, "exr")
    path = tmp_path / "shot.0008.exr"
    data = bytearray(path.read_bytes())
    blocks = -(-HEIGHT // 16)
    # The list of places ends where the first block begins; that place is the list's first entry.
    for begin in range(8, len(data) - 8 * blocks):
        if int.from_bytes(data[begin : begin + 8], "little") == begin + 8 * blocks:
            data[begin : begin + 8 * blocks] = bytes(8 * blocks)
            break
    path.write_bytes(bytes(data))
    assert not is_whole(path)


@pytest.mark.parametrize("kind", ["exr", "dpx"])
def test_images_of_another_size_are_refused(kind, tmp_path):
    pattern = images(tmp_path, kind)
    coded = ("-pix_fmt", KINDS[kind][0], "-strict", "unofficial")
    other = tmp_path / f"shot.0010.{kind}"
    assert size_of(other) == (WIDTH, HEIGHT)
    made.ffmpeg("-f", "lavfi", "-i", "testsrc=size=40x30", "-frames:v", 1, *coded, other)
    found = sequence_of(pattern)
    assert found is not None
    with pytest.raises(MediaError, match=r"'shot\.0010.*40 x 30.*48 x 37"):
        pack(found, tmp_path / "sequence_8.mov", Fraction(25), shown_as_video=False)
