"""A part of each picture is read as it is in the whole one, and the rest of it is black."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.media import probe, read_frames
from tests.media import made

EDGE = 8  # pixels at which colour is brought in from beyond the box
WIDTH, HEIGHT = 96, 64


def noise(path, *options, width=WIDTH, height=HEIGHT, name="noise.mp4"):
    frames = np.random.default_rng(1).integers(0, 255, (5, height, width, 3), np.uint8)
    return probe(made.write_video(path / name, frames, 25, *options))


@pytest.mark.parametrize(
    "options",
    [
        ("-pix_fmt", "yuv420p"),
        ("-pix_fmt", "yuv444p"),
        ("-pix_fmt", "yuv422p10le"),
        ("-pix_fmt", "yuv420p", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"),
        ("-c:v", "libx264rgb", "-pix_fmt", "rgb24"),
    ],
)
@pytest.mark.parametrize("box", [(16, 8, 72, 64), (0, 24, 94, 48), (40, 0, 96, 40)])
def test_it_is_what_it_is_in_the_whole_picture(tmp_path, options, box) -> None:
    clip, (x0, y0, x1, y1) = noise(tmp_path, *options), box
    whole, parts = list(read_frames(clip, 1, 3)), list(read_frames(clip, 1, 3, box))
    rows = slice(y0 + EDGE * (y0 > 0), y1 - EDGE * (y1 < HEIGHT))
    columns = slice(x0 + EDGE * (x0 > 0), x1 - EDGE * (x1 < WIDTH))
    assert len(parts) == 3
    for frame, part in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(part[rows, columns], frame[rows, columns])
        rest = part.copy()
        rest[y0:y1, x0:x1] = 0
        assert part.shape == frame.shape
        assert not rest.any()


@pytest.mark.parametrize("kept", ["yuv410p", "yuv411p"])
def test_pictures_with_little_colour_are_read_as_a_whole(tmp_path, kept) -> None:
    """A crop is rounded to whole pixels of colour, and would be stretched."""
    clip = noise(tmp_path, "-c:v", "ffv1", "-pix_fmt", kept, name="n.mkv", width=98)
    pairs = zip(read_frames(clip), read_frames(clip, box=(18, 8, 98, 62)), strict=True)
    for frame, part in pairs:
        np.testing.assert_array_equal(frame, part)


def test_pictures_of_an_odd_size_are_read_as_a_whole(tmp_path) -> None:
    clip = noise(tmp_path, width=95)
    pairs = zip(read_frames(clip), read_frames(clip, box=(16, 8, 72, 64)), strict=True)
    for frame, part in pairs:
        np.testing.assert_array_equal(frame, part)
