"""`gsmooth report`: refuses what is not finished, and tells of what is."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.app import actions, cli
from gsmooth_core.dub import dub
from gsmooth_core.errors import CancelledError, JobError
from gsmooth_core.evaluation.metrics.shot import evenly_spaced, open_shot
from gsmooth_core.job.job import Job
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.storage.arrays import save_expression
from gsmooth_core.types import Expression
from tests.evaluation.report.test_page import Reader
from tests.training.evaluate.footage import footage


def test_a_folder_without_a_job_is_refused(tmp_path, capsys):
    assert cli.main(["report", str(tmp_path)]) == JobError.exit_code
    assert "no job" in capsys.readouterr().err


def test_an_unfinished_job_is_refused(tmp_path):
    Job(video=tmp_path / "a.mp4", output=tmp_path / "b.mp4").save(tmp_path)
    with pytest.raises(JobError, match="not finished"):
        open_shot(tmp_path)


def test_samples_are_spread_over_the_shot():
    assert evenly_spaced(100, 4) == [12, 37, 62, 87]
    assert evenly_spaced(3, 8) == [0, 1, 2]
    assert evenly_spaced(0, 4) == []


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A dub of 16 frames with held curves, in its job folder."""
    folder = footage(tmp_path_factory.mktemp("report"))
    curves = folder / "curves.json"
    settings = DubSettings(preset="ultrafast")
    video = folder / "clips" / "photo.mp4"
    job = Job(video, folder / "out.mp4", expression=curves, frame_count=16, settings=settings)
    opening = 0.2 - 0.2 * np.cos(np.arange(16)[:, None] * np.pi / 8)
    save_expression(curves, Expression(("jawOpen",), opening.astype(np.float32), Fraction(25)))
    dub(job, folder / "job")
    return folder / "job"


@pytest.mark.slow
def test_a_finished_job_is_reported(finished, capsys):
    page = finished / "page.html"
    assert cli.main(["report", str(finished), "--output", str(page), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    result = lines[-1]["result"]
    assert {line.get("stage") for line in lines[:-1]} == {"find", "compare"}
    assert result["kind"] in ("good", "fair", "poor")
    assert result["figures"]["follows"] > 0.8
    assert result["figures"]["lmd"] is None  # other words: no truth to compare with
    assert {c["name"] for c in result["checks"]} >= {"Sharpness", "Seam", "Outside the mask"}
    assert 1 <= len(result["worst"]) <= 6
    assert json.loads((finished / "quality.json").read_text()) == result
    reader = Reader(page.read_text())
    assert reader.open == []
    assert any(result["verdict"] in text for text in reader.text)


@pytest.mark.slow
def test_a_report_can_be_stopped_and_made_again(finished):
    with pytest.raises(CancelledError):
        actions.report(finished, lambda event: None, lambda: True)
    stages = []
    result = actions.report(finished, lambda event: stages.append(event.stage), lambda: False)
    assert result["page"] == str(finished / "report.html")
    assert set(stages) <= {"find", "compare"}
    assert result["worst"]
