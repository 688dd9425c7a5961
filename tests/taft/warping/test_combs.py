"""A picture that mixes two moments line by line is told from texture, and lends nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gsmooth_core.taft.compose import Composer
from gsmooth_core.taft.composition import ComposeSettings
from gsmooth_core.taft.lending.lenders import without
from gsmooth_core.taft.lending.references import Choice, ReferenceSettings
from gsmooth_core.taft.warping.combs import combed
from tests.mafb.occlusion import made
from tests.taft import scene


def woven(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    mixed = one.copy()
    mixed[1::2] = other[1::2]
    return mixed


def test_two_moments_make_combs_where_something_moved() -> None:
    picture = made.bare()[4]
    assert not combed(picture)
    assert combed(woven(picture, np.roll(picture, 6, 1)))
    assert not combed(woven(picture, picture))


@pytest.mark.parametrize("axis", [0, 1])
def test_grain_and_stripes_are_no_combs(axis) -> None:
    rng = np.random.default_rng(0)
    grain = rng.integers(90, 150, (80, 90, 1)).repeat(3, 2).astype(np.uint8)
    stripes = np.full((80, 90, 3), 100, np.uint8)
    np.moveaxis(stripes, axis, 0)[::6] = 160  # lines of a shirt: two apart they differ
    np.moveaxis(stripes, axis, 0)[1::6] = 160
    assert not combed(grain) and not combed(stripes)


def test_combed_members_go_where_others_are_left() -> None:
    choice = Choice(np.array([[0, 1], [0, 2]]), np.float32([[1, 0.5], [1, 0.2]]))
    left = without(choice, [0, 2])
    assert left.weights.tolist() == [[0, 1], [1, np.float32(0.2)]]


def test_an_interlaced_frame_is_no_reference() -> None:
    pictures = [p.copy() for p in made.bare()]
    for frame in (3, 9, 15):
        pictures[frame] = woven(pictures[frame], np.roll(pictures[frame], 8, 1))
    settings = ComposeSettings(references=ReferenceSettings(bank=24, count=4))
    args = made.clip(), scene.face_model(), made.clip().expression, pictures.__getitem__, settings
    composer = Composer(*args)
    assert set(composer.combed) == {3, 9, 15}
    photo = Composer(*args[:-1], dataclasses.replace(settings, progressive=True))
    assert photo.combed == () and set(photo.bank) == set(composer.bank)
    taken = {m for frame in range(24) for m in composer.members(frame)}
    assert len(taken) > 8 and not taken & {3, 9, 15}
