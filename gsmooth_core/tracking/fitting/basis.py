"""What the fit needs of a morphable model: its landmarks as a linear function of alpha and beta."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gsmooth_core.face.landmarks import INNER_LOWER_LIP, INNER_UPPER_LIP, LIPS, MESH_POINTS
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.tracking.fitting.lips import edge_landmarks
from gsmooth_core.types import Float, Int

_LIP_WEIGHT, _FACE_WEIGHT = 1.0, 0.2


@dataclass(frozen=True)
class LandmarkBasis:
    """Landmarks of a face model: mean + identity alpha + expression beta (eq. 1).

    Attributes:
        mean: (N, 3) decimetres.
        identity: (I, N, 3).
        expression: (E, N, 3).
        weight: (N,) how far each counts.
        index: (N,) which of the 478 landmarks each is.
        pairs: (P, 2) rows of opposite inner-lip points, upper and lower.
    """

    mean: Float
    identity: Float
    expression: Float
    weight: Float
    index: Int
    pairs: Int

    def template(self, alpha: Float) -> Float:
        """(N, 3) landmarks of a person (I,) at rest."""
        return np.asarray(self.mean + np.tensordot(alpha, self.identity, 1), np.float32)


def landmark_basis(model: MorphableModel) -> LandmarkBasis:
    """Reduce a model to its dependable landmarks; irises and points without a place drop out."""
    index = MESH_POINTS[model.landmark_weight[MESH_POINTS] > 0]
    weight = model.landmark_weight[index] * np.where(
        np.isin(index, LIPS), _LIP_WEIGHT, _FACE_WEIGHT
    )
    pairs = np.stack([INNER_UPPER_LIP, INNER_LOWER_LIP], 1)
    pairs = pairs[np.isin(pairs, index).all(1)]
    return LandmarkBasis(
        mean=edge_landmarks(model, model.mean[None])[0, index],
        identity=edge_landmarks(model, model.identity_basis)[:, index],
        expression=edge_landmarks(model, model.expression_basis)[:, index],
        weight=weight.astype(np.float32),
        index=index.astype(np.int32),
        pairs=np.searchsorted(index, pairs).astype(np.int32),
    )
