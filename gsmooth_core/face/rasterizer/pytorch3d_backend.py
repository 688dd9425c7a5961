"""Visible faces by pytorch3d, where it is installed; interpolation and gradients stay ours.

pytorch3d's own space has x to the left, y up, pixels square, and -1..1 along the image's shorter
side. Unlike ours it leaves out pixels whose centre is exactly on an edge of the mesh, and faces
smaller than about 1e-8 of its square units.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gsmooth_core.face.rasterizer.torch_kernels import usable_faces


def to_ndc(projected: Tensor, height: int, width: int) -> Tensor:
    """(V, 3) of u, v in pixels and depth -> pytorch3d's normalised x, y and depth."""
    size = projected.new_tensor([width, height])
    ndc = (size - 2 * projected[:, :2]) / min(height, width)
    return torch.cat([ndc, projected[:, 2:]], dim=-1)


@torch.no_grad()
def visible_faces(projected: Tensor, faces: Tensor, height: int, width: int, cull: bool) -> Tensor:
    """(H, W) int32 index of the nearest face at each pixel's centre, -1 where there is none."""
    from pytorch3d.renderer.mesh.rasterize_meshes import rasterize_meshes
    from pytorch3d.structures import Meshes

    usable = usable_faces(projected, faces, cull)
    if usable.numel() == 0:
        return torch.full((height, width), -1, dtype=torch.int32, device=projected.device)
    meshes = Meshes([to_ndc(projected, height, width)], [faces[usable].long()])
    pix_to_face = rasterize_meshes(
        meshes,
        image_size=(height, width),
        blur_radius=0.0,
        faces_per_pixel=1,
        perspective_correct=True,
        cull_backfaces=False,  # `usable_faces` has seen to it
    )[0]
    seen = pix_to_face[0, :, :, 0]  # (1, H, W, 1) -> (H, W)
    return torch.where(seen >= 0, usable[seen.clamp(min=0)], -1).int()
