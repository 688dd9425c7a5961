"""From curves over time to the figures of a shot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gsmooth_core.evaluation.metrics.alike import ratio_where_alike
from gsmooth_core.evaluation.metrics.compare import BAND_CURVES, Curves
from gsmooth_core.evaluation.metrics.figures import Figures
from gsmooth_core.evaluation.metrics.landmarks import in_crop, jerk, lip_distance, silence_motion
from gsmooth_core.evaluation.metrics.vertices import vertex_errors
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.face.mouth import aperture, correlation, width
from gsmooth_core.tracking.fitting.lips import edge_landmarks
from gsmooth_core.types import Bool, Expression, FaceTrack, Float

MEANS = (
    "psnr", "ssim", "mouth_psnr", "mouth_ssim", "mask_psnr", "outside_psnr",
    "cpbd", "true_cpbd", "stlpips", "identity", "true_identity", "tone",
)  # fmt: skip
RATIOS = {"flicker": "change", "seam": "rim", **{name: name for name in BAND_CURVES}}


@dataclass(frozen=True)
class Faces:
    """The faces of a shot.

    Attributes:
        truth: track of the source.
        found: landmarks (T, 478, 2) found again in the dubbed pictures; NaN without a face.
        target: the expression that was asked for.
        silent: (T,) frames in which nobody is heard.
    """

    truth: FaceTrack
    found: Float
    target: Expression
    silent: Bool


def add_motion(curves: Curves, faces: Faces, model: MorphableModel) -> None:
    """Add the curves that come from landmarks: lmd, aperture, true_aperture, wanted_aperture."""
    truth, made = (in_crop(x, faces.truth, model) for x in (faces.truth.landmarks, faces.found))
    curves["lmd"] = lip_distance(truth, made)
    curves["aperture"] = aperture(faces.found)
    curves["true_aperture"] = aperture(faces.truth.landmarks)
    curves["wanted_aperture"] = wanted_aperture(model, faces)


def wanted_aperture(model: MorphableModel, faces: Faces) -> Float:
    """(T,) opening of the posed mesh's own lips for the curves that were asked for."""
    vertices = model.shape(faces.truth.identity, faces.target.values)  # (T, V, 3)
    return aperture(edge_landmarks(model, vertices))


def summarise(curves: Curves, faces: Faces, model: MorphableModel) -> Figures:
    """All figures that pictures and landmarks give; sync is added by whoever has the sound.

    Args:
        curves: from `compare.Comparison` and `add_motion`.
        faces: the faces of source and dub.
        model: the face model that the track was fitted with.
    """
    fps, track = float(faces.truth.fps), faces.truth
    truth, made = (in_crop(x, track, model) for x in (track.landmarks, faces.found))
    errors = vertex_errors(model, track.expression[track.usable], faces.target.values[track.usable])
    figures: Figures = {name: mean(curves[name]) for name in MEANS}
    for name, curve in RATIOS.items():
        figures[name] = _ratio(mean(curves[curve]), mean(curves[f"true_{curve}"]))
    figures["detail"] = farthest(_bands_where_alike(curves, figures))
    figures |= _noise(curves)
    return figures | {
        "lmd": mean(curves["lmd"]),
        "tone_worst": worst(curves["tone"]),
        "jerk": _ratio(_number(jerk(made, fps)), _number(jerk(truth, fps))),
        "aperture_r": correlation(curves["aperture"], curves["true_aperture"]),
        "width_r": correlation(width(faces.found), width(track.landmarks)),
        "follows": correlation(curves["aperture"], curves["wanted_aperture"]),
        "vertex": errors.mean,
        "lve": errors.lve,
        "silence": _number(silence_motion(curves["aperture"], faces.silent, fps)),
    }


def _bands_where_alike(curves: Curves, figures: Figures) -> list[float | None]:
    """Each band of the mouth over the source's where that is open as far, or over all of it."""
    apertures = curves["true_aperture"], curves["aperture"]
    names = [name for name in BAND_CURVES if "mouth" in name]
    alike = [ratio_where_alike(curves[n], curves[f"true_{n}"], apertures) for n in names]
    raw = [figures[name] for name in names]
    return [a if a is not None else b for a, b in zip(alike, raw, strict=True)]


def farthest(ratios: Sequence[float | None]) -> float | None:
    """The ratio that is farthest from 1, either way; None where there is none."""
    known = [ratio for ratio in ratios if ratio]
    return max(known, key=lambda ratio: abs(np.log(ratio)), default=None)


def _noise(curves: Curves) -> Figures:
    """Deviation of the noise over the source's, and fine detail of the mask without noise."""
    made, true = mean(curves["grain1"]), mean(curves["true_grain1"])
    whole, true_whole = mean(curves["mask_band1"]), mean(curves["true_mask_band1"])
    if made is None or true is None or whole is None or true_whole is None:
        return {"grain": None, "signal": None}
    signal = _ratio(max(whole - made, 0), max(true_whole - true, 0))
    ratio = _ratio(made, true)
    return {"grain": None if ratio is None else float(np.sqrt(ratio)), "signal": signal}


def mean(values: Float) -> float | None:
    """Mean of the numbers; None where there are none."""
    known = values[np.isfinite(values)]
    return float(known.mean(dtype=np.float64)) if known.size else None


def worst(values: Float) -> float | None:
    """Largest of the numbers; None where there are none."""
    known = values[np.isfinite(values)]
    return float(known.max()) if known.size else None


def _ratio(a: float | None, b: float | None) -> float | None:
    return a / b if a is not None and b else None


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
