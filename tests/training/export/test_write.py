"""The graphs that come with GSmooth are those of the code and the checkpoints beside them."""

from __future__ import annotations

import json

import pytest

from gsmooth_core.networks import graphs

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
from training.export.write import write  # noqa: E402


@pytest.mark.slow
def test_the_shipped_graphs_are_those_that_are_written(tmp_path) -> None:
    """Node by node, since versions of the exporter write different headers."""
    write(tmp_path)
    ours, theirs = (
        json.loads((folder / graphs.INDEX).read_text()) for folder in (graphs.FOLDER, tmp_path)
    )
    for model, entry in theirs.items():
        for name, graph in entry["graphs"].items():
            files = (folder / graphs.filename(model, name) for folder in (graphs.FOLDER, tmp_path))
            shipped, made = (onnx.load(file, load_external_data=False).graph for file in files)
            assert [n.op_type for n in made.node] == [n.op_type for n in shipped.node]
            del graph["sha256"], ours[model]["graphs"][name]["sha256"]
    assert theirs == ours
    assert {path.suffix for path in tmp_path.iterdir()} == {".onnx", ".json"}
