"""Torch and OpenCV leave cores to the rest of a run, unless the user has said otherwise."""

import os

import cv2
import pytest
import torch

from gsmooth_core.models import threads
from gsmooth_core.models.threads import leave_cores, network_threads


@pytest.fixture(autouse=True)
def _as_before():
    before, before_cv = torch.get_num_threads(), cv2.getNumThreads()
    yield
    os.environ.pop("OMP_NUM_THREADS", None)  # what was set before, monkeypatch brings back
    torch.set_num_threads(before)
    cv2.setNumThreads(before_cv)


@pytest.mark.parametrize(("cores", "expected", "crops"), [(1, 1, 1), (2, 1, 1), (8, 4, 2)])
def test_half_of_the_cores(monkeypatch, cores: int, expected: int, crops: int) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("OPENCV_FOR_THREADS_NUM", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    leave_cores()
    assert torch.get_num_threads() == network_threads() == expected
    assert cv2.getNumThreads() == crops


def test_the_users_number_stays(monkeypatch) -> None:
    torch.set_num_threads(3)
    cv2.setNumThreads(3)
    for name in ("OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
        monkeypatch.setenv(name, "3")
    leave_cores()
    assert torch.get_num_threads() == cv2.getNumThreads() == 3


@pytest.mark.parametrize(("given", "expected"), [("", 4), ("3", 3), ("many", 4)])
def test_who_runs_alone_has_all_cores(monkeypatch, given: str, expected: int) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(threads, "_GIVEN", given)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    leave_cores()  # what it says is no wish of the user
    assert threads.all_threads() == expected
