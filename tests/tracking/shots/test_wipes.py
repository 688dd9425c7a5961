"""Wipes and pushes are known to the frame, give or take two; what moves in a shot is none."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from gsmooth_core.ranges import ranges_of
from gsmooth_core.tracking.shots.cuts import find_shots
from gsmooth_core.tracking.shots.pictures import thumbnail
from gsmooth_core.types import Image
from tests.tracking.heads import drawn_head

HIGH, WIDE = 160, 240
START, LENGTH, COUNT = 30, 16, 80
Way = Callable[[Image, Image, float], Image]


def _room(seed: int) -> Image:
    rng = np.random.default_rng(seed)
    room = np.full((HIGH, WIDE, 3), rng.integers(60, 180, 3), np.uint8)
    for _ in range(14):
        x, y, w, h = rng.integers(0, (200, 130, 60, 60))
        room[y : y + h + 8, x : x + w + 8] = rng.integers(30, 220, 3)
    return room


def _shot(head: Image, room: Image) -> Callable[[int], Image]:
    small = cv2.resize(head, (120, 120), interpolation=cv2.INTER_AREA)

    def at(t: int) -> Image:
        frame, left = room.copy(), 60 + round(3 * np.sin(t / 4))
        frame[30:150, left : left + 120] = small
        return frame

    return at


@pytest.fixture(scope="module")
def shots(astronaut: Image) -> tuple[Callable[[int], Image], Callable[[int], Image]]:
    """Two people in two rooms, who sway."""
    return _shot(astronaut[20:260, 100:340], _room(1)), _shot(drawn_head(0), _room(2))


def _within(where: Image, one: Image, other: Image) -> Image:
    return np.where(where[..., None], other, one)


def _line(one: Image, other: Image, share: float) -> Image:
    return _within(np.arange(WIDE)[None] < share * WIDE + np.zeros((HIGH, 1)), one, other)


def _iris(one: Image, other: Image, share: float) -> Image:
    y, x = np.mgrid[:HIGH, :WIDE]
    return _within(np.hypot(x - WIDE / 2, y - HIGH / 2) < share * 145, one, other)


def _pushed(one: Image, other: Image, share: float) -> Image:
    gone = round(share * HIGH)
    return np.concatenate([one, other])[gone : gone + HIGH]


def _covered(one: Image, other: Image, share: float) -> Image:
    gone = round(share * WIDE)
    return np.concatenate([other[:, WIDE - gone :], one[:, gone:]], 1)


def _uncovered(one: Image, other: Image, share: float) -> Image:
    gone = round(share * WIDE)
    return np.concatenate([one[:, gone:], other[:, WIDE - gone :]], 1)


def _shots_of(frames: list[Image]) -> list[int]:
    rng = np.random.default_rng(0)
    noisy = (np.clip(f + rng.normal(0, 3, f.shape), 0, 255).astype(np.uint8) for f in frames)
    return find_shots([thumbnail(frame) for frame in noisy]).tolist()


@pytest.mark.parametrize("way", [_line, _iris, _pushed, _covered, _uncovered])
@pytest.mark.parametrize("eased", [False, True])
def test_one_picture_gives_way_to_another(
    shots: tuple[Callable[[int], Image], Callable[[int], Image]], way: Way, eased: bool
) -> None:
    first, second = shots

    def frame(t: int) -> Image:
        share = min(max((t - START + 1) / (LENGTH + 1), 0), 1)
        return way(first(t), second(t), share * share * (3 - 2 * share) if eased else share)

    found = np.array(_shots_of([frame(t) for t in range(COUNT)]))
    ((begin, end),) = ranges_of(found < 0)
    late = 2 if eased else 0  # a picture that has moved by a hair is the same one
    assert START - 3 <= begin <= START + late
    assert START + LENGTH - 1 - late <= end <= START + LENGTH + 2
    assert set(found[:begin]) == {0}
    assert set(found[end + 1 :]) == {1}


def test_who_walks_out_before_a_wall_is_no_transition(astronaut: Image) -> None:
    wall = np.full((HIGH, 4 * WIDE, 3), 120, np.uint8)
    wall[:] += np.arange(0, 60, 60 / HIGH).astype(np.uint8)[:, None, None]
    wall[120:124] -= 25
    wall[40:52, 330:338] -= 40
    wall[:, 60:220] = cv2.resize(astronaut[20:260, 100:340], (160, HIGH))
    places = [round(240 / (1 + np.exp((40 - t) / 3))) for t in range(COUNT)]
    assert min(_shots_of([wall[:, x : x + WIDE] for x in places])) == 0


def test_a_pan_from_one_place_to_another_that_never_rests_is_none(astronaut: Image) -> None:
    street = np.concatenate([_room(n) for n in range(4)], 1)
    assert min(_shots_of([street[:, 9 * t : 9 * t + WIDE] for t in range(COUNT)])) == 0


@pytest.mark.parametrize("length", [10, 16, 24])
def test_a_pan_between_two_holds_is_none(
    shots: tuple[Callable[[int], Image], Callable[[int], Image]], length: int
) -> None:
    """A quarter of the first picture is seen in the last one; of a push nothing is."""
    street = np.concatenate([shots[1](0), shots[0](0)], 1)
    shares = np.clip((np.arange(COUNT) - START) / length, 0, 1)
    places = np.rint(0.75 * WIDE * shares**2 * (3 - 2 * shares)).astype(int)
    assert min(_shots_of([street[:, x : x + WIDE] for x in places])) == 0


@pytest.mark.parametrize("length", [12, 20])
def test_a_pan_by_a_whole_width_is_none(length: int) -> None:
    """The first picture ends where the last one begins; of a push they meet in a line."""
    colours = np.random.default_rng(4).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    street = cv2.resize(colours, (2 * WIDE, HIGH), interpolation=cv2.INTER_CUBIC)
    shares = np.clip((np.arange(COUNT) - START) / length, 0, 1)
    places = np.rint(WIDE * shares**2 * (3 - 2 * shares)).astype(int)
    assert min(_shots_of([street[:, x : x + WIDE] for x in places])) == 0


@pytest.mark.parametrize("wide", [140, 165])
def test_who_steps_before_the_lens_and_stays_is_none(
    shots: tuple[Callable[[int], Image], Callable[[int], Image]], wide: int
) -> None:
    """The room beside them stays as it was; of a wipe only bars and panels do."""
    body = cv2.resize(_room(7), (wide, HIGH + 40))[:HIGH]
    frames = []
    for t in range(COUNT):
        left = round(WIDE - (WIDE - 40) * np.clip((t - START) / LENGTH, 0, 1))
        frame = shots[0](t)
        seen = body[:, : WIDE - left]
        frame[20:, left : left + wide] = seen[20:]
        frames.append(frame)
    assert min(_shots_of(frames)) == 0


def test_a_wipe_over_a_panel_that_stays_is_one(
    shots: tuple[Callable[[int], Image], Callable[[int], Image]],
) -> None:
    frames = []
    for t in range(COUNT):
        share = min(max((t - START + 1) / (LENGTH + 1), 0), 1)
        frame = _line(shots[0](t), shots[1](t), share)
        frame[120:] = _room(5)[120:]
        frames.append(frame)
    assert min(_shots_of(frames)) == -1


def test_a_lamp_that_goes_across_is_none(
    shots: tuple[Callable[[int], Image], Callable[[int], Image]],
) -> None:
    y, x = np.mgrid[:HIGH, :WIDE]
    frames = []
    for t in range(COUNT):
        place = WIDE / 2 + 0.6 * WIDE * np.clip((t - START) / LENGTH * 2 - 1, -1, 1)
        lit = 0.12 + 1.1 * np.exp(-(((x - place) / 80) ** 2) - ((y - 70) / 150) ** 2)
        frames.append(np.clip(shots[0](t) * lit[..., None], 0, 255).astype(np.uint8))
    assert min(_shots_of(frames)) == 0


def test_a_post_that_passes_before_a_picture_is_none(
    shots: tuple[Callable[[int], Image], Callable[[int], Image]],
) -> None:
    frames = [shots[0](t).copy() for t in range(COUNT)]
    for t, frame in enumerate(frames):
        frame[:, max(5 * t - 60, 0) : max(5 * t, 0)] = 40
    assert min(_shots_of(frames)) == 0
