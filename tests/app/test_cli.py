"""The command line: what it prints where, how it ends, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import fields
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.app import cli
from gsmooth_core.errors import InputError
from gsmooth_core.job.job import load_job
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.media import probe, read_frames
from gsmooth_core.models import registry
from gsmooth_core.storage.arrays import load_expression, save_expression
from gsmooth_core.storage.locks import output_locked
from gsmooth_core.types import Expression
from tests import doubles
from tests.media.made import number_in, numbered_frames, speechlike, write_video, write_wav

ROOT = Path(__file__).parents[2]


@pytest.fixture
def way(monkeypatch):
    """The way is a double."""
    monkeypatch.setitem(sys.modules, "gsmooth_core.run", doubles.module())
    import gsmooth_core

    monkeypatch.setattr(gsmooth_core, "run", sys.modules["gsmooth_core.run"], raising=False)


@pytest.fixture
def sources(tmp_path) -> tuple[Path, Path]:
    video = write_video(tmp_path / "in.mp4", numbered_frames(12), 25)
    return video, write_wav(tmp_path / "s.wav", speechlike(1.0), 16000)


def run(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


def dub(video: Path, audio: Path, output: Path, *more: object) -> int:
    return run("dub", "--video", video, "--audio", audio, "--output", output, *more)


def test_a_dub_for_a_person(way, sources, tmp_path, capfd):
    output = tmp_path / "new folder" / "out.mp4"
    assert dub(*sources, output) == 0
    out, err = capfd.readouterr()
    assert str(output) in out.splitlines()[-1]
    assert "Making the new mouth" in err
    assert [number_in(frame) for frame in read_frames(probe(output))] == list(range(12))
    assert list(output.parent.iterdir()) == [output]


def test_a_dub_for_a_program(way, sources, tmp_path, capfd):
    assert dub(*sources, tmp_path / "out.mp4", "--json") == 0
    lines = capfd.readouterr().out.splitlines()
    events = [json.loads(line) for line in lines if line.startswith("{")]
    assert {event["event"] for event in events} == {"message", "progress", "result"}
    last = json.loads(lines[-1])
    assert last["result"]["frames"] == 12
    assert last["result"]["fps"] == "25"


@pytest.mark.parametrize("how", ["--job", "--keep-job"])
def test_a_job_that_is_kept(way, sources, tmp_path, how):
    output, folder = tmp_path / "out.mp4", tmp_path / "my job"
    more = ["--job", folder] if how == "--job" else ["--keep-job"]
    assert dub(*sources, output, *more, "--strength", "1.5", "--crop-size", 512) == 0
    folder = folder if how == "--job" else tmp_path / "out.mp4.gsmooth"
    job = load_job(folder)
    assert (job.video, job.audio) == sources
    assert job.settings == DubSettings(strength=1.5, crop_size=512)


def test_every_setting_has_its_option(way, sources, tmp_path):
    values = {"strength": 0.5, "smoothing": 0.25, "mask": "face", "crop_size": 256, "crf": 20}
    values |= {"preset": "fast", "chunk_frames": 5, "keep_source_audio": True}
    values |= {
        "device": "cpu",
        "reference_gap": 0.5,
        "adapt": 90.0,
        "occluders": False,
        "grain": False,
        "sharpness": False,
        "shutter": 0.33,
        "draft": True,
        "style": False,
    }
    values |= {
        "face": "2",
        "length": "ping-pong",
        "tracker": "rnet",
        "looks": 3,
        "face_model": "bfm",
        "a2ep": "/own/a2ep",
        "taft": "/own/taft",
        "audio_track": "2",
        "source_audio_track": "3",
        "codec": "hevc",
        "quality": "crf",
        "depth": 10,
        "intra": True,
    }
    contrary = {"timing": "keep", "keep_rest": True}  # to a length, and to each other
    assert set(values | contrary) == {known.name for known in fields(DubSettings)}
    options = []
    for name, value in values.items():
        flag = ("--no-" if value is False else "--") + name.replace("_", "-")
        options += [flag, *([] if isinstance(value, bool) else [value])]
    assert dub(*sources, tmp_path / "o.mp4", "--keep-job", *options) == 0
    assert load_job(tmp_path / "o.mp4.gsmooth").settings == DubSettings(**values)
    for name, options in (("timing", ["--timing", "keep"]), ("keep_rest", ["--keep-rest"])):
        assert dub(*sources, tmp_path / f"{name}.mp4", "--keep-job", *options) == 0
        settings = load_job(tmp_path / f"{name}.mp4.gsmooth").settings
        assert settings == DubSettings(**{name: contrary[name]})


def test_each_persons_speech_goes_into_the_job(way, sources, tmp_path, monkeypatch):
    video, audio = sources
    monkeypatch.chdir(tmp_path)
    words = ["--speech", "10=s.wav", "--speech", f"2={audio}", "--job", tmp_path / "job"]
    assert run("dub", "--video", video, "--output", "o.mp4", *words) == 0
    assert list(load_job(tmp_path / "job").speech.items()) == [("2", audio), ("10", audio)]


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (["--speech", "1=s.wav", "--speech", "01=t.wav"], InputError.exit_code, "several speeches"),
        (["--speech", "0=s.wav"], InputError.exit_code, "numbers of people"),
        (["--speech", "1=s.wav", "--face", "2"], InputError.exit_code, "names its person"),
        (["--speech", "1=s.wav", "--audio-delay", "1"], InputError.exit_code, "begin with"),
        (["--speech", "1=no.wav"], InputError.exit_code, "no.wav"),
        (["--speech", "anna=s.wav"], 2, "NUMBER=FILE"),
        (["--speech", "s.wav"], 2, "NUMBER=FILE"),
        (["--speech", "1="], 2, "NUMBER=FILE"),
        (["--speech", "1=s.wav", "--audio", "s.wav"], 2, "not allowed with"),
    ],
)
def test_speeches_that_are_refused(sources, tmp_path, capfd, monkeypatch, words, status, text):
    monkeypatch.chdir(tmp_path)
    try:
        ended = run("dub", "--video", sources[0], "--output", "o.mp4", *words)
    except SystemExit as end:
        ended = end.code
    assert ended == status
    assert text in capfd.readouterr().err
    assert not (tmp_path / "o.mp4.gsmooth").exists()


def test_paths_are_relative_to_where_one_is(way, sources, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("dub", "--video", "in.mp4", "--audio", "s.wav", "--output=-o.mp4") == 0
    assert probe(tmp_path / "-o.mp4").frame_count == 12


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--video", "none.mp4"], 4, "no file"),
        (["--audio", "none.wav", "--output", "s.wav"], 3, "cannot be written"),
        (["--output", "in.mp4"], 3, "overwrite its own source"),
        (["--output", "out.exe"], 3, "cannot be written"),
        (["--output", "."], 3, "holds other files"),
        (["--output", "folder.mp4"], 3, "is a folder"),
        (["--output", "in.mp4/out.mp4"], 4, "in its place"),
        (["--output", "x" * 300 + ".mp4"], 4, "too long a name"),
        (["--strength", "7"], 3, "number from 0.0 to 2.0"),
        (["--strength", "much"], 3, "number from 0.0 to 2.0"),
        (["--start-frame", "-1"], 3, "start_frame"),
        (["--frame-count", "0"], 3, "frame_count"),
    ],
)
def test_errors_have_words_and_status(
    way, sources, tmp_path, monkeypatch, capfd, options, status, words
):
    monkeypatch.chdir(tmp_path)
    Path("folder.mp4").mkdir()
    before = sorted(tmp_path.iterdir())
    arguments = {"--video": "in.mp4", "--audio": "s.wav", "--output": "out.mp4"}
    arguments |= dict(zip(options[::2], options[1::2], strict=True))
    assert run("dub", *(word for pair in arguments.items() for word in pair)) == status
    err = capfd.readouterr().err
    assert words in err
    assert "Traceback" not in err
    assert sorted(tmp_path.iterdir()) == before


def test_json_errors(sources, tmp_path, capfd):
    assert dub(tmp_path / "none.mp4", sources[1], sources[0], "--json") == 4
    out, err = capfd.readouterr()
    error = json.loads(out.splitlines()[-1])
    assert (error["event"], error["code"]) == ("error", "bad_media")
    assert error["message"] in err


def test_curves_that_are_missing(way, sources, tmp_path, capfd):
    status = run(
        *("dub", "--video", sources[0], "--expression", tmp_path / "c.json"),
        *("--output", tmp_path / "o.mp4"),
    )
    assert status == 3
    assert "c.json" in capfd.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["dub"], ["fly"], ["dub", "--video", "a"]])
def test_wrong_usage(arguments, capfd):
    with pytest.raises(SystemExit) as caught:
        run(*arguments)
    assert caught.value.code == 2
    assert "usage: gsmooth" in capfd.readouterr().err


def test_an_unexpected_error_is_no_traceback(way, sources, tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("DOUBLE_BREAKS_AT", "9")
    status = dub(*sources, tmp_path / "o.mp4", "--chunk-frames", 4)
    err = capfd.readouterr().err
    assert status == 70
    assert "[internal]" in err
    assert not (tmp_path / "o.mp4").exists()
    monkeypatch.delenv("DOUBLE_BREAKS_AT")
    made = tmp_path / "o.mp4.gsmooth" / "made.gsmooth-partial.txt"
    assert made.read_text().split()[-1] == "8"
    assert dub(*sources, tmp_path / "o.mp4", "--chunk-frames", 4, "--keep-job") == 0
    assert made.read_text().split()[9:] == ["8", "9", "10", "11"]


def test_an_output_in_use(way, sources, tmp_path, capfd):
    with output_locked(tmp_path / "o.mp4"):
        assert dub(*sources, tmp_path / "o.mp4") == 8
    assert "in use" in capfd.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_says_so_and_keeps_the_job(sources, tmp_path, number):
    output = tmp_path / "out.mp4"
    command = [sys.executable, "-m", "tests.doubles", "cli", "dub", "--json", "--chunk-frames", "3"]
    command += ["--video", sources[0], "--audio", sources[1], "--output", output]
    made = tmp_path / "out.mp4.gsmooth" / "made.gsmooth-partial.txt"
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"DOUBLE_SECONDS": "0.15"}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    while not made.exists() or len(made.read_text().split()) < 5:
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, number)  # as a terminal does, to ffmpeg too
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert json.loads(out.splitlines()[-1])["code"] == "cancelled"
    assert not output.exists()
    done = subprocess.run([str(word) for word in command], cwd=ROOT, check=False)
    assert done.returncode == 0
    assert probe(output).frame_count == 12
    assert not made.parent.exists()


def test_doctor(capfd):
    status = run("doctor", "--json")
    result = json.loads(capfd.readouterr().out.splitlines()[-1])["result"]
    names = {check["name"].split()[0] for check in result["checks"]}
    assert {"Python", "torch", "ffmpeg", "numba", "model", "disk"} <= names
    assert status == (0 if all(check["ok"] for check in result["checks"]) else 1)
    assert all(check["hint"] for check in result["checks"] if not check["ok"])
    assert run("doctor") == status
    assert "ok   ffmpeg" in capfd.readouterr().out


def test_doctor_says_what_is_missing(monkeypatch, capfd, tmp_path):
    monkeypatch.setattr(registry, "PACKAGE_WEIGHTS", tmp_path)
    monkeypatch.setenv("GSMOOTH_MODELS", "")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert run("doctor") == 1
    out = capfd.readouterr().out
    assert "FAIL model face_landmarker" in out
    assert "Reinstall GSmooth" in out
    assert run("models", "verify") == 7
    assert "missing" in capfd.readouterr().err


def test_models_list_and_a_damaged_one(monkeypatch, capfd, tmp_path):
    assert run("models") == 0
    out = capfd.readouterr().out
    for name in registry.MODELS:
        assert name in out
    monkeypatch.setattr(registry, "PACKAGE_WEIGHTS", tmp_path)
    (tmp_path / "face_landmarker.task").write_bytes(b"not the model")
    assert run("models", "verify", "--json") == 7
    assert "damaged" in json.loads(capfd.readouterr().out.splitlines()[-1])["message"]


def test_wrong_output_names_are_refused_before_the_work(sources, tmp_path, capfd):
    video, audio = sources
    assert run("track", "--video", video, "--output", tmp_path / "t.txt") == 3
    assert run("predict", "--audio", audio, "--output", tmp_path / "c.txt") == 3
    assert run("mesh", "--video", video, "--output", tmp_path / "m.stl") == 3
    assert run("mesh", "--output", tmp_path / "m.npz") == 3
    assert run("predict", "--audio", audio, "--fps", "0", "--output", tmp_path / "c.json") == 3
    assert capfd.readouterr().err.count("[bad_input]") == 5


def test_curves_go_to_another_rigs_table_and_back(tmp_path, capfd):
    values = np.linspace(0, 1, 50, dtype=np.float32)[:, None]
    save_expression(tmp_path / "a.json", Expression(("jawOpen",), values, Fraction(24000, 1001)))
    assert run("curves", tmp_path / "a.json", "--output", tmp_path / "a.csv") == 0
    assert run("curves", tmp_path / "a.csv", "--output", tmp_path / "b.json", "--json") == 0
    assert json.loads(capfd.readouterr().out.splitlines()[-1])["result"]["fps"] == "24000/1001"
    back = load_expression(tmp_path / "b.json")
    jaw = back.values[:, back.names.index("jawOpen")]
    np.testing.assert_allclose(jaw, values[:, 0], atol=1e-5)
    assert run("curves", tmp_path / "a.csv", "--output", tmp_path / "a.csv") == 3
    assert "own source" in capfd.readouterr().err


@pytest.mark.parametrize("flag", ["--output=~/a.mp4", "--audio=~/a.mp4"])
def test_a_home_that_no_shell_has_read_is_meant(tmp_path, monkeypatch, flag):
    """A shell reads the sign where a word begins with it, and not behind `=`."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    words = ["dub", "--video", "~a.mov", "--audio", "x/~/b.wav", "--output", "o.mp4", flag]
    options = cli._parser().parse_args(words)
    assert tmp_path / "home" / "a.mp4" in (options.output, options.audio)
    assert options.video == Path("~a.mov")
    (tmp_path / "~").mkdir()
    assert Path("~/a.mp4") in vars(cli._parser().parse_args(words)).values()


def test_in_a_speech_of_one_of_several_too(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    words = ["dub", "--video", "a.mov", "--speech", "2=~/b.wav", "--output", "o.mp4"]
    assert cli._parser().parse_args(words).speech == [("2", tmp_path / "b.wav")]


def test_a_report_is_had_by_the_name_of_the_dub(sources, tmp_path, monkeypatch):
    asked = []

    def report(folder, *_rest):
        asked.append(folder)
        return {"text": ""}

    monkeypatch.setattr("gsmooth_core.app.actions.report", report)
    output = tmp_path / "out.mp4"
    output.touch()
    assert run("report", output) == 0
    assert run("report", tmp_path / "out.mp4.gsmooth") == 0
    assert asked == [tmp_path / "out.mp4.gsmooth"] * 2
