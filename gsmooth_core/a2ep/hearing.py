"""What of a sound matters to lips: the directions of features that the linear path listens to."""

from __future__ import annotations

import hashlib

import numpy as np

from gsmooth_core.a2ep.interface import SpeechModel
from gsmooth_core.types import Float

_RIDGE = "decoder.direct.weight"
KINSHIP = 1e-9  # added to the measure of movement, so that it has a root


def directions_of(model: SpeechModel) -> Float:
    """(F, H) orthonormal directions of features, the one that moves the mouth most first.

    H is the number of components, or 0 for a model without a linear path.
    """
    if not model.config.direct:
        return np.zeros((model.config.encoder_width, 0), np.float32)
    kernel = model.array(_RIDGE)  # (E, F, window)
    gram = model.array("gram").astype(float)
    size, turn = np.linalg.eigh(gram)
    root = turn * np.sqrt(np.maximum(size, 0) + KINSHIP) @ turn.T
    heard = np.einsum("ef,fkw->kew", root, kernel).reshape(kernel.shape[1], -1)
    found = np.linalg.svd(heard, full_matrices=False)[0][:, : len(kernel)]
    largest = np.abs(found).argmax(axis=0)
    signs = np.sign(found[largest, np.arange(found.shape[1])])  # else it is the library's choice
    return np.asarray(found * signs, np.float32)


def mark_of(model: SpeechModel) -> str:
    """Tells whether two models move and hear alike: what was learned with one fits no other."""
    digest = hashlib.sha256(" ".join(model.names).encode())
    parts = [model.array("rest"), model.array("opening"), model.array("gain")]
    parts += [model.array(_RIDGE)] if model.config.direct else []
    for part in parts:
        digest.update(np.ascontiguousarray(part, np.float32).tobytes())
    return digest.hexdigest()
