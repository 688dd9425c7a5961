"""Rows in a file: what was added is read again, whatever is asked for, and nothing stays behind."""

from __future__ import annotations

import errno
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.errors import MediaError
from gsmooth_core.storage import spool as room
from gsmooth_core.storage.spool import Spool

COUNT = 500


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(COUNT, 40, 3)).astype(np.float32)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_HELD", 17 * 480)  # bytes: seventeen rows


def _filled(rows: np.ndarray, folder: Path) -> Spool[np.float32]:
    spool = Spool(np.float32, rows.shape[1:], folder)
    assert [spool.add(row) for row in rows] == list(range(len(rows)))
    return spool


@pytest.mark.parametrize("seed", range(5))
def test_any_rows_are_those_of_an_array(rows: np.ndarray, tmp_path: Path, seed: int) -> None:
    spool, rng = _filled(rows, tmp_path), np.random.default_rng(seed)
    for _ in range(60):
        first, end = np.sort(rng.integers(0, COUNT + 20, 2))
        np.testing.assert_array_equal(spool[first:end], rows[first:end])
        some = rng.integers(0, COUNT, rng.integers(0, 40))
        np.testing.assert_array_equal(spool[some], rows[some])
        some = np.sort(some)
        np.testing.assert_array_equal(spool[some], rows[some])


def test_reading_and_adding_take_turns(rows: np.ndarray, tmp_path: Path) -> None:
    spool = Spool(np.float32, rows.shape[1:], tmp_path)
    for count, row in enumerate(rows[:60], 1):
        spool.add(row)
        assert len(spool) == count
        np.testing.assert_array_equal(spool[max(count - 3, 0) : count], rows[:count][-3:])
    np.testing.assert_array_equal(spool[0:60], rows[:60])


def test_what_is_read_is_the_readers_own(rows: np.ndarray, tmp_path: Path) -> None:
    spool = _filled(rows, tmp_path)
    spool[3:9][:] = 0
    spool[np.arange(3, 9)][:] = 0
    np.testing.assert_array_equal(spool[3:9], rows[3:9])


def test_rows_that_are_not_there_are_an_error(rows: np.ndarray, tmp_path: Path) -> None:
    spool = _filled(rows, tmp_path)
    with pytest.raises(ValueError, match="no rows 499 to 500"):
        spool[np.array([COUNT - 1, COUNT])]
    with pytest.raises(ValueError, match="is none of"):
        spool.add(rows[0, :5])


def test_nothing_stays_in_the_folder(rows: np.ndarray, tmp_path: Path) -> None:
    spool = _filled(rows, tmp_path)
    spool[0:5]
    del spool
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_said(
    rows: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(MediaError, match="The disk is full"):
        _filled(rows, tmp_path)


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        spool = Spool(np.float32, (1000,), tmp_path)
        for row in range(count):
            spool.add(np.full(1000, row, np.float32))
        for row in range(0, count, 7):
            assert spool[row : row + 5][0, 0] == row
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    peak(10)
    assert peak(2000) - peak(200) < 20_000  # of 7.2 MB
