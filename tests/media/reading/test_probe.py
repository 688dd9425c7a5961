"""Rates, counts, sizes and rotation against media whose every property is known."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.media import probe, read_frames
from gsmooth_core.media.reading.timing import make_timing
from tests.media.made import ffmpeg, number_in, numbered_frames, write_video

RATES = [
    Fraction(22131, 1000),
    Fraction(24000, 1001),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(60000, 1001),
]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("fps", RATES, ids=str)
def test_rate_and_count_are_exact(tmp_path, fps, suffix):
    path = write_video(tmp_path / f"clip{suffix}", numbered_frames(37), fps)
    clip = probe(path)
    assert (clip.fps, clip.frame_count) == (fps, 37)
    assert [number_in(frame) for frame in read_frames(clip)] == list(range(37))


@pytest.mark.parametrize("suffix", [".mov", ".avi", ".ts", ".mpg", ".flv", ".m4v", ".h264"])
def test_other_containers(tmp_path, suffix):
    codec = ["-c:v", "mpeg2video", "-q:v", 2] if suffix in (".mpg",) else []
    path = write_video(tmp_path / f"clip{suffix}", numbered_frames(30), 25, *codec)
    clip = probe(path)
    assert (clip.fps, clip.frame_count) == (25, 30)
    assert [number_in(frame) for frame in read_frames(clip)] == list(range(30))


@pytest.mark.parametrize("kept", [1.0, 0.9])
def test_places_of_b_frames_in_avi_are_no_lost_pictures(tmp_path, kept):
    options, late = ["-c:v", "mpeg4", "-q:v", 2, "-bf", 2], "setpts=PTS+2/25/TB"
    whole = write_video(tmp_path / "whole.avi", numbered_frames(30), 25, *options, vf=late)
    path, content = tmp_path / "b.avi", whole.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    clip = probe(path)
    assert clip.frame_count + clip.missing_frames == 30
    assert (clip.frame_count == 30) == (kept == 1)


@pytest.mark.parametrize("count", [1, 2])
def test_very_short_clips(tmp_path, count):
    clip = probe(write_video(tmp_path / "short.mp4", numbered_frames(count), RATES[3]))
    assert (clip.fps, clip.frame_count, clip.still) == (RATES[3], count, False)
    assert len(list(read_frames(clip))) == count


def test_variable_rate_repeats_the_picture_in_the_gaps(tmp_path):
    path = write_video(
        tmp_path / "vfr.mp4", numbered_frames(40), 25,
        *("-fps_mode", "vfr"), vf="select='not(between(mod(n,10),4,6))'",
    )  # fmt: skip
    clip = probe(path)
    shown = [k if not 4 <= k % 10 <= 6 else k - k % 10 + 3 for k in range(40)]
    assert (clip.fps, clip.frame_count) == (25, 40)
    assert [number_in(frame) for frame in read_frames(clip)] == shown
    assert [number_in(frame) for frame in read_frames(clip, 5, 12)] == shown[5:17]


def test_jitter_below_half_a_frame_keeps_every_picture(tmp_path):
    path = write_video(
        tmp_path / "jitter.mp4", numbered_frames(40), 25,
        *("-fps_mode", "passthrough", "-enc_time_base", "1:90000"),
        vf="settb=1/90000,setpts='PTS+900*sin(7*N)'",
    )  # fmt: skip
    clip = probe(path)
    assert (clip.fps, clip.frame_count) == (25, 40)
    assert [number_in(frame) for frame in read_frames(clip)] == list(range(40))


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_rotation_tag_is_applied(tmp_path, angle):
    flat = write_video(tmp_path / "flat.mp4", numbered_frames(3))
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", angle, "-i", flat, "-c", "copy", turned)
    clip = probe(turned)
    assert (clip.width, clip.height) == ((64, 96) if angle != 180 else (96, 64))
    for got, upright in zip(read_frames(clip), read_frames(probe(flat)), strict=True):
        expected = np.rot90(upright, angle // 90)
        assert np.abs(got.astype(int) - expected).mean() < 2


def test_pixel_shape_is_kept(tmp_path):
    clip = probe(write_video(tmp_path / "wide.mp4", numbered_frames(2), 25, vf="setsar=16/11"))
    assert (clip.width, clip.height, clip.sample_aspect) == (96, 64, Fraction(16, 11))


@pytest.mark.parametrize("size", [(641, 359), (16, 16), (64, 96)])
def test_sizes(tmp_path, size):
    clip = probe(write_video(tmp_path / "size.mp4", numbered_frames(2, *size)))
    assert (clip.width, clip.height) == size
    assert next(read_frames(clip)).shape == (size[1], size[0], 3)


def test_edit_list_hides_the_pictures_before_the_cut(tmp_path):
    whole = write_video(tmp_path / "whole.mp4", numbered_frames(60), 25, "-g", 20, tone=2.4)
    cut = tmp_path / "cut.mp4"
    ffmpeg("-ss", "1.2", "-i", whole, "-c", "copy", cut)
    clip = probe(cut)
    assert [number_in(frame) for frame in read_frames(clip)] == list(range(30, 60))
    assert clip.frame_count == 30


def test_negative_and_late_time_stamps(tmp_path):
    whole = write_video(tmp_path / "whole.mp4", numbered_frames(20))
    for offset in (-0.4, 3):
        shifted = tmp_path / f"shift{offset}.ts"
        ffmpeg("-i", whole, "-c", "copy", "-output_ts_offset", offset, "-copyts", shifted)
        assert [number_in(f) for f in read_frames(probe(shifted))] == list(range(20))


def test_first_of_two_picture_streams(tmp_path):
    one = write_video(tmp_path / "one.mp4", numbered_frames(5))
    two = write_video(tmp_path / "two.mp4", numbered_frames(9, 128, 96, first=100))
    both = tmp_path / "both.mp4"
    ffmpeg("-i", one, "-i", two, "-map", 0, "-map", 1, "-c", "copy", both)
    clip = probe(both)
    assert (clip.width, clip.frame_count) == (96, 5)
    assert number_in(next(read_frames(clip))) == 0


def test_sound_is_noticed(tmp_path):
    assert probe(write_video(tmp_path / "a.mp4", numbered_frames(5), tone=0.2)).has_audio
    assert not probe(write_video(tmp_path / "b.mp4", numbered_frames(5))).has_audio


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi"])
def test_any_range_equals_the_same_part_of_the_whole(tmp_path, suffix):
    options = ["-g", 30, "-bf", 2] if suffix != ".avi" else ["-c:v", "mpeg4", "-q:v", 2]
    clip = probe(write_video(tmp_path / f"c{suffix}", numbered_frames(150), 25, *options))
    whole = list(read_frames(clip))
    for start, count in ((0, 3), (1, 1), (59, 4), (97, 10), (149, 1), (150, 0)):
        part = list(read_frames(clip, start, count))
        assert len(part) == count
        for got, expected in zip(part, whole[start : start + count], strict=True):
            assert np.array_equal(got, expected)


def test_millisecond_clock_cannot_hide_the_rate():
    fps = Fraction(24000, 1001)
    stamps = np.array([round(1000 * k / fps) for k in range(50_000)], np.int64)
    timing = make_timing(stamps, Fraction(1, 1000), fps)
    assert timing.fps == fps
    assert timing.constant


def test_a_long_gap_lasts_as_long_in_frames():
    stamps = np.array([*range(0, 20), *range(120, 140)], np.int64) * 40
    timing = make_timing(stamps, Fraction(1, 1000), None)
    assert timing.fps == 25
    assert len(timing.source_index) == 140
    assert (timing.source_index[20:119] == 19).all()
