"""Odd sizes with coarse colour: codecs that take them keep every sample, others get them right."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from gsmooth_core.media import probe
from gsmooth_core.media.encoding.encode import SegmentWriter
from gsmooth_core.media.encoding.encoders import Wish
from gsmooth_core.media.pictures.decode import read_planes
from gsmooth_core.media.reading.probe import probe_source
from tests.media import made

LOSSLESS = {"ffv1": ("mkv", Wish()), "vp9": ("webm", Wish(codec="vp9", quality="lossless"))}


def _source(folder: Path, width: int, height: int) -> Path:
    """Three soft pictures of all colours, in 4:2:0."""
    small = np.random.default_rng(2).integers(0, 256, (3, 6, 8, 3)).astype(np.uint8)
    frames = [cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR) for part in small]
    options = ("-c:v", "ffv1", "-pix_fmt", "yuv420p")
    return made.write_video(folder / "source.mkv", np.array(frames), 25, *options)


def _written(source: Path, output: Path, wish: Wish) -> Path:
    clip = probe(source)
    with SegmentWriter(output, clip, output, wish=wish, stored=True) as writer:
        for picture in read_planes(clip):
            writer.write(picture)
    return output


@pytest.mark.parametrize("size", [(65, 49), (64, 49), (65, 48)])
@pytest.mark.parametrize("codec", LOSSLESS)
def test_codecs_that_take_odd_sizes_keep_every_sample(
    codec: str, size: tuple[int, int], tmp_path: Path
) -> None:
    suffix, wish = LOSSLESS[codec]
    source = _source(tmp_path, *size)
    output = _written(source, tmp_path / f"out.{suffix}", wish)
    assert probe_source(output).picture.pixel_format == "yuv420p"
    pairs = zip(read_planes(probe(source)), read_planes(probe(output)), strict=True)
    for old, new in pairs:
        for one, other in zip(old.planes, new.planes, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("size", [(65, 49), (65, 48)])
def test_colour_is_not_stretched_where_it_becomes_finer(
    size: tuple[int, int], tmp_path: Path
) -> None:
    """Each sample of colour belongs to two by two pixels, the last one of a row to fewer."""
    source = _source(tmp_path, *size)
    wish = Wish(codec="h264", quality="lossless")
    output = _written(source, tmp_path / "out.mp4", wish)
    assert probe_source(output).picture.pixel_format == "yuv444p"
    for old, new in zip(read_planes(probe(source)), read_planes(probe(output)), strict=True):
        np.testing.assert_array_equal(old.planes[0], new.planes[0])
        for coarse, fine in zip(old.planes[1:], new.planes[1:], strict=True):
            whole = np.pad(fine, ((0, size[1] % 2), (0, size[0] % 2)), "edge").astype(float)
            again = whole.reshape(coarse.shape[0], 2, coarse.shape[1], 2).mean((1, 3))
            off = np.abs(again - coarse)
            assert off.mean() < 1.0
            assert off[:, -1].max() < 8
