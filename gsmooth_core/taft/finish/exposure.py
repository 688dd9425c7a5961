"""How long the shutter was open while this clip was filmed: told by what it cannot hide.

A face that moves while it is exposed is blurred along its way, and not across it. Brows, eyes and
nose of frames that move are held against frames of the same pose that rest. A codec, too, makes
what moves soft, but in all directions alike: so the resting one is made as soft across the way as
the other is, and then blurred along it as far as slopes along the way ask for. What single pairs
say differs widely; all of them together are believed only where they are sure of any blur at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len, rfft2

from gsmooth_core.face.morphable import Region
from gsmooth_core.face.render import FaceSurface
from gsmooth_core.mafb.crop import for_opencv
from gsmooth_core.models.threads import all_threads
from gsmooth_core.taft.compose import Composer
from gsmooth_core.taft.shutter import movement, seen
from gsmooth_core.taft.warping.warp import Reference
from gsmooth_core.types import Bool, FaceTrack, Float, Image

_SHARES = np.linspace(0, 1, 21)
_SOFTNESS = np.linspace(-0.8, 4, 13)  # square pixels that a frame may be softer than another
_SCALE = 1.0  # pixels: deviation of the Gaussian before slopes are taken
_STEP, _STEPS = 1 / 64, 46  # of frequencies along and across, cycles a pixel
_FAINT = 1e-6

_LEAST = 2.5  # pixels of a way from picture to picture: less leaves nothing to be seen
_REST = 0.3, 0.5  # share of the frames that move least, and pixels that are rest anyway
_APART = 0.12  # seconds between two frames that are looked at
_MOST, _EACH, _TURNS = 40, 3, 4  # frames, resting ones for each, and how often one of these serves
_FEWEST = 12
_LIKE = 0.02  # of the upper face's width: how far shapes may differ
_FRONT, _ABOVE = 0.9, 0.05  # decimetres behind the nose's tip, and above it
_COARSE, _RIM = 6.0, 2.5  # pixels: what varies more slowly is light; edge of the part
_SMALLEST = 500  # pixels
_AROUND = 32  # pixels that are kept around it
_SURE = 2.5  # standard errors
_FACES = 0.02  # standard error of the square since no two frames show the same face
_ROUND, _WIDEST = 0.05, 0.5  # no camera's habit is more: what asks for it is soft for other reasons


@dataclass(frozen=True)
class Exposure:
    """What frames of a clip say about its shutter.

    Attributes:
        square: the square of the share of a picture's time in which it is open, by which blur
            grows; below 0 where what moves is sharper than what rests.
        error: its standard error.
        frames: how many frames said so.
    """

    square: float
    error: float
    frames: int

    @property
    def share(self) -> float:
        """The share, rounded, at most half; 0 where it is not surely more than none."""
        if self.frames < _FEWEST or self.square < _SURE * np.hypot(self.error, _FACES):
            return 0.0
        share = min(float(np.sqrt(self.square)), _WIDEST)
        return round(round(share / _ROUND) * _ROUND, 2)


@dataclass(frozen=True)
class _Look:
    """The upper face of a frame: its pixels and (N, 2) where its vertices are in them."""

    grey: Image
    points: NDArray[np.float64]


def exposure(composer: Composer) -> Exposure:
    """Look at the frames that lend to others.

    Args:
        composer: of the dub, which has read them.
    """
    track, upper = composer.track, _upper(composer.surface)
    ways = movement(track, seen(track, composer.surface.template[upper].mean(0)))
    bank = [r for r in composer.bank.values() if r.spoiled is None and r.before is None]
    pairs = _pairs(track, bank, ways, upper)
    with ThreadPoolExecutor(all_threads(), "expose") as pool:
        told = [found for found in pool.map(lambda pair: _told(*pair), pairs) if found is not None]
    return together(np.array(told))


def together(told: NDArray[np.float64]) -> Exposure:
    """What frames tell (N, S), see `_told`, weighed by how much a shutter would change them."""
    weights = np.maximum(told[:, 0] - told[:, told.shape[1] // 2], 0) if len(told) else told
    if not weights.any():
        return Exposure(0.0, 0.0, 0)
    squares = np.concatenate([-(_SHARES[:0:-1] ** 2), _SHARES**2])
    # To first order blur grows with the square; less than none is as far on the other side.
    curves = np.concatenate([2 * told[:, :1] - told[:, :0:-1], told], 1)
    mean = weights @ curves
    falling = np.minimum.accumulate(mean)
    square = float(np.interp(0, -falling, squares))
    slope = max(float(-np.gradient(mean, squares)[np.searchsorted(squares, square)]), _FAINT)
    left = np.array([np.interp(square, squares, curve) for curve in curves])
    error = float(np.sqrt(((weights * left) ** 2).sum())) / slope
    return Exposure(square, error, len(told))


def _upper(surface: FaceSurface) -> Bool:
    """(V,) vertices of brows, eyes and nose, which speech hardly moves."""
    _x, y, z = surface.template.T
    face = np.isin(surface.regions, (Region.SKIN, Region.EYES))
    tip = int(np.where(face, z, -np.inf).argmax())
    upper: Bool = face & (z > z[tip] - _FRONT) & (y > y[tip] + _ABOVE)
    return upper


def _pairs(
    track: FaceTrack, bank: list[Reference], ways: NDArray[np.float64], upper: Bool
) -> Iterator[tuple[_Look, list[_Look], NDArray[np.float64]]]:
    """Frames that move, resting ones of the same shot and shape, and (2,) the way in pixels."""
    shots = np.zeros(len(track), int) if track.shot is None else track.shot
    if not bank:
        return
    speed = np.hypot(*ways[[r.frame for r in bank]].T)
    resting = np.flatnonzero(speed < max(np.quantile(speed, _REST[0]), _REST[1]))
    chosen: list[int] = []
    for n in np.argsort(-speed, kind="stable").tolist():
        apart = (abs(bank[n].frame - bank[m].frame) for m in chosen)
        if speed[n] > _LEAST and min(apart, default=np.inf) >= _APART * track.fps:
            chosen.append(n)
    looks = {n: _look(bank[n], upper) for n in {*chosen[:_MOST], *resting.tolist()}}
    turns = dict.fromkeys(resting.tolist(), _TURNS)
    for n in chosen[:_MOST]:
        free = [m for m, left in turns.items() if left and m != n]
        free = [m for m in free if shots[bank[m].frame] == shots[bank[n].frame]]
        unlike = np.array([_unlike(looks[n].points, looks[m].points) for m in free])
        near = [free[k] for k in np.argsort(unlike, kind="stable")[:_EACH] if unlike[k] < _LIKE]
        for m in near:
            turns[m] -= 1
        if near:
            yield looks[n], [looks[m] for m in near], ways[bank[n].frame]


def _look(reference: Reference, upper: Bool) -> _Look:
    points = reference.points[upper].astype(np.float64)
    points = points @ reference.to_image[:, :2].T + reference.to_image[:, 2]
    x0, y0 = np.maximum(np.floor(points.min(0)).astype(int) - _AROUND, 0).tolist()
    x1, y1 = np.maximum(np.ceil(points.max(0)).astype(int) + _AROUND, 1).tolist()
    part = reference.image[y0:y1, x0:x1]
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY) if part.size else part[..., 0]
    return _Look(grey, points - (x0, y0))


def _unlike(points: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """How far (N, 2) are from what can be made of others by an affine map, of their width."""
    whole = np.column_stack([others, np.ones(len(others))])
    left = points - whole @ np.linalg.lstsq(whole, points, rcond=None)[0]
    return float(np.sqrt((left**2).sum(1).mean()) / np.ptp(points[:, 0]))


def _told(
    moving: _Look, resting: list[_Look], way: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """(S,) logarithm of slopes along the way, resting over moving, with each share of blur."""
    low = np.maximum(np.floor(moving.points.min(0)).astype(int), 0)
    high = np.ceil(moving.points.max(0)).astype(int) + 1
    part, points = moving.grey[low[1] : high[1], low[0] : high[0]], moving.points - low
    if not part.size:  # beside the picture
        return None
    inside = np.zeros(part.shape, np.uint8)
    hull = cv2.convexHull(np.rint(points).astype(np.int32))
    if np.count_nonzero(cv2.fillConvexPoly(inside, hull, (1,))) < _SMALLEST:
        return None
    weight = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), _RIM) * inside
    laid = (_laid(other, points, part.shape) for other in resting)
    own, length = _spectrum(part.astype(np.float32), weight, way), float(np.hypot(*way))
    told = [_along(own, _spectrum(other, weight, way), length) for other in laid]
    mean: NDArray[np.float64] = np.mean(told, 0)
    return mean


def _laid(look: _Look, points: NDArray[np.float64], shape: tuple[int, ...]) -> Float:
    """(h, w) a face moved, turned and scaled so that its vertices lie at `points` (N, 2)."""
    whole = np.column_stack([look.points, np.ones(len(look.points))])
    matrix = for_opencv(np.linalg.lstsq(whole, points, rcond=None)[0].T)  # (2, 3)
    how = {"flags": cv2.INTER_CUBIC, "borderMode": cv2.BORDER_REPLICATE}
    grey = look.grey.astype(np.float32)
    return np.asarray(cv2.warpAffine(grey, matrix, shape[::-1], **how), np.float32)


def _spectrum(picture: Float, weight: Float, way: NDArray[np.float64]) -> NDArray[np.float64]:
    """(_STEPS, _STEPS) power of a picture by its frequency along and across a way."""
    fine = picture - cv2.GaussianBlur(picture, (0, 0), _COARSE)
    fine = (fine - (fine * weight).sum() / weight.sum()) * weight
    height, width = (next_fast_len(n, real=True) for n in fine.shape)
    power = np.abs(rfft2(fine, (height, width))) ** 2
    down, across = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)
    x, y = way / np.hypot(*way)
    along = np.minimum(np.abs(across * x + down * y) / _STEP, _STEPS - 1).astype(int)
    aside = np.minimum(np.abs(down * x - across * y) / _STEP, _STEPS - 1).astype(int)
    power[:, 1:] *= 2  # the other half of the plane
    places = (along * _STEPS + aside).ravel()
    sums = np.bincount(places, power.ravel(), _STEPS**2).astype(np.float64)
    return sums.reshape(_STEPS, _STEPS)


def _along(
    moving: NDArray[np.float64], resting: NDArray[np.float64], length: float
) -> NDArray[np.float64]:
    """(S,) see `_told`, of spectra along and across a way of so many pixels."""
    cycles = (np.arange(_STEPS) + 0.5) * _STEP
    square = (2 * np.pi * cycles) ** 2
    smooth = np.exp(-(_SCALE**2) * square)
    moving, resting = (each * smooth[:, None] * smooth for each in (moving, resting))
    own, across = (float(np.log(square @ m.sum(1) + _FAINT)) for m in (moving, moving.T))
    soft = np.exp(-_SOFTNESS * square[:, None])  # (F, V)
    blur = np.sinc(_SHARES[:, None] * length * cycles) ** 2  # (S, F)
    slopes = np.log((blur * square) @ (soft * (resting @ soft)) + _FAINT)  # (S, V)
    sides = np.log(blur @ (soft * (resting @ (soft * square[:, None]))) + _FAINT)
    as_soft = [np.interp(-across, -side, _SOFTNESS) for side in sides]
    pairs = zip(as_soft, slopes, strict=True)
    found = [np.interp(soft, _SOFTNESS, slope) - own for soft, slope in pairs]
    return np.array(found) / 2
