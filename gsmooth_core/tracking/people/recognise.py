"""Who a face is: vectors that lie close together for pictures of one person.

The network is the residual one of 29 layers that Davis King trained and gave to the public domain
(dlib_face_recognition_resnet_model_v1, CC0), written anew; `training.recognise` turns its file into
`recognise.safetensors`, with the affine layers after the convolutions multiplied into them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from gsmooth_core.models import registry
from gsmooth_core.models.modelfile import ModelSource
from gsmooth_core.models.tables import plausible_array
from gsmooth_core.networks.engine import Engine, engine_for
from gsmooth_core.networks.onnx import OnnxNetwork, checked
from gsmooth_core.types import Float, Image

SAME = 0.475
"""Vectors of one person lie closer; measured by `python -m training.recognise.measure`."""

KIND = "recognise"
_HINT = "Reinstall GSmooth, or take your own file away."

Recognise = Callable[[Float], Float]
"""(B, 3, 150, 150) RGB 0..255 -> (B, 128)."""


def load_recogniser(path: Path, engine: Engine | None = None) -> Recognise:
    """The network of a file, ready for use.

    Args:
        path: of the file.
        engine: what runs it; None is the best that is installed.

    Raises:
        ModelError: missing, damaged, or of another kind.
    """
    source = recogniser_source(path)
    arrays, _ = source.arrays(KIND)
    if (engine or engine_for(KIND, {}, "cpu")) == "torch":
        # torch, an optional package
        from gsmooth_core.tracking.people.recognise_net import load_module

        return load_module(source, arrays).recognise
    network = OnnxNetwork(source, KIND, "embed", checked(source, KIND, arrays), "cpu")
    return lambda images: network(images)[0]


@cache
def _recogniser(path: Path, _digest: str) -> Recognise:
    return load_recogniser(path)


def embed(chips: Sequence[Image]) -> Float:
    """What the network makes of chips.

    Args:
        chips: B pictures (150, 150, 3) RGB of `face_chip`.

    Returns:
        (B, 128)

    Raises:
        ModelError: the network is missing, damaged, or makes absurd values.
    """
    path = registry.locate("recognise")
    recognise = _recogniser(path, registry.examine("recognise").sha256)
    images = np.stack(chips).transpose(0, 3, 1, 2).astype(np.float32)
    return plausible_array(recogniser_source(path), recognise(images))


def identify(chips: Sequence[Image]) -> Float:
    """(128,) who is on some pictures of one face: the mean of them and of their mirror images."""
    both = [*chips, *(np.ascontiguousarray(chip[:, ::-1]) for chip in chips)]
    return np.asarray(embed(both).mean(0), np.float32)


def distance(a: Float, b: Float) -> float:
    """How unlike two vectors (128,) of `identify` are; below `SAME` it is one person."""
    return float(np.linalg.norm(a - b))


def recogniser_source(path: Path) -> ModelSource:
    """The file of the network, with the words for refusing it."""
    return ModelSource(path, "face recognition network", _HINT)
