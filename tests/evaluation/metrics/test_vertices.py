"""Vertex errors against whole meshes, one vertex at a time."""

import numpy as np
import pytest

from gsmooth_core.evaluation.metrics.vertices import vertex_errors
from gsmooth_core.face.morphable import Region
from tests.taft import scene


@pytest.fixture(scope="module")
def curves():
    rng = np.random.default_rng(0)
    shape = (40, len(scene.face_model().expression_names))  # more than one block of frames
    return rng.uniform(0, 0.4, (2, *shape)).astype(np.float32)


def test_errors_are_distances_of_meshes_in_millimetres(curves):
    model, (truth, made) = scene.face_model(), curves
    identity = np.full(len(model.identity_basis), 0.2, np.float32)
    a, b = model.shape(identity, truth), model.shape(identity, made)
    apart = 100 * np.linalg.norm(a - b, axis=-1)  # (T, V)
    still = model.shape(identity, np.broadcast_to(truth.mean(0), truth.shape).copy())
    lips = model.in_regions(Region.LIPS)
    errors = vertex_errors(model, truth, made)
    assert errors.mean == pytest.approx(apart[:, model.mouth_mask].mean(), rel=1e-3)
    assert errors.lve == pytest.approx(apart[:, lips].max(1).mean(), rel=1e-3)
    unmoved = 100 * np.linalg.norm(a - still, axis=-1)
    assert errors.still == pytest.approx(unmoved[:, model.mouth_mask].mean(), rel=1e-3)
    assert errors.still_lve == pytest.approx(unmoved[:, lips].max(1).mean(), rel=1e-3)


def test_the_truth_has_no_error(curves):
    errors = vertex_errors(scene.face_model(), curves[0], curves[0])
    assert (errors.mean, errors.lve) == (0, 0)
