"""`light` and `warp.agreement` for many frames at once, in torch operations; see `device`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gsmooth_core.taft.device.lamp import Across, ramp, slope, sloped
from gsmooth_core.taft.device.tone import blurred, pooled, relit
from gsmooth_core.taft.device.uneven import uneven
from gsmooth_core.taft.mouth import interior
from gsmooth_core.taft.mouth.crisp import SIGMA, share
from gsmooth_core.taft.warping import beside, light, tone
from gsmooth_core.taft.warping.uneven import UNEVEN
from gsmooth_core.taft.warping.warp import BLUR, CELL, HALF, TOLERANCE, step_between

_LIMIT = 0.25


def alike(pictures: Tensor, frame: Tensor, bare: Tensor, validity: Tensor) -> Tensor:
    """(B, K) see `light.alike`; of pictures (B, K, 3, H, W) and validity (B, K, H, W)."""
    shown = bare[:, None] & (validity > light.SHOWN * validity.amax((-2, -1), keepdim=True))
    step = tone.step_of(frame.shape[-2])
    small = pooled(frame, step)[:, None]  # (B, 1, 3, h, w)
    white = (small.amax(2) >= tone.CLIPPED) | (pooled(pictures, step).amax(2) >= tone.CLIPPED)
    both = (pooled(shown.float(), step) > 0.99) & ~white  # (B, K, h, w)
    at = Across.of(both).at(*both.shape[2:])
    own, wanted = (p.flatten(3).double() for p in (pooled(pictures, step), small))
    lamp = slope(own, wanted, both.flatten(2), at)
    even, mask = wanted / torch.exp(sloped(lamp, at)), both.flatten(2).double()  # (B, K, N)
    count = mask.sum(-1)
    plain, a, b = (_centred(values.mean(2), mask, count) for values in (wanted, even, own))
    spread = [(x * x).sum(-1) for x in (plain, a, b)]
    deviation = [(s / count.clamp(min=1)).sqrt() for s in spread]
    looks = (a * b).sum(-1) / (spread[1] * spread[2]).sqrt().clamp(min=1e-30)
    looks = torch.where(deviation[2] > 1e-6, looks, 0)
    looked = (count >= light.ENOUGH) & (deviation[0] > light.CONTRAST)
    looks = torch.where(looked, looks, 1).float()
    return (looks >= light.LOOK) | (looks == looks.amax(1, keepdim=True))


def match(pictures: Tensor, frame: Tensor, bare: Tensor, visible: Tensor) -> tuple[Tensor, Tensor]:
    """(B, K, 3, H, W) and (B, K, h, w), see `light.match_light`; of pictures of that shape."""
    step = tone.step_of(frame.shape[-2])
    skin, shown = (pooled(mask.float(), step) > 0.99 for mask in (bare, visible))
    samples = pooled(pictures, step), pooled(frame[:, None], step)  # (B, K or 1, 3, h, w)
    own, wanted = (p.flatten(3).double() for p in samples)
    across, where = Across.of(skin), skin.flatten(1)
    at, there, cells = (across.at(*size)[:, None] for size in _grids(skin, bare))
    lamp = slope(own, wanted, where[:, None], at)  # (B, K, 2, 3)
    even, full = wanted / torch.exp(sloped(lamp, at)), wanted >= tone.CLIPPED
    alike = relit(pictures, own, even, full, where, shown.flatten(1))
    known = bare[:, None, None].float()
    lit = frame[:, None] / torch.exp(sloped(lamp, there).float()).view_as(pictures)
    apart = torch.log(lit + 0.05) - torch.log(alike + 0.05)
    apart = torch.where(frame[:, None] >= tone.CLIPPED, apart.clamp(min=0), apart)
    apart = _thinly(apart.clamp(-2 * _LIMIT, 2 * _LIMIT) * known)
    sigma = 0.08 * (pictures.shape[-1] // CELL)
    weight = blurred(pooled(known, CELL), sigma)
    local = blurred(apart, sigma) / (weight + 0.03)
    change = local.clamp(-_LIMIT, _LIMIT) + sloped(lamp, cells).float().view_as(local)
    left = apart.abs().mean(2).sum((-2, -1)) / weight.sum((2, 3, 4)).clamp(min=1e-6)
    share = ramp(left, UNEVEN)[..., None, None, None]
    if bool((share > 0).any()):
        veil, field, told = uneven(*samples, skin, sloped(lamp, at).float().view_as(samples[0]))
        share, wide = share * told[..., None, None, None], enlarged(field, local)
        change = change + share * (wide - change)
        alike = alike + share * (pictures + veil[..., None, None] - alike)
        local = local + share * (wide - local)
    return (alike * enlarged(torch.exp(change), pictures)).clamp(0, 1), local.abs().mean(2)


def _grids(skin: Tensor, bare: Tensor) -> tuple[tuple[int, ...], ...]:
    """Rows and columns of samples of the skin, of a crop's pixels, and of its cells."""
    height, width = bare.shape[1:]
    return tuple(skin.shape[1:]), (height, width), (height // CELL, width // CELL)


def better(changed: Tensor, validity: Tensor, kept: Tensor) -> Tensor:
    """(B, K, H, W) see `light.better`; only the `kept` (B, K) are compared."""
    seen = pooled(validity / validity.amax((-2, -1), keepdim=True).clamp(min=1e-9), CELL)
    seen = seen * kept[..., None, None]
    compared = kept[..., None, None] & (seen >= light.SHOWN * seen.amax(1, keepdim=True))
    least = changed.masked_fill(~compared, torch.inf).amin(1, keepdim=True)
    best = torch.exp((least - changed).clamp(max=0) / light.BETTER)
    return enlarged(best, validity)


def crisp(pictures: Tensor, validity: Tensor, inside: Tensor) -> Tensor:
    """(B, K, H, W) see `crisp.crisp`; of the mouths' interiors (B, H, W)."""
    grey, within = pictures.mean(2), inside[:, None].float()
    count = within.sum((-2, -1)).clamp(min=1)
    detail = ((grey - blurred(grey, SIGMA)) ** 2 * within).sum((-2, -1)) / count
    factor = share(detail, (validity * within).sum((-2, -1)) / count)
    weighed = (validity * factor[..., None, None]).clamp(max=1)
    return torch.where(inside[:, None], weighed, validity)


def agreement(
    pictures: Tensor, frame: Tensor, around: Tensor, validity: Tensor, kept: Tensor
) -> tuple[Tensor, Tensor]:
    """(B, K, H, W) and (B, H, W), see `warp.agreement`; only the `kept` (B, K) are compared."""
    there = (validity > 0).float()
    known = around[:, None] * there
    apart = (pictures - frame[:, None]).abs().sum(2) * (known / 3)
    small, of = _thinly(apart), pooled(known, CELL)
    sigma = BLUR * small.shape[-2]
    error = blurred(small, sigma) / (blurred(of, sigma) + 1e-4)
    shown = pooled(there, CELL) * kept[..., None, None]
    compared = kept[..., None, None] & (shown >= HALF * shown.amax(1, keepdim=True))
    least = error.masked_fill(~compared, torch.inf).amin(1, keepdim=True)
    best = torch.exp((least - error).clamp(max=0) / TOLERANCE)
    return enlarged(best, pictures), enlarged(least, pictures)[:, 0]


def fitting(
    pictures: Tensor, frame: Tensor, around: Tensor, validity: Tensor, kept: Tensor
) -> tuple[Tensor, Tensor]:
    """(B, K, H, W) and (B, H, W), see `beside.fitting`; only the `kept` (B, K) are compared."""
    wide, apart = agreement(pictures, frame, around, validity, kept)
    step, there = beside.step_of(frame.shape[-2]), (validity > 0).float()
    both = around[:, None] * there
    differing = (pictures - frame[:, None]).abs().mean(2) * both
    small, of, every = (pooled(x, step) for x in (differing, both, around.float()))
    sigma = beside.NEXT * small.shape[-2]
    small, of, every = (blurred(x, sigma) for x in (small, of, every))
    error = small / (of + beside.SEEN)
    shown = pooled(there, step) * kept[..., None, None]
    compared = kept[..., None, None] & (shown >= HALF * shown.amax(1, keepdim=True))
    least = error.masked_fill(~compared, torch.inf).amin(1, keepdim=True)
    sure = (every / (every + beside.SURE))[:, None]
    finer = torch.exp((least - error).clamp(max=0) * sure / TOLERANCE)
    weight = beside.any_mouth(validity.amax((-2, -1), keepdim=True))
    return wide * enlarged(finer, pictures) * weight, apart


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


def _thinly(values: Tensor) -> Tensor:
    """(..., h, w) means over cells of the pixels that are compared, see `warp.step_between`."""
    thin = step_between(values.shape[-2])
    return pooled(values[..., ::thin, ::thin], CELL // thin)


def _centred(values: Tensor, weight: Tensor, count: Tensor) -> Tensor:
    """Values less their mean where the weight is 1, and 0 elsewhere."""
    mean = (values * weight).sum(-1) / count.clamp(min=1)
    return (values - mean[..., None]) * weight


def enlarged(values: Tensor, like: Tensor) -> Tensor:
    """(..., H, W) of a coarse grid (..., h, w)."""
    flat = values.reshape(-1, 1, *values.shape[-2:])
    fine = F.interpolate(flat, like.shape[-2:], mode="bilinear", align_corners=False)
    return fine.reshape(*values.shape[:-2], *like.shape[-2:])
