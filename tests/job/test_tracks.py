"""Which sound track is the speech."""

import numpy as np
import pytest

from gsmooth_core.a2ep import load_a2ep
from gsmooth_core.a2ep.spoken import spoken_share
from gsmooth_core.errors import InputError
from gsmooth_core.job import tracks
from gsmooth_core.job.tracks import Track, chosen
from tests.media import made


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """Silence, a tone, a louder tone: three tracks of one file."""
    path = tmp_path_factory.mktemp("tracks") / "three.mka"
    inputs = []
    for volume in (0, 0.3, 0.9):
        inputs += ["-f", "lavfi", "-t", 1, "-i", f"aevalsrc={volume}*sin(2000*t):s=16000"]
    made.ffmpeg(*inputs, "-map", 0, "-map", 1, "-map", 2, "-c:a", "pcm_s16le", path)
    return path


@pytest.fixture
def ear(monkeypatch):
    """An ear that takes as much for speech as it is told, by loudness."""
    shares = {}

    def listen(audio, _model):
        return shares[round(10 * float(np.abs(audio).max()))]

    monkeypatch.setattr(tracks, "spoken_share", listen)
    monkeypatch.setattr(tracks, "load_a2ep", lambda: None)
    tracks._heard.cache_clear()
    yield shares
    tracks._heard.cache_clear()


def test_the_track_with_the_most_speech_is_chosen_and_said(three, ear):
    ear.update({0: 0.0, 3: 0.2, 9: 0.7})
    found = chosen(three, "auto")
    assert found.index == 2
    assert "track 3 of 3" in found.said


def test_of_tracks_that_speak_alike_the_first_is_chosen(three, ear):
    ear.update({0: 0.5, 3: 0.55, 9: 0.4})
    assert chosen(three, "auto").index == 0


def test_where_nobody_speaks_the_first_is_taken_and_that_is_said(three, ear):
    ear.update({0: 0.0, 3: 0.01, 9: 0.04})
    found = chosen(three, "auto")
    assert found.index == 0
    assert "none of the 3" in found.said


def test_a_number_is_obeyed_or_refused(three):
    assert chosen(three, "2") == Track(1)
    with pytest.raises(InputError, match="3 sound tracks"):
        chosen(three, "4")


def test_one_track_is_not_listened_to(tmp_path, monkeypatch):
    monkeypatch.setattr(tracks, "spoken_share", None)
    sound = made.write_wav(tmp_path / "a.wav", made.speechlike(0.3), 16000)
    assert chosen(sound, "auto") == Track(0)


def test_noise_and_silence_are_no_speech():
    noise = np.random.default_rng(1).normal(0, 0.05, 48000).astype(np.float32)
    assert spoken_share(noise, load_a2ep()) < 0.05
    assert spoken_share(np.zeros(16000, np.float32), load_a2ep()) == 0
