"""One file format for every array that leaves a process: safetensors with a small header.

The header (safetensors metadata) names the kind and the version of the content. No pickle
anywhere; a file of another kind or from a newer version is refused with a clear error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from gsmooth_core.data import Expression, FaceTrack
from gsmooth_core.errors import InputError
from gsmooth_core.files import atomic, write_text

Arrays = dict[str, np.ndarray[Any, Any]]

_TRACK_ARRAYS = (
    "identity",
    "expression",
    "rotation",
    "translation",
    "light",
    "confidence",
    "landmarks",
)


def save_arrays(
    path: Path, kind: str, arrays: Mapping[str, np.ndarray[Any, Any]], meta: Mapping[str, Any]
) -> None:
    """Write arrays and JSON-able metadata to `path` in one atomic step.

    Args:
        path: target file; its folder must exist.
        kind: what the file is, for example "track".
        arrays: name -> array.
        meta: name -> value that JSON can hold.

    Raises:
        MediaError: the disk is full, or the place may not be written.
    """
    header = {"kind": f"gsmooth-{kind}", "version": "1"}
    header |= {key: json.dumps(value) for key, value in meta.items()}
    with atomic(path) as partial:
        whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        partial.write_bytes(save(whole, header))


def load_arrays(path: Path, kind: str) -> tuple[Arrays, dict[str, Any]]:
    """Read what `save_arrays` wrote.

    Returns:
        arrays by name, metadata by name.

    Raises:
        InputError: no such file, damaged, of another kind, or of a newer version.
    """
    if not path.is_file():
        raise InputError(f"There is no file '{path}'.", "Check the path.")
    try:
        with safe_open(path, framework="np") as file:
            header = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"'{path.name}' cannot be read: {error}.", "Make it again.") from error
    if header.get("kind") != f"gsmooth-{kind}":
        found = header.get("kind", "no GSmooth file")
        raise InputError(f"'{path.name}' is {found}, not a {kind} file.", "Pass another file.")
    if header.get("version") != "1":
        raise InputError(f"'{path.name}' comes from a newer GSmooth.", "Update GSmooth.")
    meta = {k: json.loads(v) for k, v in header.items() if k not in ("kind", "version")}
    return arrays, meta


def save_track(path: Path, track: FaceTrack) -> None:
    """Write a track; see `load_track`."""
    meta = {
        "width": track.width,
        "height": track.height,
        "fps": str(track.fps),
        "model": track.model,
        "focal": track.focal,
        "expression_names": list(track.expression_names),
    }
    save_arrays(path, "track", {name: getattr(track, name) for name in _TRACK_ARRAYS}, meta)


def load_track(path: Path) -> FaceTrack:
    """Read a track file.

    Raises:
        InputError: the file is missing, damaged or something else.
    """
    arrays, meta = load_arrays(path, "track")
    return FaceTrack(
        width=int(meta["width"]),
        height=int(meta["height"]),
        fps=Fraction(meta["fps"]),
        model=str(meta["model"]),
        focal=float(meta["focal"]),
        expression_names=tuple(meta["expression_names"]),
        **{name: arrays[name] for name in _TRACK_ARRAYS},
    )


def save_expression(path: Path, curves: Expression) -> None:
    """Write curves: JSON (for people and Blender) when the name ends in .json, else safetensors."""
    meta = {"names": list(curves.names), "fps": str(curves.fps)}
    if path.suffix.lower() != ".json":
        save_arrays(path, "curves", {"values": curves.values}, meta)
        return
    rows = np.round(curves.values.astype(np.float64), 5).tolist()
    text = json.dumps({"kind": "gsmooth-curves", "version": 1, **meta, "values": rows})
    write_text(path, text)


def load_expression(path: Path) -> Expression:
    """Read curves from a curves file (.json or safetensors) or from a track file.

    Raises:
        InputError: the file is missing, damaged or holds no curves.
    """
    if path.suffix.lower() == ".json":
        return _expression_from_json(path)
    try:
        arrays, meta = load_arrays(path, "curves")
    except InputError as error:
        if "gsmooth-track" in error.message:
            return load_track(path).curves
        raise
    return Expression(tuple(meta["names"]), arrays["values"], Fraction(meta["fps"]))


def _expression_from_json(path: Path) -> Expression:
    if not path.is_file():
        raise InputError(f"There is no file '{path}'.", "Check the path.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        values = np.asarray(content["values"], np.float32).reshape(-1, len(content["names"]))
        return Expression(tuple(content["names"]), values, Fraction(content["fps"]))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"'{path.name}' is not a curves file: {error}.",
            "Write one with `gsmooth predict --output curves.json`.",
        ) from error
