"""The new track has the rate that editors expect, and every sample where it was; PyAV reads it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from scipy.signal import resample_poly

from gsmooth_core.media import Sound, assemble, probe
from gsmooth_core.media.encoding.encode import SegmentWriter, segment_path
from gsmooth_core.media.encoding.encoders import Wish
from gsmooth_core.media.joining.carry import Carried
from gsmooth_core.media.joining.sound_rate import track_rate
from gsmooth_core.media.sound.beds import Bed
from tests.media import made

COUNT = 50
SECONDS = 2.0


def _film(folder: Path, rate: int) -> Path:
    """A film of two seconds, with PCM of that rate, or without a sound where it is 0."""
    silent = made.write_video(folder / "silent.mov", made.numbered_frames(COUNT))
    if not rate:
        return silent
    sound = made.write_wav(folder / "own.wav", 0.1 * made.speechlike(SECONDS, rate), rate)
    maps = ("-c", "copy", "-map", "0:v", "-map", "1:a")
    made.ffmpeg("-i", silent, "-i", sound, *maps, folder / "film.mov")
    return folder / "film.mov"


def _dubbed(film: Path, sound: Sound, suffix: str) -> Path:
    clip, output = probe(film), film.parent / f"out{suffix}"
    segment = segment_path(film.parent, 0, output)
    with SegmentWriter(segment, clip, output, wish=Wish(preset="ultrafast")) as writer:
        for frame in made.numbered_frames(COUNT):
            writer.write(frame)
    carried = Carried(film, replaced=0 if clip.has_audio else None)
    written = assemble([segment], output, clip, COUNT, sound, carried)
    return written / "sound.wav" if written.is_dir() else written


def _heard(path: Path) -> tuple[int, np.ndarray]:
    """The rate, and (S,) samples of the first channel."""
    with av.open(str(path)) as file:
        context = file.streams.audio[0].codec_context
        frames = [frame.to_ndarray() for frame in file.decode(audio=0)]
        rate, channels = context.sample_rate, context.channels
    planar = [f if len(f) == channels else f.reshape(-1, channels).T for f in frames]
    samples = np.concatenate([frame[0] for frame in planar])
    return rate, samples / 32768 if samples.dtype == np.int16 else samples


@pytest.mark.parametrize(
    ("own", "spoken", "expected"),
    [
        (48000, 16000, 48000),
        (44100, 16000, 44100),
        (16000, 16000, 16000),
        (16000, 44100, 44100),
        (0, 16000, 48000),
        (0, 96000, 96000),
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".png"])
def test_the_rate_is_the_sources_or_higher(
    tmp_path: Path, own: int, spoken: int, expected: int, suffix: str
) -> None:
    film = _film(tmp_path, own)
    speech = made.write_wav(tmp_path / "s.wav", made.speechlike(SECONDS, spoken), spoken)
    rate, samples = _heard(_dubbed(film, Sound(speech), suffix))
    assert rate == expected
    assert len(samples) == pytest.approx(expected * SECONDS, abs=2 * 1024)


@pytest.mark.parametrize(("own", "spoken"), [(48000, 16000), (44100, 16000), (48000, 44100)])
def test_a_resampled_speech_is_exact_to_the_sample(tmp_path: Path, own: int, spoken: int) -> None:
    film = _film(tmp_path, own)
    said = made.speechlike(SECONDS - 0.5, spoken)
    speech = made.write_wav(tmp_path / "s.wav", said, spoken)
    rate, samples = _heard(_dubbed(film, Sound(speech, delay=0.25), ".mov"))
    assert (rate, len(samples)) == (own, round(own * SECONDS))
    ratio = Fraction(own, spoken)
    expected = np.zeros_like(samples)
    resampled = resample_poly(said, ratio.numerator, ratio.denominator)
    expected[round(0.25 * own) :][: len(resampled)] = resampled[: round(1.75 * own)]
    # A sample too early or late at a rate of 44.1 kHz would leave differences of 0.02.
    assert np.abs(samples - expected).max() < 2e-3


def test_speech_of_the_sources_rate_is_the_same_to_the_bit(tmp_path: Path) -> None:
    film = _film(tmp_path, 48000)
    said = np.round(made.speechlike(SECONDS, 48000) * 32768) / 32768
    speech = made.write_wav(tmp_path / "s.wav", said, 48000)
    assert np.array_equal(_heard(_dubbed(film, Sound(speech), ".mov"))[1], said)


@pytest.mark.parametrize(("music_rate", "expected"), [(22050, 48000), (96000, 96000)])
def test_music_below_the_speech_loses_nothing(
    tmp_path: Path, music_rate: int, expected: int
) -> None:
    film = _film(tmp_path, 48000)
    said, played = made.speechlike(SECONDS), made.speechlike(SECONDS, music_rate) / 2
    speech = made.write_wav(tmp_path / "s.wav", said, 16000)
    music = made.write_wav(tmp_path / "m.wav", played, music_rate)
    rate, samples = _heard(_dubbed(film, Sound(speech, beds=(Bed(music),)), ".mov"))
    assert (rate, len(samples)) == (expected, round(expected * SECONDS))
    ratio = Fraction(expected, music_rate)
    wanted = resample_poly(said, expected // 16000, 1)
    wanted = wanted + resample_poly(played, ratio.numerator, ratio.denominator)
    assert np.abs(samples - wanted)[:-480].max() < 2e-3  # filters differ at a cut end


def test_of_all_that_is_heard_the_highest_rate_counts(tmp_path: Path) -> None:
    films = [_film(tmp_path, 16000)]
    low, high = (
        made.write_wav(tmp_path / f"{rate}.wav", made.speechlike(0.2, rate), rate)
        for rate in (8000, 96000)
    )
    carried = Carried(films[0], replaced=0)
    assert track_rate([(low, 0), (high, 0)], carried) == 96000
    assert track_rate([(low, 0)], carried) == 16000
    assert track_rate([(low, 0)], None) == 48000


def test_a_rate_that_nobody_means_does_not_count(tmp_path: Path) -> None:
    speech = made.write_wav(tmp_path / "s.wav", made.speechlike(0.2), 16000)
    odd = made.write_wav(tmp_path / "odd.wav", made.speechlike(0.2), 16000)
    header = bytearray(odd.read_bytes())
    header[24:28] = (2_000_000_000).to_bytes(4, "little")
    odd.write_bytes(header)
    assert track_rate([(speech, 0)], Carried(odd, replaced=0)) == 48000
