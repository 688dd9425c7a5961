"""One file format for every array that leaves a process: safetensors with a small header.

The header (safetensors metadata) names the kind and the version of the content. No pickle
anywhere; a file of another kind or from a newer version is refused with a clear error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from gsmooth_core.errors import InputError
from gsmooth_core.storage.files import atomic, check_file, read_json, shown, write_text
from gsmooth_core.storage.layout import (
    MOST_PIXELS,
    ArrayLayout,
    Facts,
    Layout,
    check_arrays,
    damaged,
    parts_of,
)
from gsmooth_core.storage.live_link import read_live_link, write_live_link
from gsmooth_core.storage.tensors import read_tensor, write_tensors
from gsmooth_core.types import Expression, FaceTrack

_UNREADABLE = (SafetensorError, OSError, ValueError, TypeError, RecursionError, MemoryError)
Arrays = dict[str, np.ndarray[Any, Any]]

_FAR = 1e5  # decimetres, and pixels beside a frame
_CURVE = 100.0  # components of a face model are of the order of 1
_TRACK: Layout = {
    "identity": ArrayLayout(("I",), 1e3),
    "expression": ArrayLayout(("T", "E"), _CURVE),
    "rotation": ArrayLayout(("T", 3), 100.0),
    "translation": ArrayLayout(("T", 3), _FAR),
    "light": ArrayLayout(("T", 9, 3), 1e4),
    "confidence": ArrayLayout(("T",), 1.0, 0.0),
    "landmarks": ArrayLayout(("T", 478, 2), 10 * _FAR, gaps=True),
}
_PEOPLE: Layout = {
    "shot": ArrayLayout(("T",), 1e9, kind="i"),
    "people": ArrayLayout(("T", "P"), kind="b"),
}
_IF_KNOWN: Layout = {
    "exposed": ArrayLayout(("T",), 1.0, 0.0),
    "area": ArrayLayout(("T", 4), MOST_PIXELS, 0, kind="i"),
    "sway": ArrayLayout(("T", 4), _FAR),
    "hair": ArrayLayout(("T", 4), _FAR),
    "picture": ArrayLayout(("T",), 1e9, 0, kind="i"),
}
"""Arrays that a track may lack: it was made before they were known, or each picture is new."""
_HELD_AS = {"f": np.float32, "i": np.int32, "b": np.bool_}
_CURVES: Layout = {"values": ArrayLayout(("T", "E"), _CURVE)}
_DIGITS = 5  # of curves in JSON


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
        write_tensors(partial, arrays, header)


def load_arrays(
    path: Path, kind: str, layout: Layout | None = None
) -> tuple[Arrays, dict[str, Any]]:
    """Read what `save_arrays` wrote.

    Args:
        path: the file.
        kind: what it must be.
        layout: what its arrays must be; None for arrays that are checked elsewhere.

    Returns:
        arrays by name, metadata by name.

    Raises:
        InputError: no such file, damaged, of another kind, of a newer version, or with other
            arrays than the layout says.
    """
    check_file(path)
    try:
        with safe_open(path, framework="np") as file:
            header = file.metadata() or {}
            _check_kind(path, kind, header)
            names = list(file.keys())
            texts = {k: v for k, v in header.items() if k not in ("kind", "version")}
            meta = {k: json.loads(v) for k, v in texts.items()}
        arrays = {name: read_tensor(path, name) for name in names}
    except _UNREADABLE as error:
        if path.suffix.lower() != ".safetensors":  # a video, say: what it lacks tells nobody
            endings = ".json, .csv or .safetensors" if kind == "curves" else ".safetensors"
            text = f"'{shown(path)}' is no {kind} file."
            raise InputError(text, f"Name one that ends in {endings}.") from error
        reason = str(error)[:200]
        raise InputError(f"'{shown(path)}' cannot be read: {reason}.", "Make it again.") from error
    if layout is not None:
        check_arrays(path, arrays, layout)
    return arrays, meta


def _check_kind(path: Path, kind: str, header: Mapping[str, str]) -> None:
    found = header.get("kind", "no GSmooth file")[:50]
    if found != f"gsmooth-{kind}":
        raise InputError(f"'{shown(path)}' is {found}, not a {kind} file.", "Pass another file.")
    if header.get("version") != "1":
        raise InputError(f"'{shown(path)}' comes from a newer GSmooth.", "Update GSmooth.")


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
    arrays = {name: getattr(track, name) for name in _TRACK}
    if track.shot is not None and track.people is not None:
        arrays |= {"shot": track.shot, "people": track.people}
        meta["person"] = track.person
    arrays |= {name: getattr(track, name) for name in _IF_KNOWN if getattr(track, name) is not None}
    save_arrays(path, "track", arrays, meta)


def load_track(path: Path) -> FaceTrack:
    """Read a track file.

    Raises:
        InputError: the file is missing, damaged or something else; it names the field.
    """
    arrays, meta = load_arrays(path, "track")
    layout = {**_TRACK, **(_PEOPLE if {*_PEOPLE} & {*arrays} else {})}
    layout |= {name: _IF_KNOWN[name] for name in _IF_KNOWN if name in arrays}
    check_arrays(path, arrays, layout)
    held: dict[str, Any] = {
        name: arrays[name].astype(_HELD_AS[known.kind], copy=False)
        for name, known in layout.items()
    }
    facts = Facts(path, meta)
    track = FaceTrack(
        width=facts.whole("width", 1, MOST_PIXELS),
        height=facts.whole("height", 1, MOST_PIXELS),
        fps=facts.rate("fps"),
        model=facts.text("model"),
        focal=facts.number("focal", 1e-3, 1e7),
        expression_names=facts.names("expression_names"),
        person=facts.whole("person", 0, held["people"].shape[1]) if "people" in held else 0,
        **held,
    )
    _check_area(path, track)
    _check_names(path, track.expression_names, track.expression.shape[1])
    unknown = [np.isnan(track.landmarks[some]).any((1, 2)) for some in parts_of(track.landmarks)]
    if (np.concatenate(unknown) & track.usable).any():
        raise damaged(path, "'landmarks' lack in frames whose 'confidence' is above 0")
    return track


def _check_area(path: Path, track: FaceTrack) -> None:
    area = track.area
    if area is None:
        return
    if (area[:, :2] >= area[:, 2:]).any() or (area[:, 2:] > (track.width, track.height)).any():
        raise damaged(path, "'area' is no part of the frame")


def _check_names(path: Path, names: tuple[str, ...], columns: int) -> None:
    if len(names) != columns:
        raise damaged(path, f"it names {len(names)} components and has {columns}")


def save_expression(
    path: Path, curves: Expression, beside: Mapping[str, Any] | None = None
) -> None:
    """Write curves as the name's ending says.

    `.json` is for people and Blender, `.csv` for other rigs (Live Link Face's columns), anything
    else safetensors.

    Args:
        path: target file.
        curves: what to write.
        beside: more for a reader of `.json`; no other format has it, and nothing here reads it.
    """
    if path.suffix.lower() == ".csv":
        write_live_link(path, curves)
        return
    meta = {"names": list(curves.names), "fps": str(curves.fps)}
    if path.suffix.lower() != ".json":
        save_arrays(path, "curves", {"values": curves.values}, meta)
        return
    rows = np.round(curves.values.astype(np.float64), _DIGITS).tolist()
    head = {"kind": "gsmooth-curves", "version": 1, **meta, **(beside or {})}
    write_text(path, json.dumps(head | {"values": rows}))


def load_expression(path: Path) -> Expression:
    """Read curves from a curves file (.json, .csv or safetensors) or from a track file.

    Raises:
        InputError: the file is missing, damaged or holds no curves.
    """
    if path.suffix.lower() == ".json":
        return _expression_from_json(path)
    if path.suffix.lower() == ".csv":
        curves = read_live_link(path)
        check_arrays(path, {"values": curves.values}, _CURVES)
        return curves
    try:
        arrays, meta = load_arrays(path, "curves", _CURVES)
    except InputError as error:
        if "gsmooth-track" in error.message:
            return load_track(path).curves
        raise
    return _expression(path, meta, arrays["values"])


def _expression_from_json(path: Path) -> Expression:
    content = read_json(path)
    if not isinstance(content, dict) or content.get("kind") != "gsmooth-curves":
        raise InputError(
            f"'{shown(path)}' is not a curves file.",
            "Write one with `gsmooth predict --output curves.json`.",
        )
    if content.get("version") != 1:
        raise InputError(f"'{shown(path)}' comes from a newer GSmooth.", "Update GSmooth.")
    try:
        values = np.asarray(content.get("values"))
    except ValueError as error:  # rows of different lengths
        raise damaged(path, "'values' is no table of numbers") from error
    if values.dtype.kind not in "iuf":
        raise damaged(path, "'values' is no table of numbers")
    values = values.astype(np.float64)
    check_arrays(path, {"values": values}, _CURVES)
    return _expression(path, content, values)


def _expression(path: Path, meta: Mapping[str, Any], values: np.ndarray[Any, Any]) -> Expression:
    names = Facts(path, meta).names("names")
    _check_names(path, names, values.shape[1])
    if not len(values):
        raise damaged(path, "'values' has no frame")
    return Expression(names, values.astype(np.float32, copy=False), Facts(path, meta).rate("fps"))
