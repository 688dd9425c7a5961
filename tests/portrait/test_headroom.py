"""A head that the photo's upper edge cuts shows little of what it lacks when it nods."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gsmooth_core.portrait.headroom import lifted
from gsmooth_core.portrait.sheet import Sheet, sheet_of
from tests.portrait.scene import HEIGHT, WIDTH, face_model, motion, still

NODS = [(0.0, 0.0, 0.0), (3.0, 0.0, 0.0), (9.0, 0.0, 0.0), (8.0, 5.0, 2.0), (-9.0, 0.0, 0.0)]


@pytest.fixture(scope="module")
def cut() -> Sheet:
    """The portrait, so high in its frame that the edge goes through the forehead."""
    track = still()
    above = track.landmarks[0, 10, 1] + 4
    up = above * -float(track.translation[0, 2]) / track.focal
    higher = track.translation + np.float32([[0, up, 0]])
    marks = track.landmarks - np.float32([0, above])
    return sheet_of(replace(track, translation=higher, landmarks=marks), face_model())


def person() -> np.ndarray:
    """A matte: a little wider than the head, which is 90 pixels wide."""
    near = np.abs(np.arange(WIDTH) - WIDTH / 2) < 45
    return np.tile(near, (HEIGHT, 1)).astype(np.float32)


def lacking(sheet: Sheet, made) -> np.ndarray:
    """(T,) pixels by which the photo's first row comes down in the middle of the head."""
    middle = np.argmin(np.hypot(*(sheet.pixels - [WIDTH / 2, 0]).T))
    seen = [sheet.moved(t, s) for t, s in zip(made.turn, made.shift, strict=True)]
    return np.array([s[middle, 1] - sheet.pixels[middle, 1] for s in seen])


def in_the_mean(sheet: Sheet, made) -> np.ndarray:
    """(T,) pixels by which that row of the person comes down in the mean."""
    x, y = sheet.pixels.T
    row = (np.abs(y) < 1) & (np.abs(x - WIDTH / 2) < 45) & (sheet.head > 0.5)
    seen = [sheet.moved(t, s)[row] for t, s in zip(made.turn, made.shift, strict=True)]
    return np.array([(s[:, 1] - y[row]).mean() for s in seen])


def test_less_of_what_is_lacking_comes_in(cut: Sheet) -> None:
    asked = motion(*NODS)
    made = lifted(asked, cut, person())
    before, after = lacking(cut, asked), lacking(cut, made)
    assert before[2] > 8
    assert (after[1:4] < 0.65 * before[1:4]).all()
    assert abs(before[0]) < 1e-3 and abs(after[0]) < 1e-3  # at rest it is the photo
    assert abs(after[4] - before[4]) < 1  # what goes up lacks nothing
    mean_before, mean_after = (in_the_mean(cut, each)[2] for each in (asked, made))
    assert mean_after < 0.25 * mean_before
    assert np.array_equal(made.turn, asked.turn)
    assert np.array_equal(made.shift[:, [0, 2]], asked.shift[:, [0, 2]])


def test_a_movement_stays_smooth(cut: Sheet) -> None:
    pitch = 9 * np.sin(np.linspace(0, 4 * np.pi, 101))
    made = lifted(motion(*((p, 0.0, 0.0) for p in pitch)), cut, person())
    steps = np.abs(np.diff(made.shift[:, 1], 2))
    assert steps.max() < 0.01


def test_a_trunk_that_is_seen_to_sway_rises_as_well(cut: Sheet) -> None:
    sway = np.full((len(NODS), 4), 0.01, np.float32)
    made = lifted(replace(motion(*NODS), sway=sway), cut, person())
    rises = made.shift[:, 1]
    np.testing.assert_allclose(made.sway[:, 1] - 0.01, 0.65 * rises, atol=1e-6)
    assert np.array_equal(made.sway[:, [0, 2, 3]], sway[:, [0, 2, 3]])


def test_a_head_that_is_whole_moves_as_it_did(cut: Sheet) -> None:
    asked = motion(*NODS)
    nobody = np.zeros((HEIGHT, WIDTH), np.float32)
    assert lifted(asked, cut, nobody) is asked
    whole = sheet_of(still(), face_model())
    narrow = person()
    narrow[0] = np.abs(np.arange(WIDTH) - WIDTH / 2) < 0.05 * whole.wide
    assert lifted(asked, cut, narrow) is asked
