"""The tests that are marked `gpu`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.gpu.part import Part, say

FOLDER = Path(__file__).parent


class Listener:
    """A pytest plugin that hands each test's end to a part."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.passed = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.rpartition("/")[2]
        if report.failed:
            self.part.fail(f"{name} ({report.when}): {str(report.longrepr)[-2000:]}")
        elif report.when == "call" or report.skipped:
            self.passed += report.outcome == "passed"
            said = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
            self.part.figure(name, f"{report.outcome} {said}".strip())


def run(part: Part) -> None:
    os.environ["GSMOOTH_CARD"] = str(part.device)
    arguments = ["-q", "-m", "gpu", "-p", "no:cacheprovider", "--durations=5", str(FOLDER)]
    listener = Listener(part)
    code = pytest.main(arguments, plugins=[listener])
    say(f"pytest ended with {int(code)}")
    part.check(f"pytest ended with {int(code)}", holds=code == 0)
    part.check("tests ran, and were not all skipped", holds=listener.passed > 0)
