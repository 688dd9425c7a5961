"""R-Net behind the tracker's interface, on a checkpoint made here with the real layout."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from gsmooth_core.errors import ModelError, NoFaceError
from gsmooth_core.face import camera, shading
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.tracking.fitting import projection
from gsmooth_core.tracking.regressor import deep3d
from gsmooth_core.tracking.regressor.resnet import HEADS, RNet, load_rnet
from gsmooth_core.tracking.regressor.rnet import Coefficients, RNetTracker
from gsmooth_core.types import Clip, Image
from tests.attacks.checkpoints import light, refused

RNG = np.random.default_rng(7)
VERTICES = 300


def test_parameters_have_the_names_and_shapes_of_the_checkpoint() -> None:
    shapes = {name: tuple(value.shape) for name, value in RNet().state_dict().items()}
    assert shapes["backbone.conv1.weight"] == (64, 3, 7, 7)
    assert shapes["backbone.layer1.0.downsample.0.weight"] == (256, 64, 1, 1)
    assert shapes["backbone.layer3.5.conv2.weight"] == (256, 256, 3, 3)
    assert shapes["backbone.layer4.2.bn3.running_var"] == (2048,)
    heads = [shapes[f"final_layers.{i}.weight"] for i in range(7)]
    assert heads == [(size, 2048, 1, 1) for size in HEADS]
    # 161 values of torchvision's ResNet-50 with batch counters and fc's two left out, 53 norms
    assert sum(name.startswith("backbone.") for name in shapes) == 53 + 53 * 5


def test_parameter_count_is_that_of_resnet_50() -> None:
    count = sum(p.numel() for p in RNet().backbone.parameters())
    assert count == 25_557_032 - 2048 * 1000 - 1000


def test_coefficients_come_apart_in_order() -> None:
    values = np.arange(257, dtype=np.float32)[None]
    parts = Coefficients.of(values)
    assert parts.identity[0, 0] == 0
    assert parts.expression[0, 0] == 80
    assert parts.texture[0, 0] == 144
    assert parts.angles[0].tolist() == [224, 225, 226]
    assert parts.light[0, 0] == 227
    assert parts.translation[0].tolist() == [254, 255, 256]


def test_missing_and_foreign_and_unsafe_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no file"):
        load_rnet(tmp_path / "none.pth")
    foreign = tmp_path / "foreign.pth"
    torch.save({"net_recon": {"weight": torch.zeros(3)}}, foreign)
    with pytest.raises(ModelError, match="not a usable R-Net"):
        load_rnet(foreign)
    bomb = tmp_path / "bomb.pth"
    torch.save({"net_recon": Path}, bomb)
    with pytest.raises(ModelError, match="safely"):
        load_rnet(bomb)
    torn = tmp_path / "torn.pth"
    torn.write_bytes(bomb.read_bytes()[:100])
    with pytest.raises(ModelError):
        load_rnet(torn)


def _naive_deep3d(points: np.ndarray, angles: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Deep3D's own steps, one point at a time: three turns, shift, camera at 10, pinhole."""
    x, y, z = angles
    rx = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    rz = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    pixels = []
    for point in points:
        placed = rz @ ry @ rx @ point + shift
        depth = 10 - placed[2]
        pixels.append([112 + 1015 * placed[0] / depth, 112 - 1015 * placed[1] / depth])
    return np.array(pixels)


def test_pose_in_the_crop_is_deep3ds(bfm: MorphableModel) -> None:
    angles = RNG.uniform(-0.6, 0.6, (4, 3)).astype(np.float32)
    shift = RNG.uniform(-0.3, 0.3, (4, 3)).astype(np.float32)
    rotation, translation = deep3d.crop_pose(angles, shift)
    for t in range(4):
        posed = camera.pose(bfm.mean, rotation[t], translation[t])
        ours = camera.project(posed, 1015, 224, 224)[:, :2]
        np.testing.assert_allclose(ours, _naive_deep3d(bfm.mean, angles[t], shift[t]), atol=0.01)


@pytest.mark.parametrize("frame", [(224, 224), (1280, 720), (1080, 1920)])
def test_pose_in_the_frame_shows_what_the_crop_showed(
    bfm: MorphableModel, frame: tuple[int, int]
) -> None:
    width, height = frame
    angles = RNG.uniform(-0.5, 0.5, (6, 3)).astype(np.float32)
    shift = RNG.uniform(-0.1, 0.1, (6, 3)).astype(np.float32)
    scale = 1.0 if width == 224 else 2.0
    offset = RNG.uniform(0, 1, (6, 2)) * (width - 224 * scale, height - 224 * scale)
    matrix = np.zeros((6, 2, 3), np.float32)
    matrix[:, 0, 0] = matrix[:, 1, 1] = scale
    matrix[..., 2] = offset
    rotation, translation = deep3d.crop_pose(angles, shift)
    target = projection.Camera(1015 * scale, width, height)
    shapes = np.broadcast_to(bfm.mean, (6, VERTICES, 3))
    x = deep3d.frame_pose(rotation, translation, matrix, target, shapes)
    _, placed = projection.place(shapes, x)
    seen = projection.project(placed, target)
    for t in range(6):
        expected = _naive_deep3d(bfm.mean, angles[t], shift[t]) * scale + offset[t]
        error = np.linalg.norm(seen[t] - expected, axis=1)
        face = np.ptp(expected[:, 1])
        # Looking askew, by so many radians, stretches a solid face in a way that no pose undoes.
        askew = np.hypot(*(expected.mean(0) - (width / 2, height / 2))) / (1015 * scale)
        assert error.max() < (0.07 * askew * face if width > 224 else 0.02)
        assert np.median(error) < max(0.035 * askew * face, 0.02)


def test_crop_puts_the_mean_face_where_deep3d_wants_it(bfm: MorphableModel) -> None:
    five = deep3d._FIVE
    frame = np.column_stack([300 + 150 * five[:, 0], 200 - 150 * five[:, 1]]).astype(np.float32)
    matrix = deep3d.crop_matrix(frame)
    assert matrix[0, 0] == pytest.approx(150 / 102, rel=1e-4)
    centre = matrix[:, :2] @ (112, 112) + matrix[:, 2]
    np.testing.assert_allclose(centre, (300, 200), atol=0.01)


def test_light_shades_like_deep3ds_formula() -> None:
    gamma = RNG.normal(0, 0.3, (2, 27)).astype(np.float32)
    normals = RNG.normal(size=(50, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    a = np.array([np.pi, 2 * np.pi / np.sqrt(3), 2 * np.pi / np.sqrt(8)])
    c = np.array([1, np.sqrt(3), 3 * np.sqrt(5) / np.sqrt(3)]) / np.sqrt(4 * np.pi)
    for row in range(2):
        coefficients = gamma[row].reshape(3, 9) + np.eye(1, 9) * 0.8
        expected = []
        for x, y, z in normals:
            first, second = a[1] * c[1], a[2] * c[2]
            values = [a[0] * c[0], -first * y, first * z, -first * x, second * x * y]
            values += [-second * y * z, 0.5 / np.sqrt(3) * second * (3 * z * z - 1)]
            values += [-second * x * z, 0.5 * second * (x * x - y * y)]
            expected.append(coefficients @ values)
        ours = shading.sh_basis(normals.astype(np.float32)) @ deep3d.light(gamma)[row]
        np.testing.assert_allclose(ours, expected, atol=1e-4)


def test_track_of_a_photo(checkpoint: Path, bfm: MorphableModel, astronaut: Image) -> None:
    clip = Clip(Path("made-up.mp4"), 512, 512, Fraction(25), 3)
    tracker = RNetTracker(checkpoint, bfm)
    done: list[int] = []
    empty = np.zeros_like(astronaut)
    people = tracker.follow([astronaut, astronaut, empty], done.append)
    track = tracker.fit(people, people.choose("1"), clip)
    assert done == [1, 2, 3]
    assert track.expression.shape == (3, 64)
    assert track.identity.shape == (80,)
    assert track.usable.tolist() == [True, True, False]
    # An untrained network says about zero: the mean face, upright, in the crop's middle.
    posed = camera.pose(bfm.mean, track.rotation[0], track.translation[0])
    pixels = camera.project(posed, track.focal, 512, 512)[:, :2]
    expected = track.landmarks[0, [33, 263, 61, 291]].mean(0)
    assert np.linalg.norm(pixels.mean(0) - expected) < 30
    assert Rotation.from_rotvec(track.rotation[0]).magnitude() < 0.3


def test_no_face(checkpoint: Path, bfm: MorphableModel, coffee: Image) -> None:
    clip = Clip(Path("made-up.mp4"), 600, 400, Fraction(25), 1)
    tracker = RNetTracker(checkpoint, bfm)
    people = tracker.follow([coffee])
    with pytest.raises(NoFaceError):
        tracker.fit(people, None, clip)


def test_weights_that_run_away_together_are_found(tmp_path: Path, bfm: MorphableModel) -> None:
    """Each number is allowed, and what they make is not."""
    with torch.device("meta"):
        network = RNet()
    state = light(network)
    loud = {n: (t + 9000)[:1] if t.is_floating_point() else t for n, t in state.items()}
    torch.save({n: t.expand(state[n].shape) for n, t in loud.items()}, tmp_path / "loud.pth")
    tracker = RNetTracker(tmp_path / "loud.pth", bfm)
    refused(lambda: tracker.regress(np.full((224, 224, 3), 200, np.uint8)), "no numbers")
