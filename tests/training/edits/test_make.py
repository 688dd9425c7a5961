"""Made edits know their truth, and the comparison counts what it should."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.tracking.following.found import FollowedFace
from gsmooth_core.tracking.people.people import People, Person
from gsmooth_core.tracking.people.sightings import Sighting
from gsmooth_core.tracking.shots.cuts import MIXED
from tests.media import made
from training.edits import make
from training.edits.make import Edit, Take, make_edit
from training.edits.shots import compare, encode, figures, find, who_is_who


@pytest.fixture(scope="module")
def takes(tmp_path_factory: pytest.TempPathFactory) -> list[Take]:
    """Two clips whose tone tells them apart: red and blue textures, 300 frames each."""
    folder, rng = tmp_path_factory.mktemp("takes"), np.random.default_rng(0)
    made_takes = []
    for number, name in enumerate(("red", "blue")):
        frame = rng.integers(0, 90, (90, 160, 3)).astype(np.uint8)
        frame[..., 2 * number] += 150
        frames = np.stack([np.roll(frame, t // 4, axis=1) for t in range(300)])
        path = made.write_video(folder / f"{name}.mp4", frames, 25, "-crf", 12)
        made_takes.append(Take(path, name))
    return made_takes


def _tone(frame: np.ndarray) -> str:
    return "red" if frame[..., 0].mean() > frame[..., 2].mean() else "blue"


@pytest.mark.parametrize("bars", [False, True])
def test_every_frame_knows_who_it_is_of(takes: list[Take], bars: bool) -> None:
    edit = make_edit(takes, 3, bars=bars)
    assert len(edit.frames) == len(edit.person)
    black = {t for first, last in edit.fades for t in range(first - 1, last + 2)}
    clear = [t for t, who in enumerate(edit.person) if who and t not in black | {*edit.flashes}]
    lit = [t for t in clear if not edit.lamps]
    assert all(_tone(edit.frames[t]) == edit.person[t] for t in lit or clear[: min(edit.lamps)])
    for cut in edit.cuts:
        assert edit.person[cut] != edit.person[cut - 1]
    for jump in edit.jumps:
        assert edit.person[jump] == edit.person[jump - 1]
    mixed = [t for t, who in enumerate(edit.person) if not who]
    assert mixed == [t for a, b in sorted(edit.dissolves) for t in range(a, b + 1)]
    np.testing.assert_array_equal(np.flatnonzero(edit.shot == MIXED), mixed)


def _plain_edit() -> Edit:
    frames = [np.zeros((4, 4, 3), np.uint8)] * 60
    return Edit(frames, ["a"] * 60, cuts=[10, 20], dissolves=[(30, 35)], flashes=[50])


def test_a_cut_of_the_clip_itself_is_a_cut(takes: list[Take], monkeypatch) -> None:
    plain = make_edit(takes, 3)
    found = next(
        t
        for t in range(1, len(plain.source))
        if len(plain.source[t]) == 1
        and plain.source[t - 1] == ((plain.source[t][0][0], plain.source[t][0][1] - 1),)
    )
    ((stem, number),) = plain.source[found]
    monkeypatch.setattr(make, "OWN_CUTS", {stem: {number}, "another": {number + 1}})
    cuts = make_edit(takes, 3).cuts
    assert set(cuts) - set(plain.cuts) >= {found}
    assert all(((stem, number),) == plain.source[t] for t in set(cuts) - set(plain.cuts))
    assert cuts == sorted(cuts)


def test_the_truth_against_itself_is_perfect() -> None:
    edit = _plain_edit()
    found = figures(compare(edit, edit.shot))
    assert found["F1"] == 1
    assert (found["cuts found"], found["dissolves found"], found["mixed frames found"]) == (2, 1, 6)
    assert not any(found.get(name) for name in ("false cuts", "false mixed frames"))


def test_misses_and_false_finds_are_counted() -> None:
    edit = _plain_edit()
    shot = np.zeros(60, np.int32)
    shot[11:] = 1  # a frame late
    shot[20:] = 2
    shot[32:38] = MIXED  # two late
    shot[38:] = 3
    shot[50:] = 4  # at the flash
    found = figures(compare(edit, shot))
    assert (found["cuts"], found["cuts found"], found["false cuts"]) == (2, 1, 2)
    assert found["F1"] == pytest.approx(2 / 5, abs=1e-4)
    assert found["cuts at flashes"] == 1
    assert (found["mixed frames found"], found["false mixed frames"]) == (4, 2)


def _seen(number: int, frames: list[int]) -> Person:
    face = FollowedFace(np.zeros((478, 3), np.float32), np.zeros(52, np.float32), 1.0)
    sighting = Sighting()
    for frame in frames:
        sighting.keep(frame, face, None)
    return Person(number, (sighting,))


def test_people_are_counted_by_whose_frames_they_have() -> None:
    edit = Edit([np.zeros((4, 4, 3), np.uint8)] * 10, ["a"] * 4 + [""] + ["b"] * 5)
    shot = np.zeros(10, np.int32)
    people = (_seen(1, [0, 1, 2, 3, 4, 5]), _seen(2, [6, 7, 8]), _seen(3, [9]))
    assert who_is_who(edit, People(people, shot)) == {
        "faces of one person": 4 + 3,
        "faces of another person": 1,
        "faces in dissolves": 1,
        "faces split off": 1,
    }


def test_through_a_codec(takes: list[Take], tmp_path: Path) -> None:
    edit = make_edit(takes, 5)
    encode(edit, tmp_path / "edit.mp4", "20")
    shot = find(tmp_path / "edit.mp4")
    assert len(shot) == len(edit.frames)
    assert set(edit.cuts) <= {t for t in range(1, len(shot)) if shot[t] != shot[t - 1]}
