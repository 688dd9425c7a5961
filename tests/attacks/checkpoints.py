"""Bad model files for tests, and the look at how a reader refuses them."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.numpy import load_file, save_file

from gsmooth_core.a2ep.model import save_checkpoint
from gsmooth_core.errors import ModelError
from gsmooth_core.storage.arrays import load_arrays, save_arrays
from gsmooth_core.sync.expert import SyncConfig
from gsmooth_core.sync.model import SyncExpert, save_expert
from gsmooth_core.taft.generators import generator as g
from gsmooth_core.taft.generators.checkpoint import save_generator
from tests.a2ep.small import model as small_a2ep
from tests.taft.small import SMALL

SMALL_SYNC = SyncConfig(components=4, sound=12, width=8, embedding=6)


def refused(read, *words):
    """The message of the error that `read` ends in, which is one for a person."""
    with pytest.raises(ModelError) as caught:
        read()
    assert caught.value.hint
    assert len(caught.value.message) < 600
    for word in words:
        assert word in caught.value.message, caught.value.message
    return caught.value.message


def light(network):
    """A state that takes a few bytes: each table is a zero that is repeated."""
    return {
        name: torch.zeros((1,) * table.ndim, dtype=table.dtype).expand(table.shape)
        for name, table in network.state_dict().items()
    }


def made(name, folder):
    """A small, good checkpoint."""
    path = folder / name
    if name == "a2ep.safetensors":
        save_checkpoint(path, small_a2ep(), {})
    elif name == "taft.safetensors":
        save_generator(path, g.build(SMALL["default"]))
    else:
        expert = SyncExpert(SMALL_SYNC)
        expert.null.fill_(0.5)
        save_expert(path, expert, {})
    return path


def changed(path, settings=None, header=None, arrays=None):
    """The checkpoint with other settings, raw header entries, or tables (None takes one away)."""
    kind = {"a2ep": "a2ep", "taft": "taft", "sync": "sync"}[path.stem]
    tables, meta = load_arrays(path, kind)
    if settings is not None:
        meta["config"] = (meta["config"] | settings) if isinstance(settings, dict) else settings
    tables = {k: v for k, v in (tables | (arrays or {})).items() if v is not None}
    save_arrays(path, kind, tables, meta)
    if header:
        words = {"kind": f"gsmooth-{kind}", "version": "1"}
        words |= {key: json.dumps(value) for key, value in meta.items()}
        save_file(load_file(path), path, words | header)
    return path
