"""The light of a frame on pixels that other frames lend.

Two steps, both measured where reference and frame show bare skin. First the change of the whole
face: a gain and an offset a channel, without a limit, as fades, flashes, lamps, exposure and
grading make it. Then what is left of it from place to place, a smooth gain that fades with the
distance from where it was seen. Who needs less of that gain shows a place better: what is shaded
otherwise there, or hair for skin, would be a patch of another colour in the frame's light.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from gsmooth_core.face.rasterizer.numba_kernels import compiled
from gsmooth_core.taft import kernels
from gsmooth_core.taft.warp import CELL
from gsmooth_core.types import Bool, Float, Image

STEP = 4  # pixels of the crop from one sample of the skin to the next
FEWEST = 50  # samples from which a change of light can be told
ROUNDS = 4
OUTLIER = 0.04  # difference at which a sample counts half: brows, highlights, what was warped badly
OFFSET = 0.01  # price of an offset: it must show in the contrast of the skin, not in noise
CLIPPED = 0.97  # brighter pixels do not tell how bright they are
DARK = 0.45  # pupils, lashes, brows: what shows how much a flash adds
FEWEST_DARK = 10
LARGEST_GAIN = 8.0
LOOK = 0.72
"""Correlation of the upper face's brightness. In ten made edits (`training.edits`) 0 of 843 pairs
of one person had less (least .765, beside a flash), 91 % of 2,352 pairs of two people, and 77 % of
280 of whom one had thick glasses drawn on."""
SHOWN = 0.5  # of the best validity: skin that a reference shows well
ENOUGH = 150  # samples from which a look can be told
CONTRAST = 0.02  # standard deviation of the skin: nothing is told in the dark
LIT = 0.9  # share of the skin that a flash has made white which the change must make white, too
STEADY, CHANGED = 0.02, 0.05
"""Mean change of the skin, of 0..1: up to the first it is left to the gain from place to place,
which knows the place better than the forehead does; from the second on it is made in full."""

BETTER = 0.03  # of a gain's logarithm, by which a reference weighs e times less than the best
_SPREAD = 0.08  # of the grid's columns: deviation over which a gain is averaged
_DIM = np.float32(0.05)  # added before the logarithm, so that noise in the dark counts little
_LEVELS = np.repeat(np.arange(256, dtype=np.float32)[:, None] / 255, 3, 1)


def alike(pictures: Image, frame: Float, known: Bool, validity: Float) -> Bool:
    """Which references look like the frame, whatever the light.

    Where both show bare skin, their brightness must rise and fall together: it does not where one
    wears glasses or other make-up, mixes two pictures, or is somebody else. Skin that a flash has
    made white tells nothing.

    Args:
        pictures: (K, H, W, 3) warped references, uint8.
        frame: (H, W, 3) the frame, 0..1.
        known: (H, W) bare skin that is visible in the frame.
        validity: (K, H, W) of the references, 0 and up.

    Returns:
        (K,); at least one where there are any.
    """
    size = (max(1, known.shape[1] // STEP), max(1, known.shape[0] // STEP))
    small, looks = _reduced(frame, size), np.ones(len(pictures), np.float32)
    wanted, white = small.mean(-1), small.max(-1) >= CLIPPED
    for k, (picture, valid) in enumerate(zip(pictures, validity, strict=True)):
        shown = known & (valid > SHOWN * valid.max())
        both = (_reduced(shown.astype(np.float32), size) > 0.99) & ~white
        if both.sum() >= ENOUGH and wanted[both].std() > CONTRAST:
            own = _reduced(picture, size).mean(-1)[both] / 255
            looks[k] = np.corrcoef(own, wanted[both])[0, 1] if own.std() > 1e-6 else 0
    kept: Bool = (looks >= LOOK) | (looks == looks.max(initial=-1))
    return kept


def match_light(
    pictures: Image,
    frame: Float,
    known: Float,
    seen: Float | None = None,
    limit: float = 0.25,
    made: Float | None = None,
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

    Returns:
        (K, H, W, 3) pictures in the frame's light, 0..1, and (K, h, w), in cells of `warp.CELL`
        pixels, how much of that differs from place to place: the mean absolute logarithm of the
        channels' gains.
    """
    height, width = known.shape
    rows, columns = np.nonzero(known)
    cells = height // CELL, width // CELL, CELL
    at = known[rows, columns], rows, columns, np.float32(2 * limit), cells
    sigma = _SPREAD * cells[1]
    weight = cv2.GaussianBlur(_reduced(known, cells[1::-1]), (0, 0), sigma)
    norm = weight[..., None] + np.float32(0.03)
    lit = np.log(frame[rows, columns] + _DIM)
    skin, face = skin_of(frame, known), skin_of(frame, known if seen is None else seen)
    made = np.empty(pictures.shape, np.float32) if made is None else made
    changed = np.empty((len(pictures), cells[0], cells[1]), np.float32)
    for k, (picture, out) in enumerate(zip(pictures, made, strict=True)):
        tone = tone_of(picture, skin, face)
        apart = kernels.light_apart(picture, np.log(tone + _DIM), lit, *at)
        local = cv2.GaussianBlur(apart, (0, 0), sigma) / norm
        kernels.relight(picture, tone, np.exp(np.clip(local, -limit, limit)), out)
        changed[k] = np.abs(local).mean(-1)
    return made, changed


def better(changed: Float, size: tuple[int, int]) -> Float:
    """How well references show a place: 1 for the one that needs the least change of light there.

    Args:
        changed: (K, h, w) of `match_light`.
        size: height and width of the result.

    Returns:
        (K, H, W) 0..1.
    """
    best = np.exp((changed.min(0, initial=np.inf) - changed) / np.float32(BETTER))
    fine = [cv2.resize(each, size[::-1], interpolation=cv2.INTER_LINEAR) for each in best]
    return np.asarray(fine, np.float32).reshape(len(changed), *size)


def skin_of(frame: Float, known: Float) -> tuple[Bool, Float]:
    """Where samples of (H, W) show bare skin, (h, w), and its colours in the frame, (N, 3)."""
    size = (max(1, known.shape[1] // STEP), max(1, known.shape[0] // STEP))
    bare: Bool = _reduced(known, size) > 0.99
    return bare, _reduced(frame, size)[bare]


def tone_of(picture: Image, skin: tuple[Bool, Float], face: tuple[Bool, Float]) -> Float:
    """(256, 3) what each level of a reference becomes, 0..1, with the change that the skin shows.

    Args:
        picture: (H, W, 3) the reference.
        skin: of `skin_of`, the frame's bare skin.
        face: of `skin_of`, all of the face that is visible.
    """
    (bare, wanted), (shown, veiled) = skin, face
    if len(wanted) < FEWEST:
        return _LEVELS
    small = _reduced(picture, (bare.shape[1], bare.shape[0])) / np.float32(255)
    own, added = small[bare], 0.0  # (N, 3)
    if any(_lost(own[:, c], wanted[:, c]).any() for c in range(3)):
        # Its own colour a flash shows in what is not white: too little to tell channels apart.
        dark = small[shown]
        added = float(np.median([_added(dark[:, c], veiled[:, c]) for c in range(3)]))
    changes = [_change(own[:, c], wanted[:, c], added) for c in range(3)]
    gain, offset = np.array(changes, np.float32).T
    apart = float(np.abs(own * gain + offset - own).mean())
    share = np.float32(np.clip((apart - STEADY) / (CHANGED - STEADY), 0, 1))
    tone: Float = _LEVELS * (1 + share * (gain - 1)) + share * offset
    return np.clip(tone, 0, 1)


def _added(own: Float, wanted: Float) -> float:
    """The light that a flash adds, told by what is dark in the face; 0 where nothing is.

    What is still not white tells how much it is, what is white how much it is at least.
    """
    dark = own < DARK
    told, added = dark & (wanted < CLIPPED), wanted - own
    exact = float(np.median(added[told])) if told.sum() >= FEWEST_DARK else 0.0
    return max(exact, float(np.median(added[dark]))) if dark.sum() >= FEWEST_DARK else 0.0


def _lost(own: Float, wanted: Float) -> Bool:
    """(N,) samples that a flash has made white; none where these are not most of the skin."""
    plain = own < CLIPPED
    lost: Bool = plain & (wanted >= CLIPPED)
    return lost if lost.sum() > max(plain.sum() / 2, FEWEST / 2) else np.zeros_like(lost)


def _change(own: Float, wanted: Float, added: float = 0.0) -> tuple[float, float]:
    """Gain and offset that bring samples (N,) to others; samples that disagree count little.

    The offset has a price: where the skin shows little contrast, a gain explains what it can.
    Where the frame is white, the change must be enough for that, and as much as is `added` to
    what is dark in the face.
    """
    if (lost := _lost(own, wanted)).any():
        return 1.0, max(added, float(np.quantile((wanted - own)[lost], LIT)))
    plain, white = (own < CLIPPED).astype(np.float64), wanted >= CLIPPED
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


def _reduced(values: Float | Image, grid: tuple[int, int]) -> Float:
    reduced: Float = cv2.resize(values, grid, interpolation=cv2.INTER_AREA)
    return reduced
