"""A tongue that is seen in an open mouth: what moves, how far, and that a render shows it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import Region
from gsmooth_core.face.render import draw_face, face_surface, pose_face
from gsmooth_core.face.tongue import with_raised_tongue
from tests.portrait import scene


@pytest.fixture(scope="module")
def model():
    return load_face_model()


@pytest.fixture(scope="module")
def raised(model):
    return with_raised_tongue(model)


def opened(model, jaw):
    expression = np.zeros(len(model.expression_names), np.float32)
    expression[model.expression_names.index("jawOpen")] = jaw
    return model.shape(np.zeros(len(model.identity_basis), np.float32), expression)


def test_nothing_but_the_tongue_moves(model, raised):
    tongue = model.regions == Region.TONGUE
    for name in ("mean", "expression_basis"):
        before, after = getattr(model, name), getattr(raised, name)
        still = before == after
        assert still[..., ~tongue, :].all()
        assert not still[..., tongue, :].all()
    others = [name != "jawOpen" for name in model.expression_names]
    assert (model.expression_basis[others] == raised.expression_basis[others]).all()


@pytest.mark.parametrize("jaw", [0.0, 0.3, 0.8])
def test_its_front_is_higher_and_its_root_where_it_was(model, raised, jaw):
    tongue = model.regions == Region.TONGUE
    before, after = opened(model, jaw)[tongue], opened(raised, jaw)[tongue]
    depth = model.mean[tongue, 2]
    front, root = depth > np.quantile(depth, 0.9), depth < np.quantile(depth, 0.02)
    assert np.abs(after - before)[root].max() < 1e-6
    lift = (after - before)[front, 1]
    assert lift.min() > 0.02
    assert lift.max() < 0.06  # six millimetres: it is not thrown up


def test_the_more_the_jaw_opens_the_lower_it_lies_and_the_further_from_the_upper_teeth(raised):
    tongue = raised.regions == Region.TONGUE
    front = tongue & (raised.mean[:, 2] > np.quantile(raised.mean[tongue, 2], 0.8))
    heights = [opened(raised, jaw)[front, 1].mean() for jaw in (0, 0.2, 0.4, 0.8)]
    assert (np.diff(heights) < -0.01).all()


def test_an_open_mouth_is_no_dark_hole(model, raised):
    """Rendered from the front its tongue is brighter by a quarter at least, and still in shade."""
    light = np.zeros((1, 9, 3), np.float32)
    light[:, 0] = 3.0  # from everywhere
    track, size = dataclasses.replace(scene.still(), light=light), 256
    expression = np.zeros(len(model.expression_names), np.float32)
    expression[model.expression_names.index("jawOpen")] = 0.4
    place = track.landmarks[0][:, :2]
    scale = size / (1.6 * float(np.ptp(place[:, 1])))
    offset = size / 2 - scale * place.mean(0)
    transform = np.column_stack([scale * np.eye(2), offset]).astype(np.float32)
    shades = []
    for each in (model, raised):
        surface = face_surface(each, track.identity)
        posed = pose_face(surface, track, 0, expression, transform)
        face = draw_face(surface, posed, size, light[0]).face
        tongue = face.region == Region.TONGUE
        assert tongue.sum() > 50
        shades.append(face.image[tongue].mean())
        lips = face.image[face.region == Region.LIPS].mean()
    assert 1.25 * shades[0] < shades[1] < 0.8 * lips


def test_a_model_without_a_tongue_stays_itself(model):
    none = dataclasses.replace(
        model, regions=np.where(model.regions == Region.TONGUE, 0, model.regions).astype(np.uint8)
    )
    assert with_raised_tongue(none) is none
    names = tuple(name.replace("jawOpen", "other") for name in model.expression_names)
    mute = dataclasses.replace(model, expression_names=names)
    assert with_raised_tongue(mute) is mute


def test_it_does_not_follow_the_jaw_all_the_way(model, raised):
    tongue = model.regions == Region.TONGUE
    front = tongue & (model.mean[:, 2] > np.quantile(model.mean[tongue, 2], 0.9))
    shut, wide = ((opened(raised, jaw) - opened(model, jaw))[front, 1].mean() for jaw in (0.0, 0.8))
    assert 0.005 < wide - shut < 0.03
