"""The runner itself: what fails, hangs or crashes is written down, and the others still run."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.gpu import absent, run
from tests.gpu.levels import as_levels, levels_apart
from tests.gpu.part import Part
from tests.gpu.run import Step, main

PARTS = {
    "fine": "def run(part):\n    part.figure('pi', 3.14159265)\n",
    "wrong": "def run(part):\n    part.figure('one', 1)\n    part.check('two', holds=False)\n",
    "raises": (
        "def run(part):\n    with part.attempt('a'):\n        raise ValueError('broken')\n"
        "    part.figure('after', 2)\n"
    ),
    "hangs": "import time\ndef run(part):\n    part.figure('early', 1)\n    time.sleep(60)\n",
    "crashes": "import os\ndef run(part):\n    part.figure('early', 1)\n    os.abort()\n",
}


@pytest.fixture
def ran(tmp_path, monkeypatch):
    """Run made parts by name; the exit code and the document."""
    for name, source in PARTS.items():
        (tmp_path / f"made_{name}.py").write_text(source, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    output = tmp_path / "results" / "gpu.json"

    def all_of(*names: str, limit: float = 60.0):
        steps = [Step(f"made_{name}", limit) for name in names]
        code = main(["--output", str(output), "--device", "cpu"], steps)
        return code, json.loads(output.read_text(encoding="utf-8"))

    return all_of


def test_failures_are_recorded_and_end_in_another_code(ran) -> None:
    code, document = ran("wrong", "raises", "crashes", "fine")
    parts = document["parts"]
    assert code == 1
    assert not document["passed"]
    assert [part["passed"] for part in parts.values()] == [False, False, False, True]
    assert parts["made_wrong"]["failures"] == ["two"]
    assert "ValueError: broken" in parts["made_raises"]["failures"][0]
    assert parts["made_raises"]["figures"] == {"after": 2}
    assert parts["made_crashes"]["figures"] == {"early": 1}
    assert parts["made_fine"]["figures"] == {"pi": 3.142}


def test_a_part_that_hangs_is_stopped_and_leaves_its_figures(ran) -> None:
    code, document = ran("hangs", limit=8.0)
    assert code == 1
    assert document["parts"]["made_hangs"]["figures"] == {"early": 1}
    assert "stopped after" in document["parts"]["made_hangs"]["failures"][0]


def test_all_that_holds_ends_in_zero(ran) -> None:
    code, document = ran("fine")
    assert code == 0
    assert document["passed"]


def test_every_step_is_a_part() -> None:
    for step in run.STEPS:
        assert (run.ROOT / f"{step.module.replace('.', '/')}.py").is_file()


def test_an_interrupt_is_no_failure_of_a_part() -> None:
    with pytest.raises(KeyboardInterrupt), Part("cpu").attempt("a"):
        raise KeyboardInterrupt


def test_levels_count_pixels_by_their_worst_channel() -> None:
    ours = np.zeros((10, 100, 3), np.uint8)
    theirs = ours.copy()
    theirs[0, 0] = (0, 3, 1)
    theirs[1:3, :, 2] = 2
    found = levels_apart(ours, theirs)
    assert (found.share, found.largest) == (0.999, 3)
    assert found.agree
    theirs[0, 1, 0] = 3
    assert not levels_apart(ours, theirs).agree


def test_colours_become_the_nearest_level() -> None:
    picture = np.array([-0.1, 0.0, 0.499 / 255, 0.501 / 255, 1.2]).reshape(1, 1, 1, 5)
    levels = as_levels(np.repeat(picture, 3, 1))
    assert levels.shape == (1, 1, 5, 3)
    assert levels[0, 0, :, 1].tolist() == [0, 0, 0, 1, 255]


def test_stand_ins_are_classes_of_any_name() -> None:
    module = absent.StandIn("av.error")
    assert issubclass(module.FFmpegError, Exception)
    with pytest.raises(AttributeError):
        _ = module.__file__
