"""The light found on a face of one colour under a known light."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.face import shading
from gsmooth_core.face.camera import rotation_matrix
from gsmooth_core.face.landmarks import SKIN
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.tracking import lighting
from gsmooth_core.types import FaceTrack, Float, Image

FRAMES = 40


@pytest.fixture(scope="module")
def model() -> MorphableModel:
    return load_face_model()


@pytest.fixture(scope="module")
def track(model: MorphableModel) -> FaceTrack:
    turn = np.zeros((FRAMES, 3), np.float32)
    turn[:, 1] = 0.3 * np.sin(np.arange(FRAMES) / 6)
    light = np.zeros((FRAMES, 9, 3), np.float32)
    light[:, 0] = np.sqrt(4 * np.pi)
    return FaceTrack(
        width=640,
        height=480,
        fps=Fraction(25),
        model=model.name,
        focal=900,
        identity=np.zeros(len(model.identity_basis), np.float32),
        expression_names=model.expression_names,
        expression=np.zeros((FRAMES, len(model.expression_names)), np.float32),
        rotation=turn,
        translation=np.tile(np.float32([0, 0, -8]), (FRAMES, 1)),
        light=light,
        confidence=np.ones(FRAMES, np.float32),
        landmarks=np.zeros((FRAMES, 478, 2), np.float32),
    )


@pytest.fixture(scope="module")
def gamma() -> Float:
    light = np.zeros((9, 3), np.float32)
    light[0] = np.sqrt(4 * np.pi)
    light[3] = (0.5, 0.4, 0.3)  # from the right, warm
    light[1] = 0.3
    return light


@pytest.fixture(scope="module")
def colours(model: MorphableModel, track: FaceTrack, gamma: Float) -> Image:
    normals = model.landmarks(shading.vertex_normals(model.mean, model.faces))[SKIN]
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    turned = (normals @ rotation_matrix(track.rotation).transpose(0, 2, 1)).astype(np.float32)
    albedo = np.float32([0.6, 0.45, 0.4])
    shaded = np.stack([shading.shade(albedo, turned[t], gamma) for t in range(FRAMES)])
    noisy = shaded * 255 + np.random.default_rng(0).normal(0, 2, shaded.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def _relit(model: MorphableModel, track: FaceTrack, light: Float) -> Float:
    normals = np.float32([[0, 0, 1], [0.6, 0, 0.8], [-0.6, 0, 0.8], [0, 0.6, 0.8]])
    return np.stack([shading.sh_basis(normals) @ gamma for gamma in light])


def test_known_light_is_found(
    model: MorphableModel, track: FaceTrack, colours: Image, gamma: Float
) -> None:
    found = _relit(model, track, lighting.estimate(track, np.zeros(FRAMES), model, colours))
    expected = _relit(model, track, gamma[None])
    # Albedo and brightness stand for each other: compare relative to the front.
    np.testing.assert_allclose(
        found / found[:, :1], np.broadcast_to(expected / expected[:, :1], found.shape), atol=0.06
    )


def test_light_is_steady_and_bridges_missing_frames(
    model: MorphableModel, track: FaceTrack, colours: Image
) -> None:
    confidence = track.confidence.copy()
    confidence[15:20] = 0
    holed = replace(track, confidence=confidence)
    light = _relit(model, track, lighting.estimate(holed, np.zeros(FRAMES), model, colours))
    assert np.abs(np.diff(light, axis=0)).max() < 0.02


def test_light_does_not_flow_across_cuts(
    model: MorphableModel, track: FaceTrack, colours: Image
) -> None:
    darker = colours.copy()
    darker[20:] = colours[20:] // 3
    shot = (np.arange(FRAMES) >= 20).astype(np.int32)
    light = _relit(model, track, lighting.estimate(track, shot, model, darker))
    assert light[19, 0].mean() / light[20, 0].mean() == pytest.approx(3, rel=0.05)
    assert light[0, 0].mean() == pytest.approx(light[19, 0].mean(), rel=0.05)


def test_without_a_usable_frame_light_is_from_everywhere(
    model: MorphableModel, track: FaceTrack, colours: Image
) -> None:
    nothing = replace(track, confidence=np.zeros(FRAMES, np.float32))
    light = lighting.estimate(nothing, np.zeros(FRAMES), model, colours)
    np.testing.assert_array_equal(light, track.light)


def test_colours_are_those_at_the_landmarks(astronaut: Image) -> None:
    y, x = np.mgrid[0:400, 0:400]
    frame = np.stack([x / 2, y / 2, 0 * x], -1).astype(np.uint8)
    points = np.zeros((478, 3), np.float32)
    points[:, 0] = np.linspace(120, 280, 478)
    points[:, 1] = np.linspace(130, 270, 478)[::-1]
    sampled = lighting.sample(frame, points).astype(float)
    expected = np.column_stack([points[SKIN, 0] / 2, points[SKIN, 1] / 2])
    assert np.abs(sampled[:, :2] - expected).max() < 3


def test_skin_that_is_white_or_black_shows_nothing() -> None:
    colours = np.full((3, 4, 3), 120, np.uint8)
    colours[1, :3] = [255, 130, 90]  # one full channel has lost the colour
    colours[2] = 3
    assert lighting.exposed_share(colours).tolist() == [1.0, 0.25, 0.0]
