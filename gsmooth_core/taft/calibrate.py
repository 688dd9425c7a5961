"""Learning a person's correctives: frames are reconstructed, and it is seen where they lie wrong.

What is measured is the difference that the correctives are made for, see there: the miss of a
frame less that of its references. So the regression is on differences too, and a constant miss,
which nobody can see, drops out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from torch import nn

from gsmooth_core.taft.compose import Composition
from gsmooth_core.taft.correctives import Correctives, circumstances
from gsmooth_core.taft.generator import placed
from gsmooth_core.taft.inputs import generated
from gsmooth_core.taft.lessons import LessonSettings, Material
from gsmooth_core.taft.registration import flow
from gsmooth_core.taft.ridge import proven_ridge
from gsmooth_core.types import Bool, Float, Image

_OUTLINE = 15  # pixels around the face in which its outline may be found
_STILL = 0.05  # deviation of a circumstance that hardly varies: it shall not count much


@dataclass(frozen=True)
class CalibrationSettings:
    """How correctives are learned.

    Attributes:
        penalties: that are tried for the size of the weights.
        folds: stretches of the clip that take turns at judging.
        smooth: of the crop's side: detail of the misses.
        fewest: frames that are needed.
    """

    penalties: tuple[float, ...] = (10.0, 30.0, 100.0, 300.0)
    folds: int = 4
    smooth: float = 0.016
    fewest: int = 16


@dataclass(frozen=True)
class Miss:
    """One reconstructed frame.

    Attributes:
        frame: its number.
        references: (K,) frame numbers of its references.
        trust: (K,) in them, adding up to 1.
        flow: (V, 2) how far the reconstruction lies off at each vertex, in sides of the crop.
    """

    frame: int
    references: tuple[int, ...]
    trust: Float
    flow: Float


def calibrate(
    material: Material,
    lessons: LessonSettings,
    settings: CalibrationSettings,
    until: float = np.inf,
    on_frame: Callable[[int], None] = lambda done: None,
) -> Correctives | None:
    """Correctives of the person in a clip.

    Args:
        material: the frames that may be learned from.
        lessons: which of them are.
        settings: how to learn.
        until: time of `monotonic` after which no other frame is begun.
        on_frame: told how many frames are done.

    Returns:
        None where there is too little to learn from, or nothing that unseen frames bear out.
    """
    generator, composer = placed(material.generator, material.device), material.composer(lessons)
    misses = []
    for picture, composition in material.composed(composer, lessons, until):
        points = composer.points(composition.frame)
        misses.append(_miss(generator, composition, picture, points, settings.smooth))
        on_frame(len(misses))
    misses.sort(key=lambda miss: miss.frame)
    track = material.track
    x, gap = circumstances(track, track.expression), lessons.gap * float(track.fps)
    return fitted(misses, x, gap, settings, composer.surface.moving)


def fitted(
    misses: list[Miss], x: Float, gap: float, settings: CalibrationSettings, judged: Bool
) -> Correctives | None:
    """Correctives that explain misses as far as unseen ones bear out.

    Args:
        misses: in the order of their frames; too few of them teach nothing.
        x: (T, F) circumstances of the clip's frames.
        gap: frames between those that teach and those that judge.
        settings: how to learn.
        judged: (V,) vertices that it is judged by.
    """
    if len(misses) < settings.fewest:
        return None
    frames = np.array([miss.frame for miss in misses])
    seen, none = x[frames], np.zeros((x.shape[1], 0), np.float32)
    blank = Correctives(seen.mean(0), seen.std(0) + _STILL, seen.min(0), seen.max(0), none)
    z = blank.standard(x)
    relative = np.stack([z[m.frame] - m.trust @ z[list(m.references)] for m in misses])
    flows = np.stack([m.flow.ravel() for m in misses])  # (N, 2 V)
    both = judged.repeat(2)  # x and y of a vertex
    weights = proven_ridge(relative, flows, settings.penalties, frames, settings.folds, gap, both)
    return None if weights is None else replace(blank, weights=weights)


def _miss(
    generator: nn.Module, composition: Composition, picture: Image, points: Float, smooth: float
) -> Miss:
    under, size = composition.veiled.under, len(composition.hints)
    truth = under.cut(under.part(picture))
    face = cv2.dilate(composition.hints.any(-1).astype(np.uint8), np.ones((_OUTLINE, _OUTLINE)))
    field = flow(truth, _reconstruction(generator, composition), face > 0, smooth * size)
    at = np.rint(points).astype(np.intp).clip(0, size - 1)
    return Miss(
        frame=composition.frame,
        references=composition.members,
        trust=composition.trust / composition.trust.sum(),
        flow=(field[at[:, 1], at[:, 0]] / size).astype(np.float32),
    )


def _reconstruction(generator: nn.Module, composition: Composition) -> Float:
    """(H, W, 3) the generator's picture under M_f, the mean of the references around it."""
    blend = composition.blend
    weight = blend.validity[:-1, ..., None]  # the last one is the shaded render
    mean = (blend.references[:-1] * weight).sum(0) / (weight.sum(0) + 1e-6)
    return np.where(blend.mask[..., None] > 0, generated(generator, composition), mean)
