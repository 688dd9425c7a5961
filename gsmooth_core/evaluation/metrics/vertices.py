"""Distance of predicted and true faces in millimetres, vertex by vertex."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gsmooth_core.face.morphable import MorphableModel, Region
from gsmooth_core.types import Float

_MM = 100.0  # a decimetre
_FRAMES = 32  # at once, to bound memory


@dataclass(frozen=True)
class VertexErrors:
    """Distances in millimetres on one person's template face (eq. 5-7).

    Attributes:
        mean: of the vertices of the mouth mask M (eq. 15) over all frames.
        lve: lip vertex error: the farthest vertex of the lips, mean over frames
            (Richard et al. 2021; some papers square it).
        still: what `mean` is for a face that keeps the clip's mean expression.
        still_lve: what `lve` is for it.
    """

    mean: float
    lve: float
    still: float
    still_lve: float


def vertex_errors(model: MorphableModel, truth: Float, made: Float) -> VertexErrors:
    """Compare two expressions of one person without head movement.

    Mean face and identity are the same on both sides, so they drop out.

    Args:
        model: the face model.
        truth: (T, E) beta.
        made: (T, E) beta-hat.
    """
    basis_mouth = model.expression_basis[:, model.mouth_mask]
    basis_lips = model.expression_basis[:, model.in_regions(Region.LIPS)]
    still = truth.mean(axis=0, keepdims=True) - truth
    return VertexErrors(
        float(_distances(basis_mouth, made - truth, worst=False).mean()),
        float(_distances(basis_lips, made - truth, worst=True).mean()),
        float(_distances(basis_mouth, still, worst=False).mean()),
        float(_distances(basis_lips, still, worst=True).mean()),
    )


def _distances(basis: Float, difference: Float, *, worst: bool) -> Float:
    """(T,) mean or largest distance."""
    parts = []
    for start in range(0, len(difference), _FRAMES):
        moved = np.tensordot(difference[start : start + _FRAMES], basis, 1)  # (t, V, 3)
        apart = np.linalg.norm(moved, axis=-1) * _MM
        parts.append(apart.max(axis=1) if worst else apart.mean(axis=1))
    distances: Float = np.concatenate(parts).astype(np.float32)
    return distances
