"""`uneven` for many frames at once, in torch operations; see `device`."""

from __future__ import annotations

import torch
from torch import Tensor

from gsmooth_core.taft.device.lamp import ramp
from gsmooth_core.taft.device.tone import blurred
from gsmooth_core.taft.warping import lamp, tone
from gsmooth_core.taft.warping import uneven as cpu

DARK = float(lamp.DARK)


def uneven(
    own: Tensor, wanted: Tensor, skin: Tensor, sloping: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """See `uneven.uneven`.

    Args:
        own: (B, K, 3, h, w) samples of the references.
        wanted: (B, 1, 3, h, w) those of the frames.
        skin: (B, h, w) which of them are bare skin.
        sloping: (B, K, 3, h, w) logarithms of the gains of lamps.

    Returns:
        (B, K, 3) veils, (B, K, 3, h, w) logarithms of gains, and (B, K) where these are told.
    """
    white, full, bare = own >= tone.CLIPPED, wanted >= tone.CLIPPED, skin[:, None, None]
    told = bare & ~(full | white).any(2, keepdim=True)  # (B, K, 1, h, w)
    veil = _veil(own, wanted, told)
    apart = torch.log(wanted + DARK) - torch.log(own + veil[..., None, None] + DARK) - sloping
    tint = _median(apart - apart.mean(2, keepdim=True), told)[..., None, None]
    known = bare & ~(full | white)
    count = known.sum(2, keepdim=True)
    common = ((apart - tint) * known).sum(2, keepdim=True) / count.clamp(min=1)
    likely = torch.where(count > 0, common + tint, filled(apart, told))
    made = torch.where(full, torch.maximum(apart, likely), apart)
    made = torch.where(white, torch.minimum(apart, likely), made)
    made = torch.where(full & white, likely, made)
    field = (sloping + filled(made, bare)).clamp(-cpu.MOST, cpu.MOST)
    enough = told.sum((2, 3, 4)) >= tone.FEWEST
    return torch.where(enough[..., None], veil, 0), field, enough


def _veil(own: Tensor, wanted: Tensor, told: Tensor) -> Tensor:
    """(B, K, 3) see `uneven._veil`."""
    one, other = (_contrast(picture, told) for picture in (own, wanted))
    count = told.sum((3, 4)).clamp(min=1)
    has, should, both = (
        (a * b).sum((3, 4)) / count for a, b in ((one, one), (other, other), (one, other))
    )
    has, should = has + cpu.FAINT, should + cpu.FAINT
    sure = ramp(both / (has * should).sqrt(), cpu.ALIKE)
    left = 1 - sure * (1 - (should / has).sqrt().clamp(cpu.VEILED, 1))
    return (own * told).sum((3, 4)) / count * (1 - left) / left


def _contrast(picture: Tensor, told: Tensor) -> Tensor:
    """(B, K, 3, h, w) see `uneven._contrast`; 0 where it is not told."""
    bright, weight = torch.log(picture + DARK), told.float()
    sigma = cpu.FINE * told.shape[-1]
    near, smooth = (blurred(v, sigma, sigma, "constant") for v in (weight, bright * weight))
    apart = bright - smooth / near.clamp(min=cpu.FAINT)
    most = cpu.EDGE * _median(apart.abs(), told)[..., None, None]
    return torch.where(told, torch.maximum(torch.minimum(apart, most), -most), 0)


def _median(values: Tensor, told: Tensor) -> Tensor:
    """(B, K, 3) of values (B, K, 3, h, w) where they are told (B, K, 1, h, w); 0 of none."""
    counted = values.masked_fill(~told, torch.nan).flatten(3)
    return torch.nanquantile(counted, 0.5, dim=-1).nan_to_num(0)


def filled(values: Tensor, known: Tensor) -> Tensor:
    """(B, K, 3, h, w) see `uneven.filled`."""
    weight, made = known.float(), torch.zeros_like(values)
    weighed = values * weight
    for (across, down), seen in zip(cpu.SCALES, cpu.SEEN, strict=True):
        x, y = across * values.shape[-1], down * values.shape[-1]
        near, own = (blurred(v, x, y, "constant") for v in (weight, weighed))
        made = made + (own / (near + cpu.FAINT) - made) * (near / (near + seen + cpu.FAINT))
    return made
