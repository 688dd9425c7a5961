"""Which engine runs a network: what is installed, what it was written for, and the device decide.

The rooms know their networks by what goes in and out, as arrays. Behind that stands a graph that
ONNX Runtime runs (`networks.onnx`, all that a machine without torch needs), or the module of torch
that it was written from, which knows every size, and all networks that users bring.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from gsmooth_core.errors import ModelError
from gsmooth_core.models.devices import best_device
from gsmooth_core.networks import graphs

Engine = Literal["onnx", "torch"]

_TORCH = "pip install 'gsmooth[torch]', or 'torch>=2.6,<2.14' into GSmooth's Python."
_HALVES = ("avx512_bf16", "amx_bf16")


def has_torch() -> bool:
    """Whether PyTorch is installed; it is not loaded, which takes seconds."""
    return importlib.util.find_spec("torch") is not None


@cache
def has_bfloat16() -> bool:
    """Whether the processor multiplies in bfloat16, by the flags that Linux shows."""
    try:
        shown = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        return False
    return any(half in shown for half in _HALVES)


def require_torch(what: str) -> None:
    """See that PyTorch is there for what only PyTorch can do.

    Raises:
        ModelError: it is not.
    """
    if not has_torch():
        raise ModelError(f"{what} needs PyTorch, which is not installed.", _TORCH)


def engine_for(
    model: str, config: Mapping[str, Any], device: str | None = None, *, halves: bool = False
) -> Engine:
    """What is to run a network.

    On the processor, graphs are as fast as torch and start in a fraction of the time; where the
    processor has bfloat16, torch is faster by half for networks that may be rounded to it.

    Args:
        model: name of its graphs.
        config: its sizes, as its checkpoint has them.
        device: "cpu", "cuda", "cuda:N", "mps"; None and "auto" are the best there is.
        halves: whether it may be rounded to bfloat16.

    Raises:
        ModelError: only torch can run a network of these sizes, and it is not installed.
    """
    where = best_device() if device in (None, "auto") else device
    if not graphs.fits(model, config):
        require_torch(f"A '{model}' network of this layout")
        return "torch"
    rounded = halves and has_bfloat16()
    return "torch" if (where != "cpu" or rounded) and has_torch() else "onnx"
