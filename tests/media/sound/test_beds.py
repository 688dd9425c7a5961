"""A speech laid over other sounds, sample by sample, read by PyAV."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from gsmooth_core.media import Sound, assemble, probe
from gsmooth_core.media.encoding.encode import SegmentWriter
from gsmooth_core.media.encoding.encoders import Wish
from gsmooth_core.media.joining.carry import Carried
from gsmooth_core.media.sound.beds import Bed
from tests.media import made

RATE, SECONDS = 48000, 2.0
COUNT = 50


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("beds")


@pytest.fixture(scope="module")
def own() -> np.ndarray:
    noise = np.random.default_rng(1).normal(0, 0.1, (round(RATE * SECONDS), 2))
    return np.round(noise.clip(-0.5, 0.5) * 32768) / 32768


@pytest.fixture(scope="module")
def film(work: Path, own: np.ndarray) -> Path:
    sound = made.write_wav(work / "own.wav", own, RATE)
    silent = made.write_video(work / "silent.mov", made.numbered_frames(COUNT))
    made.ffmpeg(
        "-i", silent, "-i", sound, "-c", "copy", "-map", "0:v", "-map", "1:a", work / "f.mov"
    )
    return work / "f.mov"


def _tone(path: Path, seconds: float, level: float, channels: int = 1) -> np.ndarray:
    time = np.arange(round(RATE * seconds)) / RATE
    samples = (level * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    made.write_wav(path, np.repeat(samples[:, None], channels, 1), RATE)
    return samples


def _heard(film: Path, sound: Sound, folder: Path, suffix: str = ".mov") -> np.ndarray:
    """(S, channels) of an output with that sound."""
    clip, segment = probe(film), folder / "segment.mp4"
    with SegmentWriter(segment, clip, folder / "o.mov", wish=Wish(preset="ultrafast")) as writer:
        for frame in made.numbered_frames(COUNT):
            writer.write(frame)
    output = folder / f"out{suffix}"
    assemble([segment], output, clip, COUNT, sound, Carried(film, replaced=0))
    with av.open(str(output)) as file:
        frames = [frame.to_ndarray() for frame in file.decode(audio=0)]
        channels = file.streams.audio[0].codec_context.channels
    samples = np.concatenate([frame.reshape(-1, channels) for frame in frames])
    return samples / 32768 if samples.dtype == np.int16 else samples


def test_own_sound_keeps_every_sample_around_the_speech(
    film: Path, own: np.ndarray, tmp_path: Path
) -> None:
    tone = _tone(tmp_path / "t.wav", 1.0, 0.25)
    around = Bed(film, heard=((0.0, 0.6), (1.2, SECONDS)))
    found = _heard(film, Sound(tmp_path / "t.wav", 0, 0.6, 0.6, beds=(around,)), tmp_path)
    assert found.shape == own.shape
    before, after = slice(0, round(0.589 * RATE)), slice(round(1.211 * RATE), None)
    assert np.array_equal(found[before], own[before])
    assert np.array_equal(found[after], own[after])
    within = found[round(0.6 * RATE) : round(1.2 * RATE)]
    expected = tone[: len(within)]
    assert np.abs(within - expected[:, None]).max() < 2 / 32768  # as loud as it was, in both


def test_music_goes_on_below_the_speech(film: Path, tmp_path: Path) -> None:
    tone = _tone(tmp_path / "t.wav", 1.0, 0.25)
    music = _tone(tmp_path / "m.wav", 3.0, 0.5, 2)
    bed = Bed(tmp_path / "m.wav", 0.25)
    found = _heard(film, Sound(tmp_path / "t.wav", delay=0.5, beds=(bed,)), tmp_path)
    expected = np.zeros(round(RATE * SECONDS))
    expected += music[round(0.25 * RATE) :][: len(expected)]
    expected[round(0.5 * RATE) :][: len(tone)] += tone
    assert np.abs(found - expected[:, None]).max() < 3 / 32768


def test_what_would_clip_is_made_quieter_as_a_whole(film: Path, tmp_path: Path) -> None:
    tone = _tone(tmp_path / "t.wav", SECONDS, 0.9)
    bed = Bed(tmp_path / "t.wav")
    found = _heard(film, Sound(tmp_path / "t.wav", beds=(bed,)), tmp_path)
    assert np.abs(found[:, 0] - tone * 1.8 / np.abs(tone * 1.8).max()).max() < 3 / 32768


def test_a_short_bed_ends_in_silence(film: Path, tmp_path: Path) -> None:
    _tone(tmp_path / "t.wav", 0.5, 0.2)
    _tone(tmp_path / "m.wav", 1.0, 0.2)
    sound = Sound(tmp_path / "t.wav", beds=(Bed(tmp_path / "m.wav"),))
    found = _heard(film, sound, tmp_path)
    assert len(found) == round(RATE * SECONDS)
    assert np.abs(found[round(1.01 * RATE) :]).max() == 0
    assert found.shape[1] == 1


def test_in_surround_the_speech_is_in_the_centre(film: Path, tmp_path: Path) -> None:
    tone = _tone(tmp_path / "t.wav", 1.0, 0.25)
    silence = np.zeros((round(RATE * SECONDS), 6))
    made.write_wav(tmp_path / "s.wav", silence, RATE)
    sound = Sound(tmp_path / "t.wav", beds=(Bed(tmp_path / "s.wav"),))
    found = _heard(film, sound, tmp_path)
    assert found.shape[1] == 6
    assert np.abs(found[: len(tone), 2] - tone).max() < 2 / 32768
    assert np.abs(np.delete(found, 2, 1)).max() == 0
