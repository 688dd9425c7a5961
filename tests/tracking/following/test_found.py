"""Faces in a file: each is read again by its number, and a frame without one holds no number."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.storage import spool as room
from gsmooth_core.tracking.following.found import FollowedFace, FoundFaces, FoundPoints, gathered

COUNT = 40


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(COUNT, 478, 3)).astype(np.float32)


def _face(points: np.ndarray, number: int) -> FollowedFace:
    return FollowedFace(points, np.full(52, number / COUNT, np.float32), number / (2 * COUNT))


def _found(points: np.ndarray, folder: Path, *, seen: bool = True) -> FoundFaces:
    faces = FoundFaces(folder)
    for number, its in enumerate(points):
        row = np.array([number, -number], np.int16) if seen else None
        assert faces.add(_face(its, number), row) == number
    return faces


def test_what_belongs_to_a_face_has_its_number(points: np.ndarray, tmp_path: Path) -> None:
    faces, some = _found(points, tmp_path), np.array([7, 3, 39])
    np.testing.assert_array_equal(faces.points[some], points[some])
    np.testing.assert_array_equal(faces.scores[some][:, 0], np.float32(some / COUNT))
    np.testing.assert_array_equal(faces.presence[some], np.float32(some / (2 * COUNT)))
    assert faces.seen is not None
    assert faces.seen.kind == np.int16
    np.testing.assert_array_equal(faces.seen[some], np.stack([some, -some], 1))


def test_an_observer_that_makes_nothing_leaves_nothing(points: np.ndarray, tmp_path: Path) -> None:
    assert _found(points, tmp_path, seen=False).seen is None


@pytest.mark.parametrize(
    "frames",
    [slice(None), slice(5, 30), np.array([11, 0, 11, 49]), np.arange(50) % 3 == 0],
    ids=["all", "some", "any", "marked"],
)
def test_frames_without_a_face_are_unknown(
    points: np.ndarray, tmp_path: Path, frames: slice | np.ndarray
) -> None:
    """Fifty frames, of which every fifth shows nobody, against an array of all of them."""
    faces = _found(points, tmp_path)
    numbers = np.full(50, -1)
    numbers[np.arange(50) % 5 != 0] = np.arange(COUNT)[::-1]
    whole = np.full((50, 478, 3), np.nan, np.float32)
    whole[numbers >= 0] = points[numbers[numbers >= 0]]
    of_frames = FoundPoints(faces, numbers)
    assert len(of_frames) == 50
    np.testing.assert_array_equal(of_frames[frames], whole[frames])


def test_rows_of_nobody_are_as_was_asked(points: np.ndarray, tmp_path: Path) -> None:
    spool = _found(points, tmp_path).points
    numbers = np.array([2, -1, 3])
    np.testing.assert_array_equal(gathered(spool, numbers, 9.0)[1], np.full((478, 3), 9.0))
    np.testing.assert_array_equal(gathered(spool, np.array([-1, -1])), np.zeros((2, 478, 3)))
    assert gathered(spool, np.zeros(0, int)).shape == (0, 478, 3)


def test_memory_does_not_grow_with_the_faces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_HELD", 1 << 16)

    def peak(count: int) -> int:
        tracemalloc.start()
        faces = FoundFaces(tmp_path)
        for number in range(count):
            its = np.full((478, 3), number, np.float32)
            faces.add(_face(its, number % COUNT), np.zeros(3000, np.uint8))
        read = FoundPoints(faces, np.arange(count))
        for first in range(0, count, 50):
            assert read[slice(first, first + 10)][0, 0, 0] == first
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    peak(10)
    assert peak(800) - peak(200) < 30_000  # of 5 MB
