"""What training needs of the face model: its speech-driven basis, its lips, its amplitude."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gsmooth_core.a2ep.loss import LAMBDA_MOUTH, VertexLoss
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.face.mouth import aperture, eye_distance, width
from gsmooth_core.types import Float

# Outer and inner lips of the 478-point face mesh.
LIPS = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185,
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191,
)  # fmt: skip
TYPICAL_AMPLITUDE = 0.022  # root mean square movement of the mouth's vertices in decimetres


@dataclass(frozen=True)
class SpeechFace:
    """The mean face with the components that speech drives.

    Attributes:
        names: E components.
        basis: (E, V, 3) their rows of B_exp.
        gram: (E, E) of eq. 8 (`VertexLoss.gram`): squared vertex movement of a change of beta.
        landmarks: (478, 3) at rest.
        landmark_basis: (E, 478, 3).
        amplitude: movement that counts as one.
        model: the whole face model.
    """

    names: tuple[str, ...]
    basis: Float
    gram: Float
    landmarks: Float
    landmark_basis: Float
    amplitude: float
    model: MorphableModel

    def mesh_landmarks(self, beta: Float) -> Float:
        """(T, E) -> (T, 478, 3) landmarks of the mean face with these expressions."""
        moved = np.einsum("te,elc->tlc", beta, self.landmark_basis)
        return np.asarray(self.landmarks + moved, np.float32)

    def lips(self, beta: Float) -> Float:
        """(T, E) -> (T, 40, 3) lip points over the eye distance."""
        scale = eye_distance(self.landmarks[None])[0]
        return np.asarray(self.mesh_landmarks(beta)[:, list(LIPS)] / scale, np.float32)

    def aperture(self, beta: Float) -> Float:
        """(T, E) -> (T,) opening of the inner lips over the eye distance."""
        return aperture(self.mesh_landmarks(beta))

    def width(self, beta: Float) -> Float:
        """(T, E) -> (T,) width of the mouth over the eye distance."""
        return width(self.mesh_landmarks(beta))


def speech_face(model: MorphableModel, names: tuple[str, ...]) -> SpeechFace:
    """The face with the components `names` of `model`."""
    places = [model.expression_names.index(name) for name in names]
    basis = model.expression_basis[places]
    gram = VertexLoss(basis, model.mouth_mask, LAMBDA_MOUTH).gram.numpy()
    rest = model.landmarks(model.mean[None])[0]
    moved = model.landmarks(model.mean[None] + basis)
    return SpeechFace(names, basis, gram, rest, moved - rest, TYPICAL_AMPLITUDE, model)
