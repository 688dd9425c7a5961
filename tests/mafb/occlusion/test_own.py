"""Lips and a chin that move are the face's own; what comes from beyond it, or is odd, is not."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from gsmooth_core.face.morphable import Region
from gsmooth_core.face.render import face_surface
from gsmooth_core.mafb.occlusion.appearance import AppearanceModel, logarithm
from gsmooth_core.mafb.occlusion.canonical import CanonicalMap, canonical_map
from gsmooth_core.mafb.occlusion.moved import fit_moved, unexplained
from gsmooth_core.mafb.occlusion.own import runs_of, without_own
from gsmooth_core.types import FaceTrack
from tests.taft import scene

FRAMES = 40
SKIN, LIPS, BLUE = (190, 140, 120), (150, 80, 85), (40, 70, 160)
AT = 20  # the frame with a patch
WAY = 3  # the expression that moves the chin


@cache
def canonical() -> CanonicalMap:
    return canonical_map(face_surface(scene.face_model(), track(0).identity))


@cache
def track(seed: int) -> FaceTrack:
    """A face that moves in two ways at once, and hardly so in the frame with a patch."""
    base = scene.track(FRAMES)
    amounts = np.random.default_rng(seed).normal(0, 0.2, (FRAMES, 2)).astype(np.float32)
    amounts[AT] = 0
    expression = np.zeros_like(base.expression)
    expression[:, [WAY, WAY + 1]] = amounts
    return replace(base, expression=expression, rotation=np.zeros_like(base.rotation))


@cache
def plain() -> np.ndarray:
    """(C, 3) the colours of the face at rest."""
    lips = canonical().regions == Region.LIPS
    return np.where(lips[:, None], np.uint8(LIPS), np.uint8(SKIN))


@cache
def appearance() -> AppearanceModel:
    count = len(plain())
    deviations = np.full(count, 0.03, np.float32), np.full(count, 0.01, np.float32)
    return AppearanceModel(logarithm(plain()), *deviations)


def places() -> np.ndarray:
    return np.column_stack(canonical().places)


def below_the_lips() -> np.ndarray:
    """(C,) skin in the middle, up to four texels below the lips: far from any outline."""
    lips = places()[canonical().regions == Region.LIPS]
    low, middle = lips[:, 0].max(), int(np.median(lips[:, 1]))
    rows, columns = places().T
    return (rows > low) & (rows <= low + 4) & (np.abs(columns - middle) < 6)


def chin() -> np.ndarray:
    """(C,) the same down to the outline."""
    rows, columns = places().T
    return (rows > places()[below_the_lips()][:, 0].min()) & (
        np.abs(columns - int(np.median(places()[below_the_lips()][:, 1]))) < 6
    )


def judged(where: np.ndarray, colours: np.ndarray, sample=(), of: FaceTrack | None = None):
    seen = np.ones(len(plain()), bool)
    patches = {AT: canonical().image(where)}
    own = canonical(), appearance(), of or track(0), lambda frame: (colours, seen), dict(sample)
    return without_own(patches, *own)


def painted(where: np.ndarray, colour) -> np.ndarray:
    return np.where(where[:, None], np.uint8(colour), plain())


def test_lips_where_the_mesh_has_skin_are_lips() -> None:
    assert below_the_lips().sum() > 25  # a patch that `patches` would find
    assert judged(below_the_lips(), painted(below_the_lips(), LIPS)) == {}


def test_what_is_neither_lips_nor_skin_may_lie_in_the_middle_of_the_face() -> None:
    left = judged(below_the_lips(), painted(below_the_lips(), BLUE))
    np.testing.assert_array_equal(left[AT], canonical().image(below_the_lips()))


def test_what_comes_from_beyond_the_face_may_have_its_colours() -> None:
    left = judged(chin(), painted(chin(), LIPS))
    np.testing.assert_array_equal(left[AT], canonical().image(chin()))


def test_of_a_frame_only_the_parts_that_are_own_go() -> None:
    cheek = (places()[:, 1] < places()[:, 1].min() + 8) & (canonical().regions != Region.LIPS)
    left = judged(below_the_lips() | cheek, painted(below_the_lips() | cheek, LIPS))
    np.testing.assert_array_equal(left[AT], canonical().image(cheek))


def moving(amount: float) -> np.ndarray:
    """The face with its chin darker, as much as the expression says."""
    colours = plain().astype(np.float32)
    colours[chin()] *= np.exp(-0.6 * amount)
    return colours.astype(np.uint8)


def sample():
    seen = np.ones(len(plain()), bool)
    return {n: (moving(track(0).expression[n, WAY]), seen) for n in range(FRAMES) if n != AT}


@pytest.mark.parametrize(("shown", "kept"), [(0.4, False), (0.0, True)])
def test_a_chin_that_does_what_it_does_elsewhere_is_a_chin(shown: float, kept: bool) -> None:
    expression = track(0).expression.copy()
    expression[AT, WAY] = shown
    left = judged(chin(), moving(0.4), sample(), replace(track(0), expression=expression))
    assert (AT in left) == kept


def test_too_few_bare_frames_explain_nothing() -> None:
    expression = track(0).expression.copy()
    expression[AT, WAY] = 0.4
    of, few = replace(track(0), expression=expression), dict(list(sample().items())[:11])
    assert AT in judged(chin(), moving(0.4), few, of)
    assert fit_moved(canonical(), appearance(), of, few) is None


def test_where_nothing_is_seen_nothing_is_explained() -> None:
    moved = fit_moved(canonical(), appearance(), track(0), sample())
    assert moved is not None
    nowhere = np.zeros_like(canonical().image(chin()))
    shown = [(AT, nowhere, (moving(0.4), np.ones(len(plain()), bool)))]
    assert unexplained(moved, canonical(), appearance(), track(0), shown) == 1


def test_a_run_may_lack_one_frame() -> None:
    assert runs_of([9, 3, 4, 6]) == [[3, 4, 6], [9]]
