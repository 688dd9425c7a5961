"""Little files that mean endless work, and files that end too soon: bounded, and said in words."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.errors import GSmoothError, InputError, MediaError
from gsmooth_core.job.job import Job
from gsmooth_core.media import Sound, assemble, probe, read_audio, read_frames, segment_path
from gsmooth_core.media.encoding.encode import SegmentWriter
from gsmooth_core.media.encoding.encoders import Wish
from gsmooth_core.media.pictures.decode import in_words
from tests.media.made import (
    ffmpeg,
    number_in,
    numbered_frames,
    speechlike,
    write_video,
    write_wav,
)

LATER = "if(gt(N\\,{n})\\,{x}+{seconds}/TB\\,{x})"


def with_a_hole(source: Path, target: Path, stream: str, after: int, seconds: float) -> Path:
    """`source` with packets from number `after` on so many seconds later."""
    stamps = ":".join(
        f"{name}={LATER.format(n=after, x=x, seconds=seconds)}"
        for name, x in (("pts", "PTS"), ("dts", "DTS"))
    )
    ffmpeg("-i", source, "-c", "copy", f"-bsf:{stream}", f"setts={stamps}", target)
    return target


@pytest.mark.parametrize("seconds", [1e7, 2e5])
def test_a_last_picture_months_later(tmp_path, seconds):
    source = write_video(tmp_path / "v.mp4", numbered_frames(12), 25, "-bf", 0)
    late = with_a_hole(source, tmp_path / "late.mkv", "v", 10, seconds)
    with pytest.raises(MediaError, match="hours"):
        probe(late)


def test_hours_of_nothing_in_a_little_sound(tmp_path):
    wave = write_wav(tmp_path / "w.wav", speechlike(0.5), 16000)
    ffmpeg("-i", wave, "-c:a", "libopus", tmp_path / "short.mkv")
    late = with_a_hole(tmp_path / "short.mkv", tmp_path / "late.mkv", "a", 10, 36_000)
    assert late.stat().st_size < 10_000
    with pytest.raises(MediaError, match="longer than 4 hours"):
        read_audio(late)
    assert len(read_audio(late, duration=2.0)) <= 32_000


def test_a_hole_beyond_the_picture_does_not_matter(tmp_path):
    """The output's sound is read no further than it is heard; test_bombs measures the memory."""
    wave = write_wav(tmp_path / "w.wav", speechlike(0.5), 16000)
    ffmpeg("-i", wave, "-c:a", "libopus", tmp_path / "short.mkv")
    late = with_a_hole(tmp_path / "short.mkv", tmp_path / "late.mkv", "a", 10, 80_000)
    clip = probe(write_video(tmp_path / "v.mp4", numbered_frames(10)))
    output = tmp_path / "o.mp4"
    segment = segment_path(tmp_path, 0, output)
    with SegmentWriter(segment, clip, output, wish=Wish(preset="ultrafast")) as writer:
        for frame in read_frames(clip):
            writer.write(frame)
    assemble([segment], output, clip, 10, Sound(late))
    assert probe(output).has_audio
    assert probe(output).frame_count == 10


@pytest.mark.parametrize("rate", [1, 1999, 999_983])
def test_rates_at_which_nobody_speaks(tmp_path, rate):
    path = write_wav(tmp_path / "w.wav", speechlike(0.5), 16000)
    data = bytearray(path.read_bytes())
    data[24:28] = struct.pack("<I", rate)
    path.write_bytes(data)
    with pytest.raises(MediaError, match=f"{rate} samples a second"):
        read_audio(path)


def png(path: Path, width: int, height: int) -> Path:
    """The beginning of a picture of that size, and hardly anything of its content."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


@pytest.mark.parametrize("size", [(30_000, 30_000), (2**31 - 1, 1), (20_000, 8_000)])
def test_pictures_larger_than_anybody_means(tmp_path, size):
    with pytest.raises(MediaError, match="too large"):
        probe(png(tmp_path / "p.png", *size))


@pytest.mark.parametrize(
    "values", [{"frame_count": 10**12}, {"start_frame": 10**18}, {"audio_delay": 1e9}]
)
def test_jobs_longer_than_a_day(values):
    content = {"kind": "gsmooth-job", "version": 1, "video": "a.png", "output": "b.mp4"}
    with pytest.raises(InputError, match=next(iter(values))):
        Job.from_json(content | values)


@pytest.mark.parametrize("share", [0.6, 0.7, 0.85])
@pytest.mark.parametrize("kind", ["mp4", "mov", "avi", "mkv"])
def test_a_video_that_was_cut_off_is_used_as_far_as_it_goes(tmp_path, kind, share):
    options = ["-c:v", "mpeg4", "-q:v", 2] if kind == "avi" else ["-movflags", "faststart"]
    options += ["-bf", 0, "-g", 10]  # with B-frames the last picture of a torn file may be ahead
    whole = write_video(tmp_path / f"whole.{kind}", numbered_frames(60), 25, *options)
    cut = tmp_path / f"cut.{kind}"
    cut.write_bytes(whole.read_bytes()[: int(share * whole.stat().st_size)])
    clip = probe(cut)
    shown = [number_in(frame) for frame in read_frames(clip)]
    assert shown[:-1] == list(range(len(shown) - 1))  # the last one may be torn itself
    assert 5 < len(shown) == clip.frame_count < 60
    assert clip.frame_count + clip.missing_frames == 60
    assert f"{clip.frame_count} of 60 frames" in (in_words(clip) or "")


def test_a_whole_video_has_no_such_words(tmp_path):
    for kind in ("mp4", "mkv", "avi", "ts"):
        clip = probe(write_video(tmp_path / f"v.{kind}", numbered_frames(30), 25, tone=1.2))
        assert (clip.missing_frames, in_words(clip)) == (0, None), kind


@pytest.mark.parametrize("change", ["appended", "replaced", "touched", "removed"])
def test_a_source_that_changes_during_the_reading_is_noticed(tmp_path, change):
    path = write_video(tmp_path / "v.mp4", numbered_frames(20))
    clip = probe(path)
    frames = read_frames(clip)
    next(frames)
    if change == "appended":
        with path.open("ab") as file:
            file.write(b"more")
    elif change == "replaced":
        write_video(tmp_path / "w.mp4", numbered_frames(20, first=50)).replace(path)
    elif change == "touched":
        os.utime(path, ns=(1, 1))
    else:
        path.unlink()
    with pytest.raises(GSmoothError):
        assert len(list(frames)) < 19


def test_a_picture_that_changes_its_size_midway(tmp_path):
    parts = [
        write_video(tmp_path / f"{width}.ts", numbered_frames(10, width, height))
        for width, height in ((96, 64), (128, 96))
    ]
    both = tmp_path / "both.ts"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    clip = probe(both)
    assert np.isfinite(clip.duration)
    with pytest.raises(MediaError, match="at frame 10"):
        list(read_frames(clip))
