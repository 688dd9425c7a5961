"""Lips and chin lie where the mesh has them, and what ends around lips does so evenly."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gsmooth_core.mafb.crop import window
from gsmooth_core.taft.compose import Composer
from gsmooth_core.taft.finish.lower_face import LowerFace, lower_face
from tests.taft import scene


@pytest.fixture(scope="module")
def composer() -> Composer:
    clip = scene.track(6)
    return Composer(clip, scene.face_model(), clip.expression[::-1].copy(), None)


def test_places_are_those_of_the_drawn_face(composer: Composer) -> None:
    face, vertices = LowerFace(composer), lower_face(composer.surface.regions)
    for frame in (0, 4):
        under = window(composer.transforms[frame], composer.size, composer.track.area_of(frame))
        back = np.linalg.inv(np.vstack([under.transform, [0, 0, 1]]))
        drawn = np.c_[composer.points(frame)[vertices], np.ones(len(vertices))] @ back.T
        there = face.places(frame, under, (7, 3)) + np.array([3, 7]) + under.box[:2]
        # The new outline meets the old one in what is drawn; lips are as they are.
        np.testing.assert_allclose(there[face.lips], drawn[face.lips, :2], atol=0.6)


def test_a_weight_is_one_on_the_lips_and_ends_around_them(composer: Composer) -> None:
    face = LowerFace(composer)
    under = window(composer.transforms[2], composer.size, composer.track.area_of(2))
    places = face.places(2, under, (0, 0))
    weight = face.around_lips(places, under.shape, under)
    hull = cv2.convexHull(places[face.lips].astype(np.float32))
    reach = 0.06 * composer.size / under.scale
    for y, x in np.random.default_rng(0).integers(0, under.shape, (400, 2)).tolist():
        outside = -cv2.pointPolygonTest(hull, (float(x), float(y)), True)
        np.testing.assert_allclose(weight[y, x], np.clip(1 - outside / reach, 0, 1), atol=0.2)
    assert (weight == 1).any() and (weight == 0).any() and ((weight > 0.4) & (weight < 0.6)).any()
