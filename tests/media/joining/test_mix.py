"""Several sounds as one."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.errors import NoSpeechError
from gsmooth_core.media.joining.mix import RATE, mix, mixed
from tests.media import made


def test_sounds_are_added_as_they_are() -> None:
    one, two = np.array([0.25, -0.5, 0.125], np.float32), np.array([0.5], np.float32)
    np.testing.assert_array_equal(mixed([one, two]), np.float32([0.75, -0.5, 0.125]))


def test_what_would_clip_is_made_quieter_as_a_whole() -> None:
    one, two = np.array([0.9, 0.3], np.float32), np.array([0.9, -0.1], np.float32)
    np.testing.assert_allclose(mixed([one, two]), [1.0, 0.2 / 1.8], rtol=1e-6)
    np.testing.assert_allclose(mixed([-one, -two]), [-1.0, -0.2 / 1.8], rtol=1e-6)


def test_the_file_holds_both_from_the_beginning_on(tmp_path: Path) -> None:
    time = np.arange(RATE) / RATE
    low, high = (np.sin(2 * np.pi * hz * time) for hz in (300.0, 1100.0))
    paths = [
        made.write_wav(tmp_path / f"{n}.wav", 0.4 * sound[: round(seconds * RATE)], RATE)
        for n, (sound, seconds) in enumerate([(low, 1.0), (high, 0.5)])
    ]
    with wave.open(str(mix(paths, 0.8, tmp_path / "sound.wav"))) as file:
        assert (file.getnchannels(), file.getframerate()) == (1, RATE)
        heard = np.frombuffer(file.readframes(RATE), "<i2") / 32767
    assert len(heard) == round(0.8 * RATE)

    def level(wave_: np.ndarray, part: slice) -> float:
        return 2 * float(np.mean(heard[part] * wave_[: len(heard)][part]))

    early, late = slice(4800, 19200), slice(28800, 38400)
    assert level(low, early) == pytest.approx(0.4, abs=0.01)
    assert level(high, early) == pytest.approx(0.4, abs=0.01)
    assert level(low, late) == pytest.approx(0.4, abs=0.01)
    assert level(high, late) == pytest.approx(0.0, abs=0.01)


def test_a_file_without_sound_is_named(tmp_path: Path) -> None:
    silent = made.write_video(tmp_path / "silent.mp4", np.zeros((5, 48, 64, 3), np.uint8), 25)
    with pytest.raises(NoSpeechError, match=r"silent\.mp4"):
        mix([silent], 1.0, tmp_path / "sound.wav")
    assert not (tmp_path / "sound.wav").exists()
