"""Every reader, on files that were good before an accident: a result or a named error, and soon.

`-m slow` runs many more of them, and prints how many there were and which took longest.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gsmooth_core.errors import GSmoothError
from tests.attacks.damage import (
    accidents,
    after,
    damaged_header,
    damaged_json,
    damaged_numbers,
)
from tests.attacks.seeds import READERS, Reader

pytest.importorskip("bpy")  # the add-on's reader of meshes is among them
from blender_addon.errors import UserError

LONGEST_SECONDS = 30.0
"""No reader may hang; on a busy machine a decoder alone takes a second to start."""


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return {}


def seed_of(name: str, seeds: dict[str, bytes], folder: Path) -> bytes:
    if name not in seeds:
        path = folder / place_of(READERS[name])
        READERS[name].write(path)
        seeds[name] = path.read_bytes()
        READERS[name].read(path)  # a good file is read
    return seeds[name]


def place_of(reader: Reader) -> str:
    return f"file{reader.suffix}" if reader.suffix.startswith(".") else reader.suffix


def damaged(reader: Reader, seed: bytes) -> st.SearchStrategy[bytes]:
    ways = [accidents.map(lambda happened: after(seed, happened))]
    if reader.text:
        ways.append(damaged_json(seed))
    if reader.tensors:
        ways += [damaged_header(seed), damaged_numbers(seed)]
    return st.one_of(ways)


def fuzz(name: str, seed: bytes, folder: Path, rounds: int) -> tuple[Counter[str], float]:
    """Read `rounds` damaged files; how they ended, and the longest time that one took."""
    reader, ended, longest = READERS[name], Counter[str](), [0.0]
    path = folder / place_of(reader)
    beside = {other for other in folder.iterdir() if other != path}

    @settings(
        max_examples=rounds, deadline=None, derandomize=True, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(data=st.data())
    def read_one(data: st.DataObject) -> None:
        path.write_bytes(data.draw(damaged(reader, seed)))
        os.utime(path, ns=(ended.total(), ended.total()))  # another file for every cache
        started = time.monotonic()
        try:
            reader.read(path)
            ended["read"] += 1
        except (GSmoothError, UserError) as error:
            assert str(error).strip()
            ended[type(error).__name__] += 1
        longest[0] = max(longest[0], time.monotonic() - started)

    read_one()
    assert {other for other in folder.iterdir() if other != path} == beside
    return ended, longest[0]


@pytest.mark.parametrize("name", READERS)
def test_a_few(name: str, seeds: dict[str, bytes], tmp_path: Path, watched_places: Path) -> None:
    seed = seed_of(name, seeds, tmp_path)
    ended, longest = fuzz(name, seed, tmp_path, 4 if READERS[name].slow else 25)
    assert ended.total() >= 4
    assert longest < LONGEST_SECONDS


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_many(name: str, seeds: dict[str, bytes], tmp_path: Path, watched_places: Path) -> None:
    seed = seed_of(name, seeds, tmp_path)
    ended, longest = fuzz(name, seed, tmp_path, 40 if READERS[name].slow else 150)
    print(f"FUZZ {name}: {ended.total()} files, {dict(ended)}, longest {longest:.2f} s")  # noqa: T201
    assert longest < LONGEST_SECONDS


@pytest.fixture
def watched_places(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch):
    """The working folder, the home and the temp folder, in which nothing may be left."""
    places = tmp_path_factory.mktemp("places")
    for variable, name in (("HOME", "home"), ("TMPDIR", "tmp"), ("XDG_STATE_HOME", "state")):
        (places / name).mkdir()
        monkeypatch.setenv(variable, str(places / name))
    (places / "here").mkdir()
    monkeypatch.chdir(places / "here")
    yield places
    left = [path for path in places.rglob("*") if path.is_file()]
    assert left == []
