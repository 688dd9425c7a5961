"""Fixtures shared by all rooms."""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from pathlib import Path

import pytest

from gsmooth_core.errors import ModelError


@pytest.fixture(scope="session")
def footage() -> Path:
    """Folder with `clips/` and `speech/`; tests skip where it is absent."""
    folder = Path(os.environ.get("GSMOOTH_FOOTAGE", ""))
    if not os.environ.get("GSMOOTH_FOOTAGE") or not (folder / "clips").is_dir():
        pytest.skip("needs GSMOOTH_FOOTAGE, a folder with clips/ and speech/")
    return folder


_TRAINING = {"torch", "transformers", "kornia", "accelerate", "onnx"}
"""Packages that dubbing does without: what is tested of training needs them."""


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Pass over files of tests that need packages of training, where those are not installed."""
    report = yield
    missing = re.search(r"No module named '(\w+)", str(report.longrepr))
    if report.outcome == "failed" and missing and missing.group(1) in _TRAINING:
        report.outcome = "skipped"
        report.longrepr = (str(collector.path), 0, f"Skipped: needs {missing.group(1)}")
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Pass over a single test that does."""
    report = yield
    error = call.excinfo.value if call.excinfo else None
    absent = isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0]
    if absent in _TRAINING or (isinstance(error, ModelError) and "needs PyTorch" in str(error)):
        report.outcome = "skipped"
        report.longrepr = (str(item.path), 0, f"Skipped: {error}")
    return report
