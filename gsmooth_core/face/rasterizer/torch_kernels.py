"""The rasteriser in torch operations alone, for any device with float64.

Every pixel of every face's bounding box is a candidate; the nearest candidate of a pixel is found
by a scattered minimum, which does not depend on order. Rules and arithmetic are those of
`numba_kernels`.
"""

from __future__ import annotations

import torch
from torch import Tensor

# Bounds the memory of one pass to some 200 MB.
CANDIDATES_AT_ONCE = 2**21


def _edges(xy: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Edge values of (N, 3, 2) corners relative to a point, each (N,)."""
    (x0, y0), (x1, y1), (x2, y2) = (corner.unbind(-1) for corner in xy.unbind(-2))
    return x1 * y2 - y1 * x2, x2 * y0 - y2 * x0, x0 * y1 - y0 * x1


def _centres(pixel: Tensor, width: int) -> Tensor:
    """(N, 2) centres of pixels given by their place in the flat image."""
    return torch.stack([pixel % width, pixel // width], dim=-1).double() + 0.5


def _areas(corners: Tensor) -> Tensor:
    """(N,) twice the signed areas of (N, 3, 3) corners; front faces: negative, as y is down."""
    (ax, ay), (bx, by) = ((corners[:, i, :2] - corners[:, 0, :2]).unbind(-1) for i in (1, 2))
    return ax * by - ay * bx


def usable_faces(projected: Tensor, faces: Tensor, cull: bool) -> Tensor:
    """(N,) ascending indices of the faces that can be drawn."""
    corners = projected.detach()[faces.long()].double()  # (F, 3, 3)
    area = _areas(corners)
    usable = area.isfinite() & (area != 0)
    usable &= corners.isfinite().all(-1).all(-1) & (corners[..., 2] > 0).all(-1)
    if cull:
        usable &= area < 0
    return usable.nonzero()[:, 0]


@torch.no_grad()
def visible_faces(projected: Tensor, faces: Tensor, height: int, width: int, cull: bool) -> Tensor:
    """(H, W) int32 index of the nearest face at each pixel's centre, -1 where there is none."""
    depth = projected.new_full((height * width,), torch.inf, dtype=torch.float64)
    nearest = torch.full_like(depth, -1, dtype=torch.int64)
    face = usable_faces(projected, faces, cull)
    corners = projected[faces[face].long()].double()  # (N, 3, 3)
    low, high = corners[..., :2].amin(1), corners[..., :2].amax(1)
    size = torch.tensor([width, height], device=projected.device, dtype=torch.float64)
    first = (low - 0.5).ceil().clamp(min=0).minimum(size).long()  # (N, 2) x, y
    last = (high - 0.5).floor().clamp(min=-1).minimum(size - 1).long()
    box = (last - first + 1).clamp(min=0)  # (N, 2)
    passes = (box.prod(-1).cumsum(0) - 1).clamp(min=0) // CANDIDATES_AT_ONCE
    for part in torch.unique(passes).tolist():
        chosen = (passes == part).nonzero()[:, 0]
        owner, pixel = _candidates(chosen, first, box, width)
        _keep_nearest(owner, pixel, face, corners, width, depth, nearest)
    return nearest.reshape(height, width).int()


def _candidates(chosen: Tensor, first: Tensor, box: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Every pixel of the chosen faces' boxes: which face, which pixel; both (M,)."""
    count = box[chosen].prod(-1)
    owner = chosen.repeat_interleave(count)
    start = (count.cumsum(0) - count).repeat_interleave(count)
    offset = torch.arange(owner.shape[0], device=owner.device) - start
    column = first[owner, 0] + offset % box[owner, 0]
    row = first[owner, 1] + offset // box[owner, 0]
    return owner, row * width + column


def _keep_nearest(
    owner: Tensor,
    pixel: Tensor,
    face: Tensor,
    corners: Tensor,
    width: int,
    depth: Tensor,
    nearest: Tensor,
) -> None:
    """Update depth and nearest (H*W,) in place with the candidates that cover their pixel."""
    sign = _areas(corners).sign()[owner]
    edges = [sign * e for e in _edges(corners[owner, :, :2] - _centres(pixel, width)[:, None])]
    total = edges[0] + edges[1] + edges[2]
    covers = ((torch.stack(edges).amin(0) >= 0) & (total > 0)).nonzero()[:, 0]
    owner, pixel = owner[covers], pixel[covers]
    w0, w1, w2 = (
        e[covers] / z for e, z in zip(edges, corners[owner, :, 2].unbind(-1), strict=True)
    )
    candidate = total[covers] / (w0 + w1 + w2)
    closest = torch.full_like(depth, torch.inf).scatter_reduce(0, pixel, candidate, "amin")
    wins = (candidate == closest[pixel]).nonzero()[:, 0]
    none = torch.iinfo(torch.int64).max
    winner = torch.full_like(nearest, none).scatter_reduce(
        0, pixel[wins], face[owner[wins]], "amin"
    )
    better = closest < depth  # an earlier pass holds lower face indices, which win ties
    depth[better] = closest[better]
    nearest[better] = winner[better]


def interpolate(
    projected: Tensor, faces: Tensor, attributes: Tensor, face_index: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Barycentric (H, W, 3), image (H, W, C) and depth (H, W) of the faces seen, differentiable."""
    height, width = face_index.shape
    seen = face_index.flatten()  # (H*W,)
    pixel = (seen >= 0).nonzero()[:, 0]
    triangle = faces.long()[seen[pixel].long()]  # (N, 3) vertices
    corners = projected[triangle].double()  # (N, 3, 3)
    edge = torch.stack(_edges(corners[..., :2] - _centres(pixel, width)[:, None]), dim=-1)
    weight = edge / corners[..., 2]
    scale = weight.sum(-1, keepdim=True)
    barycentric = (weight / scale).to(projected.dtype)  # (N, 3)
    distance = (edge.sum(-1) / scale[:, 0]).to(projected.dtype)
    values = (barycentric[..., None] * attributes[triangle]).sum(1)  # (N, C)
    return (
        _placed(barycentric, pixel, 0.0, height, width),
        _placed(values, pixel, 0.0, height, width),
        _placed(distance[:, None], pixel, torch.inf, height, width)[..., 0],
    )


def _placed(values: Tensor, pixel: Tensor, outside: float, height: int, width: int) -> Tensor:
    """(N, C) values at flat pixels -> (H, W, C) image."""
    image = values.new_full((height * width, values.shape[1]), outside)
    return image.index_copy(0, pixel, values).reshape(height, width, values.shape[1])
