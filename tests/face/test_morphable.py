"""The shipped face model: eq. 1, its anatomy, its mesh, its landmarks."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from gsmooth_core.face.camera import project
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import DUBBED_REGIONS, MOUTH_REGIONS, Region
from gsmooth_core.face.rasterizer import rasterize
from gsmooth_core.face.shading import vertex_normals

# Points of the 478: inner lip (upper, lower), eye lids (upper, lower) at picture left and right.
UPPER_INNER = [191, 80, 81, 82, 13, 312, 311, 310, 415]
LOWER_INNER = [95, 88, 178, 87, 14, 317, 402, 318, 324]
OUTER_LIP = [185, 40, 39, 37, 0, 267, 269, 270, 409, 146, 91, 181, 84, 17, 314, 405, 321, 375]
LIDS = {"Right": (159, 145), "Left": (386, 374)}  # the person's right is at picture left
EYE_CORNERS = (33, 263)
NOSE_TIP, CHIN, FOREHEAD = 1, 152, 10
MIRROR = np.array([-1, 1, 1], np.float32)


@pytest.fixture(scope="module")
def model():
    return load_face_model()


@pytest.fixture(scope="module")
def twin(model):
    """(V,) nearest vertex to each vertex's mirror image."""
    distance, index = cKDTree(model.mean).query(model.mean * MIRROR)
    assert distance.max() < 1e-2
    assert np.percentile(distance, 98) < 1e-4  # a few faces are refined on one side only
    return index


def beta(model, **strengths):
    """(E,) from shape names; a name without Left/Right sets both sides."""
    values = np.zeros(len(model.expression_names), np.float32)
    for name, strength in strengths.items():
        sides = [n for n in model.expression_names if n in (name, f"{name}Left", f"{name}Right")]
        assert sides, name
        for side in sides:
            values[model.expression_names.index(side)] = strength
    return values


def neutral(model):
    return np.zeros(len(model.identity_basis), np.float32)


def marks(model, **strengths):
    return model.landmarks(model.shape(neutral(model), beta(model, **strengths)))


def aperture(points):
    """Mean height between the inner lips, in eye distances."""
    gap = np.abs(points[UPPER_INNER, 1] - points[LOWER_INNER, 1]).mean()
    return gap / np.linalg.norm(points[EYE_CORNERS[0]] - points[EYE_CORNERS[1]])


# -- eq. 1 -----------------------------------------------------------------------------------


def test_sizes_are_those_of_the_method(model):
    count = len(model.mean)
    assert 8_000 <= count <= 14_000
    assert model.identity_basis.shape == (80, count, 3)
    assert model.expression_basis.shape == (52, count, 3)
    assert len(set(model.expression_names)) == 52
    assert {"jawOpen", "mouthClose", "tongueOut", "eyeBlinkLeft"} <= set(model.expression_names)
    assert model.mean_texture is None


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**31))
def test_shape_is_eq_1(seed):
    model = load_face_model()
    random = np.random.default_rng(seed)
    alpha, gamma = random.normal(size=80), random.uniform(0, 1, 52)
    vertex = random.integers(len(model.mean))
    expected = model.mean[vertex].astype(np.float64)
    for k in range(80):
        expected = expected + alpha[k] * model.identity_basis[k, vertex]
    for k in range(52):
        expected = expected + gamma[k] * model.expression_basis[k, vertex]
    shape = model.shape(alpha.astype(np.float32), gamma.astype(np.float32))
    assert np.allclose(shape[vertex], expected, atol=1e-5)


def test_many_frames_are_single_frames(model):
    random = np.random.default_rng(0)
    alpha = random.normal(size=80).astype(np.float32)
    frames = random.uniform(0, 1, (4, 52)).astype(np.float32)
    together = model.shape(alpha, frames)
    assert together.shape == (4, *model.mean.shape)
    assert together.dtype == np.float32
    for frame, shape in zip(frames, together, strict=True):
        assert np.allclose(shape, model.shape(alpha, frame), atol=1e-6)


def test_template_is_the_face_without_expression(model):
    alpha = np.random.default_rng(1).normal(size=80).astype(np.float32)
    assert np.array_equal(model.template(alpha), model.shape(alpha, beta(model)))


def test_identities_stay_heads(model):
    """Coefficients are N(0, 1): three people in a thousand are beyond 3, and still have faces."""
    random = np.random.default_rng(2)
    for _ in range(10):
        points = model.landmarks(model.template(random.normal(size=80).astype(np.float32)))
        eyes = np.linalg.norm(points[33] - points[263])
        assert 0.65 < eyes < 1.05  # decimetres between the outer corners
        assert points[FOREHEAD, 1] > points[NOSE_TIP, 1] > points[0, 1] > points[CHIN, 1]
        assert aperture(points) < 0.03


# -- anatomy ---------------------------------------------------------------------------------


def test_origin_is_the_nose(model):
    points = model.landmarks(model.mean)
    assert np.abs(points[NOSE_TIP, :2]).max() < 0.15
    assert points[CHIN, 1] < 0 < points[FOREHEAD, 1]
    assert model.mean[:, 2].argmax() in np.flatnonzero(model.in_regions(Region.SKIN))


def test_lips_touch_at_rest(model):
    assert aperture(marks(model)) < 0.02


def test_resting_mouth_shows_nothing_inside(model):
    """Seen from the front, hardly a pixel of teeth, tongue or gums."""
    random = np.random.default_rng(3)
    for alpha in (neutral(model), *random.normal(0, 0.7, (3, 80)).astype(np.float32)):
        shape = model.template(alpha) - np.array([0, 0, 10], np.float32)
        shown = rasterize(project(shape, 1000, 400, 400), model.faces, model.mean, 400, 400)
        corner = model.faces[shown.face_index[shown.mask], 0]
        inside = np.isin(model.regions[corner], MOUTH_REGIONS).sum()
        lips = (model.regions[corner] == Region.LIPS).sum()
        assert inside < 0.04 * lips


def test_upper_teeth_show_below_lips_that_part_and_stay_behind_closed_ones(model):
    """Incisors of adults reach one to three millimetres below the line of closed lips."""
    middle = np.abs(model.mean[:, 0]) < 0.02
    drop = model.expression_basis[model.expression_names.index("jawOpen"), :, 1]
    upper = (drop > -0.01) & middle
    line = model.mean[upper & (model.regions == Region.LIPS), 1].min()
    edge = model.mean[upper & (model.regions == Region.TEETH), 1].min()
    assert 0.01 < line - edge < 0.03  # decimetres


def test_lower_teeth_bite_behind_the_upper_ones(model):
    """Edge to edge at the least, and behind: so that a mouth that opens shows them."""
    middle = np.abs(model.mean[:, 0]) < 0.02
    teeth = model.regions == Region.TEETH
    drop = model.expression_basis[model.expression_names.index("jawOpen"), :, 1]
    upper, lower = teeth & (drop > -0.01) & middle, teeth & (drop < -0.01) & middle
    overbite = model.mean[lower, 1].max() - model.mean[upper, 1].min()
    assert 0 < overbite < 0.03
    assert model.mean[lower, 2].max() < model.mean[upper, 2].max() - 0.03


def test_jaw_opens_mouth_and_takes_teeth_and_tongue_along(model):
    apertures = [aperture(marks(model, jawOpen=s)) for s in (0, 0.25, 0.5, 0.75, 1)]
    assert np.all(np.diff(apertures) > 0.04)
    drop = model.expression_basis[model.expression_names.index("jawOpen"), :, 1]
    teeth = model.regions == Region.TEETH
    lower = teeth & (drop < -0.01)
    upper = teeth & ~lower
    assert model.mean[lower, 1].mean() < model.mean[upper, 1].mean()
    assert lower.sum() == upper.sum()
    assert drop[lower].mean() < -0.1
    assert np.abs(drop[upper]).max() < 1e-6
    assert drop[model.regions == Region.TONGUE].mean() < -0.05
    assert np.abs(drop[model.regions == Region.EYES]).max() < 1e-6


def test_mouth_close_undoes_the_jaw_at_the_lips(model):
    assert aperture(marks(model, jawOpen=1, mouthClose=1)) < 0.2 * aperture(marks(model, jawOpen=1))


@pytest.mark.parametrize("side", ["Left", "Right"])
def test_blink_closes_one_eye(model, side):
    def gap(points, lids):
        return np.linalg.norm(points[lids[0]] - points[lids[1]])

    rest, blink = marks(model), marks(model, **{f"eyeBlink{side}": 1})
    other = "Left" if side == "Right" else "Right"
    assert gap(blink, LIDS[side]) < 0.35 * gap(rest, LIDS[side])
    assert gap(blink, LIDS[other]) == pytest.approx(gap(rest, LIDS[other]))


def test_left_is_the_persons_left(model):
    """The person's left is at +x."""
    for stem in ("eyeBlink", "mouthSmile", "mouthFrown", "browDown", "cheekSquint"):
        for side, sign in (("Left", 1), ("Right", -1)):
            offsets = model.expression_basis[model.expression_names.index(stem + side)]
            force = np.linalg.norm(offsets, axis=1)
            assert sign * (force * model.mean[:, 0]).sum() > 0


def test_pucker_narrows_and_smile_widens_the_mouth(model):
    def width(points):
        return np.linalg.norm(points[61] - points[291])

    rest = width(marks(model))
    assert width(marks(model, mouthPucker=1)) < 0.9 * rest
    assert width(marks(model, mouthSmile=1)) > 1.1 * rest
    assert width(marks(model, mouthStretch=1)) > 1.1 * rest


def test_left_shapes_mirror_right_shapes(model, twin):
    names = model.expression_names
    for name in names:
        if name.endswith("Left"):
            left = model.expression_basis[names.index(name)]
            other = name.replace("Left", "Right")
            right = model.expression_basis[names.index(other)]
            assert np.abs(left[twin] * MIRROR - right).max() < 0.15 * np.abs(right).max(), name


def test_jaw_opens_straight(model, twin):
    drop = model.expression_basis[model.expression_names.index("jawOpen")]
    assert np.abs(drop[twin] * MIRROR - drop).max() < 0.01


# -- mesh ------------------------------------------------------------------------------------


def directed_edges(faces):
    return [(a, b) for f in faces.tolist() for a, b in ((f[0], f[1]), (f[1], f[2]), (f[2], f[0]))]


def test_mesh_is_an_oriented_manifold(model):
    edges = Counter(directed_edges(model.faces))
    assert max(edges.values()) == 1  # so an edge has two faces at most, wound the same way
    assert set(model.faces.ravel().tolist()) == set(range(len(model.mean)))


def test_faces_have_area(model):
    a, b, c = (model.mean[model.faces[:, k]].astype(np.float64) for k in range(3))
    assert np.linalg.norm(np.cross(b - a, c - a), axis=1).min() > 1e-7


def test_normals_point_outwards(model):
    normals = vertex_normals(model.mean, model.faces)
    points = model.landmarks(np.stack([model.mean, normals]))[1]  # normals at the landmarks
    front = [NOSE_TIP, 0, 17, 9, 50, 280, 199]
    assert (points[front, 2] > 0.3).all()
    scalp = model.regions == Region.HEAD
    middle = model.mean[scalp].mean(0) + np.array([0, 0, 0.4])
    outwards = ((model.mean[scalp] - middle) * normals[scalp]).sum(1)
    assert (outwards > 0).mean() > 0.95
    tongue = model.regions == Region.TONGUE  # closed but for its root
    away = ((model.mean[tongue] - model.mean[tongue].mean(0)) * normals[tongue]).sum(1)
    assert (away > 0).mean() > 0.8


def test_uvs_lie_in_the_square_without_overlap(model):
    assert model.uvs.min() >= 0
    assert model.uvs.max() <= 1
    a, b, c = (model.uvs[model.uv_faces[:, k]].astype(np.float64) for k in range(3))

    def cross(p, q, r):
        return (q[:, 0] - p[:, 0]) * (r[:, 1] - p[:, 1]) - (q[:, 1] - p[:, 1]) * (r[:, 0] - p[:, 0])

    assert (cross(a, b, c) > 0).all()
    for point in np.random.default_rng(4).uniform(0, 1, (300, 2)):
        p = np.broadcast_to(point, a.shape)
        hits = (cross(a, b, p) > 0) & (cross(b, c, p) > 0) & (cross(c, a, p) > 0)
        assert hits.sum() <= 1


def test_mouth_gets_much_of_the_texture(model):
    lips = model.regions[model.faces[:, 0]] == Region.LIPS
    span = np.ptp(model.uvs[model.uv_faces[lips]].reshape(-1, 2), axis=0)
    assert (span > 0.1).all()


# -- regions and masks -----------------------------------------------------------------------


def test_every_region_has_vertices(model):
    assert set(np.unique(model.regions).tolist()) == {int(region) for region in Region}


def test_regions_are_where_they_belong(model):
    x, y, z = model.mean.T
    centre = {region: model.mean[model.regions == region].mean(0) for region in Region}
    assert centre[Region.EYES][1] > 0.2 > centre[Region.SKIN][1] - 1
    assert centre[Region.LIPS][1] == pytest.approx(-0.33, abs=0.1)
    assert centre[Region.NECK][1] < centre[Region.LOWER_FACE][1]
    assert centre[Region.TONGUE][2] < centre[Region.LIPS][2]
    assert np.abs(x[model.regions == Region.EARS]).min() > 0.5
    lower = model.regions == Region.LOWER_FACE
    assert y[lower].max() < 0.05
    assert y[lower & (np.abs(x) < 0.1)].max() < -0.12  # under the nose
    assert z[lower].min() > -0.7


def test_lower_face_is_what_dubbing_replaces(model):
    assert np.array_equal(model.lower_face, np.isin(model.regions, DUBBED_REGIONS))
    on = model.lower_face[model.faces[model.landmark_faces]].all(1)
    assert on[[CHIN, 0, 17, 199, 200]].all()
    assert not on[[NOSE_TIP, 33, 263, 9, FOREHEAD, 468, 473]].any()


def test_mouth_mask_is_eq_14_on_the_face(model):
    mask = model.mouth_mask
    assert mask.dtype == np.bool_
    assert (model.mean[mask, 1] < -0.15).all()
    face = model.in_regions(Region.LOWER_FACE, Region.LIPS)
    assert np.array_equal(mask[face], model.mean[face, 1] < -0.15)
    assert mask[model.regions == Region.LIPS].all()
    assert not mask[model.in_regions(Region.EYES, Region.SKIN, Region.NECK, Region.HEAD)].any()


# -- landmarks -------------------------------------------------------------------------------


def test_landmarks_are_on_the_mesh(model):
    assert model.landmark_faces.shape == (478,)
    assert model.landmark_barycentric.min() >= -1e-6
    assert np.allclose(model.landmark_barycentric.sum(1), 1, atol=1e-5)
    distance, _ = cKDTree(model.mean).query(model.landmarks(model.mean))
    assert distance.max() < 0.15


def test_landmarks_of_many_shapes(model):
    shapes = model.shape(neutral(model), np.stack([beta(model), beta(model, jawOpen=1)]))
    points = model.landmarks(shapes)
    assert points.shape == (2, 478, 3)
    assert np.allclose(points[1], model.landmarks(shapes[1]), atol=1e-6)


def test_lip_landmarks_are_on_the_lips(model):
    corners = model.regions[model.faces[model.landmark_faces]]
    assert (corners[UPPER_INNER + LOWER_INNER] == Region.LIPS).all()
    rest = model.landmarks(model.mean)
    lips = cKDTree(model.mean[model.regions == Region.LIPS])
    assert lips.query(rest[OUTER_LIP])[0].max() < 0.03


def test_inner_lips_part_from_each_other(model):
    """Upper ones stay with the skull, lower ones go with the jaw."""
    moved = marks(model, jawOpen=1) - marks(model)
    assert moved[LOWER_INNER, 1].max() < moved[UPPER_INNER, 1].min()
    assert marks(model, jawOpen=0.3)[13, 1] > marks(model, jawOpen=0.3)[14, 1]


def test_landmarks_are_symmetric(model):
    points = model.landmarks(model.mean)
    for left, right in ((33, 263), (61, 291), (133, 362), (50, 280), (78, 308), (105, 334)):
        assert points[left, 0] < 0 < points[right, 0]
        assert np.allclose(points[left] * MIRROR, points[right], atol=0.02)
    assert np.abs(points[[NOSE_TIP, 0, 17, 13, 14, CHIN, FOREHEAD], 0]).max() < 0.01


def test_weights_tell_what_sticks(model):
    weight = model.landmark_weight
    assert weight.min() >= 0
    assert weight.max() <= 1
    assert (weight[468:] == 0).all()  # irises turn with the gaze
    assert weight[UPPER_INNER + LOWER_INNER + OUTER_LIP].min() > 0.8
    assert (weight[:468] > 0.5).mean() > 0.85
