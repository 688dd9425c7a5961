"""A real face that anyone may use: the NASA portrait that scikit-image carries."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.tracking.detector import FaceDetector
from gsmooth_core.tracking.landmarks import FaceMesh
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
