"""Answers that were kept: the network is asked once, and nothing damaged is believed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.errors import MediaError
from gsmooth_core.networks.answers import answered, kept_answers
from gsmooth_core.types import Float

SHAPES = {"a": (2, 3), "b": (1,)}


class Network:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, value: Float, name: str = "net 1") -> dict[str, Float]:
        return answered(name, value, SHAPES, lambda: self._answer(value))

    def _answer(self, value: Float) -> dict[str, Float]:
        self.asked += 1
        return {"a": value.reshape(2, 3) * 3, "b": value[:1] - 0.1}


def questions(count: int) -> list[Float]:
    return list(np.random.default_rng(0).standard_normal((count, 6)).astype(np.float32))


def test_what_was_asked_is_not_asked_again(tmp_path: Path) -> None:
    network, asked = Network(), questions(5)
    with kept_answers(tmp_path / "kept"):
        first = [network(value) for value in asked[:3]]
    assert network.asked == 3
    with kept_answers(tmp_path / "kept"):
        again = [network(value) for value in asked]
        network(asked[0], "net 2")
    assert network.asked == 6  # two new questions, and another network
    for one, other in zip(first, again, strict=False):
        assert all(np.array_equal(one[name], other[name]) for name in SHAPES)


def test_nothing_is_kept_outside(tmp_path: Path) -> None:
    network, [value] = Network(), questions(1)
    with kept_answers(None):
        network(value)
    network(value)
    assert network.asked == 2


@pytest.mark.parametrize("harm", ["torn", "changed", "noise", "empty"])
def test_what_is_damaged_is_asked_again(tmp_path: Path, harm: str) -> None:
    network, asked, path = Network(), questions(4), tmp_path / "kept"
    with kept_answers(path):
        right = [network(value) for value in asked]
    content = bytearray(path.read_bytes())
    if harm == "changed":
        content[-3] ^= 0xFF  # in the last answer
    changed = {"torn": content[:-5], "changed": content, "noise": b"\xff" * 99, "empty": b""}[harm]
    path.write_bytes(bytes(changed))
    for _ in range(2):  # the second time it is whole again
        with kept_answers(path):
            again = [network(value) for value in asked]
        for one, other in zip(right, again, strict=True):
            assert all(np.array_equal(one[name], other[name]) for name in SHAPES)
    wanted = {"torn": 1, "changed": 1, "noise": 4, "empty": 4}[harm]
    assert 4 + wanted <= network.asked <= 4 + 2 * wanted


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_what_another_name_leads_to_stays(tmp_path: Path, link: Callable[..., None]) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    link(tmp_path / "precious", tmp_path / "kept")
    network, [value] = Network(), questions(1)
    for _ in range(2):
        with kept_answers(tmp_path / "kept"):
            network(value)
    assert network.asked == 1
    assert (tmp_path / "precious").read_bytes() == b"precious"


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    with pytest.raises(MediaError), kept_answers(tmp_path / "kept"):
        pass


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
def test_the_work_goes_on_where_the_disk_is_full(tmp_path: Path) -> None:
    import resource

    network, asked, path = Network(), questions(4), tmp_path / "kept"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with kept_answers(path):
            network(asked[0])
            one = path.stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (one + 9, hard))
            for value in asked[1:]:
                network(value)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert network.asked == 4
    assert path.stat().st_size == one
    with kept_answers(path):
        network(asked[0])
    assert network.asked == 4
