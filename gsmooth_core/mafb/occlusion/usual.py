"""How a face usually looks in its clip, and how far each place of it is from that in a frame.

Colours are compared as logarithms, so that light is a sum. Each frame's light is first brought
to the clip's by a smooth change over the face, fitted so that a hand has little say in it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.morphable import Region
from gsmooth_core.mafb.occlusion.chart import CELLS, Chart
from gsmooth_core.types import Bool, Float, Image

_DARK = 12.0  # levels of 255 added before the logarithm: noise in the dark is no difference
_ROUNDS = 2  # the second without what the first found unusual
_UNUSUAL = 4.0  # deviations from which on a colour has no part in the usual look
_LIGHT = 0.03  # smallest usual deviation of brightness (logarithm)
_TINT = 0.01  # and of tint
_OUTLIER = 0.08  # difference (logarithm) at which a cell loses most of its say about the light
_FITS = 4  # rounds of that fit
_CALM = 1.2  # median deviation of a face that nothing is wrong with
_UPPER, _LOWER = 1.0, 0.5  # say of upper and lower face about the light
_MAD = 1.4826  # median absolute deviation of a normal distribution, as a share of its deviation
_RADIAL = 0.84  # the same in two dimensions, over _MAD


@dataclass(frozen=True)
class Usual:
    """The usual look of C cells.

    Attributes:
        colour: (C, 3) logarithms.
        light: (C,) deviation of their brightness over the clip.
        tint: (C,) deviation of their tint.
    """

    colour: Float
    light: Float
    tint: Float


def logarithm(colours: Image | Float) -> Float:
    """(..., 3) RGB, 0..255, as logarithms."""
    logs: Float = np.log(colours.astype(np.float32) + np.float32(_DARK))
    return logs


def usual_look(chart: Chart, colours: Image, seen: Bool) -> Usual:
    """The usual look.

    Args:
        chart: the face's map.
        colours: (T, C, 3) RGB.
        seen: (T, C) cells that can be seen; in some frame there must be one.
    """
    shown = seen.any(1)
    logs, known = logarithm(colours[shown]), seen[shown]
    any_spread = np.ones(len(chart.regions), np.float32)  # the first round finds it
    usual = Usual(_median(logs, known), any_spread, any_spread)
    for _ in range(_ROUNDS):
        left = [
            _without_light(chart, x - usual.colour, k) for x, k in zip(logs, known, strict=True)
        ]
        rest = np.stack(left)
        shift = _median(rest, known)
        light, tint = light_and_tint(rest - shift)
        usual = Usual(
            usual.colour + shift,
            np.hypot(_MAD * _median(np.abs(light), known), _LIGHT),
            np.hypot(_MAD * _RADIAL * _median(tint, known), _TINT),
        )
        known = seen[shown] & (np.hypot(light / usual.light, tint / usual.tint) < _UNUSUAL)
    return usual


def deviation(chart: Chart, usual: Usual, colours: Image, seen: Bool) -> Float:
    """How unusual one frame's cells are, in usual deviations.

    Where the whole face is unusual (blurred by movement, badly tracked, in other light) nothing
    in it counts as much.

    Args:
        chart: the face's map.
        usual: of the clip.
        colours: (C, 3) RGB.
        seen: (C,) cells that can be seen.

    Returns:
        (C,) deviations; NaN where nothing is seen.
    """
    rest = _without_light(chart, logarithm(colours) - usual.colour, seen)
    light, tint = light_and_tint(rest)
    away = np.hypot(light / usual.light, tint / usual.tint)
    face = chart.skin & seen
    scale = max(1.0, float(np.median(away[face])) / _CALM) if face.any() else np.inf
    return np.where(seen, away / scale, np.nan).astype(np.float32)


def light_of(chart: Chart, difference: Float, seen: Bool) -> Float:
    """(C, 3) smooth change over the face that explains a frame's `difference` (C, 3) best.

    Least squares, with Geman and McClure's weights: what lies far off has hardly a say.
    """
    terms = _terms(chart)
    say = np.where(chart.regions == Region.SKIN, _UPPER, _LOWER) * (chart.skin & seen)
    weight = say.astype(np.float32)
    fitted = np.zeros_like(difference)
    for _ in range(_FITS):
        weighted = (terms * weight[:, None]).T
        normal = weighted @ terms + 1e-6 * np.eye(terms.shape[1])
        fitted = terms @ np.linalg.solve(normal, weighted @ difference)
        error = np.abs(difference - fitted).mean(1)
        weight = say / (1 + (error / _OUTLIER) ** 2) ** 2
    return np.asarray(fitted, np.float32)


def _without_light(chart: Chart, difference: Float, seen: Bool) -> Float:
    return difference - light_of(chart, np.where(seen[:, None], difference, 0), seen)


def _terms(chart: Chart) -> Float:
    """(C, 4) brighter, from side to side, from top to bottom, in the middle."""
    y, x = (2 * place / CELLS - 1 for place in chart.places)
    return np.asarray(np.stack([np.ones_like(x), x, y, x * x], 1), np.float32)


def light_and_tint(rest: Float) -> tuple[Float, Float]:
    """(...,) brightness and (...,) amount of tint in differences (..., 3)."""
    light = rest.mean(-1)
    tint: Float = np.linalg.norm(rest - light[..., None], axis=-1)
    return light, tint


def _median(values: Float, known: Bool) -> Float:
    """(C, ...) median over the known frames of (T, C, ...); 0 where none is."""
    hidden = ~known if values.ndim == 2 else ~known[..., None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a cell that is never seen
        median: NDArray[np.float32] = np.nanmedian(np.where(hidden, np.nan, values), 0)
    return np.nan_to_num(median).astype(np.float32)
