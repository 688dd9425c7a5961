"""Which picture stands in each frame: written out by hand, read from a file, gathered exactly."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsmooth_core.errors import InputError
from gsmooth_core.job import length
from gsmooth_core.job.job import Job
from gsmooth_core.job.length import (
    gather_occluders,
    pictures_of,
    read_pictures,
    runs_of,
    shown,
)
from gsmooth_core.job.settings import LENGTHS, DubSettings
from gsmooth_core.job.source import Source
from gsmooth_core.mafb.occlusion.occluders import packed
from gsmooth_core.media import probe, read_frames
from gsmooth_core.types import FaceTrack
from tests.media import made

N = 12


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("length")
    return made.write_video(folder / "clip.mp4", made.numbered_frames(N), 25)


def _speech(path: Path, seconds: float) -> Path:
    return made.write_wav(path, made.speechlike(seconds), 16000)


@pytest.mark.parametrize(
    ("name", "wanted", "expected"),
    [
        ("trim", 9, [0, 1, 2, 3]),
        ("hold", 7, [0, 1, 2, 3, 3, 3, 3]),
        ("loop", 9, [0, 1, 2, 3, 0, 1, 2, 3, 0]),
        ("ping-pong", 11, [0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2]),
        ("stretch", 4, [0, 1, 2, 3]),
        *((name, 2, [0, 1, 2, 3]) for name in ("trim", "hold", "loop", "ping-pong")),
    ],
)
def test_the_pictures_are_those_written_out_by_hand(
    name: str, wanted: int, expected: list[int]
) -> None:
    assert pictures_of(name, 4, wanted).tolist() == expected


@given(count=st.integers(1, 400), share=st.floats(0.9, 1.1))
def test_a_stretched_picture_is_never_half_a_picture_off(count: int, share: float) -> None:
    wanted = round(count * share)
    if not 0.9 * count <= wanted <= 1.1 * count:
        return
    found = pictures_of("stretch", count, wanted)
    for frame, picture in enumerate(found.tolist()):
        middle = Fraction(2 * frame + 1, 2) * count / wanted
        assert picture <= middle < picture + 1
    assert len(found) == wanted


@pytest.mark.parametrize("wanted", [89, 111])
def test_a_picture_is_not_stretched_too_far(wanted: int) -> None:
    with pytest.raises(InputError, match=f"0?.{wanted % 100} times"):
        pictures_of("stretch", 100, wanted)


@pytest.mark.parametrize("name", LENGTHS)
def test_one_picture_is_enough(name: str) -> None:
    assert set(pictures_of(name, 1, 1 if name == "stretch" else 5).tolist()) == {0}


@given(st.lists(st.integers(0, 20), max_size=60))
def test_runs_are_the_whole_in_parts_of_one_direction(numbers: list[int]) -> None:
    runs = list(runs_of(np.array(numbers, np.int32)))
    assert [n for run in runs for n in run] == numbers
    for run in runs:
        steps = np.diff(run)
        assert (steps >= 0).all() or (steps < 0).all()
        assert (np.abs(steps) <= 2).all()


@pytest.mark.parametrize("held", [1, 5, 100])
@pytest.mark.parametrize("start", [0, 3])
def test_pictures_are_read_in_any_order(
    clip: Path, monkeypatch: pytest.MonkeyPatch, held: int, start: int
) -> None:
    monkeypatch.setattr(length, "_FEWEST_HELD", held)
    monkeypatch.setattr(length, "_HELD", 0)
    wanted = np.array([0, 1, 2, 2, 4, 6, 5, 4, 3, 2, 8, 8, 0, 7, 6], np.int32)
    read = read_pictures(probe(clip), start, wanted, read_frames)
    assert [made.number_in(frame) - start for frame in read] == wanted.tolist()


def test_backwards_no_more_is_held_than_allowed(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def read(_clip: object, start: int, count: int) -> object:
        asked.append((start, count))
        return iter([np.full((2, 2, 3), start + k, np.uint8) for k in range(count)])

    monkeypatch.setattr(length, "_FEWEST_HELD", 4)
    monkeypatch.setattr(length, "_HELD", 0)
    found = [int(f[0, 0, 0]) for f in read_pictures(probe(clip), 0, np.arange(10, 0, -1), read)]
    assert found == list(range(10, 0, -1))
    assert asked == [(7, 4), (3, 4), (1, 2)]


@pytest.mark.parametrize(
    ("name", "count"),
    [("trim", N), ("hold", 25), ("loop", 25), ("ping-pong", 25)],
)
def test_a_job_is_as_long_as_its_longer_part(
    clip: Path, tmp_path: Path, name: str, count: int
) -> None:
    speech = _speech(tmp_path / "speech.wav", 1.0)
    job = Job(clip, tmp_path / "o.mp4", speech, settings=DubSettings(length=name))
    source = Source(job)
    assert (source.taken, source.count, source.shown.frame_count) == (N, count, count)
    assert len(source.speech()) == round(count / 25 * 16000)
    read = [made.number_in(frame) for frame in source.read(0, count)]
    assert read == source.pictures.tolist()
    assert [made.number_in(frame) for frame in source.read(9, 7 if count > N else 3)] == read[9:16]
    assert source.filmed.count == N
    assert [source.shows(lambda n: n)(frame) for frame in range(count)] == read
    assert (source.length_in_words() is None) == (name != "trim")
    # The track does not depend on the length, the picture does.
    plain = Source(replace(job, settings=DubSettings()))
    assert source.pictures_stamp() == plain.pictures_stamp()
    assert (source.length_stamp() == plain.length_stamp()) == (name == "trim")


def test_delay_and_part_of_the_speech_count(clip: Path, tmp_path: Path) -> None:
    speech = _speech(tmp_path / "speech.wav", 2.0)
    job = Job(clip, tmp_path / "o.mp4", speech, start_frame=2, frame_count=5)
    hold = replace(job, audio_start=0.5, audio_duration=1.0, audio_delay=0.2)
    source = Source(replace(hold, settings=DubSettings(length="hold")))
    assert (source.taken, source.count) == (5, 30)  # 1.2 s
    last = [made.number_in(frame) for frame in source.read(28, 2)]
    assert last == [6, 6]


def test_own_sound_that_does_not_follow_is_said(tmp_path: Path) -> None:
    own = made.write_video(tmp_path / "own.mp4", made.numbered_frames(N), 25, tone=0.48)
    speech = _speech(tmp_path / "speech.wav", 0.52)
    settings = DubSettings(length="stretch", keep_source_audio=True)
    source = Source(Job(own, tmp_path / "o.mp4", speech, settings=settings))
    assert source.count == 13
    assert "own sound" in str(source.length_in_words())


def _track(count: int) -> FaceTrack:
    rng = np.random.default_rng(0)

    def some(*shape: int) -> np.ndarray:
        return rng.random((count, *shape)).astype(np.float32)

    return FaceTrack(
        64, 48, Fraction(25), "m", 100.0, np.zeros(3, np.float32), ("a", "b"),
        some(2), some(3), some(3), some(9, 3), some(), some(478, 2),
        np.arange(count, dtype=np.int32) // 3, rng.random((count, 2)) > 0.5, 1,
    )  # fmt: skip


def test_a_track_is_gathered_exactly() -> None:
    track, pictures = _track(4), pictures_of("ping-pong", 4, 9)
    gathered = track.gathered(pictures)
    for frame, picture in enumerate([0, 1, 2, 3, 2, 1, 0, 1, 2]):
        for name in ("expression", "rotation", "translation", "light", "confidence", "landmarks"):
            np.testing.assert_array_equal(
                getattr(gathered, name)[frame], getattr(track, name)[picture]
            )
        assert gathered.shot is not None
        assert gathered.people is not None
        assert gathered.shot[frame] == picture // 3
        assert (gathered.people[frame] == track.people[picture]).all()  # type: ignore[index]
    assert gathered.new.tolist() == [True] * 4 + [False] * 5
    assert gathered.pictures.tolist() == pictures.tolist()
    assert shown(gathered.only(pictures != 3), track).tolist() == [True, True, True, False]


def test_what_the_file_repeats_stays_one_picture() -> None:
    track = replace(_track(5), picture=np.array([0, 1, 1, 2, 3], np.int32))
    pictures = pictures_of("loop", 5, 9)
    gathered = track.gathered(pictures)
    assert gathered.pictures.tolist() == [0, 1, 1, 2, 3, 0, 1, 1, 2]
    assert gathered.new.tolist() == [True, True, False, True, True, *[False] * 4]
    assert shown(gathered.only(np.arange(9) == 1), track).tolist() == [
        False,
        True,
        True,
        False,
        False,
    ]


def test_occluders_are_gathered_exactly() -> None:
    masks = {n: np.random.default_rng(n).random((8, 8)) > 0.5 for n in (1, 3)}
    found = gather_occluders(packed(masks.items(), 8), pictures_of("ping-pong", 4, 9))
    assert found.frames.tolist() == [1, 3, 5, 7]
    for frame, picture in ((1, 1), (3, 3), (5, 1), (7, 1)):
        np.testing.assert_array_equal(found.mask(frame, 8), masks[picture])
    assert not len(gather_occluders(packed([], 8), np.arange(5, dtype=np.int32)))
