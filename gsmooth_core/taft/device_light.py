"""`light` and `warp.agreement` for many frames at once, in torch operations; see `device`."""

from __future__ import annotations

import torch
from kornia.filters import gaussian_blur2d
from torch import Tensor
from torch.nn import functional as F

from gsmooth_core.taft import interior, light
from gsmooth_core.taft.warp import BLUR, CELL, TOLERANCE

_LIMIT = 0.25


def alike(pictures: Tensor, frame: Tensor, bare: Tensor, validity: Tensor) -> Tensor:
    """(B, K) see `light.alike`; of pictures (B, K, 3, H, W) and validity (B, K, H, W)."""
    shown = bare[:, None] & (validity > light.SHOWN * validity.amax((-2, -1), keepdim=True))
    small = _pooled(frame, light.STEP)
    white = small.amax(1, keepdim=True) >= light.CLIPPED
    both = ((_pooled(shown.float(), light.STEP) > 0.99) & ~white).flatten(2).double()  # (B, K, N)
    count = both.sum(-1)
    wanted = small.mean(1)[:, None].flatten(2).double()
    own = _pooled(pictures, light.STEP).mean(2).flatten(2).double()
    a, b = (_centred(values, both, count) for values in (wanted, own))
    spread = [(x * x).sum(-1) for x in (a, b)]
    deviation = [(s / count.clamp(min=1)).sqrt() for s in spread]
    looks = (a * b).sum(-1) / (spread[0] * spread[1]).sqrt().clamp(min=1e-30)
    looks = torch.where(deviation[1] > 1e-6, looks, 0)
    looked = (count >= light.ENOUGH) & (deviation[0] > light.CONTRAST)
    looks = torch.where(looked, looks, 1).float()
    return (looks >= light.LOOK) | (looks == looks.amax(1, keepdim=True))


def match(pictures: Tensor, frame: Tensor, bare: Tensor, visible: Tensor) -> tuple[Tensor, Tensor]:
    """(B, K, 3, H, W) and (B, K, h, w), see `light.match_light`; of pictures of that shape."""
    alike = _relit(pictures, frame, bare, visible)
    known = bare[:, None, None].float()
    apart = torch.log(frame + 0.05)[:, None] - torch.log(alike + 0.05)
    apart = apart.clamp(-2 * _LIMIT, 2 * _LIMIT) * known
    sigma = 0.08 * (pictures.shape[-1] // CELL)
    norm = _blurred(_pooled(known, CELL), sigma) + 0.03
    total = _blurred(_pooled(apart, CELL), sigma)
    local = total / norm
    gain = torch.exp(local.clamp(-_LIMIT, _LIMIT))
    return (alike * _enlarged(gain, pictures)).clamp(0, 1), local.abs().mean(2)


def better(changed: Tensor, like: Tensor, kept: Tensor) -> Tensor:
    """(B, K, H, W) see `light.better`; only the `kept` (B, K) are compared."""
    changed = changed.masked_fill(~kept[..., None, None], torch.inf)
    best = torch.exp((changed.amin(1, keepdim=True) - changed) / light.BETTER)
    return _enlarged(best, like)


def agreement(
    pictures: Tensor, frame: Tensor, around: Tensor, kept: Tensor
) -> tuple[Tensor, Tensor]:
    """(B, K, H, W) and (B, H, W), see `warp.agreement`; only the `kept` (B, K) are compared."""
    known = around[:, None].float()
    apart = (pictures - frame[:, None]).abs().sum(2) * (known / 3)
    small, of = _pooled(apart, CELL), _pooled(known, CELL)
    sigma = BLUR * small.shape[-2]
    error = _blurred(small, sigma) / (_blurred(of, sigma) + 1e-4)
    error = error.masked_fill(~kept[..., None, None], torch.inf)
    least = error.amin(1, keepdim=True)
    best = torch.exp(-(error - least) / TOLERANCE)
    return _enlarged(best, pictures), _enlarged(least, pictures)[:, 0]


def _relit(pictures: Tensor, frame: Tensor, bare: Tensor, visible: Tensor) -> Tensor:
    """(B, K, 3, H, W) see `light.relit`."""
    mask = (_pooled(bare.float(), light.STEP) > 0.99).flatten(1)[:, None, None].double()
    wanted = _pooled(frame, light.STEP).flatten(2)[:, None].double()  # (B, 1, 3, N)
    own = _pooled(pictures, light.STEP).flatten(3).double()  # (B, K, 3, N)
    shown = (_pooled(visible.float(), light.STEP) > 0.99).flatten(1)[:, None, None]
    gain, offset = _change(own, wanted, mask, shown)  # (B, K, 3, 1)
    count = mask.sum(-1, keepdim=True)  # (B, 1, 1, 1)
    apart = ((own * gain + offset - own).abs() * mask).sum((2, 3), keepdim=True)
    apart = apart / (3 * count).clamp(min=1)
    share = ((apart - light.STEADY) / (light.CHANGED - light.STEADY)).clamp(0, 1)
    share = torch.where(count < light.FEWEST, 0, share)
    scale, shift = (x[..., None].float() for x in (1 + share * (gain - 1), share * offset))
    return (pictures * scale + shift).clamp(0, 1)


def _added(own: Tensor, wanted: Tensor, shown: Tensor) -> Tensor:
    """(B, K, 1, 1) what a flash adds, by what is dark; see `light._added` and `light.relit`."""
    dark = (own < light.DARK) & shown
    told, more = dark & (wanted < light.CLIPPED), wanted - own

    def middle(which: Tensor) -> Tensor:
        enough = which.sum(-1, keepdim=True) >= light.FEWEST_DARK
        found = torch.nanquantile(more.masked_fill(~which, torch.nan), 0.5, dim=-1, keepdim=True)
        return torch.where(enough, found, 0)

    enough = dark.sum(-1, keepdim=True) >= light.FEWEST_DARK
    each = torch.where(enough, torch.maximum(middle(told), middle(dark)), 0)  # (B, K, 3, 1)
    return each.median(2, keepdim=True).values


def _change(own: Tensor, wanted: Tensor, mask: Tensor, shown: Tensor) -> tuple[Tensor, Tensor]:
    """(..., 1) gain and offset between samples (..., N) where `mask`; see `light.relit`."""
    plain, white = (own < light.CLIPPED) * mask, (wanted >= light.CLIPPED) & (mask > 0)
    weight, gain = plain, torch.ones_like(own[..., :1])
    offset, going = torch.zeros_like(gain), torch.ones_like(gain, dtype=torch.bool)
    for _ in range(light.ROUNDS):
        total = weight.sum(-1, keepdim=True)
        going = going & (total >= light.FEWEST / 2)
        share = weight / total.clamp(min=1e-9)
        x, y, xx, xy = (
            (share * values).sum(-1, keepdim=True) for values in (own, wanted, own**2, own * wanted)
        )
        determinant = xx * (1 + light.OFFSET) - x * x
        going = going & (determinant >= 1e-9)
        found = (xy * (1 + light.OFFSET) - x * y) / determinant
        found = found.clamp(0, light.LARGEST_GAIN)
        gain = torch.where(going, found, gain)
        offset = torch.where(going, (y - gain * x) / (1 + light.OFFSET), offset)
        apart = gain * own + offset - wanted
        weight = torch.where(white & (apart > 0), 0, plain / (1 + (apart / light.OUTLIER) ** 2))
    return _flashed(own, wanted, white & (plain > 0), plain, (gain, offset), shown)


def _flashed(
    own: Tensor,
    wanted: Tensor,
    lost: Tensor,
    plain: Tensor,
    change: tuple[Tensor, Tensor],
    shown: Tensor,
) -> tuple[Tensor, Tensor]:
    """Gain and offset, or what a flash adds where it made most of the skin white."""
    least = (plain.sum(-1, keepdim=True) / 2).clamp(min=light.FEWEST / 2)
    gain, offset = change
    flash = lost.sum(-1, keepdim=True) > least
    if not bool(flash.any()):
        return gain, offset
    more = (wanted - own).masked_fill(~lost, torch.nan)
    least = torch.nanquantile(more, light.LIT, dim=-1, keepdim=True)
    return torch.where(flash, 1, gain), torch.where(
        flash, torch.maximum(least, _added(own, wanted, shown)), offset
    )


def in_light(image: Tensor, frame: Tensor, skin: Tensor) -> Tensor:
    """(B, 3, H, W) see `interior.in_light`."""
    count, where = skin.sum((1, 2)), skin[:, None]
    shown, own = ((picture * where).sum((2, 3)) for picture in (frame, image))  # (B, 3)
    gain = shown / own.clamp(min=1e-9).maximum(interior.DARKEST * count[:, None])
    gain = gain.clamp(1 / interior.MOST_GAIN, interior.MOST_GAIN)
    few = count[:, None] < interior.FEWEST
    mean = shown / count[:, None].clamp(min=1)
    teeth = image.mean(1, keepdim=True) * interior.tooth_gain(gain, mean)[..., None, None]
    share = torch.where(few[..., None, None], 0, _tooth_share(image))
    lit = image * torch.where(few, 1, gain)[..., None, None]
    lit = (lit + share * (teeth - lit)).clamp(0, 1)
    most = mean.amax(1, keepdim=True)
    spread = most - mean.amin(1, keepdim=True)
    colour = spread / most.clamp(min=interior.DARKEST) / interior.GREY
    colour = torch.where(few, 1, colour.clamp(max=1))[..., None, None]
    grey = lit.mean(1, keepdim=True)
    return grey + (lit - grey) * colour


def _tooth_share(image: Tensor) -> Tensor:
    """(B, 1, H, W) see `interior.tooth_share`."""
    most = image.amax(1, keepdim=True)
    spread = most - image.amin(1, keepdim=True)
    sure = (interior.NO_TOOTH - interior.TOOTH) * most
    return ((interior.NO_TOOTH * most - spread) / sure.clamp(min=1e-6)).clamp(0, 1)


def _centred(values: Tensor, weight: Tensor, count: Tensor) -> Tensor:
    """Values less their mean where the weight is 1, and 0 elsewhere."""
    mean = (values * weight).sum(-1) / count.clamp(min=1)
    return (values - mean[..., None]) * weight


def _pooled(values: Tensor, step: int) -> Tensor:
    """(..., H / step, W / step) means over cells."""
    pooled = F.avg_pool2d(values.reshape(-1, 1, *values.shape[-2:]), step)
    return pooled.reshape(*values.shape[:-2], *pooled.shape[-2:])


def _blurred(values: Tensor, sigma: float) -> Tensor:
    """(..., h, w) under the Gaussian, and the border, that OpenCV takes for floats."""
    side = round(8 * sigma + 1) | 1
    flat = values.reshape(-1, 1, *values.shape[-2:])
    return gaussian_blur2d(flat, (side, side), (sigma, sigma), "reflect").reshape(values.shape)


def _enlarged(values: Tensor, like: Tensor) -> Tensor:
    """(..., H, W) of a coarse grid (..., h, w)."""
    flat = values.reshape(-1, 1, *values.shape[-2:])
    fine = F.interpolate(flat, like.shape[-2:], mode="bilinear", align_corners=False)
    return fine.reshape(*values.shape[:-2], *like.shape[-2:])
