"""When a clip's own speech teaches, with an expert and a model whose answers are known."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gsmooth_core.a2ep.predict import Spoken
from gsmooth_core.errors import NoSpeechError
from gsmooth_core.job import own_speech
from gsmooth_core.sync.offset import SyncResult
from gsmooth_core.types import Clip, Expression, FaceTrack
from tests.a2ep.small import ALL_NAMES, NAMES, model
from tests.a2ep.talkers import OPENING, lesson

FPS, FRAMES = Fraction(25), 400
LATE = 4  # frames
SAMPLES = 640  # a frame of sound
PLACES = [60 + 100 * e for e in range(len(NAMES))]  # samples of a frame that hold its movement


def as_sound(moved, late=0):
    """Sound whose samples are the movement, a component after the other."""
    sound = np.zeros((len(moved) + late, SAMPLES), np.float32)
    sound[late:, PLACES] = moved
    return sound.ravel()[: len(moved) * SAMPLES]


def predicted(audio, count, fps, settings=None, model=None, keep_features=False):
    moved = audio[: count * SAMPLES].reshape(count, SAMPLES)[:, PLACES]
    values = np.zeros((count, len(ALL_NAMES)), np.float32)
    values[:, [ALL_NAMES.index(name) for name in NAMES]] = moved + model.array("rest")
    return Spoken(Expression(ALL_NAMES, values, fps), moved)


def track(taught, usable=None):
    count = len(taught.shown)
    values = np.zeros((count, len(ALL_NAMES)), np.float32)
    values[:, [ALL_NAMES.index(name) for name in NAMES]] = taught.shown
    landmarks = np.zeros((count, 478, 2), np.float32)
    landmarks[:, 33, 0] = 1.0
    landmarks[:, (178, 14, 402), 1] = taught.apart[:, None]
    zeros, confidence = np.zeros((count, 3), np.float32), np.ones(count, np.float32)
    return FaceTrack(
        64, 48, FPS, "face", 100.0, np.zeros(4, np.float32), ALL_NAMES, values, zeros, zeros,
        np.zeros((count, 9, 3), np.float32), confidence if usable is None else usable, landmarks,
    )  # fmt: skip


def sync(confidence=1.0, seconds=0.0, agree=None):
    per_second = np.ones(FRAMES // 25, np.float32) if agree is None else np.float32(agree)
    return SyncResult(0, seconds, confidence, np.zeros(31, np.float32), per_second, 0.2)


def source(has_audio=True, count=FRAMES):
    clip = Clip(Path("a.mp4"), 64, 48, FPS, count, has_audio=has_audio)
    return SimpleNamespace(clip=clip, job=SimpleNamespace(start_frame=0, video="a"), count=count)


@pytest.fixture
def listen(monkeypatch):
    """Hears a made speaker; what is found between lips and sound is given."""
    monkeypatch.setattr(own_speech, "predict_speech", predicted)
    ears = model()
    ears.opening[:] = ears.opening.new_tensor(OPENING)
    ears.gram.copy_(ears.gram.new_ones(5).diag())
    ears.usual.fill_(0.1)

    def run(found, taught=None, late=0, **kind):
        taught = taught or lesson(FRAMES, noise=0.005)
        sound = as_sound(taught.moved, late)
        monkeypatch.setattr(own_speech, "read_audio", lambda *_: sound)
        monkeypatch.setattr(own_speech, "measure_sync", lambda *_, **__: found)
        return own_speech.own_speech(source(**kind), track(taught), ears)

    return run


def test_a_clip_in_sync_teaches(listen):
    found = listen(sync())
    assert found.manner is not None
    assert "learned from 16 s" in found.said


def test_the_lateness_of_the_sound_is_taken_out(listen):
    late, right = listen(sync(seconds=LATE / 25), late=LATE), listen(sync())
    assert late.manner is not None
    np.testing.assert_allclose(late.manner.weights, right.manner.weights, atol=0.05)
    unaware = listen(sync(), late=LATE)
    assert unaware.manner is None or not np.allclose(
        unaware.manner.weights, right.manner.weights, atol=0.2
    )


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (sync(confidence=0.21), "do not clearly belong together"),
        (sync(confidence=0.1), "do not clearly belong together"),
        (sync(seconds=0.5), "0.5 s off"),
        (sync(seconds=-0.5), "0.5 s off"),
    ],
)
def test_sound_that_does_not_fit_the_lips_teaches_nothing(listen, found, word):
    taught = listen(found)
    assert taught.manner is None
    assert word in taught.said


def test_seconds_in_which_someone_else_speaks_teach_nothing(listen):
    agree = [1.0] * 8 + [-0.1] * 4 + [float("nan")] * 4
    assert "learned from 8 s" in listen(sync(agree=agree)).said


def test_what_is_heard_is_known_where_lips_and_sound_agree(listen):
    agree = [1.0] * 8 + [-0.1] * 4 + [float("nan")] * 4
    taught = lesson(FRAMES, noise=0.005)
    found = listen(sync(agree=agree), taught)
    known = np.isfinite(found.heard).all(1)
    assert known[:200].all() and not np.isfinite(found.heard[200:]).any()
    np.testing.assert_allclose(found.heard[:200], taught.moved[:200], atol=1e-4)


def test_what_is_heard_has_its_lateness_taken_out(listen):
    taught = lesson(FRAMES, noise=0.005)
    late = listen(sync(seconds=LATE / 25), taught, late=LATE)
    np.testing.assert_allclose(late.heard[:-LATE], taught.moved[:-LATE], atol=1e-4)


@pytest.mark.parametrize("found", [sync(confidence=0.1), sync(seconds=0.5)])
def test_nothing_is_heard_where_sound_does_not_fit_the_lips(listen, found):
    assert listen(found).heard is None


def test_a_second_of_speech_teaches_nothing(listen):
    taught = listen(sync(agree=[1.0] + [-1.0] * 15))
    assert taught.manner is None
    assert "only 1.0 s" in taught.said


def test_a_clip_without_sound_or_without_speech_teaches_nothing(listen, monkeypatch):
    assert "no sound of its own" in listen(sync(), has_audio=False).said
    silent = replace(lesson(FRAMES), moved=np.zeros((FRAMES, 5), np.float32))
    taught = listen(sync(), silent)
    assert taught.manner is None
    assert "silent" in taught.said or "hear" in taught.said


def test_what_the_expert_cannot_measure_is_passed_on(listen, monkeypatch):
    def nothing(*_, **__):
        raise NoSpeechError("There are 0.1 seconds of sound while the face is seen.", "")

    listen(sync())
    monkeypatch.setattr(own_speech, "measure_sync", nothing)
    taught = own_speech.own_speech(source(), track(lesson(FRAMES)), model())
    assert taught.manner is None
    assert "there are 0.1 seconds of sound" in taught.said


def test_another_face_model_teaches_nothing(listen):
    other = replace(track(lesson(FRAMES)), expression_names=tuple("abcdefg"))
    taught = own_speech.own_speech(source(), other, model())
    assert taught.manner is None
    assert "other expressions" in taught.said
