"""Measuring a dub: times add up, nothing is left behind, and words say what was measured."""

from __future__ import annotations

import itertools
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from gsmooth_core.app import cli
from gsmooth_core.errors import CancelledError
from gsmooth_core.evaluation.bench import generators, history, pipeline
from gsmooth_core.job.events import Message, Progress
from gsmooth_core.job.job import Job
from tests import doubles
from tests.media.made import numbered_frames, speechlike, write_video, write_wav


@pytest.fixture
def job(tmp_path: Path, monkeypatch) -> Job:
    """A clip of 16 frames, dubbed by a double of the way."""
    monkeypatch.setattr(pipeline, "dub", doubles.dub)
    monkeypatch.setattr(history, "history_file", lambda: tmp_path / "state" / "bench.jsonl")
    video = write_video(tmp_path / "in.mp4", numbered_frames(16), 25)
    audio = write_wav(tmp_path / "s.wav", speechlike(1.0), 16000)
    return Job(video=video, audio=audio, output=tmp_path / "never.mp4")


def test_a_stage_takes_the_time_up_to_its_own_events(monkeypatch) -> None:
    clock = itertools.count(0.0, 1.0)
    monkeypatch.setattr(pipeline.time, "perf_counter", lambda: next(clock))
    seen: list[object] = []
    stages = pipeline.Stages(seen.append)
    stages(Progress("track", 0, 2))
    stages(Message("info", "takes no time of its own"))
    for stage in ("track", "render", "track"):
        stages(Progress(stage, 1, 2))
    assert stages.seconds == {"track": 3.0, "render": 1.0}
    assert len(seen) == 5


def test_a_whole_dub_is_measured_and_nothing_is_left(job: Job) -> None:
    before = set(job.video.parent.iterdir())
    measured = pipeline.bench(job, lambda event: None, lambda: False)
    assert measured.frames == 16
    assert measured.floor_ms > 0
    total = 1e3 / measured.fps
    assert sum(measured.stages_ms.values()) <= total * 1.001
    assert measured.floor_share == pytest.approx(measured.floor_ms / total)
    assert set(job.video.parent.iterdir()) == before


def test_a_measurement_that_is_stopped_promises_nothing(job: Job) -> None:
    with pytest.raises(CancelledError) as told:
        pipeline.bench(job, lambda event: None, lambda: True)
    assert "kept" not in f"{told.value} {told.value.hint}"
    assert not job.output.exists()


def test_a_start_is_told_apart_by_two_jobs() -> None:
    """Jobs whose start takes 3 seconds, and each frame a tenth of one."""
    few = pipeline.START_FRAMES
    steady, start = pipeline.after_start(250, 3 + 25, 3 + few / 10)
    assert (steady, start) == (pytest.approx(10), pytest.approx(3))
    assert pipeline.after_start(250, 5.0, 6.0) == (None, None)


def test_the_short_job_is_made_where_the_clip_is_long_enough(job: Job, monkeypatch) -> None:
    asked: list[int | None] = []

    def dub(given: Job, *rest):
        asked.append(given.frame_count)
        return doubles.dub(given, *rest)

    monkeypatch.setattr(pipeline, "dub", dub)
    assert pipeline.bench(job, lambda event: None, lambda: False).steady_fps is None
    monkeypatch.setattr(pipeline, "START_FRAMES", 5)
    monkeypatch.setattr(pipeline, "after_start", lambda frames, *_: (frames / 2, 3.0))
    measured = pipeline.bench(job, lambda event: None, lambda: False)
    assert asked == [12, None, 12, 5, None]
    assert (measured.steady_fps, measured.start_s) == (measured.frames / 2, 3.0)


@pytest.mark.parametrize("steady", [None, 9.96])
def test_what_is_after_the_start_is_said_where_it_is_known(steady: float | None) -> None:
    start = None if steady is None else 2.5
    bench = pipeline.Bench(250, (8, 6), 8.7, steady, start, {}, 1.0, 0.1, 5.0, None)
    first = pipeline.describe(asdict(bench)).splitlines()[0]
    after = ", 10.0 after a start of 2.5 s" if steady else ""
    assert first == f"250 frames of 8x6: 8.7 frames a second{after}"


def test_the_command_tells_a_person(job: Job, capsys) -> None:
    assert cli.main(["bench", "--video", str(job.video), "--audio", str(job.audio)]) == 0
    told = capsys.readouterr().out
    assert "16 frames of" in told
    assert "frames a second" in told
    assert "decoding and encoding alone" in told


def test_a_missing_video_is_said(tmp_path: Path, capsys) -> None:
    missing = str(tmp_path / "none.mp4")
    assert cli.main(["bench", "--video", missing, "--audio", missing]) != 0
    assert "none.mp4" in capsys.readouterr().err


def test_the_reference_network_makes_faces_of_96() -> None:
    other = generators.Wav2LipSized().eval()
    with torch.inference_mode():
        assert other(torch.rand(1, 6, 96, 96)).shape == (1, 3, 96, 96)
    assert sum(p.numel() for p in other.parameters()) > 20e6
    found = generators.compare(1)
    assert found.ratio == pytest.approx(found.generator_ms / found.reference_ms)
