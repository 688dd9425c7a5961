"""Measurements are kept, and compared with those of the same kind alone."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from gsmooth_core.app import cli
from gsmooth_core.evaluation.bench import history, pipeline
from tests.evaluation.bench.test_pipeline import job

__all__ = ["job"]  # a fixture


def measured(fps: float, frames: int = 10) -> dict[str, object]:
    return {"fps": fps, "frames": frames, "size": (64, 48), "stages_ms": {"track": 1.0}}


def test_the_last_one_of_the_same_kind_is_compared_with(tmp_path: Path) -> None:
    file, clip = tmp_path / "new" / "bench.jsonl", Path("/clips/a.mp4")
    assert history.compared(measured(4.0), clip, file) is None
    assert history.compared(measured(9.0, frames=20), clip, file) is None
    assert history.compared(measured(9.0), Path("b.mp4"), file) is None
    before = history.compared(measured(6.0), clip, file)
    assert before is not None and before["fps"] == 4.0
    assert before["ratio"] == pytest.approx(1.5)
    assert "1.50 times as fast" in history.in_words(before)
    again = history.compared(measured(3.0), clip, file)
    assert again is not None and again["ratio"] == pytest.approx(0.5)
    assert len(file.read_text().splitlines()) == 5


def test_what_others_wrote_into_the_file_is_left_out_and_stays(tmp_path: Path) -> None:
    file, clip = tmp_path / "bench.jsonl", Path("a.mp4")
    history.compared(measured(4.0), clip, file)
    entry = json.loads(file.read_text())
    broken = ["no json", "[1]", json.dumps({**entry, "fps": "fast"}), json.dumps({"fps": 0.0})]
    file.write_text(file.read_text() + "\n".join(broken) + "\n")
    before = history.compared(measured(8.0), clip, file)
    assert before is not None and before["ratio"] == pytest.approx(2)
    assert broken[0] in file.read_text()


def test_a_line_that_was_torn_off_does_not_take_the_next_one_with_it(tmp_path: Path) -> None:
    file, clip = tmp_path / "bench.jsonl", Path("a.mp4")
    file.write_text('{"fps": 3.0, "vid')
    assert history.compared(measured(4.0), clip, file) is None
    before = history.compared(measured(8.0), clip, file)
    assert before is not None and before["ratio"] == pytest.approx(2)
    assert file.read_text().startswith('{"fps": 3.0, "vid\n')


def test_brackets_without_end_and_speeds_without_end_are_left_out(tmp_path: Path) -> None:
    file, clip = tmp_path / "bench.jsonl", Path("a.mp4")
    history.compared(measured(4.0), clip, file)
    endless = json.dumps({**json.loads(file.read_text()), "fps": float("inf")})
    file.write_text(file.read_text() + "[" * 200_000 + "\n" + endless + "\n")
    before = history.compared(measured(8.0), clip, file)
    assert before is not None and before["ratio"] == pytest.approx(2)


def test_sequences_of_two_shots_are_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """They are put into files that are named alike."""
    result = pipeline.Bench(2, (64, 48), 4.0, None, None, {}, 1.0, 0.5, 0.0, None)
    monkeypatch.setattr(pipeline, "bench", lambda *_: result)
    monkeypatch.setattr(pipeline, "describe", lambda _: "")
    file, sound = tmp_path / "bench.jsonl", tmp_path / "a.wav"
    sound.touch()
    for shot in ("one", "two"):
        folder = tmp_path / shot
        folder.mkdir()
        for number in (1, 2):
            cv2.imwrite(str(folder / f"shot_{number:04d}.png"), np.zeros((48, 64, 3), np.uint8))
        words = ["bench", "--video", str(folder), "--audio", str(sound), "--history", str(file)]
        assert cli.main(words) == 0
        assert "times as fast" not in capsys.readouterr().out
    names = [json.loads(line)["video"] for line in file.read_text().splitlines()]
    assert names == ["one", "two"]


def test_the_command_tells_of_it_and_goes_on_without(job, tmp_path: Path, capsys) -> None:
    words = ["bench", "--video", str(job.video), "--audio", str(job.audio), "--history"]
    file = tmp_path / "bench.jsonl"
    assert cli.main([*words, str(file)]) == 0
    assert "times as fast" not in capsys.readouterr().out
    assert cli.main([*words, str(file), "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert str(file) in json.dumps(result) and "ratio" in json.dumps(result)
    assert cli.main([*words, str(file)]) == 0
    assert "times as fast as on" in capsys.readouterr().out
    assert cli.main([*words, str(tmp_path)]) == 0  # a folder
    told = capsys.readouterr()
    assert "cannot be kept" in told.err + told.out
