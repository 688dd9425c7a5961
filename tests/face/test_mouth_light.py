"""A mouth that is lit: what lies beside its teeth is a cheek, and no hole."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.face import render
from gsmooth_core.face.camera import rotation_matrix
from gsmooth_core.face.morphable import Region
from gsmooth_core.face.mouth_light import cheeks
from tests.taft import scene


def arch(turn: float) -> np.ndarray:
    """(3,) a place at half a dental arch's width, `turn` radians from its front."""
    return np.array([0.25 * np.sin(turn), 0, 0.45 * np.cos(turn) - 0.3])


def test_a_cheek_is_what_of_the_wall_lies_outside_the_arch_of_teeth() -> None:
    turns = np.linspace(-1.5, 1.5, 31)
    teeth = np.array([arch(t) for t in turns])
    outside, palate = teeth * [1.2, 1, 1] + [0, 0, 0.05], teeth * [0.6, 1, 0.6] - [0, 0, 0.05]
    throat = np.array([[x, 0, -0.4] for x in (-0.4, 0, 0.4)])
    points = np.concatenate([teeth, outside, palate, throat, outside])
    regions = np.full(len(points), Region.INNER_MOUTH, np.uint8)
    regions[:31], regions[-31:] = Region.TEETH, Region.SKIN
    share = cheeks(points.astype(np.float32), regions)
    assert (share[31:62] == 1).all()
    assert not share[:31].any() and not share[62:].any()
    assert not cheeks(points.astype(np.float32), np.full_like(regions, Region.SKIN)).any()


@pytest.mark.parametrize("turn", [0.5, -0.5])
def test_beyond_the_far_end_of_a_turned_faces_teeth_is_no_hole(turn: float) -> None:
    clip, model = scene.track(5), scene.face_model()
    surface = render.face_surface(model, clip.identity)
    yawed = rotation_matrix(np.array([0, turn, 0])) @ rotation_matrix(clip.rotation[0])
    expression = np.zeros(len(clip.expression_names), np.float32)
    expression[clip.expression_names.index("jawOpen")] = 0.6
    shape = surface.template + np.tensordot(expression, surface.basis, 1)
    lips = surface.regions == Region.LIPS
    camera = (shape - shape[lips].mean(0)) @ yawed.T + [0, 0, -8]
    seen = np.column_stack([100 + 150 * camera[:, 0], 100 - 150 * camera[:, 1], -camera[:, 2]])
    normals = render.vertex_normals(camera.astype(np.float32), surface.faces)
    posed = render.Posed(
        *(x.astype(np.float32) for x in (camera, seen, normals, yawed[:, 1]))
    )  # fmt: skip
    light = np.zeros((9, 3), np.float32)
    light[0] = 1 / np.sqrt(1 / (4 * np.pi))
    drawing = render.draw_face(surface, posed, 200, light)
    columns = np.nonzero(drawing.face.region == Region.TEETH)[1]
    beyond = drawing.face.region == Region.INNER_MOUTH
    across = np.arange(200)
    beyond &= (across < np.percentile(columns, 5)) | (across > np.percentile(columns, 95))
    assert beyond.sum() > 50
    red, green, _ = drawing.face.image[beyond].T
    tongue = drawing.face.image[drawing.face.region == Region.TONGUE]
    assert np.median(red) > 0.5 * np.median(tongue[:, 0])
    assert np.median(red / green) > 1.5
