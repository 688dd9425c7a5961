"""Sampling, alignment and PCA of identities, and the repairs to the source's data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from gsmooth_core.face.morphable import Region
from training.face.identity import _age, _levels, align, mirrored, principal_components
from training.face.repair import follow_mouth, similarity_field


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.5, 2))
def test_alignment_undoes_moving_turning_and_scaling(seed, scale):
    random = np.random.default_rng(seed)
    shape = random.normal(size=(20, 3))
    turn = Rotation.random(random_state=seed % 2**31).as_matrix()
    moved = scale * shape @ turn.T + random.normal(size=3)
    weight = random.uniform(0.1, 1, 20)
    assert np.allclose(align(moved, shape, weight), shape, atol=1e-8)


def test_alignment_does_not_mirror():
    shape = np.random.default_rng(0).normal(size=(20, 3))
    aligned = align(shape * [-1, 1, 1], shape, np.ones(20))
    assert np.abs(aligned - shape).max() > 0.1


def test_alignment_looks_only_where_there_is_weight():
    random = np.random.default_rng(1)
    shape = random.normal(size=(20, 3))
    other = shape.copy()
    other[15:] += 5
    weight = np.ones(20)
    weight[15:] = 0
    assert np.allclose(align(other, shape, weight)[:15], shape[:15], atol=1e-9)


@pytest.fixture(scope="module")
def people():
    """50 people of 4 pairs of mirrored vertices, who differ in 3 ways."""
    random = np.random.default_rng(2)
    base = random.normal(size=(8, 3))
    ways = random.normal(size=(3, 8, 3))
    return base + np.einsum("pk,kvx->pvx", random.normal(size=(50, 3)) * [3, 2, 1], ways)


MIRROR = np.array([1, 0, 3, 2, 5, 4, 7, 6])


def test_coefficients_have_unit_variance(people):
    result = principal_components(people, MIRROR, np.ones(8), 7)
    both = np.concatenate([people, mirrored(people, MIRROR)]) - result.mean
    flat = result.basis.reshape(7, -1)
    scores = both.reshape(100, -1) @ np.linalg.pinv(flat)
    assert np.allclose((scores**2).mean(0), 1, atol=1e-6)
    assert np.allclose(scores.mean(0), 0, atol=1e-9)
    assert np.allclose(
        scores @ flat, both.reshape(100, -1), atol=1e-6
    )  # 3 ways, both mirrored, and the base
    assert result.kept[-1] == pytest.approx(1)


def test_the_mean_face_is_symmetric(people):
    mean = principal_components(people, MIRROR, np.ones(8), 2).mean
    assert np.allclose(mirrored(mean, MIRROR), mean)


def test_first_components_keep_most_and_are_those_of_an_svd(people):
    weight = np.random.default_rng(3).uniform(0.5, 2, 8)
    result = principal_components(people, MIRROR, weight, 4)
    both = np.concatenate([people, mirrored(people, MIRROR)])
    scaled = (both - both.mean(0)) * np.sqrt(weight)[:, None]
    _, singular, vt = np.linalg.svd(scaled.reshape(100, -1), full_matrices=False)
    kept = np.cumsum(singular**2)[:4] / (singular**2).sum()
    assert np.allclose(result.kept, kept)
    expected = np.abs(vt[0]) * singular[0] / 10  # sqrt(100) people
    first = (result.basis[0] * np.sqrt(weight)[:, None]).ravel()
    assert np.allclose(np.abs(first), expected, atol=1e-8)


@given(st.integers(0, 2**31))
def test_mixtures_of_ages_and_levels_are_whole(seed):
    random = np.random.default_rng(seed)
    age, levels = _age(random), _levels(random.normal())
    for mixture in (age, levels):
        assert sum(mixture.values()) == pytest.approx(1)
        assert min(mixture.values()) >= 0


def test_a_similarity_is_carried_over_exactly():
    """Small moves, turns and scalings of the guide give the same to the targets."""
    random = np.random.default_rng(4)
    points, targets = random.normal(size=(15, 3)), random.normal(size=(6, 3))
    move, turn, scale = random.normal(size=3), random.normal(size=3), 0.3

    def field(x):
        return move + np.cross(turn, x) + scale * x

    found = similarity_field(points, field(points), random.uniform(0.1, 1, 15), targets)
    assert np.allclose(found, field(targets))


def test_the_field_is_linear():
    random = np.random.default_rng(5)
    points, targets = random.normal(size=(9, 3)), random.normal(size=(4, 3))
    offsets = random.normal(size=(3, 9, 3))
    each = similarity_field(points, offsets, np.ones(9), targets)
    together = similarity_field(points, offsets.sum(0), np.ones(9), targets)
    assert np.allclose(each.sum(0), together)


def test_teeth_follow_the_lips_and_nothing_else_moves():
    random = np.random.default_rng(6)
    points = random.normal(size=(30, 3))
    regions = np.array([Region.LIPS] * 12 + [Region.TEETH] * 6 + [Region.SKIN] * 12, np.uint8)
    offsets = random.normal(size=(30, 3))
    offsets[:12] = [0.1, 0.2, 0.3]
    moved = follow_mouth(points, offsets, regions)
    assert np.allclose(moved[12:18], [0.1, 0.2, 0.3])
    assert np.array_equal(np.delete(moved, np.s_[12:18], 0), np.delete(offsets, np.s_[12:18], 0))
