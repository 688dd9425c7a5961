"""Models of speech ready for use: graphs run by ONNX Runtime, or torch (`model.py`)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from gsmooth_core.a2ep.checkpoint import KIND, LIMITS, read_checkpoint, sizes, try_model
from gsmooth_core.a2ep.interface import SpeechModel
from gsmooth_core.models import registry
from gsmooth_core.networks.engine import Engine, engine_for
from gsmooth_core.networks.onnx import checked


def load_a2ep(name_or_path: str | Path = "a2ep", engine: Engine | None = None) -> SpeechModel:
    """The shipped model, or a checkpoint of the user; read once a process.

    Args:
        name_or_path: a name of `registry.MODELS`, or a checkpoint made by `save_checkpoint`.
        engine: what runs it; None is the best that is installed.

    Raises:
        ModelError: missing, damaged, of another kind, or its arrays do not fit its own header; or
            only torch can run it, and torch is not installed.
    """
    path = registry.resolve(name_or_path)
    return _load_once(path, registry.stamp(path), engine)


@lru_cache(maxsize=4)
def _load_once(path: Path, stamp: tuple[int, int, int], engine: Engine | None) -> SpeechModel:
    read = read_checkpoint(path)
    if (engine or engine_for(KIND, sizes(read.config), "cpu")) == "torch":
        from gsmooth_core.a2ep.model import load_checkpoint  # torch, an optional package

        return load_checkpoint(path)
    from gsmooth_core.a2ep.graph_model import GraphA2EP  # only where it is run so

    arrays = checked(read.source, KIND, read.arrays, LIMITS)
    model = GraphA2EP(read.source, read.config, read.names, read.all_names, arrays)
    try_model(read.source, model)
    return model
