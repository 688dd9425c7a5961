"""The sync expert, ready for use on whatever engine is installed."""

from __future__ import annotations

from pathlib import Path

from gsmooth_core.networks.engine import Engine, engine_for
from gsmooth_core.networks.onnx import checked
from gsmooth_core.sync.expert import KIND, LIMITS, GraphExpert, OwnExpert, read_expert, sizes


def load_expert(path: Path, engine: Engine | None = None) -> OwnExpert:
    """Read what `save_expert` wrote, ready for use.

    Args:
        path: of the file.
        engine: what runs it; None is the best that is installed.

    Raises:
        ModelError: missing, damaged, of another kind, or its arrays do not fit its own header; or
            only torch can run it, and torch is not installed.
    """
    source, arrays, config = read_expert(path)
    if (engine or engine_for(KIND, sizes(config), "cpu")) == "torch":
        from gsmooth_core.sync.model import load_module  # torch, an optional package

        return load_module(path)
    return GraphExpert(source, config, checked(source, KIND, arrays, LIMITS))
