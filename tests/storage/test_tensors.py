"""Arrays of a safetensors file a part at a time: what the package itself reads and writes."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from gsmooth_core.storage import layout
from gsmooth_core.storage.tensors import read_tensor, write_tensors

KINDS = (np.float16, np.float32, np.float64, np.int8, np.int32, np.int64, np.uint8, np.uint16, bool)


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = ((7,), (5, 3, 2), (1,), (0, 4), (), (400, 30), (3, 1), (2, 0), (11, 5))
    made = {
        f"{np.dtype(kind).name} {shape}": (rng.normal(size=shape) * 50).astype(kind)
        for kind, shape in zip(KINDS, shapes, strict=True)
    }
    made["turned"] = np.asfortranarray(rng.normal(size=(90, 4)))
    made["a part, ü"] = rng.normal(size=(90, 4)).astype(np.float32)[::3, ::-1]
    return made


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "_PART", 100)


def _same(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> None:
    assert set(found) == set(wanted)
    for name, array in wanted.items():
        assert found[name].dtype == array.dtype, name
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_the_package_reads_what_is_written(arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(path, arrays, {"kind": "made", "said": 'with "marks" and ü'})
    _same(load_file(path), arrays)
    with safe_open(path, framework="np") as file:
        assert file.metadata() == {"kind": "made", "said": 'with "marks" and ü'}


def test_what_the_package_writes_is_read(arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items() if array.ndim}
    save_file(whole, path)
    _same({name: read_tensor(path, name) for name in whole}, whole)


def test_each_array_begins_where_its_kind_may(
    arrays: dict[str, np.ndarray], tmp_path: Path
) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(path, arrays, {})
    content = path.read_bytes()
    for array in arrays.values():
        place = content.find(np.ascontiguousarray(array).tobytes()) if array.size > 5 else 0
        assert place % array.dtype.itemsize == 0


def test_a_long_array_is_in_memory_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "_PART", 1 << 16)
    path, long = tmp_path / "a.safetensors", np.ones((100_000, 10), np.float32)
    tracemalloc.start()
    write_tensors(path, {"long": long}, {})
    written = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    found = read_tensor(path, "long")
    read = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(found, long)
    assert written < 0.1 * long.nbytes
    assert read < 1.1 * long.nbytes
