"""What is written has the source's frames, rate, size and length, and is there whole or not."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from gsmooth_core.errors import InputError, MediaError
from gsmooth_core.media import (
    SegmentWriter,
    Sound,
    assemble,
    probe,
    read_audio,
    read_frames,
    segment_path,
)
from gsmooth_core.media.encoding.encode import write_error
from gsmooth_core.media.encoding.encoders import Wish, encoder_for
from gsmooth_core.media.reading.probe import probe_source
from tests.media.made import (
    ffmpeg,
    number_in,
    numbered_frames,
    speechlike,
    write_video,
    write_wav,
)


def write_segments(
    folder: Path, source: Path, output: Path, chunk: int = 16, crf: int = 14
) -> list[Path]:
    clip = probe(source)
    segments = []
    for index, start in enumerate(range(0, clip.frame_count, chunk)):
        segments.append(segment_path(folder, index, output))
        with SegmentWriter(
            segments[-1], clip, output, wish=Wish(crf=crf, preset="veryfast")
        ) as writer:
            for frame in read_frames(clip, start, min(chunk, clip.frame_count - start)):
                writer.write(frame)
    return segments


@pytest.fixture
def job(tmp_path) -> Path:
    folder = tmp_path / "job"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("fps", "suffix"),
    [
        (Fraction(22131, 1000), ".mp4"),
        (Fraction(22131, 1000), ".mkv"),
        (Fraction(24000, 1001), ".webm"),
        (Fraction(25), ".mov"),
        (Fraction(30000, 1001), ".mp4"),
        (Fraction(30000, 1001), ".mkv"),
        (Fraction(60000, 1001), ".mp4"),
    ],
)
def test_joined_segments_are_exact(tmp_path, job, fps, suffix):
    source = write_video(tmp_path / "in.mp4", numbered_frames(75), fps, vf="setsar=4/3")
    output = tmp_path / f"out{suffix}"
    segments = write_segments(job, source, output, chunk=13)
    sound = Sound(write_wav(tmp_path / "s.wav", speechlike(1.0, 44100), 44100))
    assemble(segments, output, probe(source), 75, sound)
    clip = probe(output)
    assert (clip.frame_count, clip.fps) == (75, fps)
    assert (clip.width, clip.height, clip.sample_aspect) == (96, 64, Fraction(4, 3))
    assert [number_in(frame) for frame in read_frames(clip)] == list(range(75))
    timing = probe_source(output).timing
    assert timing is not None
    if suffix in (".mp4", ".mov"):
        assert len(set(np.diff(timing.pts))) == 1


def test_many_segments_do_not_drift(tmp_path, job):
    source = write_video(tmp_path / "in.mp4", numbered_frames(3), Fraction(24000, 1001))
    segment = write_segments(job, source, tmp_path / "o.mp4")[0]
    output = tmp_path / "o.mp4"
    assemble([segment] * 400, output, probe(source), 1200)
    timing = probe_source(output).timing
    assert timing is not None
    assert (len(timing.pts), set(np.diff(timing.pts))) == (1200, {1001})


@pytest.mark.parametrize(("start", "delay"), [(0.0, 0.0), (0.7, 0.0), (0.2, 0.3), (-0.3, 0.0)])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_stands_where_it_should_and_fills_the_picture(tmp_path, job, suffix, start, delay):
    source = write_video(tmp_path / "in.mp4", numbered_frames(50), 25)
    output = tmp_path / f"out{suffix}"
    speech = write_wav(tmp_path / "s.wav", speechlike(1.9, 48000), 48000)
    segments = write_segments(job, source, output, 50)
    assemble(segments, output, probe(source), 50, Sound(speech, start, 1.2, delay))
    audio = read_audio(output)
    expected = read_audio(speech, start=start, duration=1.2)
    assert len(audio) == pytest.approx(2.0 * 16000, abs=700)
    first = round(delay * 16000)
    heard = audio[first : first + len(expected)]
    assert np.corrcoef(heard, expected)[0, 1] > 0.99
    assert np.abs(audio[: max(0, first - 400)]).max(initial=0) < 0.01
    assert np.abs(audio[first + len(expected) + 400 :]).max(initial=0) < 0.01


def test_sound_longer_than_the_picture_is_cut(tmp_path, job):
    source = write_video(tmp_path / "in.mp4", numbered_frames(20), 25)
    speech = write_wav(tmp_path / "s.wav", speechlike(5.0), 16000)
    output = tmp_path / "out.mp4"
    assemble(write_segments(job, source, output), output, probe(source), 20, Sound(speech))
    assert len(read_audio(output)) == pytest.approx(0.8 * 16000, abs=100)


@pytest.mark.parametrize("rate", [8000, 96000, 192000])
def test_sound_with_broken_samples_or_odd_rates_is_written(tmp_path, job, rate):
    samples = speechlike(1.0, rate)
    samples[rate // 2 : rate // 2 + 99] = np.nan
    speech = write_wav(tmp_path / "s.wav", samples, rate, "pcm_f32le")
    source = write_video(tmp_path / "in.mp4", numbered_frames(25), 25)
    output = tmp_path / "out.mp4"
    assemble(write_segments(job, source, output), output, probe(source), 25, Sound(speech))
    audio = read_audio(output)
    assert np.corrcoef(audio[:16000], read_audio(speech)[:16000])[0, 1] > 0.95


def test_png_frames_are_lossless(tmp_path, job):
    source = write_video(tmp_path / "in.mp4", numbered_frames(20), 25)
    for output, first in (
        (tmp_path / "seq", "00000.png"),
        (tmp_path / "p" / "a%3d.png", "a000.png"),
    ):
        segments = write_segments(job, source, output, 8)
        speech = write_wav(tmp_path / "s.wav", speechlike(0.5), 16000)
        folder = assemble(segments, output, probe(source), 20, Sound(speech))
        images = sorted(folder.glob("*.png"))
        assert (len(images), images[0].name) == (20, first)
        for image, frame in zip(images, read_frames(probe(source)), strict=True):
            assert np.array_equal(next(read_frames(probe(image))), frame)
        assert len(read_audio(folder / "sound.wav")) == pytest.approx(0.8 * 16000, abs=2)


def test_a_folder_with_other_files_is_left_alone(tmp_path, job):
    output = tmp_path / "holiday"
    output.mkdir()
    (output / "photo.jpg").write_bytes(b"dear")
    source = write_video(tmp_path / "in.mp4", numbered_frames(3), 25)
    with pytest.raises(InputError, match="holds other files"):
        assemble(write_segments(job, source, output), output, probe(source), 3)
    assert [path.name for path in output.iterdir()] == ["photo.jpg"]


def test_a_shorter_sequence_replaces_a_longer_one(tmp_path, job):
    output = tmp_path / "frames"
    for count in (9, 5):
        source = write_video(tmp_path / f"{count}.mp4", numbered_frames(count), 25)
        segments = write_segments(job, source, output, 4)
        assemble(segments, output, probe(source), count)
    assert sorted(path.name for path in output.iterdir()) == [f"{k:05d}.png" for k in range(5)]


@pytest.mark.parametrize("size", [(641, 359), (96, 63), (16, 16)])
def test_odd_sizes(tmp_path, job, size):
    source = write_video(tmp_path / "in.mp4", numbered_frames(4, *size), 25)
    output = tmp_path / "out.mp4"
    assemble(write_segments(job, source, output), output, probe(source), 4)
    assert (probe(output).width, probe(output).height) == size
    for got, expected in zip(read_frames(probe(output)), read_frames(probe(source)), strict=True):
        assert np.abs(got.astype(int) - expected).mean() < 2


NAMES = [
    "with space.mp4",
    "quo'te\".mp4",
    "smile \N{GRINNING FACE}.mp4",
    "-dash.mp4",
    "100%d %05d.mp4",
    "new\nline.mp4",
    "co:lon?a=b&c#d.mp4",
    "x" * 250 + ".mp4",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_in_any_folder(tmp_path, name, monkeypatch):
    folder = tmp_path / name.removesuffix(".mp4")
    folder.mkdir()
    job = folder / "job"
    job.mkdir()
    source = folder / name
    write_video(source, numbered_frames(5), 25, tone=0.2)
    monkeypatch.chdir(folder)
    output = folder / ("y" * 250 + ".mp4" if name.startswith("x") else f"out {name}")
    sound = Sound(Path(name))
    assemble(write_segments(job, Path(name), output), output, probe(name), 5, sound)
    assert [number_in(frame) for frame in read_frames(probe(output))] == list(range(5))
    assert {p.name for p in folder.iterdir()} == {name, "job", output.name}


def test_unknown_suffix_is_named(tmp_path, job):
    source = write_video(tmp_path / "in.mp4", numbered_frames(2))
    with pytest.raises(InputError, match="exe"):
        SegmentWriter(job / "s", probe(source), tmp_path / "out.exe")


def test_an_unfinished_segment_leaves_nothing(tmp_path, job):
    source = write_video(tmp_path / "in.mp4", numbered_frames(4))
    for output in (tmp_path / "o.mp4", tmp_path / "frames"):
        path = segment_path(job, 0, output)
        with pytest.raises(KeyError), SegmentWriter(path, probe(source), output) as writer:
            writer.write(next(read_frames(probe(source))))
            raise KeyError("stop")
        assert list(job.iterdir()) == []


def test_wrong_frame_is_refused(tmp_path, job):
    source = write_video(tmp_path / "in.mp4", numbered_frames(4))
    with SegmentWriter(job / "s.mp4", probe(source), tmp_path / "o.mp4") as writer:
        with pytest.raises(ValueError, match="does not fit"):
            writer.write(np.zeros((10, 10, 3), np.uint8))
        writer.write(np.zeros((64, 96, 3), np.uint8))
    assert writer.frames == 1


def test_a_result_with_missing_frames_never_appears(tmp_path, job):
    source = write_video(tmp_path / "in.mp4", numbered_frames(20))
    output = tmp_path / "out.mp4"
    output.write_bytes(b"the old file")
    segments = write_segments(job, source, output, 10)
    with pytest.raises(MediaError, match="frames is 10 instead of 20"):
        assemble(segments[:1], output, probe(source), 20)
    assert output.read_bytes() == b"the old file"
    assert [p.name for p in tmp_path.iterdir() if "partial" in p.name] == []


def test_a_damaged_segment_is_an_error_not_a_file(tmp_path, job):
    source = write_video(tmp_path / "in.mp4", numbered_frames(20))
    output = tmp_path / "out.mp4"
    segments = write_segments(job, source, output, 10)
    segments[1].write_bytes(segments[1].read_bytes()[:200])
    with pytest.raises(MediaError):
        assemble(segments, output, probe(source), 20)
    assert not output.exists()


def test_folder_that_does_not_exist(tmp_path):
    source = write_video(tmp_path / "in.mp4", numbered_frames(2))
    writer = SegmentWriter(tmp_path / "nowhere" / "s.mp4", probe(source), tmp_path / "o.mp4")
    with pytest.raises(MediaError, match="could not be written"), writer:
        for frame in read_frames(probe(source)):
            writer.write(frame)


def test_oracle_reads_the_same_frames(tmp_path, job):
    """OpenCV, with its own demuxer and decoder build, sees the same numbers in the same order."""
    import cv2

    source = write_video(tmp_path / "in.mp4", numbered_frames(40), Fraction(30000, 1001))
    output = tmp_path / "out.mp4"
    assemble(write_segments(job, source, output, 7), output, probe(source), 40)
    capture = cv2.VideoCapture(str(output))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(30000 / 1001)
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 40
    numbers = [number_in(frame) for ok, frame in iter(capture.read, (False, None))]
    assert numbers == list(range(40))
    capture.release()
    ffmpeg("-xerror", "-i", output, "-f", "null", "-")


@pytest.mark.parametrize("shape", [Fraction(118, 81), Fraction(64, 45)])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_pixel_shapes_with_large_terms_survive(tmp_path, job, shape, suffix):
    """setsar rounds to terms of at most 100 unless it is told otherwise."""
    exact = f"setsar={shape.numerator}/{shape.denominator}:max=100000"
    source = write_video(tmp_path / f"in{suffix}", numbered_frames(4), 25, vf=exact)
    assert probe(source).sample_aspect == shape
    output = tmp_path / f"out{suffix}"
    assemble(write_segments(job, source, output), output, probe(source), 4)
    assert probe(output).sample_aspect == shape


def test_a_pixel_shape_that_matroska_cannot_hold_is_rounded(tmp_path, job):
    exact = "setsar=1001/1000:max=100000"
    source = write_video(tmp_path / "in.mp4", numbered_frames(4), 25, vf=exact)
    assert probe(source).sample_aspect == Fraction(1001, 1000)
    output = tmp_path / "out.mkv"
    assemble(write_segments(job, source, output), output, probe(source), 4)
    assert abs(probe(output).sample_aspect - 1) < Fraction(1, 64)


def test_what_differs_is_named(tmp_path, job):
    source = write_video(tmp_path / "in.mp4", numbered_frames(4))
    output = tmp_path / "out.mp4"
    segments = write_segments(job, source, output)
    other = dataclasses.replace(probe(source), sample_aspect=Fraction(118, 81), width=98)
    with pytest.raises(MediaError, match=r"width is 96 .* 98, its pixel shape is 1 .* 118/81"):
        assemble(segments, output, other, 4)


@pytest.mark.parametrize(
    ("codec", "option"),
    [("h264", "me=dia"), ("h264", "weightp=1"), ("hevc", "rd=2"), ("hevc", "limit-sao=1")],
)
@pytest.mark.parametrize(
    ("wish", "swift"),
    [
        (Wish(), True),
        (Wish(references=4), True),
        (Wish(preset="slow"), False),
        (Wish(preset="veryfast", trial=True), False),
        (Wish(quality="crf"), False),
        (Wish(quality="lossless"), False),
        (Wish(intra=True), False),
    ],
)
def test_only_what_nobody_asked_for_is_left_out_of_encoders(
    tmp_path, wish, swift, codec, option
) -> None:
    """The preset as such, quality by hand and single frames are the encoder's own."""
    source = probe_source(write_video(tmp_path / "c.mp4", numbered_frames(2), 25))
    arguments = encoder_for(codec, "yuv420p", source, wish)
    given = [a for name, a in pairwise(arguments) if name in ("-x264-params", "-x265-params")]
    parameters = given[0].split(":") if given else []
    assert (option in parameters) == swift
    references = [p for p in parameters if p.startswith("ref=")]
    asked = wish.references if codec == "h264" else 0
    assert references[-1:] == ([f"ref={asked or 2}"] if swift else [])


@pytest.mark.parametrize(
    ("codec", "whole", "loss", "growth"),
    [
        ("h264", ("-x264-params", "psy=0:aq-mode=0"), 0.2, 1.1),
        ("hevc", ("-x265-params", "log-level=error:psy-rd=0:psy-rdoq=0:aq-mode=0"), 0.6, 1.2),
    ],
)
def test_what_is_left_out_of_encoders_can_hardly_be_seen(
    tmp_path, codec, whole, loss, growth
) -> None:
    rng = np.random.default_rng(3)
    wall = cv2.GaussianBlur(rng.integers(0, 256, (160, 260, 3)).astype(np.float32), (0, 0), 2)
    wall = 128 + (wall - wall.mean()) * 3
    frames = np.array([wall[4:132, t : t + 192] for t in range(40)]).clip(0, 255).astype(np.uint8)
    source = probe_source(write_video(tmp_path / "c.mp4", frames, 25))
    errors, sizes = [], []
    for preset, name in (("medium", "left_out"), ("medium", "whole")):
        arguments = encoder_for(codec, "yuv420p", source, Wish(crf=16, preset=preset))
        if name == "whole":
            arguments[arguments.index(whole[0]) + 1] = whole[1]
        made = tmp_path / f"{name}.mp4"
        ffmpeg("-i", f"file:{tmp_path / 'c.mp4'}", *arguments, f"file:{made}")
        shown = np.array(list(read_frames(probe(made)))).astype(float)
        before = np.array(list(read_frames(probe(tmp_path / "c.mp4")))).astype(float)
        errors.append(10 * np.log10(255**2 / np.square(shown - before).mean()))
        sizes.append(made.stat().st_size)
    assert errors[0] > errors[1] - loss
    assert sizes[0] < growth * sizes[1]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Error writing trailer: No space left on device", "disk is full"),
        ("av_interleaved_write_frame(): File too large", "larger than a file may be"),
        ("Unknown encoder", "Unknown encoder"),
    ],
)
def test_what_ffmpeg_says_of_a_disk_has_the_words_of_every_other_file(said, words):
    error = write_error(Path("o.mp4"), f"[out#0] {said}\n")
    assert words in error.message
    assert "o.mp4" in error.message
    assert error.hint
