"""Devices: what "auto" is, and what is refused before the work."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from gsmooth_core.errors import InputError
from gsmooth_core.models.devices import best_device, check_device


@pytest.fixture
def machine(monkeypatch):
    """A machine with so many graphics cards, or Apple's, or a PyTorch without CUDA."""

    def made(cards=0, apple=False, built=True):
        monkeypatch.setattr(torch.version, "cuda", "12.8" if built else None)
        monkeypatch.setattr(torch.version, "hip", None)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cards > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cards)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: apple)

    return made


@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_the_processor_is_everywhere(machine, name):
    machine()
    check_device(name)


def test_cards_that_are_there(machine):
    machine(cards=2)
    for name in ("cuda", "cuda:0", "cuda:1"):
        check_device(name)
    with pytest.raises(InputError, match="last one is cuda:1"):
        check_device("cuda:2")


def test_no_card(machine):
    machine()
    with pytest.raises(InputError, match="no graphics card") as caught:
        check_device("cuda")
    assert "cpu" in caught.value.hint
    machine(built=False)
    with pytest.raises(InputError, match="built without CUDA"):
        check_device("cuda:0")


def test_apple(machine):
    machine()
    with pytest.raises(InputError, match="mps") as caught:
        check_device("mps")
    assert caught.value.hint
    machine(apple=True)
    check_device("mps")


@pytest.mark.parametrize("name", ["", "gpu", "CUDA", "cuda:", "cuda:-1", "cuda:99999999999999",
                                  "cuda:0\n", "cuda:²", "x" * 10_000])  # fmt: skip
def test_names_of_no_device(name):
    with pytest.raises(InputError, match="no device") as caught:
        check_device(name)
    assert len(str(caught.value)) < 200


def test_auto_is_cuda_where_there_is_one(machine):
    machine(cards=1)
    assert best_device() == "cuda"
    machine(apple=True)
    assert best_device() == "cpu"  # not Apple's, unless it is asked for


def test_no_network_runtime_keeps_a_number_of_its_user(tmp_path):
    """ONNX Runtime makes one when it is imported, for whoever it reports to."""
    unsaid = {name: text for name, text in os.environ.items() if "ORT_" not in name}
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": "", "LOCALAPPDATA": str(tmp_path)}
    code = "import gsmooth_core.models.devices as d; assert d.ort"
    subprocess.run([sys.executable, "-c", code], env=unsaid | home, check=True)
    assert not list(tmp_path.rglob("*"))
