"""Face models by name or file: ours, another one in its format, or the Basel Face Model."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from gsmooth_core.face.bfm import read_bfm
from gsmooth_core.face.morphable import MorphableModel, read_face_model
from gsmooth_core.models.registry import resolve, stamp


def load_face_model(name_or_path: str | Path = "face_model") -> MorphableModel:
    """Load a face model once a process.

    Args:
        name_or_path: a name of `registry.MODELS` ("face_model", "bfm"), a .safetensors file
            written by `save_face_model`, or a BFM 2009 .mat file.

    Raises:
        ModelError: missing, damaged or of another kind.
    """
    path = resolve(name_or_path)
    return _load(path, stamp(path))


@lru_cache(maxsize=4)
def _load(path: Path, stamp: tuple[int, int, int]) -> MorphableModel:
    model = read_bfm(path) if path.suffix.lower() == ".mat" else read_face_model(path)
    for array in (model.mean, model.identity_basis, model.expression_basis):
        array.flags.writeable = False  # shared by everyone in the process
    return model
