"""MAT files: as scipy writes them, damaged in any way, and such as grow."""

from __future__ import annotations

import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from scipy.io import savemat

from gsmooth_core.face.bfm import read_bfm
from gsmooth_core.models.matfile import MatError, read_tables
from tests.attacks.checkpoints import refused


def mat(kind, body):
    return b"MATLAB 5.0".ljust(124) + b"\x00\x01IM" + struct.pack("<II", kind, len(body)) + body


def front_of_table(name, shape, kind=9):
    """What stands before the numbers of a table of doubles."""
    name = name.encode()
    count = 8 * int(np.prod([int(n) for n in shape], dtype=object))
    parts = struct.pack("<IIII", 6, 8, 6, 0) + struct.pack("<II", 5, 8)
    parts += struct.pack("<ii", *shape) + struct.pack("<II", 1, len(name))
    parts += name.ljust(-(-len(name) // 8) * 8, b"\0")
    return parts + struct.pack("<II", kind, count & 0xFFFFFFFF)


def zeros_packed(front, megabytes):
    """zlib stream of `front` and then zeros, made in a moment: one packed piece, repeated."""
    engine = zlib.compressobj(9)
    begin = engine.compress(front) + engine.flush(zlib.Z_FULL_FLUSH)
    engine.compress(b"\0" * (1 << 20))
    engine.flush(zlib.Z_FULL_FLUSH)
    piece = engine.compress(b"\0" * (1 << 20)) + engine.flush(zlib.Z_FULL_FLUSH)
    return begin + piece * megabytes


@pytest.mark.parametrize("claimed", ["all of it", "little"])
def test_a_mat_file_that_grows_is_refused_before_it_has(claimed, tmp_path):
    size = 1500 << 20
    shape = (size // 8, 1) if claimed == "all of it" else (3, 4)
    front = front_of_table("meanshape", shape)
    whole = size + len(front) if claimed == "all of it" else 96 + len(front)
    packed = zeros_packed(struct.pack("<II", 14, whole) + front, 1500)
    path = tmp_path / "BFM_model_front.mat"
    path.write_bytes(mat(15, packed))
    assert path.stat().st_size < 4_000_000
    tracemalloc.start()
    refused(lambda: read_bfm(path), "too large" if claimed == "all of it" else "damaged")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


def test_tables_that_nobody_asks_for_are_not_unpacked(tmp_path):
    front = front_of_table("other", (1500 << 17, 1))
    packed = zeros_packed(struct.pack("<II", 14, (1500 << 20) + len(front)) + front, 1500)
    tracemalloc.start()
    assert read_tables(mat(15, packed), ("meanshape",), 1 << 20) == {}
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_many_tables_have_one_limit():
    front = front_of_table("a", (1 << 16, 1)) + b"\0" * (8 << 16)
    one = struct.pack("<II", 14, len(front)) + front
    twice = mat(14, front) + one.replace(b"a", b"b", 1)
    assert set(read_tables(twice, ("a", "b"), 2 << 20)) == {"a", "b"}
    with pytest.raises(MatError, match="too large"):
        read_tables(twice, ("a", "b"), 800_000)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("big", [True, False])
def test_tables_are_those_that_scipy_writes(packed, big, tmp_path):
    random = np.random.default_rng(0)
    written = {
        "a": random.normal(size=(3, 5)), "b": random.normal(size=(2, 3)).astype(np.float32),
        "c": np.arange(-3, 3, dtype=np.int16)[None], "d": np.array([[7]], np.uint8),
        "text": "hello", "cell": np.array([[1, "x"]], object), "e": np.zeros((4, 2, 3)),
        "some_longer_name_of_a_table": np.arange(300.0)[None], "f": np.array([[True, False]]),
    }  # fmt: skip
    path = tmp_path / "x.mat"
    savemat(path, written, do_compression=packed)
    content = path.read_bytes()
    wanted = [name for name in written if name not in ("text", "cell")]
    found = read_tables(content, wanted, 1 << 20)
    assert set(found) == set(wanted)
    for name in wanted:
        assert np.array_equal(found[name], written[name]), name
    for name in ("text", "cell"):
        with pytest.raises(MatError, match=f"'{name}' is no table of real numbers"):
            read_tables(content, (name,), 1 << 20)


def test_any_damage_to_a_mat_file_is_a_mat_error(tmp_path):
    path = tmp_path / "x.mat"
    dice = np.random.default_rng(1)
    for packed in (True, False):
        savemat(path, {"a": np.arange(40.0), "b": np.eye(3)}, do_compression=packed)
        whole = np.frombuffer(path.read_bytes(), np.uint8)
        for _ in range(1500):
            bad = whole.copy()
            bad[dice.integers(120, len(bad), 3)] = dice.integers(0, 256, 3)
            content = bad[: dice.integers(1, len(bad) + 1) if dice.random() < 0.2 else None]
            try:
                found = read_tables(content.tobytes(), ("a", "b"), 1 << 16)
            except MatError:
                continue
            assert all(table.nbytes <= 1 << 16 for table in found.values())
