"""The last step of the shipped generator on a processor: references, as its network mixes them.

What the network says of each reference (where to look, how much of its colour, how much of its
detail) is plain arithmetic to follow, and engines are slow at it: bicubic sampling alone takes a
quarter of a picture's time in ONNX Runtime. Here each pixel is looked up once, and only in the
references that have a part in it. `DetailGenerator.forward` is the same in torch.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np

from gsmooth_core.face.rasterizer.numba_kernels import compiled, contracted
from gsmooth_core.taft.generators.interface import GeneratorInput
from gsmooth_core.types import Bool, Float

SIGMAS = (1.0, 2.0)
"""Standard deviations in pixels at which detail is parted: fine below the first, then middling."""

_LEAST = np.float32(1e-4)  # share below which a reference has no part in a pixel
_CUBIC = np.float32(-0.75)  # slope of the bicubic kernel, as engines have it
_AROUND = 28  # pixels beside what is hidden that a rim of the largest crop, and its detail, reach
_EDGE = 4  # pixels: a place is at most two outside, and its taps two further
_ONE, _TWO, _THREE = np.float32(1), np.float32(2), np.float32(3)


class Plan(NamedTuple):
    """What the network says of K references of a picture, for a batch of B.

    Attributes:
        flow: (B, K, 2, H/2, W/2) pixels from each place to where it is looked up.
        colour: (B, K, H, W) share of each reference in the colours.
        detail: (B, K, H/2, W/2) share in the detail.
        gain: (B, 2, H/2, W/2) of fine and of middling detail.
        residual: (B, 3, H, W) what is added.
    """

    flow: Float
    colour: Float
    detail: Float
    gain: Float
    residual: Float


def followed_near(plan: Plan, x: GeneratorInput[Float]) -> Float:
    """(B, 3, H, W) pictures, 0..1; I_b where nothing hidden is near: nobody looks there."""
    side = np.ones((2 * _AROUND + 1,) * 2, np.uint8)
    near = np.stack([cv2.dilate((mask[0] > 0).astype(np.uint8), side) > 0 for mask in x.mask])
    return np.where(near[:, None], followed(plan, x.references, near), x.blend)


def followed(plan: Plan, references: Float, near: Bool | None = None) -> Float:
    """(B, 3, H, W) pictures, 0..1, of references (B, K, 3, H, W); `near` (B, H, W) is looked up."""
    near = np.ones(plan.colour[:, 0].shape, bool) if near is None else near
    each = zip(*plan, references, near, strict=True)
    return np.stack([_one(Plan(*planned), own, wanted) for *planned, own, wanted in each])


def _one(plan: Plan, references: Float, near: Bool) -> Float:
    """(3, H, W); the plan without its first axis."""
    shape = references.shape[-2:]
    mean, sharp = np.zeros((2, *shape, 3), np.float32)
    for own, flow, colour, detail in zip(
        references, plan.flow, plan.colour, plan.detail, strict=True
    ):
        fields = _finer(np.stack([*flow, detail], -1), shape)
        _add(_wider(own), fields, np.ascontiguousarray(colour), near, mean, sharp)
    fine, middling = SIGMAS
    bands = blurred(mean, middling), blurred(sharp, middling), blurred(sharp, fine)
    gain = _finer(np.moveaxis(plan.gain, 0, -1), shape)
    made = np.empty((3, *shape), np.float32)
    _put_together(*bands, sharp, gain, np.ascontiguousarray(plan.residual), made)
    return made


def _wider(planes: Float) -> Float:
    """(C, H + 2 * EDGE, W + 2 * EDGE) planes whose edge pixels repeat."""
    count, height, width = planes.shape
    wider = np.empty((count, height + 2 * _EDGE, width + 2 * _EDGE), np.float32)
    for plane, out in zip(planes, wider, strict=True):
        cv2.copyMakeBorder(plane, *4 * (_EDGE,), cv2.BORDER_REPLICATE, dst=out)
    return wider


def _finer(values: Float, shape: tuple[int, ...]) -> Float:
    """(H, W, C) of half the resolution, with a slope from each to the next."""
    size, values = shape[::-1], np.ascontiguousarray(values, np.float32)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR))


def bell(sigma: float) -> Float:
    """(2 R + 1,) weights of a Gaussian that ends after R pixels, three deviations."""
    radius = round(3 * sigma)
    weights = np.exp(-((np.arange(-radius, radius + 1) / sigma) ** 2) / 2)
    return np.asarray(weights / weights.sum(), np.float32)


def blurred(picture: Float, sigma: float) -> Float:
    """(H, W, C) under a Gaussian; edge pixels repeat."""
    row, edge = bell(sigma), cv2.BORDER_REPLICATE
    return np.asarray(cv2.sepFilter2D(picture, cv2.CV_32F, row, row, borderType=edge))


@compiled
def _taps(share: Any) -> Any:
    """Weights of four pixels, for a place `share` of the way from the second to the third."""
    rest = _ONE - share
    before, behind = share * rest * rest, rest * share * share
    second = ((_CUBIC + _TWO) * share - (_CUBIC + _THREE)) * share * share + _ONE
    third = ((_CUBIC + _TWO) * rest - (_CUBIC + _THREE)) * rest * rest + _ONE
    return _CUBIC * before, second, third, _CUBIC * behind


@compiled
def _within(place: Any, size: Any) -> Any:
    """A place that is at most two pixels outside; so is one that is no number."""
    inner = place if place > -_TWO else -_TWO
    return min(inner, np.float32(size + 1))


@contracted
def _add(picture: Any, fields: Any, colour: Any, near: Any, mean: Any, sharp: Any) -> None:
    """Add a reference to both pictures, each with its own share.

    Args:
        picture: (3, H + 2 * EDGE, W + 2 * EDGE) the reference, whose edge pixels repeat.
        fields: (H, W, 3) displacement x and y in pixels, and share in the detail.
        colour: (H, W) share in the colours.
        near: (H, W) what is looked up.
        mean: (H, W, 3) sum of the colours.
        sharp: (H, W, 3) sum of the detail.
    """
    height, width = colour.shape
    pixels, below = picture.reshape(-1), np.uintp(picture.shape[2])
    plane = below * np.uintp(picture.shape[1])
    one, two, three = np.uintp(1), np.uintp(2), np.uintp(3)  # no place is counted from the end
    for row in range(height):
        for column in range(width):
            share, own = colour[row, column], fields[row, column, 2]
            if not near[row, column] or (share < _LEAST and own < _LEAST):
                continue
            x = _within(np.float32(column) + fields[row, column, 0], width)
            y = _within(np.float32(row) + fields[row, column, 1], height)
            left, top = np.floor(x), np.floor(y)
            a0, a1, a2, a3 = _taps(x - left)
            down = _taps(y - top)
            first = np.uintp(top + _EDGE - 1) * below + np.uintp(left + _EDGE - 1)
            for c in range(3):
                at, value = first + np.uintp(c) * plane, np.float32(0)
                for tap in range(4):
                    across = a0 * pixels[at] + a1 * pixels[at + one]
                    across += a2 * pixels[at + two] + a3 * pixels[at + three]
                    value += down[tap] * across
                    at += below
                mean[row, column, c] += share * value
                sharp[row, column, c] += own * value


@compiled
def _put_together(
    colour: Any, base: Any, middling: Any, sharp: Any, gain: Any, residual: Any, made: Any
) -> None:
    """(3, H, W) colours with two bands of detail and the residual, 0..1."""
    height, width = gain.shape[:2]
    for row in range(height):
        for column in range(width):
            fine, middle = gain[row, column, 0], gain[row, column, 1]
            for c in range(3):
                between = middling[row, column, c]
                value = colour[row, column, c] + residual[c, row, column]
                value += (sharp[row, column, c] - between) * fine
                value += (between - base[row, column, c]) * middle
                if value < 0:
                    value = np.float32(0)
                if value > 1:
                    value = np.float32(1)
                made[c, row, column] = value
