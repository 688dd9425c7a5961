"""`tone` for many frames at once, in torch operations; see `device`."""

from __future__ import annotations

import torch
from kornia.filters import gaussian_blur2d
from torch import Tensor
from torch.nn import functional as F

from gsmooth_core.taft.warping import tone


def relit(
    pictures: Tensor, own: Tensor, wanted: Tensor, full: Tensor, bare: Tensor, shown: Tensor
) -> Tensor:
    """Pictures in the light of frames, see `tone.tone_of`.

    Args:
        pictures: (B, K, 3, H, W).
        own: (B, K, 3, N) samples of them.
        wanted: (B, K or 1, 3, N) those of the frames.
        full: (B, 1, 3, N) which of these are white.
        bare: (B, N) which of them are bare skin.
        shown: (B, N) which show the face.

    Returns:
        (B, K, 3, H, W).
    """
    mask = bare[:, None, None].double()
    count = mask.sum(-1, keepdim=True)  # (B, 1, 1, 1)
    told = (mask > 0) & ~(full | (own >= tone.CLIPPED)).any(2, keepdim=True)  # (B, K, 1, N)
    enough = told.sum(-1, keepdim=True) >= (tone.TOLD * count).clamp(min=tone.FEWEST)
    plain = told.expand(own.shape)
    gain, offset = line(own, wanted, plain.double(), torch.zeros_like(plain))  # (B, K, 3, 1)
    if not bool(enough.all()):
        white = _lit_white(own, wanted, full, mask, shown[:, None, None])
        gain, offset = (
            torch.where(enough, a, b) for a, b in zip((gain, offset), white, strict=True)
        )
    apart = ((own * gain + offset - own).abs() * mask).sum((2, 3), keepdim=True)
    apart = apart / (3 * count).clamp(min=1)
    share = ((apart - tone.STEADY) / (tone.CHANGED - tone.STEADY)).clamp(0, 1)
    share = torch.where(count < tone.FEWEST, 0, share)
    scale, shift = (x[..., None].float() for x in (1 + share * (gain - 1), share * offset))
    return (pictures * scale + shift).clamp(min=0)


def line(own: Tensor, wanted: Tensor, plain: Tensor, white: Tensor) -> tuple[Tensor, Tensor]:
    """(..., 1) gain and offset of samples (..., N), see `tone.robust_line`."""
    weight, gain = plain, torch.ones_like(own[..., :1])
    offset, going = torch.zeros_like(gain), torch.ones_like(gain, dtype=torch.bool)
    for _ in range(tone.ROUNDS):
        total = weight.sum(-1, keepdim=True)
        going = going & (total >= tone.FEWEST / 2)
        share = weight / total.clamp(min=1e-9)
        x, y, xx, xy = (
            (share * values).sum(-1, keepdim=True) for values in (own, wanted, own**2, own * wanted)
        )
        determinant = xx * (1 + tone.OFFSET) - x * x
        going = going & (determinant >= 1e-9)
        found = (xy * (1 + tone.OFFSET) - x * y) / determinant
        found = found.clamp(0, tone.LARGEST_GAIN)
        gain = torch.where(going, found, gain)
        offset = torch.where(going, (y - gain * x) / (1 + tone.OFFSET), offset)
        apart = gain * own + offset - wanted
        weight = torch.where(white & (apart > 0), 0, plain / (1 + (apart / tone.OUTLIER) ** 2))
    return gain, offset


def pooled(values: Tensor, step: int) -> Tensor:
    """(..., H / step, W / step) means over cells."""
    pooled = F.avg_pool2d(values.reshape(-1, 1, *values.shape[-2:]), step)
    return pooled.reshape(*values.shape[:-2], *pooled.shape[-2:])


def blurred(
    values: Tensor, across: float, down: float | None = None, border: str = "reflect"
) -> Tensor:
    """(..., h, w) under the Gaussian, and the border, that OpenCV takes for floats."""
    sigma = down or across, across
    sides = round(8 * sigma[0] + 1) | 1, round(8 * sigma[1] + 1) | 1
    flat = values.reshape(-1, 1, *values.shape[-2:])
    return gaussian_blur2d(flat, sides, sigma, border).reshape(values.shape)


def _lit_white(
    own: Tensor, wanted: Tensor, full: Tensor, mask: Tensor, shown: Tensor
) -> tuple[Tensor, Tensor]:
    """(B, K, 3, 1) gain and offset between samples (..., N) where `mask`; see `tone._lit_white`."""
    plain, white = (own < tone.CLIPPED) * mask, full & (mask > 0)
    gain, offset = line(own, wanted, plain, white)
    lost, most = white & (plain > 0), (plain.sum(-1, keepdim=True) / 2).clamp(min=tone.FEWEST / 2)
    flash = lost.sum(-1, keepdim=True) > most  # (B, K, 3, 1)
    told = (~flash).double()
    usual = gain.masked_fill(flash, 0).amax(2, keepdim=True)
    shift = (offset * told).sum(2, keepdim=True) / told.sum(2, keepdim=True).clamp(min=1)
    least = _quantile((wanted - shift) / own.clamp(min=tone.DARKEST), lost, tone.LIT)
    partly = torch.maximum(usual, least.clamp(max=tone.LARGEST_GAIN))
    one, added = _by_the_dark(own, wanted, full, shown)  # (B, K, 1, 1)
    least = _quantile(wanted - (own * one + added), lost, tone.LIT).clamp(min=0)
    whole = flash.all(2, keepdim=True)
    gain = torch.where(whole, one, torch.where(flash, partly, gain))
    return gain, torch.where(whole, added + least, torch.where(flash, shift, offset))


def _by_the_dark(own: Tensor, wanted: Tensor, full: Tensor, shown: Tensor) -> tuple[Tensor, Tensor]:
    """(B, K, 1, 1) gain and offset, see `tone._by_the_dark`."""
    told = ((own < tone.CLIPPED) & ~full & shown).flatten(2)[:, :, None]  # (B, K, 1, 3 N)
    had = own.flatten(2)[:, :, None]
    asked = wanted.expand(own.shape).flatten(2)[:, :, None]
    count = told.sum(-1, keepdim=True)
    mean = (had * told).sum(-1, keepdim=True) / count.clamp(min=1)
    spread = (((had - mean) ** 2 * told).sum(-1, keepdim=True) / count.clamp(min=1)).sqrt()
    gain, offset = line(had, asked, told.double(), torch.zeros_like(told))
    parted = (count >= tone.FEWEST) & (spread > tone.PARTED)
    added = torch.where(parted, offset.clamp(min=0), _added(own, wanted, full, shown))
    return torch.where(parted, gain.clamp(min=1), 1), added


def _added(own: Tensor, wanted: Tensor, full: Tensor, shown: Tensor) -> Tensor:
    """(B, K, 1, 1) what a flash adds, by what is dark; see `tone._added`."""
    dark, more = (own < tone.DARK) & shown, wanted - own

    def middle(which: Tensor) -> Tensor:
        enough = which.sum(-1, keepdim=True) >= tone.FEWEST_DARK
        return torch.where(enough, _quantile(more, which, 0.5), 0)

    enough = dark.sum(-1, keepdim=True) >= tone.FEWEST_DARK
    each = torch.where(enough, torch.maximum(middle(dark & ~full), middle(dark)), 0)
    return each.median(2, keepdim=True).values


def _quantile(values: Tensor, which: Tensor, share: float) -> Tensor:
    """(..., 1) of those values (..., N) which count; not a number where none does."""
    return torch.nanquantile(values.masked_fill(~which, torch.nan), share, dim=-1, keepdim=True)
