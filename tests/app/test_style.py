"""`gsmooth style`, with clips whose lessons are given."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gsmooth_core.a2ep.lesson import sounds_of
from gsmooth_core.a2ep.manner_file import load_style
from gsmooth_core.app import cli, commands, style
from gsmooth_core.job.own_speech import Listened
from tests.a2ep.talkers import lesson
from tests.job.test_teaching import ears


@pytest.fixture
def run(monkeypatch, capsys):
    spoken = lesson(300, noise=0.003)
    sounds = sounds_of(spoken.moved, spoken.moved, 25.0)
    known = {"a.mp4": replace(spoken, sounds=sounds), "silent.mp4": None}

    def hear(self, video):
        found = known[video.name]
        return Listened(video.name, found, "" if found else "it is silent")

    hears = ears()
    monkeypatch.setattr(style, "teacher", lambda video: None)
    monkeypatch.setattr(style.Listeners, "hear", hear)
    monkeypatch.setattr(style, "load_a2ep", lambda name: hears)
    monkeypatch.setattr(style, "load_face_model", lambda name: None)

    def call(output: Path, *videos: str):
        named = [word for video in videos for word in ("--video", video)]
        status = cli.main(["style", *named, "--output", str(output), "--json"])
        events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return status, events, hears

    return call


def test_a_style_is_written_and_speaks(run, tmp_path):
    path = tmp_path / "anna.safetensors"
    status, events, hears = run(path, "a.mp4", "silent.mp4")
    result = events[-1]["result"]
    assert status == 0
    assert result["style"] == str(path)
    assert [clip["taught"] for clip in result["clips"]] == [True, False]
    assert result["clips"][1]["why"] == "it is silent"
    assert load_style(path, hears).mean.shape == (5,)


def test_nothing_is_written_where_nothing_is_learned(run, tmp_path):
    path = tmp_path / "anna.safetensors"
    status, events, _ = run(path, "silent.mp4")
    assert status != 0
    assert "No style was written" in events[-1]["message"]
    assert not path.exists()


def test_a_style_file_has_a_name_of_its_kind(run, tmp_path):
    status, events, _ = run(tmp_path / "anna.json", "a.mp4")
    assert status != 0
    assert ".safetensors" in events[-1]["hint"]


def test_clips_and_styles_of_the_command_line_are_the_jobs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["dub", "--video", "v.mp4", "--audio", "s.wav", "--output", "o.mp4"]
    teach = ["--teach", "a.mp4", "--teach", "b.mp4"]
    job = commands._job(cli._parser().parse_args([*words, *teach]))
    assert job.teach == (tmp_path / "a.mp4", tmp_path / "b.mp4")
    assert job.speaks_like is None
    job = commands._job(cli._parser().parse_args([*words, "--speaks-like", "anna.safetensors"]))
    assert job.speaks_like == tmp_path / "anna.safetensors"
    assert job.teach == ()
    photo = ["animate", "--photo", "p.png", "--audio", "s.wav", "--output", "o.mp4", *teach]
    assert cli._parser().parse_args(photo).teach == [Path("a.mp4"), Path("b.mp4")]
