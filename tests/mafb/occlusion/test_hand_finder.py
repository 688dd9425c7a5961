"""Hands are found where they were drawn, however they are held; what is no hand is none."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.mafb.occlusion.hand_finder import Hand, HandFinder, HandSettings, apart
from tests.mafb.occlusion.drawn_hands import before, hand
from tests.taft import scene

SIZE = 400
TILE = (0.0, 0.0, float(SIZE))
OFF = 0.15  # of a palm's width


@pytest.fixture(scope="module")
def finder() -> HandFinder:
    return HandFinder()


def picture(*hands: np.ndarray) -> np.ndarray:
    shown = np.full((SIZE, SIZE, 3), (60, 80, 110), np.uint8)
    for landmarks in hands:
        shown = before(shown, landmarks)
    return shown


def off(found: Hand, truth: np.ndarray) -> float:
    """Mean distance of landmarks, in widths of the palm."""
    apart_by = np.hypot(*(found.landmarks - truth).T).mean()
    return float(apart_by / np.hypot(*(truth[5] - truth[17])))


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("turn", [-1.2, -0.5, 0, 0.7, 1.5])
@pytest.mark.parametrize(("centre", "width"), [((200, 210), 70), ((150, 240), 45)])
def test_a_hand_is_where_it_is(finder, centre, width, turn, mirror) -> None:
    truth = hand(centre, width, turn, mirror)
    (found,) = finder.find(picture(truth), TILE)
    assert found.presence > 0.9
    assert off(found, truth) < OFF
    assert abs(found.width / width - 1) < 0.25


def test_its_place_does_not_depend_on_the_square_that_is_searched(finder) -> None:
    truth = hand((200, 210), 50, 0.3)
    places = [(0.0, 0.0, 400.0), (-40.0, 10.0, 420.0), (60.0, 60.0, 300.0)]
    found = [finder.find(picture(truth), tile)[0].landmarks for tile in places]
    assert max(np.abs(x - found[0]).mean() for x in found) < 0.05 * 50


def test_two_hands_are_two(finder) -> None:
    truths = hand((110, 220), 45), hand((290, 220), 45, mirror=True)
    found = finder.find(picture(*truths), TILE)
    assert len(found) == 2
    assert all(min(off(each, truth) for each in found) < OFF for truth in truths)


def test_a_hand_is_followed_from_frame_to_frame_and_lost_with_it(finder) -> None:
    ways = [hand((150 + 12 * n, 220 - 6 * n), 55, 0.1 * n) for n in range(6)]
    (found,) = finder.find(picture(ways[0]), TILE)
    for truth in ways[1:]:
        found = finder.follow(picture(truth), found)
        assert found is not None
        assert off(found, truth) < OFF
    assert finder.follow(picture(), found) is None


@pytest.mark.parametrize("seed", range(3))
def test_noise_holds_no_hand(finder, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
    assert finder.find(noise, TILE) == []


def test_a_talking_face_is_no_hand(finder) -> None:
    track = scene.track(6)
    for shown in scene.pictures(track):
        height, width = shown.shape[:2]
        assert finder.find(shown, (0.0, 0.0, float(max(height, width)))) == []


def test_a_square_outside_of_the_frame_is_empty(finder) -> None:
    assert finder.find(picture(hand((200, 200), 60)), (900.0, 900.0, 100.0)) == []


def test_what_is_less_certain_than_asked_is_none() -> None:
    truth = hand((200, 210), 60)
    assert HandFinder(HandSettings(kept=1.01)).find(picture(truth), TILE) == []
    assert HandFinder(HandSettings(minimum_score=1.01)).find(picture(truth), TILE) == []


def test_of_one_hand_twice_the_more_certain_is_kept() -> None:
    points = hand((200, 200), 50)
    sure, again, other = Hand(points + 3, 0.97), Hand(points, 0.93), Hand(points + 60, 0.91)
    assert apart([again, other, sure]) == [sure, other]
    assert apart([]) == []


def test_a_hand_seen_from_its_side_keeps_its_breadth() -> None:
    points = hand((0, 0), 50)
    flat = points * [0.1, 1]
    assert Hand(points, 1).width == pytest.approx(
        np.hypot(*(points[0] - points[9])) * 0.62, rel=0.2
    )
    assert Hand(flat, 1).width > 30
