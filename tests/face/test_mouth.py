import numpy as np
import scipy.stats

from gsmooth_core.face import landmarks, mouth
from tests.taft import scene


def face(gap, span=0.6, eyes=1.0):
    points = np.zeros((len(gap), 478, 2), np.float32)
    points[:, landmarks.OUTER_EYE_CORNERS[0], 0] = -eyes / 2
    points[:, landmarks.OUTER_EYE_CORNERS[1], 0] = eyes / 2
    points[:, landmarks.APERTURE_UPPER, 1] = -np.asarray(gap)[:, None] / 2
    points[:, landmarks.APERTURE_LOWER, 1] = np.asarray(gap)[:, None] / 2
    points[:, landmarks.MOUTH_CORNERS[0], 0] = -span / 2
    points[:, landmarks.MOUTH_CORNERS[1], 0] = span / 2
    return points


def test_aperture_and_width_are_in_eye_distances_whatever_the_size_of_the_picture():
    gap = np.array([0.0, 0.1, 0.3], np.float32)
    for size in (1.0, 250.0):
        points = face(gap) * size
        np.testing.assert_allclose(mouth.aperture(points), gap, atol=1e-6)
        np.testing.assert_allclose(mouth.width(points), 0.6, atol=1e-6)


def test_one_frame_of_a_turned_head_does_not_change_the_scale():
    points = face(np.full(9, 0.2))
    points[4, landmarks.OUTER_EYE_CORNERS[0]] *= 0.2
    np.testing.assert_allclose(mouth.aperture(points), 0.2, atol=1e-6)


def test_the_gaps_of_a_meshs_lips_are_those_of_its_landmarks():
    clip, model = scene.track(6), scene.face_model()
    points = model.landmarks(model.shape(clip.identity, clip.expression))
    oracle = [points[:, a, 1] - points[:, b, 1] for a, b in ((13, 14), (82, 87), (312, 317))]
    found = mouth.lip_gaps(model, clip.identity, clip.expression)
    np.testing.assert_allclose(found, np.stack(oracle, 1), atol=1e-4)
    jaw = clip.expression[:, model.expression_names.index("jawOpen")]
    assert found[:, 0].argmax() == jaw.argmax()


def test_correlation_is_pearsons_and_skips_frames_without_a_face():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 50)).astype(np.float32)
    b += a
    expected = scipy.stats.pearsonr(a[1:], b[1:])[0]
    a[0] = np.nan
    assert abs(mouth.correlation(a, b) - expected) < 1e-6
    assert mouth.correlation(np.ones(9), np.arange(9.0)) == 0
    almost = np.float32(0.1) + np.float32(1e-8) * rng.normal(size=50).astype(np.float32)
    assert mouth.correlation(almost, b) == 0
