"""Sound of every kind comes out as the same samples at 16 kHz, in step with the picture."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.errors import MediaError, NoSpeechError
from gsmooth_core.media import has_audio, read_audio, require_speech
from gsmooth_core.media.sound.audio import loudest_dbfs
from tests.media.made import ffmpeg, numbered_frames, speechlike, write_video, write_wav


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    count = min(len(a), len(b))
    return float(np.corrcoef(a[:count], b[:count])[0, 1])


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000, 96000])
@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_s24le", "pcm_f32le", "pcm_f64le"])
def test_rates_and_sample_formats(tmp_path, rate, codec):
    path = write_wav(tmp_path / "s.wav", speechlike(1.0, rate), rate, codec)
    audio = read_audio(path)
    assert audio.dtype == np.float32
    assert abs(len(audio) - 16000) <= 1
    assert correlation(audio, speechlike(1.0)) > 0.999


@pytest.mark.parametrize("channels", [2, 6])
def test_channels_are_mixed(tmp_path, channels):
    mono = speechlike(0.5)
    samples = np.zeros((len(mono), channels), np.float32)
    samples[:, :2] = mono[:, None]
    path = write_wav(tmp_path / "s.wav", samples, 16000)
    assert correlation(read_audio(path), mono) > 0.999


@pytest.mark.parametrize("name", ["s.mp3", "s.m4a", "s.ogg", "s.flac", "s.opus", "s.mov", "s.mkv"])
def test_compressed_sound_has_no_delay(tmp_path, name):
    wav = write_wav(tmp_path / "s.wav", speechlike(1.0, 48000), 48000)
    ffmpeg("-i", wav, tmp_path / name)
    audio, plain = read_audio(tmp_path / name), speechlike(1.0)
    assert abs(len(audio) - 16000) < 800
    middle = slice(1600, 14400)
    lags = range(-400, 401, 4)
    best = max(lags, key=lambda lag: correlation(np.roll(audio, -lag)[middle], plain[middle]))
    assert abs(best) <= 48  # 3 ms; Vorbis states its first samples that late


def test_a_part_and_silence_before(tmp_path):
    path = write_wav(tmp_path / "s.wav", speechlike(2.0), 16000)
    whole = read_audio(path)
    assert np.array_equal(read_audio(path, start=0.5, duration=0.25), whole[8000:12000])
    early = read_audio(path, start=-0.25, duration=1.0)
    assert not early[:4000].any()
    assert np.array_equal(early[4000:], whole[:12000])


@pytest.mark.parametrize("delay", [0.4, -0.4])
def test_time_zero_is_the_first_picture(tmp_path, delay):
    video = write_video(tmp_path / "v.mp4", numbered_frames(50))
    wav = write_wav(tmp_path / "s.wav", speechlike(2.0), 16000)
    both = tmp_path / "both.mkv"
    late = ["-itsoffset", delay, "-i", wav] if delay > 0 else ["-i", wav]
    video_in = ["-itsoffset", -delay, "-i", video] if delay < 0 else ["-i", video]
    ffmpeg(*video_in, *late, "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "flac", both)
    audio, plain = read_audio(both), speechlike(2.0)
    shift = round(delay * 16000)
    expected = np.pad(plain, (shift, 0)) if shift > 0 else plain[-shift:]
    assert correlation(audio[:24000], expected[:24000]) > 0.99


def test_samples_that_are_no_numbers_become_silence(tmp_path):
    samples = speechlike(1.0, 48000)
    samples[10000:10010] = np.nan
    samples[20000] = np.inf
    path = write_wav(tmp_path / "nan.wav", samples, 48000, "pcm_f32le")
    audio = read_audio(path)
    assert np.isfinite(audio).all()
    assert correlation(audio, speechlike(1.0)) > 0.99


def test_sound_beyond_full_scale_is_brought_down(tmp_path):
    path = write_wav(tmp_path / "loud.wav", 100 * speechlike(0.5), 16000, "pcm_f32le")
    audio = read_audio(path)
    assert np.abs(audio).max() == pytest.approx(1.0)
    assert correlation(audio, speechlike(0.5)) > 0.999


def test_level_is_that_of_the_loudest_part():
    audio = np.zeros(16000, np.float32)
    audio[4000:8000] = 0.1 * np.sqrt(2) * np.sin(np.arange(4000))
    assert loudest_dbfs(audio, 16000) == pytest.approx(-20, abs=0.2)


def test_quiet_speech_passes_and_silence_does_not():
    speech = speechlike(1.0)
    assert require_speech(speech * 0.01) is not None
    noise = np.random.default_rng(0).normal(0, 1e-4, 16000).astype(np.float32)
    for silent in (np.zeros(16000, np.float32), noise):
        with pytest.raises(NoSpeechError, match="silent"):
            require_speech(silent)


def test_too_short():
    with pytest.raises(NoSpeechError, match=r"0\.05 seconds"):
        require_speech(speechlike(0.05))


def test_no_sound_stream_and_no_picture_are_told_apart(tmp_path):
    mute = write_video(tmp_path / "mute.mp4", numbered_frames(3))
    assert not has_audio(mute)
    with pytest.raises(NoSpeechError, match="has no sound"):
        read_audio(mute)
    wav = write_wav(tmp_path / "s.wav", speechlike(0.5), 16000)
    assert has_audio(wav)


def test_empty_sound(tmp_path):
    path = write_wav(tmp_path / "none.wav", np.zeros(0, np.float32), 16000)
    with pytest.raises((NoSpeechError, MediaError)):
        read_audio(path)


def test_part_behind_the_end(tmp_path):
    path = write_wav(tmp_path / "s.wav", speechlike(0.5), 16000)
    with pytest.raises(NoSpeechError, match="empty"):
        read_audio(path, start=3.0)
