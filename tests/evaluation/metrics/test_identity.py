"""Face embeddings on the one photograph that everybody may use."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from gsmooth_core.errors import ModelError
from gsmooth_core.evaluation.metrics import identity

FACE = (170, 65, 280, 195)  # x0, y0, x1, y1, found by eye


def corners(box):
    x0, y0, x1, y1 = box
    return np.array([[x0, y0], [x1, y1]], np.float32)


def test_cosine():
    a, b = np.float32([3, 4]), np.float32([4, -3])
    assert identity.cosine(a, a) == pytest.approx(1)
    assert identity.cosine(a, b) == pytest.approx(0)
    assert identity.cosine(a, -2 * a) == pytest.approx(-1)
    assert identity.cosine(a, 0 * a) == 0


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setattr(identity, "find_spec", lambda name: None)
    identity._networks.cache_clear()
    assert not identity.available()
    with pytest.raises(ModelError, match="dlib-bin"):
        identity.embedding(astronaut(), corners(FACE))


@pytest.mark.skipif(not identity.available(), reason="needs dlib-bin and its models")
def test_a_face_stays_itself_and_another_place_is_not_it():
    photo = astronaut()
    face = identity.embedding(photo, corners(FACE))
    assert face.shape == (128,)
    dark = cv2.convertScaleAbs(photo, alpha=0.7)
    soft = cv2.GaussianBlur(photo, (0, 0), 1.0)
    for changed in (dark, soft):
        assert identity.cosine(face, identity.embedding(changed, corners(FACE))) > 0.95
    patch = identity.embedding(photo, corners((20, 330, 130, 460)))
    assert identity.cosine(face, patch) < 0.9


@pytest.mark.skipif(not identity.available(), reason="needs dlib-bin and its models")
def test_embedding_is_that_of_dlibs_own_detector():
    import dlib

    photo = astronaut()
    box = dlib.get_frontal_face_detector()(photo, 1)[0]  # the other is on the patch
    _, predictor, network = identity._networks()
    expected = np.array(network.compute_face_descriptor(photo, predictor(photo, box)))
    assert identity.cosine(identity.embedding(photo, corners(FACE)), expected) > 0.95
