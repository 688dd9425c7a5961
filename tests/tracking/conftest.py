"""A real face that anyone may use: the NASA portrait that scikit-image carries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.tracking.following.detector import FaceDetector
from gsmooth_core.tracking.following.landmarks import FaceMesh
from gsmooth_core.types import Image


@pytest.fixture(scope="session")
def astronaut() -> Image:
    data = pytest.importorskip("skimage.data")
    return np.asarray(data.astronaut(), np.uint8)


@pytest.fixture(scope="session")
def coffee() -> Image:
    data = pytest.importorskip("skimage.data")
    return np.asarray(data.coffee(), np.uint8)


@pytest.fixture(scope="session")
def detector() -> FaceDetector:
    return FaceDetector()


@pytest.fixture(scope="session")
def mesh() -> FaceMesh:
    return FaceMesh()


_RNG = np.random.default_rng(5)
VERTICES = 300


@pytest.fixture(scope="module")
def bfm() -> MorphableModel:
    """The Basel model's sizes, on a made-up ellipsoid."""
    z = np.linspace(-1, 1, VERTICES)
    turn = np.arange(VERTICES) * 2.4
    ring = np.sqrt(1 - z**2)
    mean = np.column_stack([0.8 * ring * np.cos(turn), z, 0.8 * ring * np.sin(turn)])
    return MorphableModel(
        name="made-up-bfm",
        mean=mean.astype(np.float32),
        identity_basis=_RNG.normal(0, 0.01, (80, VERTICES, 3)).astype(np.float32),
        expression_basis=_RNG.normal(0, 0.01, (64, VERTICES, 3)).astype(np.float32),
        expression_names=tuple(f"expression{i}" for i in range(64)),
        faces=np.array([[0, 1, 2]], np.int32),
        uvs=np.zeros((3, 2), np.float32),
        uv_faces=np.array([[0, 1, 2]], np.int32),
        regions=np.zeros(VERTICES, np.uint8),
        mouth_mask=np.zeros(VERTICES, bool),
        landmark_faces=np.zeros(478, np.int32),
        landmark_barycentric=np.full((478, 3), 1 / 3, np.float32),
        landmark_weight=np.zeros(478, np.float32),
    )


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from gsmooth_core.tracking.regressor.resnet import RNet

    torch.manual_seed(0)
    network = RNet()
    with torch.no_grad():
        for head in network.final_layers:
            head.weight.mul_(0.01)
    path = tmp_path_factory.mktemp("rnet") / "epoch_20.pth"
    torch.save({"net_recon": network.state_dict()}, path)
    return path
