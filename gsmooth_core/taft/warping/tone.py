"""The change of light of a whole face: a gain and an offset a channel, measured on bare skin.

Without a limit, as fades, flashes, lamps, exposure and grading make it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from gsmooth_core.face.rasterizer.numba_kernels import compiled
from gsmooth_core.types import Bool, Float, Image

SAMPLES = 64
"""Samples of the skin along a crop of 256 pixels or more; from one to the next are pixels of which
a sample is the mean. A large crop shows no more light than a small one."""
_LEAST_STEP = 4
FEWEST = 50  # samples from which a change of light can be told
ROUNDS = 4
OUTLIER = 0.04  # difference at which a sample counts half: brows, highlights, what was warped badly
OFFSET = 0.01  # price of an offset: it must show in the contrast of the skin, not in noise
CLIPPED = 0.97  # brighter pixels do not tell how bright they are
DARK = 0.45  # pupils, lashes, brows: what shows how much a flash adds
FEWEST_DARK = 10
PARTED = 0.04  # deviation of what is dark from which its contrast can be told
LARGEST_GAIN = 8.0
TOLD = 0.15  # share of the skin that has all its channels and tells how these change
DARKEST = 0.02  # of 0..1, of what a gain is told by
LIT = 0.9  # share of the skin that a flash has made white which the change must make white, too
STEADY, CHANGED = 0.02, 0.05
"""Mean change of the skin, of 0..1: up to the first it is left to the gain from place to place,
which knows the place better than the forehead does; from the second on it is made in full."""

LEVELS = np.repeat(np.arange(256, dtype=np.float32)[:, None] / 255, 3, 1)


@dataclass(frozen=True)
class Skin:
    """What a frame shows of its face, in `SAMPLES` along the crop.

    Attributes:
        small: (h, w, 3) the frame, 0..1.
        bare: (h, w) bare skin.
        shown: (h, w) all of the face that is visible.
        white: (h, w, 3) channels that are full: they are as bright as that at least.
    """

    small: Float
    bare: Bool
    shown: Bool
    white: Bool

    @classmethod
    def of(cls, frame: Float, known: Float, seen: Float) -> Skin:
        """Of a frame (H, W, 3), its bare skin (H, W) and all of its face (H, W), 0..1."""
        size = samples(known.shape)
        bare, shown = (reduced(mask, size) > 0.99 for mask in (known, seen))
        small = reduced(frame, size)
        return cls(small, bare, shown, small >= CLIPPED)

    def without(self, gain: Float) -> Skin:
        """Before a gain (h, w, 3) fell on it, which may be brighter than any picture can be."""
        return replace(self, small=self.small / gain)


def tone_of(own: Float, skin: Skin) -> Float:
    """(256, 3) what each level of a reference becomes, 0 and up, by the change of the skin.

    Args:
        own: (h, w, 3) samples of the reference, 0..1.
        skin: the frame's.
    """
    if np.count_nonzero(skin.bare) < FEWEST:
        return LEVELS
    wanted, had = skin.small[skin.bare], own[skin.bare]  # (N, 3)
    full = skin.white[skin.bare]
    if full.any() or had.max() >= CLIPPED:  # seldom
        gain, offset = _changes(own, skin, had, wanted, full)
    else:
        gain, offset = _plain_changes(had, wanted)
    apart = float(np.abs(had * gain + offset - had).mean())
    share = np.float32(np.clip((apart - STEADY) / (CHANGED - STEADY), 0, 1))
    tone: Float = LEVELS * (1 + share * (gain - 1)) + share * offset
    return np.maximum(tone, 0)


def _changes(own: Float, skin: Skin, had: Float, wanted: Float, full: Bool) -> tuple[Float, Float]:
    """Gains (3,) and offsets (3,) of bare skin (N, 3), of which either picture shows some full."""
    # What has lost a channel would tell another change by those that are left.
    told = ~(full | (had >= CLIPPED)).any(1)
    if np.count_nonzero(told) >= max(FEWEST, TOLD * len(told)):
        gain, offset = _plain_changes(had[told], wanted[told])
        return gain, offset
    return _lit_white(had, wanted, full, own[skin.shown], skin)


def _lit_white(
    had: Float, wanted: Float, full: Bool, dark: Float, skin: Skin
) -> tuple[Float, Float]:
    """Gains (3,) and offsets (3,) of samples (N, 3), most of which are `full` in the frame."""
    lost = [_lost(had[:, c], full[:, c]) for c in range(3)]
    every = [_change(*samples) for samples in zip(had.T, wanted.T, full.T, strict=True)]
    gain, offset = np.array(every, np.float32).T
    told = np.array([not each.any() for each in lost])
    if told.all():
        return gain, offset
    if told.any():
        # A channel that is full nearly everywhere has the light of the others, and as much more
        # as makes it so.
        usual, shift = gain[told].max(), offset[told].mean()
        for c in np.flatnonzero(~told):
            least = np.quantile(((wanted - shift) / np.maximum(had, DARKEST))[lost[c], c], LIT)
            gain[c], offset[c] = max(usual, min(float(least), LARGEST_GAIN)), shift
        return gain, offset
    # Its own colour a flash shows in what is not white: too little to tell channels apart.
    veiled, whole = skin.small[skin.shown], skin.white[skin.shown]
    gain, offset = _by_the_dark(dark, veiled, whole)
    lines = had * gain + offset
    least = [np.quantile((wanted - lines)[white, c], LIT) for c, white in enumerate(lost)]
    return np.full(3, gain), (offset + np.maximum(least, 0)).astype(np.float32)


def _by_the_dark(own: Float, wanted: Float, white: Bool) -> tuple[np.float32, np.float32]:
    """Gain and offset of all of a face (N, 3) of which no skin is left, told by brows and eyes.

    More light on a face parts them as it parts all else, what a flash adds does not.
    """
    told = (own < CLIPPED) & ~white
    if np.count_nonzero(told) >= FEWEST and own[told].std() > PARTED:
        had, asked = own[told], wanted[told]
        gain, offset = robust_line(had, asked, np.ones(len(had)), np.zeros(len(had), np.bool_))
        return np.float32(max(gain, 1)), np.float32(max(offset, 0))
    added = [_added(o, v, w) for o, v, w in zip(own.T, wanted.T, white.T, strict=True)]
    return np.float32(1), np.float32(np.median(added))


def _added(own: Float, wanted: Float, white: Bool) -> float:
    """The light that a flash adds, told by what is dark in the face; 0 where nothing is.

    What is still not white tells how much it is, what is white how much it is at least.
    """
    dark = own < DARK
    told, added = dark & ~white, wanted - own
    exact = float(np.median(added[told])) if told.sum() >= FEWEST_DARK else 0.0
    return max(exact, float(np.median(added[dark]))) if dark.sum() >= FEWEST_DARK else 0.0


def _lost(own: Float, white: Bool) -> Bool:
    """(N,) samples that have become `white` (N,); none where these are not most of the skin."""
    plain = own < CLIPPED
    lost: Bool = plain & white
    return lost if lost.sum() > max(plain.sum() / 2, FEWEST / 2) else np.zeros_like(lost)


def _change(own: Float, wanted: Float, white: Bool) -> tuple[float, float]:
    """Gain and offset that bring samples (N,) to others; samples that disagree count little.

    The offset has a price: where the skin shows little contrast, a gain explains what it can.
    Where the frame is white, the change must be enough for that.
    """
    plain = (own < CLIPPED).astype(np.float64)
    gain, offset = robust_line(own, wanted, plain, white)
    return float(gain), float(offset)


@compiled
def robust_line(own: Any, wanted: Any, plain: Any, white: Any) -> Any:
    """Gain and offset of samples (N,) whose weights (N,) are `plain` at first; see `_change`."""
    weight, gain, offset = plain.copy(), 1.0, 0.0
    for _ in range(ROUNDS):
        total, x, y, xx, xy = 0.0, 0.0, 0.0, 0.0, 0.0
        for n in range(len(own)):
            a, b = np.float64(own[n]), np.float64(wanted[n])
            total += weight[n]
            x += weight[n] * a
            y += weight[n] * b
            xx += weight[n] * a * a
            xy += weight[n] * a * b
        if total < FEWEST / 2:
            break
        x, y, xx, xy = x / total, y / total, xx / total, xy / total
        # Normal equations of mean((gain own + offset - wanted)^2) + OFFSET offset^2.
        determinant = xx * (1 + OFFSET) - x * x
        if determinant < 1e-9:
            break
        gain = min(max((xy * (1 + OFFSET) - x * y) / determinant, 0.0), LARGEST_GAIN)
        offset = (y - gain * x) / (1 + OFFSET)
        for n in range(len(own)):
            apart = gain * own[n] + offset - wanted[n]
            lost = white[n] and apart > 0
            weight[n] = 0.0 if lost else plain[n] / (1 + (apart / OUTLIER) ** 2)
    return gain, offset


@compiled
def _plain_changes(own: Any, wanted: Any) -> Any:
    """Gains (3,) and offsets (3,) of `_change` for samples (N, 3), of which none is white."""
    gains, offsets = np.empty(3, np.float32), np.empty(3, np.float32)
    white = np.zeros(len(own), np.bool_)
    for c in range(3):
        had, asked = own[:, c].copy(), wanted[:, c].copy()
        gain, offset = robust_line(had, asked, (had < CLIPPED).astype(np.float64), white)
        gains[c], offsets[c] = gain, offset
    return gains, offsets


def step_of(side: int) -> int:
    """Pixels of a crop of some side from one sample to the next."""
    return max(_LEAST_STEP, side // SAMPLES)


def samples(shape: tuple[int, ...]) -> tuple[int, int]:
    """Columns and rows of samples of a crop (H, W)."""
    step = step_of(shape[0])
    return max(1, shape[1] // step), max(1, shape[0] // step)


def reduced(values: Float | Image, grid: tuple[int, int]) -> Float:
    """Means over the cells of a grid of so many columns and rows."""
    means: Float = cv2.resize(values, grid, interpolation=cv2.INTER_AREA)
    return means
