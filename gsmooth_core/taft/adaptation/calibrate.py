"""Learning a person's correctives from how far reconstructed frames are off.

What is measured is the difference that the correctives are made for (see there): the error in a
frame less the error in its references. So the regression is on differences too, and a constant
error, which nobody can see, drops out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from gsmooth_core.taft.adaptation.registration import flow
from gsmooth_core.taft.adaptation.ridge import proven_ridge
from gsmooth_core.taft.composition import Composition
from gsmooth_core.taft.correctives import Correctives, regressors
from gsmooth_core.taft.generators.interface import Generator
from gsmooth_core.taft.inputs import generated
from gsmooth_core.taft.samples import ClipData, SampleSettings
from gsmooth_core.types import Bool, Float, Image

_OUTLINE = 15  # pixels around the face in which its outline may lie
_STILL = 0.05  # added to the deviations, so that a regressor that hardly varies counts little


@dataclass(frozen=True)
class CalibrationSettings:
    """How correctives are learned.

    Attributes:
        penalties: ridge penalties that are tried.
        folds: number of stretches of the clip for cross-validation.
        smooth: finest detail of the residual flow, as a share of the crop's side.
        fewest: number of samples that are needed.
    """

    penalties: tuple[float, ...] = (10.0, 30.0, 100.0, 300.0)
    folds: int = 4
    smooth: float = 0.016
    fewest: int = 16


@dataclass(frozen=True)
class ResidualFlow:
    """How far one reconstructed frame is displaced.

    Attributes:
        frame: frame number.
        references: (K,) frame numbers of its references.
        trust: (K,) weights of the references; they add up to 1.
        flow: (V, 2) displacement of the reconstruction at each vertex, in sides of the crop.
    """

    frame: int
    references: tuple[int, ...]
    trust: Float
    flow: Float


def calibrate(
    data: ClipData,
    samples: SampleSettings,
    settings: CalibrationSettings,
    until: float = np.inf,
    on_frame: Callable[[int], None] = lambda done: None,
) -> Correctives | None:
    """Learn the correctives of the person in a clip.

    Args:
        data: the clip; only its usable frames are learned from.
        samples: which frames are reconstructed.
        settings: the regression.
        until: time of `monotonic` after which no other frame is begun.
        on_frame: called with the number of frames done.

    Returns:
        None where there are too few samples, or where held-out frames do not bear the
        correctives out.
    """
    generator, composer = data.generator.on(data.device), data.composer(samples)
    flows = []
    for picture, composition in data.samples(composer, samples, until):
        points = composer.points(composition.frame)
        flows.append(_residual_flow(generator, composition, picture, points, settings.smooth))
        on_frame(len(flows))
    flows.sort(key=lambda each: each.frame)
    track = data.track
    x, gap = regressors(track, track.expression), samples.gap * float(track.fps)
    return fitted(flows, x, gap, settings, composer.surface.moving)


def fitted(
    residuals: list[ResidualFlow], x: Float, gap: float, settings: CalibrationSettings, judged: Bool
) -> Correctives | None:
    """Fit correctives to residual flows.

    Args:
        residuals: in the order of their frames.
        x: (T, F) regressors of the clip's frames.
        gap: number of frames left out between training and held-out stretches.
        settings: the regression.
        judged: (V,) vertices that the held-out error is measured at.

    Returns:
        None where there are too few residuals, or where no penalty improves on held-out ones.
    """
    if len(residuals) < settings.fewest:
        return None
    frames = np.array([each.frame for each in residuals])
    seen, none = x[frames], np.zeros((x.shape[1], 0), np.float32)
    blank = Correctives(seen.mean(0), seen.std(0) + _STILL, seen.min(0), seen.max(0), none)
    z = blank.standard(x)
    relative = np.stack([z[m.frame] - m.trust @ z[list(m.references)] for m in residuals])
    flows = np.stack([m.flow.ravel() for m in residuals])  # (N, 2 V)
    both = judged.repeat(2)  # x and y of a vertex
    weights = proven_ridge(relative, flows, settings.penalties, frames, settings.folds, gap, both)
    return None if weights is None else replace(blank, weights=weights)


def _residual_flow(
    generator: Generator, composition: Composition, picture: Image, points: Float, smooth: float
) -> ResidualFlow:
    under, size = composition.masked.under, len(composition.hints)
    truth = under.cut(under.part(picture))
    face = cv2.dilate(composition.hints.any(-1).astype(np.uint8), np.ones((_OUTLINE, _OUTLINE)))
    field = flow(truth, _reconstruction(generator, composition), face > 0, smooth * size)
    at = np.rint(points).astype(np.intp).clip(0, size - 1)
    return ResidualFlow(
        frame=composition.frame,
        references=composition.members,
        trust=composition.trust / composition.trust.sum(),
        flow=(field[at[:, 1], at[:, 0]] / size).astype(np.float32),
    )


def _reconstruction(generator: Generator, composition: Composition) -> Float:
    """(H, W, 3) the generator's picture under M_f, the mean of the references around it."""
    blend = composition.blend
    weight = blend.validity[:-1, ..., None]  # the last one is the shaded render
    mean = (blend.references[:-1] * weight).sum(0) / (weight.sum(0) + 1e-6)
    return np.where(blend.mask[..., None] > 0, generated(generator, composition), mean)
