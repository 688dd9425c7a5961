"""`lamp` for many frames at once, in torch operations; see `device`."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gsmooth_core.taft.device.tone import line
from gsmooth_core.taft.warping import lamp, tone

DARK = float(lamp.DARK)


class Across(NamedTuple):
    """See `lamp.Across`, of many grids (...).

    Attributes:
        middle: (..., 2) x and y.
        half: (..., 2).
    """

    middle: Tensor
    half: Tensor

    @classmethod
    def of(cls, skin: Tensor) -> Across:
        """Of grids (..., h, w) of skin."""
        ends = torch.stack([_ends(skin.any(axis)) for axis in (-2, -1)], -2)  # (..., 2, 2)
        return cls(ends.mean(-1), (ends[..., 1] - ends[..., 0]) / 2)

    def at(self, height: int, width: int) -> Tensor:
        """(..., 2, height * width) x and y of the cells of grids over the crops."""
        middle, half = self.middle[..., None], self.half[..., None]
        x, y = (
            ((torch.arange(count, device=half.device).double() + 0.5) / count - middle[..., n, :])
            / half[..., n, :]
            for n, count in enumerate((width, height))
        )
        shape = (*half.shape[:-2], height, width)
        both = x[..., None, :].expand(shape), y[..., None].expand(shape)
        return torch.stack(both, -3).flatten(-2).clamp(-1, 1)


def _ends(some: Tensor) -> Tensor:
    """(..., 2) first and last of what is set of lines (..., N), of their length."""
    count = some.shape[-1]
    first, last = (s.float().argmax(-1) for s in (some, some.flip(-1)))
    found = torch.where(some.any(-1), 0, 1)  # all of a line where nothing is
    return torch.stack([first * (1 - found), count - last * (1 - found)], -1).double() / count


def slope(own: Tensor, wanted: Tensor, where: Tensor, at: Tensor) -> Tensor:
    """(B, K, 2, 3) logarithms of gains, see `lamp.slope`.

    Args:
        own: (B, K, 3, N) samples of the references.
        wanted: (B, 1, 3, N) those of the frames.
        where: (B, K or 1, N) which of them are skin.
        at: (B, K or 1, 2, N) where they are.
    """
    plain = where & (torch.maximum(own, wanted) < tone.CLIPPED).all(2)  # (B, K, N)
    enough = plain.sum(-1) >= (where.sum(-1) / 2).clamp(min=tone.FEWEST)
    mask = plain[:, :, None].double()  # (B, K, 1, N)
    even, found = _plane(torch.log(wanted + DARK) - torch.log(own + DARK), at, mask)
    side = torch.exp(sloped(found, at))
    made = ((own * side - own).abs() * mask).sum((2, 3)) / (3 * mask.sum((2, 3))).clamp(min=1)
    nearer, truer = _explains(own, wanted, at, side, even, mask)
    share = torch.maximum(
        ramp(made, lamp.MUCH) * ramp(nearer, lamp.LEFT),
        ramp(made, lamp.SOME) * ramp(truer, lamp.TRUE),
    )
    return torch.where(enough, share, 0)[..., None, None] * found


def _explains(
    own: Tensor, wanted: Tensor, at: Tensor, side: Tensor, even: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor]:
    """(B, K) each, see `lamp._explains`."""
    plain = mask.expand_as(own)
    gain, offset = line(own, wanted, plain, torch.zeros_like(plain, dtype=torch.bool))
    apart = [
        ((m - wanted).abs() * mask).sum((2, 3)) for m in (own * gain + offset, own * side * even)
    ]
    bright = (wanted * mask).sum((2, 3)) + 3e-6 * mask.sum((2, 3)).clamp(min=1)
    contrast = _contrast(wanted, at, mask) / _contrast(own, at, mask)
    off = [(g.mean((2, 3)).clamp(min=0.02) / contrast).log().abs() for g in (gain, even)]
    return (apart[0] - apart[1]) / bright, off[0] - off[1]


def sloped(found: Tensor, at: Tensor) -> Tensor:
    """(B, K, 3, N) logarithms of gains at places (B, K or 1, 2, N), of slopes (B, K, 2, 3)."""
    return found.transpose(-1, -2) @ at


def _plane(apart: Tensor, at: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """(B, K, 3, 1) and (B, K, 2, 3), see `lamp._plane`."""
    at = at.expand(*mask.shape[:2], *at.shape[2:])
    design = torch.cat([torch.ones_like(at[:, :, :1]), at], 2)  # (B, K, 3, N)
    price = torch.diag(torch.tensor([1e-12, lamp.PRICE, lamp.PRICE], device=at.device).double())
    weight, found = mask, torch.zeros_like(apart[..., :3])
    for _ in range(tone.ROUNDS):
        share = design * (weight / weight.sum(-1, keepdim=True).clamp(min=1e-9))
        normal = share @ design.transpose(-1, -2) + price
        found = torch.linalg.solve(normal, share @ apart.transpose(-1, -2))  # (B, K, 3, 3)
        odd = (apart - sloped(found, design)).abs().mean(2, keepdim=True)
        weight = mask / (1 + (odd / lamp.ODD) ** 2)
    return torch.exp(found[:, :, 0, :, None]), found[:, :, 1:]


def _contrast(values: Tensor, at: Tensor, mask: Tensor) -> Tensor:
    """(B, K) see `lamp._contrast`."""
    x, y = at.unbind(2)
    slow = torch.stack([torch.ones_like(x), x, y, x * x, x * y, y * y], -1) * mask.movedim(2, 3)
    normal = slow.transpose(-1, -2) @ slow + 1e-6 * torch.eye(6, device=at.device).double()
    values = (values * mask).transpose(-1, -2)  # (B, K, N, 3)
    rest = values - slow @ torch.linalg.solve(normal, slow.transpose(-1, -2) @ values)
    found: Tensor = (rest.square().sum((2, 3)) / (3 * mask.sum((2, 3))).clamp(min=1)).sqrt() + 1e-4
    return found


def ramp(value: Tensor, ends: tuple[float, float]) -> Tensor:
    """See `lamp.ramp`."""
    return ((value - ends[0]) / (ends[1] - ends[0])).clamp(0, 1)
