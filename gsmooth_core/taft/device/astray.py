"""`astray` for many frames at once, in torch operations; see `device`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from gsmooth_core.mafb.regions import Box
from gsmooth_core.taft.device.light import enlarged
from gsmooth_core.taft.device.tone import blurred, pooled
from gsmooth_core.taft.warping import astray
from gsmooth_core.taft.warping.beside import step_of
from gsmooth_core.types import Float

_GREY = (0.299, 0.587, 0.114)


def bring(
    pictures: Tensor,
    frame: Tensor,
    around: Tensor,
    begun: Sequence[tuple[Box, Float]],
    phases: int,
) -> Tensor:
    """(B, K, 3, H, W) see `astray.bring`; of pictures of that shape.

    Args:
        pictures: references in the frames' light.
        frame: (B, 3, H, W).
        around: (B, H, W) what is seen beside the new faces.
        begun: of each frame, where it is moved and how far, see `astray.begun`.
        phases: places between two pixels at which OpenCV interpolates.
    """
    brought = pictures.clone()
    for n, ((rows, columns), share) in enumerate(begun):
        if share.any():
            seen, wanted = around[n, rows, columns], frame[n, :, rows, columns]
            step = step_of(frame.shape[-2])
            moved = _movements(pictures[n, ..., rows, columns], wanted, seen, step)
            begins = torch.from_numpy(share).to(frame.device)
            new = _moved(pictures[n], moved * begins, (rows, columns), phases)
            old = pictures[n, ..., rows, columns]
            brought[n, ..., rows, columns] = torch.where(begins > 0, new.clamp(0, 1), old)
    return brought


def _movements(pictures: Tensor, frame: Tensor, seen: Tensor, step: int) -> Tensor:
    """(K, 2, h, w) pixels by which parts of references (K, 3, h, w) are to be moved."""
    reach = astray.REACH
    known = (pooled(seen.float(), step) > astray.WHOLE).float()
    own, wanted = (pooled(_grey(each), step) for each in (pictures, frame))
    rows, columns = known.shape
    edged = F.pad(own[None], [reach] * 4, mode="replicate")[0]
    apart = torch.stack(
        [
            (edged[..., y : y + rows, x : x + columns] - wanted).abs() * known
            for y in range(2 * reach + 1)
            for x in range(2 * reach + 1)
        ],
        1,
    )  # (K, N, rows, columns)
    of = blurred(pooled(known, astray.CELL), astray.NEAR) + astray.FEW
    price, steps = (
        torch.from_numpy(each).to(frame.device) for each in (astray.prices(), astray.steps())
    )
    cost = blurred(pooled(apart, astray.CELL), astray.NEAR) / of + price[:, None, None]
    loose = torch.softmax(-cost / astray.LOOSE, 1)
    moved = torch.einsum("knyx,nd->kdyx", loose, steps) * step
    return enlarged(blurred(moved, astray.SMOOTH), pictures)


def _grey(pictures: Tensor) -> Tensor:
    """(..., H, W) of (..., 3, H, W)."""
    return (pictures * pictures.new_tensor(_GREY)[:, None, None]).sum(-3)


def _moved(pictures: Tensor, moved: Tensor, part: Box, phases: int) -> Tensor:
    """Pictures (K, 3, H, W) in a part, looked up at a displacement (K, 2, h, w) in pixels."""
    rows, columns = (torch.arange(s.start, s.stop, device=moved.device) for s in part)
    at = torch.stack([columns + moved[:, 0], rows[:, None] + moved[:, 1]], -1)
    size = torch.tensor(pictures.shape[:-3:-1], device=moved.device)
    grid = 2 * (torch.round(at * phases) / phases + 0.5) / size - 1
    return F.grid_sample(pictures, grid, "bicubic", "border", align_corners=False)
