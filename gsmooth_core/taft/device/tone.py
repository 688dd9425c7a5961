"""`tone` for many frames at once, in torch operations; see `device`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gsmooth_core.taft.warping import tone


def relit(pictures: Tensor, own: Tensor, wanted: Tensor, bare: Tensor, shown: Tensor) -> Tensor:
    """Pictures in the light of frames, see `tone.tone_of`.

    Args:
        pictures: (B, K, 3, H, W).
        own: (B, K, 3, N) samples of them.
        wanted: (B, K or 1, 3, N) those of the frames.
        bare: (B, N) which of them are bare skin.
        shown: (B, N) which show the face.

    Returns:
        (B, K, 3, H, W).
    """
    mask = bare[:, None, None].double()
    gain, offset = _change(own, wanted, mask, shown[:, None, None])  # (B, K, 3, 1)
    count = mask.sum(-1, keepdim=True)  # (B, 1, 1, 1)
    apart = ((own * gain + offset - own).abs() * mask).sum((2, 3), keepdim=True)
    apart = apart / (3 * count).clamp(min=1)
    share = ((apart - tone.STEADY) / (tone.CHANGED - tone.STEADY)).clamp(0, 1)
    share = torch.where(count < tone.FEWEST, 0, share)
    scale, shift = (x[..., None].float() for x in (1 + share * (gain - 1), share * offset))
    return (pictures * scale + shift).clamp(0, 1)


def without(wanted: Tensor, gain: Tensor) -> Tensor:
    """See `tone.Skin.without`."""
    even = wanted / gain
    return torch.where(wanted < tone.CLIPPED, even, torch.maximum(even, wanted))


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


def _change(own: Tensor, wanted: Tensor, mask: Tensor, shown: Tensor) -> tuple[Tensor, Tensor]:
    """(..., 1) gain and offset between samples (..., N) where `mask`; see `tone._change`."""
    plain, white = (own < tone.CLIPPED) * mask, (wanted >= tone.CLIPPED) & (mask > 0)
    found = line(own, wanted, plain, white)
    return _flashed(own, wanted, white & (plain > 0), plain, found, shown)


def _flashed(
    own: Tensor,
    wanted: Tensor,
    lost: Tensor,
    plain: Tensor,
    change: tuple[Tensor, Tensor],
    shown: Tensor,
) -> tuple[Tensor, Tensor]:
    """Gain and offset, or what a flash adds where it made most of the skin white."""
    least = (plain.sum(-1, keepdim=True) / 2).clamp(min=tone.FEWEST / 2)
    gain, offset = change
    flash = lost.sum(-1, keepdim=True) > least
    if not bool(flash.any()):
        return gain, offset
    more = (wanted - own).masked_fill(~lost, torch.nan)
    least = torch.nanquantile(more, tone.LIT, dim=-1, keepdim=True)
    return torch.where(flash, 1, gain), torch.where(
        flash, torch.maximum(least, _added(own, wanted, shown)), offset
    )


def _added(own: Tensor, wanted: Tensor, shown: Tensor) -> Tensor:
    """(B, K, 1, 1) what a flash adds, by what is dark; see `tone._added`."""
    dark = (own < tone.DARK) & shown
    told, more = dark & (wanted < tone.CLIPPED), wanted - own

    def middle(which: Tensor) -> Tensor:
        enough = which.sum(-1, keepdim=True) >= tone.FEWEST_DARK
        found = torch.nanquantile(more.masked_fill(~which, torch.nan), 0.5, dim=-1, keepdim=True)
        return torch.where(enough, found, 0)

    enough = dark.sum(-1, keepdim=True) >= tone.FEWEST_DARK
    each = torch.where(enough, torch.maximum(middle(told), middle(dark)), 0)  # (B, K, 3, 1)
    return each.median(2, keepdim=True).values
