"""Write the graphs of all networks: `python -m training.export [--output DIR]`.

A graph holds no weights: its tables are named as those of the checkpoint, marked as kept
elsewhere, and handed over when it is loaded (`networks.onnx`). So graphs change with the code of
the networks and with their sizes, and not when they are trained again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import warnings
from pathlib import Path
from typing import Any

import onnx
import torch

from gsmooth_core.networks.graphs import FOLDER, INDEX, filename
from training.command import finish
from training.export.networks import Exported, Family, families

_OPSET = 20


def write(folder: Path) -> None:
    """Write all graphs and their index into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    index = {family.name: _written(family, folder) for family in families()}
    text = ",\n".join(f"{json.dumps(name)}: {json.dumps(index[name])}" for name in sorted(index))
    (folder / INDEX).write_text(f"{{\n{text}\n}}\n", encoding="utf-8", newline="\n")


def _written(family: Family, folder: Path) -> dict[str, Any]:
    """The entry of a checkpoint's networks in the index."""
    shapes = {name: list(table.shape) for name, table in family.tables.items()}
    graphs = {}
    for exported in family.networks:
        content, tables = graph_of(exported, set(shapes), folder)
        (folder / filename(family.name, exported.name)).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        graphs[exported.name] = {"sha256": digest, "inputs": [*exported.inputs], "tables": tables}
    return {"config": family.config, "tables": shapes, "graphs": graphs}


def graph_of(exported: Exported, tables: set[str], folder: Path) -> tuple[bytes, list[str]]:
    """A network as an ONNX file without weights, and the names of the tables it needs.

    Args:
        exported: the network.
        tables: names of those that are kept elsewhere.
        folder: where the graph may lie for a moment, with weights.
    """
    path = folder / filename("whole", exported.name)
    with torch.inference_mode(), warnings.catch_warnings(action="ignore"):  # the exporter is old
        torch.onnx.export(
            exported.module.eval(), exported.example, path, dynamo=False, opset_version=_OPSET,
            input_names=[*exported.inputs], output_names=exported.outputs,
            dynamic_axes={**exported.inputs}, do_constant_folding=False,
        )  # fmt: skip
    model = onnx.load_model(path)
    path.unlink()
    return _without_weights(model, exported.prefix, tables)


def _without_weights(
    model: onnx.ModelProto, prefix: str, tables: set[str]
) -> tuple[bytes, list[str]]:
    names = {}
    for table in model.graph.initializer:
        if (name := table.name.removeprefix(prefix)) not in tables:
            continue
        names[table.name] = name
        table.name = name
        table.ClearField("raw_data")
        table.data_location = onnx.TensorProto.EXTERNAL
        where = table.external_data.add()
        where.key, where.value = "location", "checkpoint"
    for node in model.graph.node:
        node.doc_string = ""
        for place, name in enumerate(node.input):
            node.input[place] = names.get(name, name)
    model.producer_version = ""
    return model.SerializeToString(deterministic=True), sorted(names.values())


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m training.export", description=__doc__)
    parser.add_argument("--output", type=Path, default=FOLDER)
    options = parser.parse_args()
    finish(lambda: write(options.output))
