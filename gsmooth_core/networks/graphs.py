"""The graphs of networks, without their weights.

`python -m training.export` writes them from the modules of torch: `graphs/MODEL.NAME.onnx`, and
`graphs/index.json`, which says of what sizes they are, which tables of a checkpoint they need, and
their hashes. The weights stay where they are, in the checkpoint, and are handed over when a graph
is loaded; so a checkpoint of the user's own runs as well, if it has the same sizes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gsmooth_core.errors import ModelError

FOLDER = Path(__file__).parent / "graphs"
INDEX = "index.json"


@dataclass(frozen=True)
class Graph:
    """One graph.

    Attributes:
        content: of the ONNX file.
        inputs: names, in their order.
        tables: names of the checkpoint's tables that it needs.
    """

    content: bytes
    inputs: tuple[str, ...]
    tables: tuple[str, ...]


def filename(model: str, name: str) -> str:
    """Name of a graph's file."""
    return f"{model}.{name}.onnx"


def fits(model: str, config: Mapping[str, Any]) -> bool:
    """Whether the graphs of a model are of these sizes."""
    entry = _index().get(model)
    return entry is not None and entry["config"] == json.loads(json.dumps(dict(config)))


def shapes(model: str) -> dict[str, tuple[int, ...]]:
    """Name -> shape of all tables of a checkpoint of the graphs' sizes."""
    return {name: tuple(shape) for name, shape in _index()[model]["tables"].items()}


def graph(model: str, name: str) -> Graph:
    """A graph of a model.

    Raises:
        ModelError: it is missing, or is not the one that was written.
    """
    entry, path = _index()[model]["graphs"][name], FOLDER / filename(model, name)
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise ModelError(f"The network '{path.name}' is damaged.", "Reinstall GSmooth.")
    return Graph(content, tuple(entry["inputs"]), tuple(entry["tables"]))


@cache
def _index() -> dict[str, Any]:
    path = FOLDER / INDEX
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"The list of networks '{path.name}' is damaged.",
                         "Reinstall GSmooth.") from error  # fmt: skip
    return dict(found)
