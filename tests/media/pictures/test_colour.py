"""Colours survive reading and writing, whatever the pixel format, matrix and range."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.errors import MediaError
from gsmooth_core.media import SegmentWriter, assemble, probe, read_frames, segment_path
from gsmooth_core.media.encoding.encoders import Wish
from gsmooth_core.media.pictures.colour import to_rgb
from gsmooth_core.media.reading.probe import probe_source
from tests.media.made import ffmpeg, number_in, numbered_frames, write_video

PATCHES = np.array(
    [[200, 60, 60], [60, 180, 70], [50, 80, 190], [220, 190, 160], [30, 30, 30], [128, 128, 128]]
)

# name: pixel format, encoder matrix / range, tags written into the file
SOURCES = {
    "untagged 601": ("yuv420p", "bt601", "tv", []),
    "709": ("yuv420p", "bt709", "tv", ["-colorspace", "bt709"]),
    "601 tagged": ("yuv420p", "bt601", "tv", ["-colorspace", "smpte170m"]),
    "2020 10 bit": ("yuv420p10le", "bt2020", "tv", ["-colorspace", "bt2020nc"]),
    "full range": ("yuv420p", "bt601", "pc", ["-color_range", "pc"]),
    "4:2:2": ("yuv422p", "bt709", "tv", ["-colorspace", "bt709"]),
    "4:2:2 10 bit": ("yuv422p10le", "bt709", "tv", ["-colorspace", "bt709"]),
    "4:4:4": ("yuv444p", "bt709", "tv", ["-colorspace", "bt709"]),
}


def patches(count: int = 2) -> np.ndarray:
    picture = np.repeat(np.repeat(PATCHES[None], 32, 0), 32, 1)  # (32, 192, 3)
    return np.repeat(picture[None], count, 0).astype(np.uint8)


def patch_means(frame: np.ndarray) -> np.ndarray:
    cells = frame.reshape(32, len(PATCHES), 32, 3)[8:24, :, 8:24]
    return cells.astype(float).mean(axis=(0, 2))


def write_tagged(path: Path, kind: str) -> Path:
    pixels, matrix, span, tags = SOURCES[kind]
    tagged = {"-colorspace": "colorspace", "-color_range": "range"}
    flags = "accurate_rnd+full_chroma_int+full_chroma_inp"
    params = ":".join(f"{tagged[k]}={v}" for k, v in zip(tags[::2], tags[1::2], strict=True))
    vf = f"scale=out_color_matrix={matrix}:out_range={span}:flags={flags},format={pixels}"
    untag = "colorspace=unknown" if "-colorspace" not in tags else "range=" + span
    vf += f",setparams={untag}:{params}".rstrip(":")
    return write_video(path, patches(), 25, "-pix_fmt", pixels, "-crf", 1, *tags, vf=vf)


def rewrite(folder: Path, source: Path, output: Path) -> Path:
    clip = probe(source)
    segment = segment_path(folder, 0, output)
    with SegmentWriter(segment, clip, output, wish=Wish(crf=4)) as writer:
        for frame in read_frames(clip):
            writer.write(frame)
    return assemble([segment], output, clip, clip.frame_count)


@pytest.mark.parametrize("kind", SOURCES)
def test_colours_are_read_right_and_written_back(tmp_path, kind):
    source = write_tagged(tmp_path / "in.mp4", kind)
    read = patch_means(next(read_frames(probe(source))))
    assert np.abs(read - PATCHES).max() < 3
    output = rewrite(tmp_path, source, tmp_path / "out.mp4")
    again = patch_means(next(read_frames(probe(output))))
    assert np.abs(again - read).max() < 2
    was, now = probe_source(source).picture, probe_source(output).picture
    assert (was.matrix, was.full_range) == (now.matrix, now.full_range)
    assert now.pixel_format.startswith(was.pixel_format.removesuffix("10le"))


def test_hdr_keeps_ten_bits_and_its_curve(tmp_path):
    params = "setparams=color_trc=smpte2084:colorspace=bt2020nc:color_primaries=bt2020"
    source = write_video(
        tmp_path / "hdr.mp4", patches(), 25, "-pix_fmt", "yuv420p10le",
        vf=f"scale=out_color_matrix=bt2020,format=yuv420p10le,{params}",
    )  # fmt: skip
    now = probe_source(rewrite(tmp_path, source, tmp_path / "out.mp4")).picture
    assert (now.pixel_format, now.transfer) == ("yuv420p10le", "smpte2084")


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("rgba.mov", "png", "rgba"),
        ("rgb.mov", "qtrle", "rgb24"),
        ("gray.mkv", "ffv1", "gray"),
        ("gray10.mkv", "ffv1", "gray10le"),
        ("alpha.mov", "prores_ks", "yuva444p10le"),
        ("planar.mkv", "ffv1", "gbrp"),
    ],
)
def test_unusual_pixels(tmp_path, name, codec, pixels):
    source = write_video(tmp_path / name, numbered_frames(4), 25, "-c:v", codec, "-pix_fmt", pixels)
    output = rewrite(tmp_path, source, tmp_path / "out.mp4")
    before, after = list(read_frames(probe(source))), list(read_frames(probe(output)))
    assert [number_in(frame) for frame in after] == [0, 1, 2, 3]
    if "gray" not in name:
        plain = numbered_frames(4)
        assert np.abs(np.array(before).astype(int) - plain)[:, 40:].mean() < 3
    assert abs(np.mean(np.array(after).astype(int) - np.array(before))) < 1


def test_interlaced_becomes_progressive_one_to_one(tmp_path):
    fields = np.repeat(numbered_frames(20), 2, axis=0)
    for k, field in enumerate(fields):
        field[32:] = 20
        field[32:, 2 * k : 2 * k + 14] = 235  # a bar that moves on in every field
    source = write_video(
        tmp_path / "tff.mp4", fields, 50, "-flags", "+ilme+ildct", "-x264opts", "tff=1",
        vf="tinterlace=mode=interleave_top,setfield=tff",
    )  # fmt: skip
    clip = probe(source)
    assert (clip.frame_count, clip.fps) == (20, 25)
    frames = list(read_frames(clip))
    assert [number_in(frame) for frame in frames] == list(range(20))
    assert np.array_equal(next(read_frames(clip, 7, 1)), frames[7])
    woven = fields[0::2].copy()
    woven[:, 1::2] = fields[1::2, 1::2]
    assert combing(np.array(frames)) < 0.4 * combing(woven)


def combing(frames: np.ndarray) -> float:
    """Mean difference of neighbouring lines within the moving bar's rows."""
    return float(np.abs(np.diff(frames[2:-2, 36:60, :, 0].astype(int), axis=1)).mean())


@pytest.mark.parametrize(("size", "expected"), [((96, 64), "yuv420p"), ((97, 64), "yuv444p")])
def test_odd_sizes_are_kept_exactly(tmp_path, size, expected):
    source = write_video(
        tmp_path / "in.mkv", numbered_frames(3, *size), 25, "-c:v", "ffv1", "-pix_fmt", "bgr0"
    )
    output = rewrite(tmp_path, source, tmp_path / "out.mp4")
    clip = probe(output)
    assert (clip.width, clip.height) == size
    assert probe_source(output).picture.pixel_format == expected


def test_size_change_in_the_middle_is_refused_with_the_place(tmp_path):
    small = write_video(tmp_path / "a.ts", numbered_frames(10))
    large = write_video(tmp_path / "b.ts", numbered_frames(10, 128, 96, first=10))
    both = tmp_path / "both.ts"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    shapes = {frame.shape for frame in read_frames(probe(both), 0, 10)}
    assert shapes == {(64, 96, 3)}
    with pytest.raises(MediaError, match="change their size at frame 10"):
        list(read_frames(probe(both)))


def test_webp_and_gif(tmp_path):
    png = tmp_path / "one.png"
    ffmpeg("-f", "lavfi", "-i", "color=red:s=40x30", "-frames:v", 1, png)
    for name in ("one.webp", "one.gif", "one.bmp", "one.tiff", "one.jpg"):
        ffmpeg("-i", png, tmp_path / name)
        frame = next(read_frames(probe(tmp_path / name)))
        assert frame.shape == (30, 40, 3)
        assert np.abs(frame.astype(int).mean(axis=(0, 1)) - (254, 0, 0)).max() < 6


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p10le", "gray"])
def test_pictures_are_bit_by_bit_what_the_scaler_makes_of_them(tmp_path, pixels):
    """The way over planes is only quicker; ffmpeg's own packed RGB is the oracle."""
    noise = np.random.default_rng(0).integers(0, 256, (3, 50, 62, 3)).astype(np.uint8)
    video, raw = tmp_path / "in.mkv", tmp_path / "out.rgb"
    write_video(video, noise, 25, "-c:v", "ffv1", "-pix_fmt", pixels)
    picture = probe_source(video).picture
    filters = ",".join(to_rgb(picture))
    ffmpeg("-i", video, "-vf", filters, "-f", "rawvideo", "-pix_fmt", "rgb24", raw)
    wanted = np.fromfile(raw, np.uint8).reshape(noise.shape)
    assert np.array_equal(np.stack(list(read_frames(probe(video)))), wanted)
