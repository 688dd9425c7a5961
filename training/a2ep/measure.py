"""How well predicted lips follow the true ones, in figures without a free parameter.

Both curves are taken around their mean over the clip: where a person's mouth rests is not in
the audio. There is no search for a lag.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import Self

import numpy as np

from gsmooth_core.face.mouth import correlation
from gsmooth_core.types import Bool, Float
from training.a2ep.face import SpeechFace


@dataclass(frozen=True)
class Figures:
    """Figures of one clip, or their mean over clips.

    Attributes:
        aperture_r: Pearson's r of the opening of the inner lips.
        width_r: of the mouth's width.
        lip_error: mean squared error of 40 lip points over that of the mean face.
        lve: mean over frames of the worst lip point's squared error, over that of the mean face.
        jitter: root mean square third difference of the lips over the truth's.
        amplitude: standard deviation of the opening over the truth's.
    """

    aperture_r: float
    width_r: float
    lip_error: float
    lve: float
    jitter: float
    amplitude: float

    @classmethod
    def mean(cls, figures: list[Self]) -> Self:
        """Mean over clips, each counting once."""
        return cls(*np.mean([astuple(f) for f in figures], axis=0).tolist())

    def row(self) -> str:
        """The figures in two decimals, for a table."""
        return " | ".join(f"{getattr(self, f.name):.2f}" for f in fields(self))


def _roughness(lips: Float) -> float:
    return float(np.sqrt(np.mean(np.sum(np.diff(lips, 3, axis=0) ** 2, axis=-1))))


def measure(face: SpeechFace, predicted: Float, truth: Float, valid: Bool) -> Figures:
    """Compare (T, E) expressions on the mean face in the frames `valid` (T,)."""
    true = truth[valid]
    mean = true.mean(axis=0)
    made = predicted[valid] - predicted[valid].mean(axis=0) + mean
    lips, true_lips = face.lips(made), face.lips(true)
    error = np.sum((lips - true_lips) ** 2, axis=-1)  # (T, 40)
    still = np.sum((true_lips - true_lips.mean(axis=0)) ** 2, axis=-1)
    aperture, true_aperture = face.aperture(made), face.aperture(true)
    return Figures(
        correlation(aperture, true_aperture),
        correlation(face.width(made), face.width(true)),
        float(error.mean() / still.mean()),
        float(error.max(axis=1).mean() / still.max(axis=1).mean()),
        _roughness(lips) / _roughness(true_lips),
        float(aperture.std() / true_aperture.std()),
    )
