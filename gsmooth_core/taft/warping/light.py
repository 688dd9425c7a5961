"""The light of a frame on pixels that other frames lend.

Three steps, all measured where reference and frame show bare skin. First a lamp that stands
elsewhere (`lamp`), then the change of the whole face (`tone`), then what is left of it from place
to place, a smooth gain that fades with the distance from where it was seen. Who needs less of that
gain shows a place better: what is shaded otherwise there, or hair for skin, would be a patch of
another colour in the frame's light.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from gsmooth_core.face.rasterizer.numba_kernels import compiled
from gsmooth_core.taft.warping import kernels
from gsmooth_core.taft.warping.lamp import DIM, Across, ramp, slope
from gsmooth_core.taft.warping.tone import CLIPPED, LEVELS, Skin, reduced, samples, tone_of
from gsmooth_core.taft.warping.uneven import UNEVEN, uneven
from gsmooth_core.taft.warping.warp import CELL, step_between
from gsmooth_core.types import Bool, Float, Image

LOOK = 0.72
"""Correlation of the upper face's brightness. In ten made edits (`training.edits`) 0 of 843 pairs
of one person had less (least .765, beside a flash), 91 % of 2,352 pairs of two people, and 77 % of
280 of whom one had thick glasses drawn on."""
SHOWN = 0.5  # of the best validity: what a reference shows well
ENOUGH = 150  # samples from which a look can be told
CONTRAST = 0.02  # standard deviation of the skin: nothing is told in the dark
BETTER = 0.03  # of a gain's logarithm, by which a reference weighs e times less than the best
_MEAN = np.full(3, 1 / 3, np.float32)  # of the channels
_FLAT = 1e-6  # standard deviation of a picture without any contrast
_SPREAD = 0.08  # of the grid's columns: deviation over which a gain is averaged


def sampled(pictures: Image) -> Float:
    """(K, h, w, 3) samples of pictures (K, H, W, 3) uint8, 0..1; see `tone.samples`."""
    columns, rows = samples(pictures.shape[1:3])
    own = np.empty((len(pictures), rows, columns, 3), np.float32)
    for picture, small in zip(pictures, own, strict=True):
        np.multiply(reduced(picture, (columns, rows)), np.float32(1 / 255), out=small)
    return own


def alike(
    pictures: Image, frame: Float, known: Bool, validity: Float, own: Float | None = None
) -> Bool:
    """Which references look like the frame, whatever the light.

    Where both show bare skin, their brightness must rise and fall together: it does not where one
    wears glasses or other make-up, mixes two pictures, or is somebody else. Skin that a flash has
    made white tells nothing.

    Args:
        pictures: (K, H, W, 3) warped references, uint8.
        frame: (H, W, 3) the frame, 0..1.
        known: (H, W) bare skin that is visible in the frame.
        validity: (K, H, W) of the references, 0 and up.
        own: of `sampled`, where it is known.

    Returns:
        (K,); at least one where there are any.
    """
    size = samples(known.shape)
    small, looks = reduced(frame, size), np.ones(len(pictures), np.float32)
    bright, white = small.mean(-1), _white(small)
    own = sampled(pictures) if own is None else own
    for k, valid in enumerate(validity):
        shown = known & (valid > SHOWN * valid.max())
        both = (reduced(shown.astype(np.float32), size) > 0.99) & ~white & ~_white(own[k])
        if both.sum() >= ENOUGH and bright[both].std() > CONTRAST:
            looks[k] = _look(own[k], small, both)
    kept: Bool = (looks >= LOOK) | (looks == looks.max(initial=-1))
    return kept


def _white(small: Float) -> Bool:
    """(h, w) where a channel of a picture (h, w, 3) is full."""
    red, green, blue = cv2.split(small)  # numpy's maximum of so few takes six times as long
    return np.asarray(cv2.max(cv2.max(red, green), blue) >= CLIPPED)


def _look(own: Float, wanted: Float, both: Bool) -> float:
    """Correlation of two pictures (h, w, 3) where both show skin (h, w), lit from one side."""
    at = Across.of(both).within(both)
    had, wanted = own[both], wanted[both]
    lamp = slope(had, wanted, at)
    even = (wanted / np.exp(at @ lamp) if lamp.any() else wanted) @ _MEAN
    return float(_correlated(had @ _MEAN, even))


@compiled
def _correlated(one: Any, other: Any) -> Any:
    """Correlation of values (N,) and others; 0 where one of them has no contrast."""
    a, b = one.astype(np.float64), other.astype(np.float64)
    a, b = a - a.mean(), b - b.mean()
    aa, bb, ab = (a * a).sum(), (b * b).sum(), (a * b).sum()
    return 0.0 if np.sqrt(aa / len(a)) <= _FLAT or bb <= 0 else ab / np.sqrt(aa * bb)


def match_light(
    pictures: Image,
    frame: Float,
    known: Float,
    seen: Float | None = None,
    limit: float = 0.25,
    made: Float | None = None,
    own: Float | None = None,
) -> tuple[Float, Float]:
    """Relight warped references to match the frame.

    Args:
        pictures: (K, H, W, 3) warped references, uint8.
        frame: (H, W, 3) the frame, 0..1.
        known: (H, W) 0..1, bare skin that is visible in the frame.
        seen: (H, W) 0..1, all of the face that is visible, eyes and brows too: what is dark there
            tells how much a flash adds where it has made the skin white. By default `known`.
        limit: largest absolute logarithm of the gain that differs from place to place.
        made: (K, H, W, 3) float32 where the result is put; None for a new array.
        own: of `sampled`, where it is known.

    Returns:
        (K, H, W, 3) pictures in the frame's light, 0..1, and (K, h, w), in cells of `warp.CELL`
        pixels, how much of that differs from place to place: the mean absolute logarithm of the
        channels' gains.
    """
    thin = step_between(len(known))
    rows, columns = (thin * places for places in np.nonzero(known[::thin, ::thin]))
    cells = known.shape[0] // CELL, known.shape[1] // CELL
    counted = known[rows, columns] * np.float32(thin**2)
    most = np.float32(2 * limit)
    sigma = _SPREAD * cells[1]
    weight = cv2.GaussianBlur(reduced(known, cells[::-1]), (0, 0), sigma)
    total = 3 * max(float(weight.sum()), 1e-6)
    norm = weight[..., None] + np.float32(0.03)
    skin, lit = Skin.of(frame, known, known if seen is None else seen), frame[rows, columns]
    white = lit >= CLIPPED
    at = white if white.any() else white[:0], counted, rows, columns, most, (*cells, CELL)
    across, plain = Across.of(skin.bare), np.log(lit + DIM)
    finer, coarse = across.at(*skin.bare.shape), across.at(*cells)
    wanted, places = skin.small[skin.bare], finer[skin.bare]
    made = np.empty(pictures.shape, np.float32) if made is None else made
    own = sampled(pictures) if own is None else own
    changed = np.empty((len(pictures), *cells), np.float32)
    for k, (picture, out, small) in enumerate(zip(pictures, made, own, strict=True)):
        lamp = slope(small[skin.bare], wanted, places)
        even, before = skin, plain
        if lamp.any():
            even = skin.without(np.exp(finer @ lamp))
            before = np.log(lit / np.exp(across.at(*known.shape)[rows, columns] @ lamp) + DIM)
        tone = tone_of(small, even)
        apart = kernels.light_apart(picture, np.log(tone + DIM), before, *at)
        local = cv2.GaussianBlur(apart, (0, 0), sigma) / norm
        change = np.clip(local, -limit, limit) + coarse @ lamp
        share = ramp(float(np.abs(apart).sum()) / total, *UNEVEN)
        if share > 0 and (found := uneven(small, skin, finer @ lamp)) is not None:
            veil, field = found
            wide = cv2.resize(field, cells[::-1], interpolation=cv2.INTER_LINEAR)
            part = np.float32(share)
            # As much of it as is used: references must not be exchanged where it begins.
            local += part * (wide - local)
            change += part * (wide - change)
            tone = tone + part * (LEVELS + veil - tone)
        gain = np.exp(change)
        kernels.relight(picture, tone, gain, out)
        changed[k] = np.abs(local).mean(-1)
    return made, changed


def better(changed: Float, validity: Float) -> Float:
    """How well references show a place: 1 for the one that needs the least change of light there.

    Only those that show a place about as well as any does are compared: what a reference hides
    there, or lies beyond its picture, says nothing about the others.

    Args:
        changed: (K, h, w) of `match_light`.
        validity: (K, H, W) of the references, 0 and up.

    Returns:
        (K, H, W) 0..1.
    """
    if not len(changed):
        return np.zeros(validity.shape, np.float32)
    cells, size = changed[0].T.shape, validity[0].T.shape
    seen = np.stack([reduced(v, cells) / max(float(v.max()), 1e-9) for v in validity])
    compared = np.where(seen >= SHOWN * seen.max(0), changed, np.inf)
    best = np.exp(np.minimum(compared.min(0) - changed, 0) / np.float32(BETTER))
    return np.stack([cv2.resize(b, size, interpolation=cv2.INTER_LINEAR) for b in best])
