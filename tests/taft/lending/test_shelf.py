"""References that lie in a file are those that lay in memory, and take none while they rest."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gsmooth_core.taft import compose
from gsmooth_core.taft.lending import shelf
from gsmooth_core.taft.lending.shelf import Shelf
from gsmooth_core.types import Image
from tests.taft import scene

SHAPE = (700, 1000, 3)  # 2.1 MB


def pictures(count: int) -> list[Image]:
    dice = np.random.default_rng(0)
    return [dice.integers(0, 256, SHAPE, np.uint8) for _ in range(count)]


def resident() -> int:
    """Bytes of files that this process has in memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    line = next(line for line in lines if line.startswith("RssFile"))
    return int(line.split()[1]) << 10


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    given = [*pictures(5), np.zeros((3, 5), bool), np.empty((0, 7, 3), np.uint8)]
    shelf = Shelf(tmp_path, room=2 * given[0].nbytes)
    kept = [shelf.keep(picture) for picture in given]
    shelf.rest()
    for picture, found in zip(given, kept, strict=True):
        np.testing.assert_array_equal(found, picture)
        assert found.dtype == picture.dtype
    assert kept[0] is given[0]
    assert kept[1] is given[1]
    assert not kept[2].flags.writeable  # it is in the file
    shelf.rest()
    np.testing.assert_array_equal(kept[4], given[4])
    assert not list(tmp_path.iterdir())  # the file has no name


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_rests_takes_no_memory(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, room=0)
    kept = [shelf.keep(picture) for picture in pictures(20)]
    before = resident()
    assert sum(int(picture.sum(dtype=np.int64)) for picture in kept) > 0
    looked_at = resident() - before
    shelf.rest()
    assert looked_at > 30e6
    assert resident() - before < 4e6


def test_without_room_for_a_file_all_stays_in_memory(tmp_path: Path) -> None:
    given = pictures(3)
    shelf = Shelf(tmp_path / "nowhere", room=0)
    assert all(shelf.keep(picture) is picture for picture in given)


def test_a_file_that_failed_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def failing(**_: Any) -> None:
        tries.append(1)
        raise OSError

    monkeypatch.setattr(shelf.tempfile, "TemporaryFile", failing)
    kept = Shelf(tmp_path, room=0)
    for picture in pictures(3):
        kept.keep(picture)
    assert len(tries) == 1


def test_a_part_of_a_picture_is_kept_whatever_its_order_in_memory(tmp_path: Path) -> None:
    picture = pictures(1)[0]
    parts = picture[::-1, 3:50], np.asfortranarray(picture[..., 0])
    kept = Shelf(tmp_path, room=0)
    assert all(np.array_equal(kept.keep(part), part) for part in parts)


class FullDisk(io.FileIO):
    """Takes the beginning of what is written, as a disk does that has become full."""

    def write(self, data: Any) -> int:
        return super().write(memoryview(data).cast("B")[:1000])


def test_on_a_full_disk_all_stays_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: Any) -> FullDisk:
        return FullDisk(tmp_path / "full", "w+")

    monkeypatch.setattr(shelf.tempfile, "TemporaryFile", full)
    given, kept = pictures(3), Shelf(tmp_path, room=0)
    assert all(kept.keep(picture) is picture for picture in given)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_many_references_are_few_open_files(tmp_path: Path) -> None:
    before, kept = open_files(), Shelf(tmp_path, room=0)
    given = [np.full((40, 50, 3), n, np.uint8) for n in range(200)]
    found = [kept.keep(picture) for picture in given]
    assert open_files() - before < 5
    assert all(np.array_equal(one, other) for one, other in zip(found, given, strict=True))


def test_more_than_a_block_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "_BLOCK", 1 << 16)
    sizes = 30_000, 40_000, 25_000, 200_001, 1, 70_000  # two a block, one larger than that
    given = [np.full(size, n + 1, np.uint8) for n, size in enumerate(sizes)]
    kept = Shelf(tmp_path, room=0)
    found = [kept.keep(picture) for picture in given]
    assert all(np.array_equal(one, other) for one, other in zip(found, given, strict=True))


def test_a_face_is_composed_alike_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, model = scene.track(), scene.face_model()

    def composed() -> compose.Composition:
        made = compose.Composer(clip, model, clip.expression, lambda n: scene.picture(clip, n))
        return made.compose(5, scene.picture(clip, 5))

    known = composed()
    shelves: list[Shelf] = []

    def filing(folder: Path | None) -> Shelf:
        shelves.append(Shelf(tmp_path, room=0))
        return shelves[-1]

    monkeypatch.setattr(compose, "Shelf", filing)
    filed = composed()
    assert shelves[0]._maps
    np.testing.assert_array_equal(filed.blend.image, known.blend.image)
    np.testing.assert_array_equal(filed.blend.references, known.blend.references)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_frames_looked_at_is_let_go_after_some_of_them(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, room=0)
    kept = [shelf.keep(picture) for picture in pictures(10)]
    before, held = resident(), []
    for _ in range(8):
        assert sum(int(picture.sum(dtype=np.int64)) for picture in kept) > 0
        shelf.looked()
        held.append(resident() - before)
    size = sum(picture.nbytes for picture in kept)
    assert min(held[:7]) > 0.8 * size
    assert held[7] < 0.2 * size
