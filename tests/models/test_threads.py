"""Torch and OpenCV leave cores to the rest of a run, unless the user has said otherwise."""

import ctypes
import os
from collections.abc import Callable

import cv2
import pytest
import torch

from gsmooth_core.models import threads
from gsmooth_core.models.threads import leave_cores, loaded_blas, network_threads


@pytest.fixture(autouse=True)
def _as_before():
    before, before_cv = torch.get_num_threads(), cv2.getNumThreads()
    yield
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.pop(name, None)  # what was set before, monkeypatch brings back
    torch.set_num_threads(before)
    cv2.setNumThreads(before_cv)


@pytest.mark.parametrize(("cores", "expected", "crops"), [(1, 1, 1), (2, 1, 1), (8, 4, 2)])
def test_half_of_the_cores(monkeypatch, cores: int, expected: int, crops: int) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("OPENCV_FOR_THREADS_NUM", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
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
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    monkeypatch.setattr(threads, "_GIVEN", given)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    leave_cores()  # what it says is no wish of the user
    assert threads.all_threads() == expected


def test_small_matrices_are_not_shared_out(monkeypatch) -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    libraries = loaded_blas()
    if not libraries:
        pytest.skip("numpy has another library for matrices")
    for library in libraries:
        _function(library, "set_num_threads")(2)
    leave_cores()
    assert [_function(library, "get_num_threads")() for library in libraries] == [1] * len(
        libraries
    )
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"])
def test_the_users_number_for_matrices_stays(monkeypatch, name: str) -> None:
    for other in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, "2")
    for library in loaded_blas():
        _function(library, "set_num_threads")(2)
    leave_cores()
    assert all(_function(library, "get_num_threads")() == 2 for library in loaded_blas())


def _function(library: ctypes.CDLL, name: str) -> Callable[..., int]:
    known = (f"{by}openblas_{name}{bits}" for by in ("", "scipy_") for bits in ("", "64_"))
    return next(function for each in known if (function := getattr(library, each, None)))
