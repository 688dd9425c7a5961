"""`gsmooth report`: refuses what is not finished, and tells of what is."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.app import actions, cli
from gsmooth_core.dub import dub
from gsmooth_core.errors import CancelledError, JobError
from gsmooth_core.evaluation.metrics.shot import beside, evenly_spaced, open_shot
from gsmooth_core.evaluation.report.seen import seen_elements
from gsmooth_core.job.job import Job
from gsmooth_core.job.seen import Refused, Seen, Untouched
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
    assert {c["name"] for c in result["checks"]} >= {"Detail", "Seam", "Outside the mask"}
    assert 1 <= len(result["worst"]) <= 6
    known = [score for score in result["scores"] if score is not None]
    assert (len(result["scores"]), max(known)) == (16, result["worst"][0]["score"])
    assert result.pop("text").startswith(result["verdict"])  # for the terminal alone
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


def test_the_dubs_face_is_the_one_in_the_sources_place():
    """Two people; one of them is taken for two in the dub. NaN where nobody is seen."""
    dice = np.random.default_rng(0)
    shape = dice.uniform(-30, 30, (478, 2)).astype(np.float32)
    shape[[33, 263]] = (-20, 0), (20, 0)
    left, right = (np.repeat(shape[None] + np.float32([x, 100]), 10, 0) for x in (100, 220))
    source = left.copy()
    source[8:] = np.nan
    early, late = left + 3, left + 4
    early[5:], late[:5] = np.nan, np.nan
    found = beside([right, early, late], source)
    np.testing.assert_array_equal(found[:5], early[:5])
    np.testing.assert_array_equal(found[5:], late[5:])
    assert np.isnan(beside([right], source)).all()
    assert np.isnan(beside([], source)).all()


def test_a_page_names_people_shots_and_frames_that_were_left():
    people = [
        Seen(1, [(0, 9)], chosen=True, speech="/x/anna.wav", dubbed=[(0, 4)]),
        Seen(2, [(5, 9)], chosen=False),
    ]
    left = [Untouched(5, 7, "someone else"), Untouched(8, 9, "dissolve")]
    refused = [Refused(2, 3, "looks otherwise"), Refused(6, 6, "looks otherwise")]
    text = " ".join(seen_elements(people, [(0, 4), (5, 9)], left, refused, 100))
    assert "No reference (looks otherwise): frames 102-103, 106" in text
    assert "frames 100-109" in text and "frames 100-104" in text and "anna.wav" in text
    assert "/x/" not in text
    assert "no frame" in text  # of the second
    assert "2 shots" in text and "105-109" in text
    assert "Someone else is seen in frames 105-107" in text
    assert "Two pictures are mixed in frames 108-109" in text
    assert "Every frame was dubbed." in " ".join(seen_elements([], [(0, 9)], [], [], 0))
