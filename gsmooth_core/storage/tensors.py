"""Arrays of a safetensors file, a part at a time: a long one is in memory once.

The package's own functions make a copy of all arrays to write them, and keep the whole file in
memory beside them while they read it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open

from gsmooth_core.storage.layout import parts_of

_NAMES = {
    **{f"float{bits}": f"F{bits}" for bits in (16, 32, 64)},
    **{f"int{bits}": f"I{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"U{bits}" for bits in (8, 16, 32, 64)},
    "bool": "BOOL",
}


def write_tensors(
    path: Path, arrays: Mapping[str, np.ndarray[Any, Any]], header: Mapping[str, str]
) -> None:
    """Write a safetensors file: the length of its header, the header, the arrays' bytes.

    Args:
        path: target file.
        arrays: name -> array.
        header: the file's metadata.

    Raises:
        OSError: it cannot be written.
    """
    # The largest kinds of numbers come first, so that each array begins where its kind may.
    order = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    described: dict[str, Any] = {"__metadata__": dict(header)}
    place = 0
    for name in order:
        array = arrays[name]
        end = place + array.nbytes
        kind = _NAMES[array.dtype.name]
        described[name] = {"dtype": kind, "shape": array.shape, "data_offsets": [place, end]}
        place = end
    text = json.dumps(described, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in order:
            array = np.atleast_1d(arrays[name])
            stored = array.dtype.newbyteorder("<")
            for some in parts_of(array):
                file.write(array[some].astype(stored, copy=False).tobytes())


def read_tensor(path: Path, name: str) -> np.ndarray[Any, Any]:
    """One array of a safetensors file.

    Raises:
        SafetensorError, OSError, ValueError: it cannot be read.
    """
    with safe_open(path, framework="np") as file:
        part = file.get_slice(name)
        shape = part.get_shape()
        if not shape or 0 in shape:
            return np.asarray(file.get_tensor(name))
        first = part[0:1]
    whole = np.empty(shape, first.dtype)
    for some in parts_of(whole):
        with safe_open(path, framework="np") as file:  # each time anew: it keeps what it read
            whole[some] = file.get_slice(name)[some.start : min(some.stop, len(whole))]
    return whole
