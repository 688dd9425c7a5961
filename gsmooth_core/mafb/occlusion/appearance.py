"""An appearance model of a face in its clip, and the z-scores of a frame's texels under it.

Colours are compared as logarithms, in which illumination is a sum. Each frame's illumination is
first brought to the clip's by a change that is smooth over the face, fitted robustly so that a
hand in front of it hardly counts.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.morphable import Region
from gsmooth_core.mafb.occlusion.canonical import TEXELS, CanonicalMap
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
        relit = [_relit(canonical, x - model.colour, k) for x, k in zip(logs, known, strict=True)]
        residual = np.stack(relit)
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
    residual = _relit(canonical, logarithm(colours) - model.colour, seen)
    brightness, tint = brightness_and_tint(residual)
    z = np.hypot(brightness / model.brightness, tint / model.tint)
    face = canonical.skin & seen
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
    terms = _terms(canonical)
    prior = np.where(canonical.regions == Region.SKIN, _UPPER, _LOWER) * (canonical.skin & seen)
    weight = prior.astype(np.float32)
    fitted = np.zeros_like(difference)
    for _ in range(_FITS):
        weighted = (terms * weight[:, None]).T
        normal = weighted @ terms + 1e-6 * np.eye(terms.shape[1])
        fitted = terms @ np.linalg.solve(normal, weighted @ difference)
        error = np.abs(difference - fitted).mean(1)
        weight = prior / (1 + (error / _OUTLIER) ** 2) ** 2
    return np.asarray(fitted, np.float32)


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
    hidden = ~known if values.ndim == 2 else ~known[..., None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a texel that is never seen
        median: NDArray[np.float32] = np.nanmedian(np.where(hidden, np.nan, values), 0)
    return np.nan_to_num(median).astype(np.float32)
