"""The choice of references: never the frame itself, near, and without jumps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsmooth_core.taft.lending import references
from gsmooth_core.taft.lending.references import (
    Choice,
    ReferenceSettings,
    choice_of,
    choose_bank,
    costs,
    features,
    price_of_turn,
)
from gsmooth_core.tracking.people.people import People
from tests.taft import scene


def choose(target, own, bank, fps, settings=None, *args, **more) -> Choice:
    settings = settings or ReferenceSettings()
    return choice_of(costs(target, own, bank, fps, settings, *args, **more), settings)


def space(frames: int, seed: int = 0) -> np.ndarray:
    """A smooth walk through a few dimensions."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 6 * np.pi, frames)[:, None]
    return (3 * np.sin(t * rng.uniform(0.5, 1.5, 5) + rng.uniform(0, 6, 5))).astype(np.float32)


@given(st.integers(2, 60), st.integers(1, 20), st.sampled_from([0.0, 0.2, 0.5]))
@settings(max_examples=40, deadline=None)
def test_no_reference_is_the_frame_or_within_the_gap(frames: int, size: int, gap: float) -> None:
    points = space(frames)
    bank = choose_bank(points, np.ones(frames, bool), size)
    choice = choose(points, points, bank, 25, ReferenceSettings(gap=gap))
    for frame in range(frames):
        taken = bank[choice.members[frame][choice.weights[frame] > 0]]
        if len(bank) > 1:
            assert (np.abs(taken - frame) > 0).all()
            assert (np.abs(taken - frame) / 25 > gap).all()


def test_no_reference_is_the_same_picture_shown_again_or_near_it() -> None:
    shown = np.tile(np.arange(40), 2)  # a loop
    points = space(40)[shown]
    bank = choose_bank(points, np.arange(80) < 40, 20)
    gap = ReferenceSettings(gap=0.2)
    choice = choose(points, points, bank, 25, gap, picture=shown)
    for frame in range(80):
        taken = shown[bank[choice.members[frame][choice.weights[frame] > 0]]]
        assert len(taken)
        assert (np.abs(taken - shown[frame]) / 25 > 0.2).all()


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_gap_is_as_long_where_a_file_holds_its_pictures(times: int) -> None:
    repeats = np.arange(120) % times != 0
    shown = People((), np.zeros(120, np.int32), repeats).pictures
    points = space(120)[np.arange(120) if shown is None else shown]
    bank = choose_bank(points, ~repeats, 120)
    gap = ReferenceSettings(gap=0.5, fade=0.0, count=100)
    choice = choose(points, points, bank, 50, gap, picture=shown)
    for frame in range(0, 120, times):
        taken = bank[choice.members[frame][choice.weights[frame] > 0]]
        assert 25 < np.abs(taken - frame).min() <= 25 + times


@given(st.integers(1, 200), st.integers(1, 48))
@settings(max_examples=30, deadline=None)
def test_the_bank_is_bounded_sorted_and_usable(frames: int, size: int) -> None:
    usable = np.random.default_rng(frames).random(frames) > 0.3
    bank = choose_bank(space(frames), usable, size)
    assert len(bank) == min(size, usable.sum())
    assert usable[bank].all()
    assert (np.diff(bank) > 0).all()


def test_the_bank_spans_the_space_better_than_chance() -> None:
    points = space(400)
    bank = choose_bank(points, np.ones(400, bool), 24)

    def reach(chosen: np.ndarray) -> float:
        return np.linalg.norm(points[:, None] - points[chosen][None], axis=-1).min(1).max()

    rng = np.random.default_rng(0)
    assert reach(bank) < min(reach(rng.choice(400, 24, replace=False)) for _ in range(10))


def test_the_nearest_is_chosen_first() -> None:
    points = space(100)
    bank = np.arange(0, 100, 4)
    plain = ReferenceSettings(smooth=0, fade=0, count=4)
    choice = choose(points, points, bank, 25, plain)
    for frame in (1, 33, 66):
        distance = np.linalg.norm(points[bank] - points[frame], axis=1)
        distance[bank == frame] = np.inf
        assert list(choice.members[frame]) == list(np.argsort(distance)[:4])
        assert (np.diff(choice.weights[frame]) <= 0).all()
        assert choice.weights[frame, 0] == 1


def test_a_reference_comes_and_goes_without_a_jump() -> None:
    t = np.linspace(0, 59, 2400)
    slow = np.stack([np.interp(t, np.arange(60), space(60)[:, d]) for d in range(5)], 1)
    bank = np.arange(5, len(slow), 97)
    choice = choose(slow, slow, bank, 25, ReferenceSettings(fade=2.0))
    dense = np.zeros((len(slow), len(bank)))
    np.put_along_axis(dense, choice.members, choice.weights, 1)
    dense /= dense.sum(1, keepdims=True)
    assert np.abs(np.diff(dense, axis=0)).max() < 0.3  # one at a time would jump by 1


def test_a_still_picture_is_its_own_reference() -> None:
    points = space(50)
    choice = choose(points, points[:1], np.array([0]), 25)
    assert choice.members.shape == (50, 1)
    assert (choice.weights == 1).all()


def test_frames_without_any_allowed_reference_get_none() -> None:
    points = space(5)
    choice = choose(points, points, np.arange(5), 25, ReferenceSettings(gap=10))
    assert (choice.weights == 0).all()


@pytest.mark.parametrize("shape", ["jawOpen", "mouthFunnel"])
def test_features_are_millimetres_of_the_mouth(shape: str) -> None:
    clip, model = scene.track(2, still=True), scene.face_model()
    expression = np.zeros_like(clip.expression)
    expression[1, model.expression_names.index(shape)] = 0.5
    a, b = features(clip, model, expression, 4.0)[:, :-3]  # without the aperture
    moved = model.expression_basis[model.expression_names.index(shape)] * 0.5 * 100
    lips = model.in_regions(1, 2)
    oracle = np.sqrt((moved[lips] ** 2).sum(1).mean())
    assert np.linalg.norm(a - b) == pytest.approx(oracle, rel=0.25)


def test_a_mouth_as_open_is_preferred_to_skin_that_is_nearer() -> None:
    """What is seen inside the mouth depends on the gap between the lips, which is little skin."""
    clip, model = scene.track(3, still=True), scene.face_model()
    expression = np.zeros_like(clip.expression)
    _, shut, other = expression
    expression[:, model.expression_names.index("jawOpen")] = 0.3
    shut[model.expression_names.index("mouthClose")] = 0.1
    for side in ("Left", "Right"):
        other[model.expression_names.index(f"mouthDimple{side}")] = 0.4
    shapes = 100 * model.shape(clip.identity, expression)  # millimetres
    skin = np.linalg.norm((shapes - shapes[0])[:, model.in_regions(1, 2)], axis=(1, 2))
    lips = model.landmarks(shapes)[:, [13, 14], 1]
    gap = np.abs((lips[:, 0] - lips[:, 1]) - (lips[0, 0] - lips[0, 1]))
    assert skin[1] < 0.8 * skin[2]
    assert gap[1] > 3 > 0.3 > gap[2]
    space = features(clip, model, expression, 4.0)
    plain = ReferenceSettings(smooth=0, fade=0, count=1)
    assert choose(space, space, np.array([1, 2]), 25, plain).members[0, 0] == 1


def test_squared_distances_are_those_of_the_plain_formula() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 20, (30, 90)), rng.normal(0, 20, (7, 90))
    a[3] = b[2]
    plain = ((a[:, None] - b[None]) ** 2).sum(-1)
    np.testing.assert_allclose(references.squared_distances(a, b), plain, atol=1e-9)


def test_of_two_like_mouths_the_one_in_like_light_is_taken() -> None:
    """Frames 1 and 2 show the mouth of frame 0, 2 in half the light."""
    points = np.zeros((4, 3), np.float32)
    points[3] = 50
    plain = ReferenceSettings(count=1, smooth=0, fade=1e-6)
    bank = np.array([1, 2, 3])
    lit = np.log(np.array([1.0, 0.5, 1.0, 1.0], np.float32))
    assert bank[choose(points, points, bank, 25, plain, lit).members[0, 0]] == 2
    assert bank[choose(points, points, bank, 25, plain, lit[[0, 2, 1, 3]]).members[0, 0]] == 1


def test_a_little_more_light_costs_nothing() -> None:
    points = np.zeros((3, 3), np.float32)
    lit = np.array([0.0, 0.07, -0.07], np.float32)
    plain = ReferenceSettings(count=2, smooth=0, fade=1e-6)
    with_light = choose(points, points, np.arange(3), 25, plain, lit)
    without = choose(points, points, np.arange(3), 25, plain)
    assert np.array_equal(with_light.weights, without.weights)


def test_of_two_like_mouths_the_one_in_the_same_shot_is_taken() -> None:
    """Frame 3 shows the mouth of frame 0 exactly, in another shot; frame 1 nearly, in its own."""
    points = np.zeros((4, 3), np.float32)
    points[1], points[2] = 1.0, 50.0
    plain = ReferenceSettings(count=1, smooth=0, fade=1e-6)
    bank = np.array([1, 2, 3])
    shots = np.array([0, 0, 0, 1], np.int32)
    assert bank[choose(points, points, bank, 25, plain).members[0, 0]] == 3
    assert bank[choose(points, points, bank, 25, plain, shot=shots).members[0, 0]] == 1


def test_another_shot_lends_what_its_own_does_not_show() -> None:
    points = np.array([[0.0], [9.0], [8.5], [0.1]], np.float32)
    plain = ReferenceSettings(count=1, smooth=0, fade=1e-6)
    shots = np.array([0, 0, 0, 1], np.int32)
    bank = np.array([1, 2, 3])
    assert bank[choose(points, points, bank, 25, plain, shot=shots).members[0, 0]] == 3


def test_frames_lost_in_a_flash_or_in_black_lend_nothing() -> None:
    count = 20
    track = scene.track(count)
    exposed = np.full(count, 0.8, np.float32)
    exposed[[4, 5]] = 0.1
    found = references.well_exposed(replace(track, exposed=exposed))
    assert np.flatnonzero(~found).tolist() == [4, 5]
    assert references.well_exposed(track).all()  # an old track does not know
    assert references.well_exposed(replace(track, exposed=exposed / 4)).sum() == count - 2


def test_a_head_turned_far_away_costs_more_than_any_mouth() -> None:
    degrees = np.array([[0, 0, 0], [0, 2, 0], [0, 8, 0], [-6, 8, 0], [0, 0, 40]], np.float32)
    price = price_of_turn(np.radians(degrees), np.array([0, 2]))
    assert price.shape == (5, 2)
    assert price[:, 0] == pytest.approx([0, 0, 12.5, 24.5, 0], abs=1e-3)  # 10 degrees in all
    assert price[:, 1] == pytest.approx([12.5, 4.5, 0, 4.5, 12.5], abs=1e-3)
