"""Hands before a face are outlined where they were drawn, in their frames, and nowhere else."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsmooth_core.mafb.crop import crop_transforms
from gsmooth_core.mafb.occlusion.hand_finder import Hand, HandSettings
from gsmooth_core.mafb.occlusion.hands import (
    HandSearch,
    HandWatch,
    bridged,
    find_hands,
    find_held,
    hand_mask,
    united,
)
from gsmooth_core.mafb.occlusion.occluders import packed
from tests.mafb.occlusion import made
from tests.mafb.occlusion.drawn_hands import before, hand, shape
from tests.taft import scene

SIZE = 256
CARRIED = range(made.HIDDEN.start - 2, made.HIDDEN.stop + 2)
"""Frames of the hand, with two before it comes and after it went."""


def landmarks(frame: int) -> np.ndarray:
    """The hand of a frame of `made.hidden`'s, its fingers before the mouth."""
    x, y = np.argwhere(made.disc(frame)).mean(0)[::-1]
    return hand((x, y + 22), 26, 0.05 * (frame - 12))


@cache
def clip() -> tuple[np.ndarray, ...]:
    return tuple(
        before(picture, landmarks(n)) if n in made.HIDDEN else picture
        for n, picture in enumerate(made.bare())
    )


@pytest.fixture(scope="module")
def found():
    return find_hands(made.opened(clip()), made.clip(), scene.face_model())


def overlap(mask: np.ndarray, truth: np.ndarray) -> float:
    return float((mask & truth).sum() / max((mask | truth).sum(), 1))


def test_a_hand_is_found_in_its_frames_and_hardly_in_others(found) -> None:
    assert found.frames.tolist() == list(CARRIED)


def test_its_outline_is_its_own(found) -> None:
    transforms = crop_transforms(made.clip(), scene.face_model(), SIZE)
    for frame in made.HIDDEN:
        truth = shape(landmarks(frame), clip()[frame].shape[:2]).astype(np.uint8) * 255
        drawn = cv2.warpAffine(truth, transforms[frame], (SIZE, SIZE)) > 127
        assert overlap(found.mask(frame, SIZE), drawn) > 0.75


def test_a_face_with_nothing_before_it_shows_none() -> None:
    assert len(find_hands(made.opened(made.bare()), made.clip(), scene.face_model())) == 0


@pytest.mark.parametrize("place", [(75, 248), (160, 250)])
def test_a_hand_beside_or_below_the_face_is_not_before_it(place) -> None:
    pictures = [before(p, hand(place, 20)) for p in made.bare()]
    watch = HandWatch(made.clip(), scene.face_model())
    assert watch.near(made.opened(pictures)).any()  # it is seen
    assert len(find_hands(made.opened(pictures), made.clip(), scene.face_model(), watch)) == 0


def test_what_was_looked_at_is_read_again_only_beside_hands(found) -> None:
    track, model, asked = made.clip(), scene.face_model(), []
    watch = HandWatch(track, model)
    with watch.watched(made.opened(clip()))() as source:
        assert all(source(n) is clip()[n] for n in range(len(track)))

    @contextmanager
    def opened():
        yield lambda frame: asked.append(frame) or clip()[frame]

    again = find_hands(opened, track, model, watch)
    near = np.flatnonzero(watch.near(opened)).tolist()
    assert asked == near
    assert set(made.HIDDEN) <= set(near) < set(range(len(track)))
    assert np.array_equal(again.packed, found.packed)


def test_a_second_hand_that_comes_later_is_found_beside_the_first() -> None:
    track, later = made.clip(), 10

    def second(frame: int) -> np.ndarray:
        x, y = np.argwhere(made.disc(frame)).mean(0)[::-1]
        return hand((x + 40, y + 5), 24, 0.5, mirror=True)

    pictures = [before(p, landmarks(n)) for n, p in enumerate(made.bare())]
    pictures = [before(p, second(n)) if n >= later else p for n, p in enumerate(pictures)]
    found = find_hands(made.opened(pictures), track, scene.face_model())
    transforms = crop_transforms(track, scene.face_model(), SIZE)
    for frame in (8, 9, 13, 18, 22):
        drawn = shape(second(frame), pictures[0].shape[:2]).astype(np.uint8) * 255
        truth = cv2.warpAffine(drawn, transforms[frame], (SIZE, SIZE)) > 127
        share = (found.mask(frame, SIZE) & truth).sum() / truth.sum()
        assert share > 0.7 if frame > later else share < 0.4


def test_one_look_at_a_hand_is_enough() -> None:
    rare = HandWatch(made.clip(), scene.face_model(), HandSearch(every=10))
    found = find_hands(made.opened(clip()), made.clip(), scene.face_model(), rare)
    assert found.frames.tolist() == list(CARRIED)


def test_a_photo_is_followed_only_where_its_first_frame_shows_a_hand() -> None:
    track, model, asked = made.clip(), scene.face_model(), []
    held = [before(p, landmarks(n)) for n, p in enumerate(made.bare())]

    def pictures(given):
        @contextmanager
        def opened():
            yield lambda frame: asked.append(frame) or given[frame]

        return opened

    assert len(find_held(pictures(made.bare()), track, model)) == 0
    assert asked == [0]
    assert find_held(pictures(held), track, model).frames.tolist() == list(range(made.FRAMES))


def test_frames_without_a_face_are_not_looked_at() -> None:
    pictures = list(clip())
    pictures[11] = pictures[6] = None
    track = scene.without_face(scene.without_face(made.clip(), 11), 6)
    found = find_hands(made.opened(pictures), track, scene.face_model())
    assert found.frames.tolist() == [9, 10, 12, 13, 14, 15, 16]  # two frames say little of a way


class _Told:
    """Says of each frame what it is told, instead of looking."""

    def __init__(self, presence: dict[int, float]) -> None:
        self.settings, self.presence = HandSettings(), presence

    def find(self, picture: np.ndarray, tile: object) -> list[Hand]:
        (frame,) = np.unique(picture)
        presence = self.presence.get(int(frame), 0.0)
        return [Hand(hand((0, 0), 9), presence)] if presence >= self.settings.kept else []


@pytest.mark.parametrize(
    ("presence", "near"),
    [
        ({4: 0.95}, range(2, 7)),
        ({4: 0.85}, range(0)),  # a face may be as much of a hand
        ({4: 0.95, 6: 0.6, 8: 0.55}, range(2, 11)),
        ({4: 0.95, 8: 0.85}, range(2, 7)),
        ({4: 0.6, 6: 0.6, 8: 0.91}, range(2, 11)),
        ({0: 0.95, 22: 0.95}, [0, 1, 2, 20, 21, 22, 23]),
        ({23: 0.95}, [21, 22, 23]),  # the last frame is looked at, too
    ],
)
def test_less_certain_looks_count_where_they_go_on_from_certain_ones(presence, near) -> None:
    watch = HandWatch(made.clip(), scene.face_model(), HandSearch(every=2))
    watch.finder = _Told(presence)
    blank = [np.full_like(p, n) for n, p in enumerate(made.bare())]
    assert np.flatnonzero(watch.near(made.opened(blank))).tolist() == list(near)


@given(st.floats(20, 60), st.floats(-3, 3), st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_mask_is_the_flesh_around_the_bones(width: float, turn: float, mirror: bool) -> None:
    points = hand((128, 128), width, turn, mirror)
    mask, truth = hand_mask(points, SIZE), shape(points, (SIZE, SIZE))
    inside = (points > 0).all(1) & (points < SIZE).all(1)
    column, row = points[inside].astype(int).T
    assert mask[row, column].all()
    assert overlap(mask, truth) > 0.8
    far = cv2.distanceTransform((~truth).astype(np.uint8), cv2.DIST_L2, 5)
    assert far[mask].max() < 0.2 * width + 1


@given(st.integers(-20, 20), st.integers(-20, 20))
@settings(max_examples=20, deadline=None)
def test_a_mask_goes_with_its_hand(right: int, down: int) -> None:
    points = hand((128, 128), 30)
    moved = np.roll(hand_mask(points, SIZE), (down, right), (0, 1))
    assert np.array_equal(hand_mask(points + np.float32([right, down]), SIZE), moved)


def at(x: float) -> Hand:
    return Hand(hand((x, 100), 40), 0.95)


def test_a_hand_that_is_missed_for_a_moment_is_between_where_it_was_and_is() -> None:
    whole = bridged({3: [at(100)], 6: [at(112)], 7: [at(116)]})
    assert list(whole) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    for frame, place in ((1, 92), (2, 96), (4, 104), (5, 108), (8, 120), (9, 124)):
        assert np.allclose(whole[frame][0].landmarks, at(place).landmarks, atol=1e-3)


@pytest.mark.parametrize(
    "found", [{}, {3: [at(100)]}, {3: [at(100)], 9: [at(100)]}, {3: [at(100)], 5: [at(300)]}]
)
def test_a_hand_that_is_gone_for_long_or_is_another_is_not_made_up(found) -> None:
    assert bridged(found) == found


def kept(found: np.ndarray, hands: np.ndarray) -> np.ndarray:
    return united(packed([(4, found)], SIZE), packed([(4, hands)], SIZE)).mask(4, SIZE)


def box(top: int, left: int, height: int, width: int) -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), bool)
    mask[top : top + height, left : left + width] = True
    return mask


HAND = box(100, 100, 60, 60)


@pytest.mark.parametrize(
    ("found", "stays"),
    [
        (box(90, 90, 80, 80), False),  # reaches beyond the hand all around
        (box(120, 60, 12, 60), False),  # a row of teeth that it half covers
        (box(40, 110, 75, 70), True),  # a cup in it
        (box(20, 20, 30, 30), True),  # something else
    ],
)
def test_beside_a_hand_stays_what_is_no_part_of_it(found, stays) -> None:
    assert np.array_equal(kept(found, HAND), HAND | found if stays else HAND)


def test_without_hands_all_stays_and_hands_alone_are_enough() -> None:
    nothing, found = np.zeros((SIZE, SIZE), bool), box(90, 90, 80, 80)
    assert np.array_equal(kept(found, nothing), found)
    assert np.array_equal(kept(nothing, HAND), HAND)
    both = united(packed([(2, found)], SIZE), packed([(5, HAND)], SIZE))
    assert both.frames.tolist() == [2, 5]
