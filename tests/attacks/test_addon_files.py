"""The mesh file, which the add-on reads out of a folder that may be a stranger's."""

from __future__ import annotations

import json
import os
import struct
import sys
from array import array
from pathlib import Path
from typing import Any

import pytest

from blender_addon.errors import UserError
from blender_addon.head import mesh_file

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="needs pipes and links")
NAN, INFINITY = float("nan"), float("inf")
CODES = {"f": "F32", "i": "I32", "B": "U8", "d": "F64"}


def arrays() -> dict[str, tuple[array, list[Any]]]:
    """A mesh of 4 vertices, 2 faces, 2 keys, 3 frames."""
    return {
        "vertices": (array("f", [0.5] * 12), [4, 3]),
        "faces": (array("i", [0, 1, 2, 0, 2, 3]), [2, 3]),
        "uvs": (array("f", [0.5] * 12), [6, 2]),
        "shape_keys": (array("f", [-0.5] * 24), [2, 4, 3]),
        "values": (array("f", [0.0, 1.0, -2.5, 9000.0, -9000.0, 0.1]), [3, 2]),
        "rotation": (array("f", [0.1] * 9), [3, 3]),
        "translation": (array("f", [-9.0] * 9), [3, 3]),
        "usable": (array("B", [1, 0, 1]), [3]),
    }


def metadata(**changes: Any) -> dict[str, Any]:
    whole = {
        "kind": "gsmooth-mesh",
        "version": "1",
        "names": '["jawOpen", "mouthFunnel"]',
        "focal": "900.5",
        "width": "640",
        "height": "360",
    } | changes
    return {name: value for name, value in whole.items() if value is not None}


def header_of(entries: dict[str, tuple[array, list[Any]]], meta: Any) -> dict[str, Any]:
    header, offset = {"__metadata__": meta}, 0
    for name, (values, shape) in entries.items():
        end = offset + len(values) * values.itemsize
        dtype = CODES[values.typecode]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, end]}
        offset = end
    return header


def packed(header: Any, entries: dict[str, tuple[array, list[Any]]] | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    body = b"".join(values.tobytes() for values, _ in (entries or arrays()).values())
    return struct.pack("<Q", len(text)) + text + body


def mesh(entries: dict[str, Any] | None = None, **meta: Any) -> bytes:
    entries = {name: value for name, value in (arrays() | (entries or {})).items() if value}
    return packed(header_of(entries, metadata(**meta)), entries)


def with_number(name: str, value: Any, place: int = -1) -> bytes:
    values, shape = arrays()[name]
    values[place] = value
    return mesh({name: (values, shape)})


def read(folder: Path, content: bytes) -> mesh_file.HeadMesh:
    path = folder / "mesh.safetensors"
    path.write_bytes(content)
    return mesh_file.read_mesh(path)


def test_good_mesh_is_read(tmp_path):
    head = read(tmp_path, mesh({"more": (array("f", [1.0]), [1])}, model="ours"))
    for name, (values, shape) in arrays().items():
        tensor = getattr(head, name)
        assert (tensor.values, tensor.shape) == (values, tuple(shape))
    assert head.names == ("jawOpen", "mouthFunnel")
    assert (head.focal, head.width, head.height) == (900.5, 640, 360)


HEADERS = {
    "empty": b"",
    "seven bytes": b"\1\0\0\0\0\0\0",
    "size alone": struct.pack("<Q", 1 << 63),
    "size past the end": struct.pack("<Q", 100) + b"{}",
    "header beyond the limit": struct.pack("<Q", 2 << 20) + b" " * (2 << 20),
    "no utf-8": packed(b'{"\xff": 1}'),
    "list": packed([]),
    "null": packed(None),
    "number": packed(7),
    "lists in lists": packed(b"[" * 200_000),
    "objects in objects": packed(b'{"a":' * 100_000),
    "huge number": packed(b'{"a": ' + b"9" * 10_000 + b"}"),
    "metadata is a list": packed(header_of(arrays(), ["kind"])),
    "metadata is null": packed(header_of(arrays(), None)),
    "metadata of numbers": packed(header_of(arrays(), metadata(width=640))),
    "metadata in metadata": packed(header_of(arrays(), metadata(names=["a", "b"]))),
    "no metadata": packed({}),
    "another kind": mesh(kind="gsmooth-track"),
    "cut off": mesh()[:-1],
    "header alone": mesh()[: -len(b"".join(v.tobytes() for v, _ in arrays().values()))],
}


@pytest.mark.parametrize("content", HEADERS.values(), ids=HEADERS)
def test_what_is_no_mesh_file_is_refused(tmp_path, content):
    with pytest.raises(UserError, match=r"mesh.*again"):
        read(tmp_path, content)


ENTRIES = {
    "entry is a list": [1, 2],
    "entry is null": None,
    "nothing in it": {},
    "unknown type": {"dtype": "F16"},
    "list as type": {"dtype": ["F32"]},
    "no type": {"dtype": None},
    "text as shape": {"shape": "43"},
    "number as shape": {"shape": 12},
    "negative shape": {"shape": [-4, -3]},
    "fraction in shape": {"shape": [4.0, 3]},
    "true in shape": {"shape": [True, 12]},
    "text in shape": {"shape": ["4", 3]},
    "huge shape": {"shape": [10**30, 3]},
    "too many sizes": {"shape": [1] * 5000 + [4, 3]},
    "shape of another length": {"shape": [5, 3]},
    "no place": {"data_offsets": None},
    "one offset": {"data_offsets": [0]},
    "three offsets": {"data_offsets": [0, 24, 48]},
    "backwards": {"data_offsets": [48, 0]},
    "negative offset": {"data_offsets": [-48, 0]},
    "past the end": {"data_offsets": [10**6, 10**6 + 48]},
    "huge offsets": {"data_offsets": [10**30, 10**30 + 48]},
    "fractions as offsets": {"data_offsets": [0.0, 48.0]},
    "true as an offset": {"data_offsets": [False, 48]},
    "texts as offsets": {"data_offsets": ["0", "48"]},
    "on another array": {"data_offsets": [48, 96], "dtype": "F32"},
}


@pytest.mark.parametrize("changes", ENTRIES.values(), ids=ENTRIES)
def test_entry_that_describes_no_array_is_named(tmp_path, changes):
    header = header_of(arrays(), metadata())
    known = header["vertices"]
    header["vertices"] = known | changes if isinstance(changes, dict) and changes else changes
    with pytest.raises(UserError, match=r"'(vertices|faces|uvs)'.*again"):
        read(tmp_path, packed(header))


def test_small_file_cannot_hold_endless_arrays(tmp_path):
    header = header_of(arrays(), metadata())
    header |= {f"more {i}": header["shape_keys"] for i in range(1000)}
    with pytest.raises(UserError, match="lies on another"):
        read(tmp_path, packed(header))


@pytest.mark.parametrize("name", arrays())
def test_missing_array_is_named(tmp_path, name):
    with pytest.raises(UserError, match=f"'{name}'"):
        read(tmp_path, mesh({name: None}))


SHAPES = {
    "vertices": [(array("f", [0.5] * 12), [3, 4]), (array("f"), [0, 3]), (array("f", [1]), [])],
    "faces": [
        (array("f", [0] * 6), [2, 3]),
        (array("i", [0, 1, 2]), [3]),
        (array("i"), [0, 3]),
        (array("i", [0, 1, 2, 3]), [1, 4]),
    ],
    "uvs": [(array("f", [0.5] * 8), [4, 2]), (array("f", [0.5] * 12), [4, 3])],
    "shape_keys": [
        (array("f", [0.5] * 12), [1, 4, 3]),
        (array("f", [0.5] * 18), [2, 3, 3]),
        (array("f", [0.5] * 24), [8, 3]),
    ],
    "values": [(array("f", [0.5] * 9), [3, 3]), (array("f"), [0, 2]), (array("f"), [3, 0])],
    "rotation": [(array("f", [0.5] * 6), [2, 3]), (array("f", [0.5] * 12), [3, 4])],
    "translation": [(array("f", [0.5] * 12), [4, 3])],
    "usable": [(array("B", [1] * 4), [4]), (array("f", [1] * 3), [3]), (array("B", [1]), [])],
}


@pytest.mark.parametrize(
    ("name", "entry"), [(name, entry) for name, all_ in SHAPES.items() for entry in all_]
)
def test_array_that_does_not_fit_to_the_others_is_named(tmp_path, name, entry):
    with pytest.raises(UserError, match=r"'[a-z_]+' (is empty|does not fit)"):
        read(tmp_path, mesh({name: entry}))


@pytest.mark.parametrize("value", [NAN, INFINITY, -INFINITY, 1e5, -1e5, 3e38, -3e38])
@pytest.mark.parametrize(
    "name", ["vertices", "uvs", "shape_keys", "values", "rotation", "translation"]
)
def test_number_that_is_none_or_far_too_large_is_named(tmp_path, name, value):
    for place in (0, -1):
        with pytest.raises(UserError, match=f"'{name}'"):
            read(tmp_path, with_number(name, value, place))


@pytest.mark.parametrize("index", [-1, 4, 2**31 - 1, -(2**31)])
def test_face_of_vertices_that_are_not_there_is_refused(tmp_path, index):
    with pytest.raises(UserError, match="'faces'"):
        read(tmp_path, with_number("faces", index))


@pytest.mark.parametrize("corners", [[0, 0, 1], [1, 0, 0], [0, 1, 0], [3, 3, 3]])
def test_face_without_an_area_is_refused(tmp_path, corners):
    with pytest.raises(UserError, match="'faces'"):
        read(tmp_path, mesh({"faces": (array("i", [0, 1, 2, *corners]), [2, 3])}))


NAMES = {
    "missing": None,
    "no json": "jawOpen",
    "lists in lists": "[" * 200_000,
    "text": '"ab"',
    "object": '{"a": 1, "b": 2}',
    "null": "null",
    "numbers": "[1, 2]",
    "lists": '[["a"], ["b"]]',
    "one": '["a"]',
    "three": '["a", "b", "c"]',
    "alike": '["a", "a"]',
    "empty": '["a", ""]',
    "long": json.dumps(["a", "x" * 64]),
    "long in bytes": json.dumps(["a", "ä" * 32]),
    "nul": json.dumps(["a", "a\0b"]),
    "half a letter": '["a", "\\ud800"]',
    "blender's own": '["a", "Basis"]',
}


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_names_of_no_keys_are_refused(tmp_path, names):
    with pytest.raises(UserError, match=r"'(names|shape_keys)'"):
        read(tmp_path, mesh(names=names))


SIZES = {
    "missing": None,
    "empty": "",
    "no json": "x",
    "zero": "0",
    "negative": "-1",
    "no number": "NaN",
    "infinite": "Infinity",
    "beyond all": "1e999",
    "true": "true",
    "null": "null",
    "text": '"640"',
    "list": "[640]",
    "object": "{}",
    "huge": "9" * 400,
    "huger": "9" * 10_000,
    "large": "1e300",
    "lists in lists": "[" * 200_000,
}


@pytest.mark.parametrize("name", ["focal", "width", "height"])
@pytest.mark.parametrize("text", SIZES.values(), ids=SIZES)
def test_camera_of_no_sane_size_is_named(tmp_path, name, text):
    with pytest.raises(UserError, match=f"'{name}'"):
        read(tmp_path, mesh(**{name: text}))


def test_fraction_of_a_pixel_is_no_width(tmp_path):
    with pytest.raises(UserError, match="'width'"):
        read(tmp_path, mesh(width="640.5"))


@needs_posix
def test_pipe_folder_or_device_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero"), tmp_path / "none"):
        with pytest.raises(UserError, match="again"):
            mesh_file.read_mesh(path)


@needs_posix
def test_huge_file_is_not_read(tmp_path):
    path = tmp_path / "mesh.safetensors"
    path.touch()
    os.truncate(path, 1 << 40)
    with pytest.raises(UserError, match="too large"):
        mesh_file.read_mesh(path)


@pytest.mark.parametrize("path", ["a\0b", "x" * 300, "x/" * 3000], ids=["nul", "long", "deep"])
def test_name_that_no_disk_takes_is_refused(path):
    with pytest.raises(UserError, match="again"):
        mesh_file.read_mesh(Path(path))
