"""References that lie in a file are those that lay in memory, and take none while they rest."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.taft import compose
from gsmooth_core.taft.shelf import Shelf
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


def test_a_face_is_composed_alike_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, model = scene.track(), scene.face_model()

    def composed() -> compose.Composition:
        made = compose.Composer(clip, model, clip.expression, lambda n: scene.picture(clip, n))
        return made.compose(5, scene.picture(clip, 5))

    known = composed()
    shelves: list[Shelf] = []

    def shelf(folder: Path | None) -> Shelf:
        shelves.append(Shelf(tmp_path, room=0))
        return shelves[-1]

    monkeypatch.setattr(compose, "Shelf", shelf)
    filed = composed()
    assert shelves[0]._maps
    np.testing.assert_array_equal(filed.blend.image, known.blend.image)
    np.testing.assert_array_equal(filed.blend.references, known.blend.references)
