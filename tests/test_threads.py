"""Torch leaves cores to the rest of a run, unless the user has said otherwise."""

import os

import pytest
import torch

from gsmooth_core.threads import leave_cores


@pytest.fixture(autouse=True)
def _as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("cores", "expected"), [(1, 1), (2, 1), (8, 4)])
def test_half_of_the_cores(monkeypatch, cores: int, expected: int) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    leave_cores()
    assert torch.get_num_threads() == expected


def test_the_users_number_stays(monkeypatch) -> None:
    torch.set_num_threads(3)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    leave_cores()
    assert torch.get_num_threads() == 3
