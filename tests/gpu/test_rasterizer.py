"""The rasteriser on the card against the processor's kernels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gsmooth_core.face.camera import pose, project
from gsmooth_core.face.rasterizer import best_backend, rasterize, rasterize_torch
from tests.face.rasterizer.meshes import soup, sphere
from tests.gpu import made
from tests.gpu.raster import agreement, tensors

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("size", [256, 512])
def test_the_face_is_the_one_that_numba_draws(card, size: int) -> None:
    assert agreement("torch", card, *made.mesh(size), size).holds


def test_pytorch3d_draws_the_same_face(card) -> None:
    pytest.importorskip("pytorch3d", reason="pytorch3d is not installed")
    assert agreement("pytorch3d", card, *made.mesh(256), 256).holds


@pytest.mark.parametrize("cull", [False, True])
def test_crossing_triangles_are_those_of_numba(card, cull: bool) -> None:
    projected, faces = soup(np.random.default_rng(0), 200, 120, 90)
    projected[:6, 2] *= -1  # some faces behind the camera
    ours = rasterize(projected, faces, projected, 120, 90, "numba", cull=cull)
    points, triangles = tensors(card, projected, faces)
    theirs = rasterize_torch(points, triangles, points, 120, 90, "torch", cull=cull)
    assert (theirs.face_index.cpu().numpy() == ours.face_index).mean() > 0.999
    assert ours.mask.mean() > 0.5


def test_the_card_shows_what_torch_shows_on_the_processor(card) -> None:
    vertices, faces = sphere(60, 120)
    camera = pose(vertices, np.float32([0.3, 0.5, 0.2]), np.float32([0.3, 0, -2.4]))
    parts = [torch.tensor(a) for a in (project(camera, 400, 300, 260), faces, camera)]
    on_cpu = rasterize_torch(*parts, 260, 300, "torch")
    on_gpu = rasterize_torch(*(part.to(card) for part in parts), 260, 300, "torch")
    torch.testing.assert_close(on_gpu.face_index.cpu(), on_cpu.face_index)
    torch.testing.assert_close(on_gpu.image.cpu(), on_cpu.image)
    torch.testing.assert_close(on_gpu.depth.cpu(), on_cpu.depth)


def test_gradients_are_those_of_the_processor(card) -> None:
    projected, faces = made.mesh(128)
    found = []
    for device in (torch.device("cpu"), card):
        points, triangles = tensors(device, projected, faces)
        leaf = points.requires_grad_()
        raster = rasterize_torch(leaf, triangles, leaf, 128, 128, "torch")
        raster.image.square().sum().backward()
        found.append(leaf.grad.cpu())
    torch.testing.assert_close(
        found[0], found[1], rtol=1e-3, atol=1e-3 * float(found[0].abs().max())
    )


def test_a_card_has_a_back_end_of_its_own() -> None:
    assert best_backend("cuda:1") == "torch"
