"""An appearance model of a face in its clip, and the z-scores of a frame's texels under it.

Colours are compared as logarithms, in which illumination is a sum. Each frame's illumination is
first brought to the clip's by a change that is smooth over the face, fitted robustly so that a
hand in front of it hardly counts.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from gsmooth_core.face.morphable import Region
from gsmooth_core.face.rasterizer.numba_kernels import compiled
from gsmooth_core.mafb.occlusion.canonical import TEXELS, CanonicalMap
from gsmooth_core.models.threads import all_threads
from gsmooth_core.types import Bool, Float, Image

_DARK = 12.0  # levels of 255 added before the logarithm, so that noise in the dark counts little
_ROUNDS = 2  # the second leaves out what the first found to be an outlier
_OUTLYING = 4.0  # z-score from which a colour takes no part in the model
_LEAST_BRIGHTNESS = 0.03  # smallest standard deviation of the brightness (logarithm)
_LEAST_TINT = 0.01  # and of the tint
_OUTLIER = 0.08  # difference (logarithm) at which a texel loses most of its weight in the fit
_FITS = 4  # rounds of that fit
_ORDINARY = 1.2  # median z-score of a face with nothing wrong
_UPPER, _LOWER = 1.0, 0.5  # weights of upper and lower face in the fit of the illumination
_FAR = 3.0  # outliers' differences from which on a texel is beyond the clip's light
_ENOUGH = 0.12  # share of the face that is, or is not: hair and turned cheeks are less
_ANOTHER = 2.5  # times the rest's z-score that light has left of it: it is another thing
_LOOK = 0.6  # of the skin's own contrast, which a shadow leaves, and which a post has not
_MAD = 1.4826  # standard deviation of a normal distribution over its median absolute deviation
_RADIAL = 0.84  # the same in two dimensions, over _MAD


@dataclass(frozen=True)
class AppearanceModel:
    """What C texels look like in a clip, and by how much each of them varies.

    Attributes:
        colour: (C, 3) logarithms of RGB.
        brightness: (C,) standard deviation of their brightness over the clip.
        tint: (C,) standard deviation of their tint.
    """

    colour: Float
    brightness: Float
    tint: Float

    def deviation(self, difference: Float) -> Float:
        """(C,) how far colours are from the model's, in its deviations, by their logarithms'."""
        brightness, tint = brightness_and_tint(difference)
        return np.asarray(np.hypot(brightness / self.brightness, tint / self.tint), np.float32)


def logarithm(colours: Image | Float) -> Float:
    """(..., 3) RGB, 0..255 -> logarithms."""
    logs: Float = np.log(colours.astype(np.float32) + np.float32(_DARK))
    return logs


def fit_appearance(canonical: CanonicalMap, colours: Image, seen: Bool) -> AppearanceModel:
    """Fit the appearance model of a clip.

    Args:
        canonical: the face's map, C texels.
        colours: (T, C, 3) RGB of the texels in T frames.
        seen: (T, C) texels that can be seen; at least one in some frame.
    """
    shown = seen.any(1)
    logs, known = logarithm(colours[shown]), seen[shown]
    unit = np.ones(len(canonical.regions), np.float32)  # the first round finds the deviations
    model = AppearanceModel(_median(logs, known), unit, unit)
    for _ in range(_ROUNDS):
        residual = _all_relit(canonical, logs - model.colour, known)
        shift = _median(residual, known)
        brightness, tint = brightness_and_tint(residual - shift)
        model = AppearanceModel(
            model.colour + shift,
            np.hypot(_MAD * _median(np.abs(brightness), known), _LEAST_BRIGHTNESS),
            np.hypot(_MAD * _RADIAL * _median(tint, known), _LEAST_TINT),
        )
        z = np.hypot(brightness / model.brightness, tint / model.tint)
        known = seen[shown] & (z < _OUTLYING)
    return model


def z_scores(canonical: CanonicalMap, model: AppearanceModel, colours: Image, seen: Bool) -> Float:
    """How far each of a frame's texels is from the model, in its standard deviations.

    Where the whole face is off (motion blur, a poor track, a different light), all scores are
    scaled down, so that nothing stands out unless it differs from the rest of the face.

    Args:
        canonical: the face's map, C texels.
        model: the clip's appearance model.
        colours: (C, 3) RGB of the texels in the frame.
        seen: (C,) texels that can be seen.

    Returns:
        (C,) z-scores, 0 and up; NaN where nothing is seen.
    """
    left, face = _explained(canonical, model, colours, seen)
    z = model.deviation(left)
    scale = max(1.0, float(np.median(z[face])) / _ORDINARY) if face.any() else np.inf
    return np.where(seen, z / scale, np.nan).astype(np.float32)


def illumination(canonical: CanonicalMap, difference: Float, seen: Bool) -> Float:
    """The change of light that explains a frame's difference from the model best.

    Iteratively reweighted least squares with Geman and McClure's weights: outliers hardly count.

    Args:
        canonical: the face's map, C texels.
        difference: (C, 3) logarithms of the frame's colours less those of the model.
        seen: (C,) texels that can be seen.

    Returns:
        (C, 3) the part of `difference` that is smooth over the face.
    """
    prior = _prior(canonical, seen)
    fitted: Float = _fitted(_terms(canonical), difference.astype(np.float32), prior, prior)
    return fitted


def relit(canonical: CanonicalMap, model: AppearanceModel, colours: Image, seen: Bool) -> Float:
    """What is left of a frame's difference from the model under the clip's own illumination.

    Of what `z_scores` is given: (C, 3) logarithms; 0 less the fitted change where nothing is seen.
    """
    return _explained(canonical, model, colours, seen)[0]


def _explained(
    canonical: CanonicalMap, model: AppearanceModel, colours: Image, seen: Bool
) -> tuple[Float, Bool]:
    """What `relit` leaves, and (C,) the skin that is surely the face's.

    A change that is smooth over the face can follow a post before half of it, too. But light
    leaves the skin's own look: where what is left is far from usual on that half alone, the fit
    begins anew from the clip's light, to which that half is an outlier.
    """
    difference = np.where(seen[:, None], logarithm(colours) - model.colour, 0).astype(np.float32)
    left = difference - illumination(canonical, difference, seen)
    face = canonical.skin & seen
    if not face.any():
        return left, face
    unusual = model.deviation(left)
    if (unusual[face] > _ANOTHER * _ORDINARY).mean() < _ENOUGH / 2:  # for a median
        return left, face
    terms, prior = _terms(canonical), _prior(canonical, seen)
    start = prior / (1 + (_apart(difference - np.median(difference[face], 0)) / _OUTLIER) ** 2) ** 2
    own = difference - _fitted(terms, difference, prior, start)
    beyond = face & (_apart(own) > _FAR * _OUTLIER)
    rest = face & ~beyond
    if beyond.sum() < _ENOUGH * face.sum() or rest.sum() < _ENOUGH * face.sum():
        return left, face
    usual = max(_ORDINARY, float(np.median(model.deviation(own)[rest])))
    if np.median(unusual[beyond]) <= _ANOTHER * usual:
        return left, face
    there = prior * beyond
    shaded, look = (x - _fitted(terms, x, there, there) for x in (own, model.colour))
    if np.median(_apart(shaded)[beyond]) > _LOOK * np.median(_apart(look)[beyond]):
        return own, rest
    # The skin's own look is there: a shadow with an edge, and each texel is on one side of it.
    nearer = model.deviation(shaded) < model.deviation(own)
    return np.where(nearer[:, None], shaded, own), face


def _apart(difference: Float) -> Float:
    """(C,) mean over the channels of differences (C, 3)."""
    return np.asarray(np.abs(difference).mean(1), np.float32)


def _prior(canonical: CanonicalMap, seen: Bool) -> Float:
    """(C,) by how much each texel counts for the illumination."""
    of_region = np.where(canonical.regions == Region.SKIN, _UPPER, _LOWER)
    return np.asarray(of_region * (canonical.skin & seen))


@compiled
def _fitted(terms: Any, difference: Any, prior: Any, start: Any) -> Any:
    """(C, 3) what `terms` (C, N) explain of a difference (C, 3), by weights (C,).

    The first of the rounds, in which outliers lose theirs, takes those of `start` (C,).
    """
    count, size = terms.shape
    weight, fitted = start.copy(), np.zeros((count, 3), np.float32)
    for _ in range(_FITS):
        share = solved(*_equations(terms, difference, weight))
        for n in range(count):
            error = 0.0
            for c in range(3):
                value = 0.0
                for i in range(size):
                    value += terms[n, i] * share[i, c]
                fitted[n, c] = value
                error += abs(difference[n, c] - value)
            weight[n] = prior[n] / (1 + (error / 3 / _OUTLIER) ** 2) ** 2
    return fitted


@compiled
def _equations(terms: Any, difference: Any, weight: Any) -> Any:
    """Normal equations (N, N) and their right sides (N, 3), by weights (C,)."""
    count, size = terms.shape
    normal, right = np.zeros((size, size)), np.zeros((size, 3))
    for n in range(count):
        for i in range(size):
            own = weight[n] * terms[n, i]
            for j in range(size):
                normal[i, j] += own * terms[n, j]
            for c in range(3):
                right[i, c] += own * difference[n, c]
    for i in range(size):
        normal[i, i] += 1e-6
    return normal, right


@compiled
def solved(normal: Any, right: Any) -> Any:
    """(N, M) solution of few equations, positive definite (N, N), for right sides (N, M)."""
    left, made = normal.copy(), right.copy()
    size, columns = made.shape
    for i in range(size):
        for k in range(i + 1, size):
            factor = left[k, i] / left[i, i]
            for j in range(i, size):
                left[k, j] -= factor * left[i, j]
            for c in range(columns):
                made[k, c] -= factor * made[i, c]
    for i in range(size - 1, -1, -1):
        for c in range(columns):
            for j in range(i + 1, size):
                made[i, c] -= left[i, j] * made[j, c]
            made[i, c] /= left[i, i]
    return made


def _all_relit(canonical: CanonicalMap, differences: Float, seen: Bool) -> Float:
    """(T, C, 3) of `_relit` for each of T frames, on all cores: nothing is done meanwhile."""
    relit = np.empty(differences.shape, np.float32)

    def one(frame: int) -> None:
        relit[frame] = _relit(canonical, differences[frame], seen[frame])

    with ThreadPoolExecutor(all_threads(), "appearance") as pool:
        list(pool.map(one, range(len(relit))))
    return relit


def _relit(canonical: CanonicalMap, difference: Float, seen: Bool) -> Float:
    """(C, 3) what is left of a difference under the clip's own illumination."""
    return difference - illumination(canonical, np.where(seen[:, None], difference, 0), seen)


def _terms(canonical: CanonicalMap) -> Float:
    """(C, 4) basis of the illumination: constant, across, down, and a bend across."""
    y, x = (2 * place / TEXELS - 1 for place in canonical.places)
    return np.asarray(np.stack([np.ones_like(x), x, y, x * x], 1), np.float32)


def brightness_and_tint(difference: Float) -> tuple[Float, Float]:
    """(...,) brightness and (...,) amount of tint of colour differences (..., 3)."""
    brightness = difference.mean(-1)
    tint: Float = np.linalg.norm(difference - brightness[..., None], axis=-1)
    return brightness, tint


def _median(values: Float, known: Bool) -> Float:
    """(C, ...) median over the known frames of (T, C, ...); 0 where there is none."""
    shown = known if values.ndim == 2 else np.broadcast_to(known[..., None], values.shape)
    ordered = np.sort(np.where(shown, values, np.inf), 0)
    count = np.count_nonzero(shown, 0)[None]
    below, above = (
        np.take_along_axis(ordered, at, 0)[0] for at in ((count - 1).clip(0) // 2, count // 2)
    )
    return np.where(count[0] > 0, (below + above) / 2, 0).astype(np.float32)
