"""Networks that LiteRT runs: damaged ones are named, and nobody else's words are on stderr."""

from __future__ import annotations

import os
import zipfile

import numpy as np
import pytest

from gsmooth_core.models import registry
from gsmooth_core.networks.litert import Network
from tests.attacks.checkpoints import refused

DETECTOR = "face_detector.tflite"


def test_a_network_says_nothing_of_its_own(capfd) -> None:
    Network(DETECTOR)
    os.write(2, b"still here\n")
    assert capfd.readouterr().err == "still here\n"


@pytest.fixture(scope="module")
def task():
    """The members of the file that comes with GSmooth."""
    with zipfile.ZipFile(registry.PACKAGE_WEIGHTS / "face_landmarker.task") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("GSMOOTH_MODELS", str(tmp_path))
    return tmp_path / "face_landmarker.task"


def write_task(path, members, packing=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", packing, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_a_task_that_is_packed_otherwise_works(task, place):
    write_task(place, task, zipfile.ZIP_DEFLATED)
    assert registry.examine("face_landmarker").known == "foreign"
    made = Network(DETECTOR)(np.zeros((128, 128, 3), np.float32))
    assert made["regressors"].shape == (1, 896, 16)


@pytest.mark.parametrize("how", ["bomb", "missing", "empty", "junk", "other network", "locked",
                                 "unknown packing", "wrong sum", "cut off"])  # fmt: skip
def test_a_task_of_other_things_is_refused(task, place, how):
    members = dict(task)
    if how == "missing":
        del members[DETECTOR]
    elif how in ("bomb", "empty", "junk", "other network"):
        members[DETECTOR] = {
            "bomb": bytes(40 << 20), "empty": b"", "junk": b"TFL3" * 1000,
            "other network": members["face_blendshapes.tflite"],
        }[how]  # fmt: skip
    write_task(place, members, zipfile.ZIP_DEFLATED if how == "bomb" else zipfile.ZIP_STORED)
    content = bytearray(place.read_bytes())
    entry = content.index(b"PK\x01\x02")  # the detector is the first
    if how == "locked":
        content[6] |= 1
        content[entry + 8] |= 1
    elif how == "unknown packing":
        content[8] = content[entry + 10] = 99
    elif how == "wrong sum":
        content[1000] ^= 1
    elif how == "cut off":
        content = content[: len(content) // 2]
    place.write_bytes(content)
    refused(lambda: Network(DETECTOR), "face_landmarker.task")


def test_a_network_that_ends_the_process_ends_another_one(task, place):
    """These two bytes crash LiteRT; nothing it offers tells before."""
    broken = bytearray(task[DETECTOR])
    broken[215964], broken[216585] = 142, 1
    write_task(place, task | {DETECTOR: bytes(broken)})
    refused(lambda: Network(DETECTOR), "crash")


def test_the_trial_of_a_foreign_task_needs_no_installed_package(task, place, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    write_task(place, task | {"more": b"1"})
    points = np.random.default_rng(0).random((146, 2), np.float32)
    assert Network("face_blendshapes.tflite")(points)


def test_a_task_that_makes_no_numbers_is_refused(task, place, monkeypatch):
    network = Network(DETECTOR)
    bad = {"regressors": np.full((1, 896, 16), np.nan, np.float32)}
    monkeypatch.setattr(network._interpreter, "get_tensor", lambda i: bad["regressors"])
    refused(lambda: network(np.zeros((128, 128, 3), np.float32)), "no numbers")


def test_a_pipe_in_place_of_the_task_is_refused(place):
    os.mkfifo(place)
    refused(lambda: Network(DETECTOR), "pipe")


MATTE = "selfie_segmentation.tflite"


@pytest.mark.parametrize("how", ["empty", "junk", "other network", "cut off"])
def test_a_bare_network_of_other_things_is_refused(task, tmp_path, monkeypatch, how):
    monkeypatch.setenv("GSMOOTH_MODELS", str(tmp_path))
    whole = (registry.PACKAGE_WEIGHTS / MATTE).read_bytes()
    other = {"empty": b"", "junk": b"TFL3" * 1000, "cut off": whole[:60_000]}
    (tmp_path / MATTE).write_bytes(other.get(how, task[DETECTOR]))
    refused(lambda: Network(MATTE), MATTE)


def test_a_bare_network_that_is_not_ours_is_tried_and_works(tmp_path, monkeypatch):
    monkeypatch.setenv("GSMOOTH_MODELS", str(tmp_path))
    (tmp_path / MATTE).write_bytes((registry.PACKAGE_WEIGHTS / MATTE).read_bytes() + bytes(16))
    made = Network(MATTE)(np.zeros((256, 256, 3), np.float32))
    assert registry.examine("selfie_segmentation").known == "foreign"
    assert made["activation_10"].shape == (1, 256, 256, 1)
