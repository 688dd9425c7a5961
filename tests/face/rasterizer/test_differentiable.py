"""Gradients of both back ends against finite differences and each other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from gsmooth_core.face.camera import project
from gsmooth_core.face.rasterizer import rasterize, rasterize_torch
from gsmooth_core.face.rasterizer.differentiable import TorchRaster
from tests.face.rasterizer.meshes import soup, sphere

each_backend = pytest.mark.parametrize("backend", ["numba", "torch"])
HEIGHT, WIDTH, CHANNELS = 24, 31, 4


@pytest.fixture(scope="module")
def scene() -> tuple[Tensor, Tensor, Tensor]:
    """Projected vertices, faces and attributes: large triangles, strongly foreshortened."""
    rng = np.random.default_rng(0)
    projected, faces = soup(rng, 6, HEIGHT, WIDTH)
    attributes = rng.normal(size=(len(projected), CHANNELS)).astype(np.float32)
    return torch.tensor(projected), torch.tensor(faces), torch.tensor(attributes)


def weighed(still: Tensor) -> Callable[[TorchRaster], Tensor]:
    """A scalar of image, barycentrics and depth at the pixels (H, W) marked as still."""
    generator = torch.Generator().manual_seed(1)
    image = torch.randn(HEIGHT, WIDTH, CHANNELS, generator=generator)
    barycentric = torch.randn(HEIGHT, WIDTH, 3, generator=generator)
    depth = torch.randn(HEIGHT, WIDTH, generator=generator)

    def scalar(raster: TorchRaster) -> Tensor:
        return (
            (raster.image * image)[still].double().sum()
            + (raster.barycentric * barycentric)[still].double().sum()
            + (raster.depth * depth)[still].double().sum()
        )

    return scalar


def gradients(
    scene: tuple[Tensor, Tensor, Tensor], backend: str, still: Tensor
) -> tuple[Tensor, Tensor]:
    projected, faces, attributes = scene
    leaves = projected.clone().requires_grad_(), attributes.clone().requires_grad_()
    raster = rasterize_torch(leaves[0], faces, leaves[1], HEIGHT, WIDTH, backend)
    weighed(still)(raster).backward()
    assert leaves[0].grad is not None
    assert leaves[1].grad is not None
    return leaves[0].grad, leaves[1].grad


@each_backend
@pytest.mark.parametrize("seed", range(4))
def test_gradients_are_those_of_finite_differences(
    scene: tuple[Tensor, Tensor, Tensor], backend: str, seed: int
) -> None:
    projected, faces, attributes = scene
    generator = torch.Generator().manual_seed(seed)
    direction = torch.randn(projected.shape, generator=generator)
    turn = torch.randn(attributes.shape, generator=generator)
    step = 2e-3
    ahead, behind = (
        rasterize_torch(
            projected + way * direction, faces, attributes + way * turn, HEIGHT, WIDTH, backend
        )
        for way in (step, -step)
    )
    still = (ahead.face_index == behind.face_index) & ahead.mask
    assert still.sum() > 300
    scalar = weighed(still)
    expected = float(scalar(ahead) - scalar(behind)) / (2 * step)
    to_projected, to_attributes = gradients(scene, backend, still)
    found = float((to_projected * direction).sum() + (to_attributes * turn).sum())
    size = float(to_projected.norm() * direction.norm() + to_attributes.norm() * turn.norm())
    assert abs(found - expected) < 2e-4 * size
    assert abs(expected) > 1e-3 * size  # else the comparison would say nothing


def test_analytic_gradients_equal_those_of_torch(scene: tuple[Tensor, Tensor, Tensor]) -> None:
    seen = rasterize_torch(*scene, HEIGHT, WIDTH, "numba").mask
    for one, other in zip(
        gradients(scene, "numba", seen), gradients(scene, "torch", seen), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5 * float(one.abs().max()))


@each_backend
def test_hidden_vertices_have_no_gradient(backend: str) -> None:
    vertices, faces = sphere()
    projected = torch.tensor(project(vertices - np.float32([0, 0, 4]), 30, WIDTH, HEIGHT))
    leaf = projected.clone().requires_grad_()
    raster = rasterize_torch(leaf, torch.tensor(faces), leaf, HEIGHT, WIDTH, backend)
    (raster.image.square().sum() + raster.depth[raster.mask].sum()).backward()
    assert leaf.grad is not None
    assert leaf.grad.isfinite().all()
    hidden = np.setdiff1d(
        np.arange(len(vertices)), faces[np.unique(raster.face_index[raster.mask])]
    )
    assert len(hidden) > 100
    assert not leaf.grad[hidden].any()
    assert leaf.grad.any()


@each_backend
def test_tensors_and_arrays_give_the_same_picture(
    scene: tuple[Tensor, Tensor, Tensor], backend: str
) -> None:
    tensors = vars(rasterize_torch(*scene, HEIGHT, WIDTH, backend))
    arrays = vars(rasterize(*(part.numpy() for part in scene), HEIGHT, WIDTH, backend))
    assert tensors.keys() == arrays.keys()
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(tensor.numpy(), arrays[name])
