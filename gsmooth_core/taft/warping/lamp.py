"""Light that falls from another side: a gain that slopes across the whole face.

A gain and an offset cannot tell it: between a face lit from the left and one lit from the right
brightness rises where it falls, the best gain is next to none, and a mouth would lose its contrast
with it. So the slope is found first, and made where it explains what a gain and an offset leave.
It goes on under the mask as far as skin is seen to its sides, and no farther.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.rasterizer.numba_kernels import compiled
from gsmooth_core.taft.warping.tone import CHANGED, CLIPPED, FEWEST, ROUNDS, STEADY, robust_line
from gsmooth_core.types import Bool, Float

DIM = np.float32(0.05)  # added before a logarithm, so that noise in the dark counts little
DARK = np.float32(0.01)  # the same for means of many pixels
ODD = 0.1  # of a logarithm: difference at which a sample counts half
PRICE = 0.002  # of a slope: it must show in many samples
LEFT = 0.01, 0.03  # of the skin's brightness: how much nearer a lamp comes than an offset does
TRUE = 0.1, 0.3  # of a logarithm: how much nearer to the skin's contrast
MUCH, SOME = (STEADY, CHANGED), (STEADY / 2, STEADY)
"""Mean change of the skin, of 0..1, from which a slope counts: where it comes nearer to the frame,
and where it misleads about contrast, as a small one does."""


@dataclass(frozen=True)
class Across:
    """Places across the skin that is seen: -1 at its one end and 1 at the other, and no farther.

    Attributes:
        middle: x and y of the skin's middle, of the crop's side.
        half: its half width and half height.
    """

    middle: tuple[float, float]
    half: tuple[float, float]

    @classmethod
    def of(cls, skin: Bool) -> Across:
        """Of a grid (h, w) of skin."""
        ends = [_ends(skin.any(axis)) for axis in (0, 1)]
        (left, right), (top, bottom) = ends
        middle = (left + right) / 2, (top + bottom) / 2
        return cls(middle, ((right - left) / 2, (bottom - top) / 2))

    def at(self, height: int, width: int) -> Float:
        """(height, width, 2) x and y of the cells of a grid over the crop."""
        x, y = (
            ((np.arange(count) + 0.5) / count - middle) / half
            for count, middle, half in zip((width, height), self.middle, self.half, strict=True)
        )
        places: Float = np.stack(np.meshgrid(x, y), -1).clip(-1, 1).astype(np.float32)
        return places

    def within(self, mask: Bool) -> Float:
        """(N, 2) what `at` has for the cells of a mask (h, w)."""
        rows, columns = np.nonzero(mask)
        places = np.empty((len(rows), 2), np.float32)
        for n, (cells, count) in enumerate(zip((columns, rows), mask.shape[::-1], strict=True)):
            places[:, n] = ((cells + 0.5) / count - self.middle[n]) / self.half[n]
        return places.clip(-1, 1)


def _ends(some: Bool) -> tuple[float, float]:
    """First and last of what is set of a line, of its length; all of it where nothing is."""
    found = np.flatnonzero(some)
    first, last = (found[0], found[-1] + 1) if len(found) else (0, len(some))
    return first / len(some), last / len(some)


def slope(own: Float, wanted: Float, at: Float) -> Float:
    """How much lighter a face is in a frame than in a reference, from one end to the other.

    Args:
        own: (N, 3) samples of the skin in the reference, 0..1.
        wanted: (N, 3) the same in the frame.
        at: (N, 2) where they are, see `Across`.

    Returns:
        (2, 3) logarithm of the channels' gains, from its middle to its end, across and down; 0
        where no slope is needed.
    """
    none = np.zeros((2, 3), np.float32)
    plain = _plain(own, wanted)
    if len(plain) < max(FEWEST, len(own) / 2):
        return none
    if len(plain) < len(own):  # seldom
        own, wanted, at = own[plain], wanted[plain], at[plain]
    even, found, made = fitted(own, wanted, at)
    if made <= SOME[0]:
        return none
    side = np.exp(at @ found)
    nearer, truer = _explains(own, wanted, at, side, even)
    share = max(ramp(made, *MUCH) * ramp(nearer, *LEFT), ramp(made, *SOME) * ramp(truer, *TRUE))
    sure: Float = (share * found).astype(np.float32)
    return sure


@compiled
def _plain(own: Any, wanted: Any) -> Any:
    """(M,) which of samples (N, 3) are white in neither."""
    found, count = np.empty(len(own), np.int64), 0
    for n in range(len(own)):
        most = max(own[n, 0], own[n, 1], own[n, 2], wanted[n, 0], wanted[n, 1], wanted[n, 2])
        if most < CLIPPED:
            found[count] = n
            count += 1
    return found[:count]


def _explains(
    own: Float,
    wanted: Float,
    at: Float,
    side: NDArray[np.float64],
    even: NDArray[np.float64],
) -> tuple[float, float]:
    """How much better a lamp, `side` (N, 3) times `even` (3,), does than a gain and an offset.

    Returns:
        how much nearer to the skin in the frame, of its brightness, and how much nearer to its
        contrast, of a logarithm.
    """
    pairs = zip(own.T, wanted.T, strict=True)
    lines = [robust_line(a, b, np.ones(len(a)), a > 1) for a, b in pairs]
    gain, offset = np.array(lines).T
    apart = [float(np.abs(m - wanted).mean()) for m in (own * gain + offset, own * side * even)]
    contrast = _contrast(wanted, at) / _contrast(own, at)
    off = [abs(np.log(max(float(g.mean()), 0.02) / contrast)) for g in (gain, even)]
    return (apart[0] - apart[1]) / (float(wanted.mean()) + 1e-6), off[0] - off[1]


@compiled
def fitted(own: Any, wanted: Any, at: Any) -> Any:
    """A lamp between samples (N, 3) at places (N, 2), but for odd ones, by weighted least squares.

    Returns:
        (3,) even gain, (2, 3) slopes of its logarithm, and by how much they change the samples.
    """
    count, apart = len(own), np.empty((len(own), 3))
    for n in range(count):
        for c in range(3):
            apart[n, c] = np.log(wanted[n, c] + DARK) - np.log(own[n, c] + DARK)
    weight, found = np.ones(count), np.zeros((3, 3))
    for _ in range(ROUNDS):
        found = _plane(apart, at, weight)
        for n in range(count):
            x, y, odd = at[n, 0], at[n, 1], 0.0
            for c in range(3):
                odd += abs(apart[n, c] - found[0, c] - x * found[1, c] - y * found[2, c])
            weight[n] = 1 / (1 + (odd / 3 / ODD) ** 2)
    made = 0.0
    for n in range(count):
        for c in range(3):
            side = np.exp(at[n, 0] * found[1, c] + at[n, 1] * found[2, c])
            made += abs(own[n, c] * side - own[n, c])
    return np.exp(found[0]), found[1:], made / (3 * count)


@compiled
def _plane(apart: Any, at: Any, weight: Any) -> Any:
    """(3, 3) of values (N, 3) at places (N, 2): level and slopes, which have a price."""
    normal, right, total = np.zeros((3, 3)), np.zeros((3, 3)), 0.0
    for n in range(len(apart)):
        w, x, y = weight[n], np.float64(at[n, 0]), np.float64(at[n, 1])
        total += w
        normal[0, 1] += w * x
        normal[0, 2] += w * y
        normal[1, 1] += w * x * x
        normal[1, 2] += w * x * y
        normal[2, 2] += w * y * y
        for c in range(3):
            right[0, c] += w * apart[n, c]
            right[1, c] += w * x * apart[n, c]
            right[2, c] += w * y * apart[n, c]
    normal, right = normal / total, right / total
    normal[0, 0] = 1.0
    normal[1, 1] += PRICE
    normal[2, 2] += PRICE
    normal[1, 0], normal[2, 0], normal[2, 1] = normal[0, 1], normal[0, 2], normal[1, 2]
    return np.linalg.solve(normal, right)


def _contrast(values: Float, at: Float) -> float:
    """Contrast of samples (N, 3) at places (N, 2), without light that changes slowly."""
    x, y = at.T.astype(np.float64)
    slow = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], 1)
    normal = slow.T @ slow + np.eye(6) * 1e-6
    rest = values - slow @ np.linalg.solve(normal, slow.T @ values)
    return float(np.sqrt((rest**2).mean())) + 1e-4


def ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on."""
    return min(max((value - low) / (high - low), 0.0), 1.0)
