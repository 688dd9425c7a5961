"""pytorch3d's conventions, and the cross-check with it where it is installed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gsmooth_core.face.rasterizer import rasterize
from gsmooth_core.face.rasterizer.pytorch3d_backend import to_ndc
from tests.face.rasterizer.meshes import soup


@pytest.mark.parametrize(("height", "width"), [(20, 31), (31, 20), (24, 24)])
def test_ndc_has_x_left_y_up_and_the_shorter_side_from_minus_one_to_one(
    height: int, width: int
) -> None:
    corners = torch.tensor([[0.0, 0.0, 3.0], [width, height, 4.0], [width / 2, height / 2, 5.0]])
    x, y = width / min(height, width), height / min(height, width)
    expected = torch.tensor([[x, y, 3.0], [-x, -y, 4.0], [0.0, 0.0, 5.0]])
    torch.testing.assert_close(to_ndc(corners, height, width), expected)


@pytest.mark.parametrize("cull", [False, True])
@pytest.mark.parametrize(("height", "width"), [(20, 31), (31, 20), (24, 24)])
def test_pytorch3d_shows_the_same_faces(height: int, width: int, cull: bool) -> None:
    pytest.importorskip("pytorch3d", reason="pytorch3d is not installed")
    projected, faces = soup(np.random.default_rng(0), 30, height, width)
    projected[:6, 2] *= -1  # some faces behind the camera
    ours = rasterize(projected, faces, projected, height, width, "numba", cull=cull)
    theirs = rasterize(projected, faces, projected, height, width, "pytorch3d", cull=cull)
    np.testing.assert_array_equal(ours.face_index, theirs.face_index)
    np.testing.assert_allclose(ours.image, theirs.image, rtol=1e-5, atol=1e-4)
