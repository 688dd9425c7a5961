"""Odd names: bytes that are no UTF-8, names no disk takes, links in a circle, no home, no temp."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gsmooth_core import cli
from gsmooth_core.jobs import load_job
from gsmooth_core.media import probe
from tests import doubles
from tests.media.made import numbered_frames, speechlike, write_video, write_wav

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names are bytes there")


@pytest.fixture(autouse=True)
def double(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gsmooth_core.dub", doubles.install())
    import gsmooth_core

    monkeypatch.setattr(gsmooth_core, "dub", sys.modules["gsmooth_core.dub"], raising=False)


@pytest.fixture
def sources(tmp_path: Path) -> tuple[Path, Path]:
    video = write_video(tmp_path / "v.mp4", numbered_frames(6), 25)
    return video, write_wav(tmp_path / "w.wav", speechlike(0.5), 16000)


def dub(video: Path, audio: Path, output: Path, *more: object) -> int:
    words = ["dub", "--video", video, "--audio", audio, "--output", output, *more]
    return cli.main([str(word) for word in words])


def test_bytes_that_are_no_utf8_work_everywhere(sources, tmp_path, capfd):
    raw = Path(os.fsdecode(os.fsencode(tmp_path) + b"/b\xff\xfe"))
    raw.mkdir()
    video, audio = (source.rename(raw / source.name) for source in sources)
    assert dub(video, audio, raw / "o.mp4", "--job", raw / "job", "--json") == 0
    assert probe(raw / "o.mp4").frame_count == 6
    assert load_job(raw / "job").video == video
    assert dub(video, audio, raw / "p.mp4") == 0
    out = capfd.readouterr().out
    assert out.isascii()
    assert json.loads(out.splitlines()[0])


def odd_paths(folder: Path) -> dict[str, Path]:
    for name in "ab":
        (folder / name).symlink_to(folder / ("b" if name == "a" else "a"))
    (folder / "dangling").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe")
    return {
        "300 letters": folder / ("n" * 300 + ".mp4"),
        "a circle": folder / "a",
        "in a circle": folder / "a" / "x.mp4",
        "dangling": folder / "dangling",
        "in a file": folder / "v.mp4" / "x.mp4",
        "a pipe": folder / "pipe",
        "a device": Path("/dev/zero"),
        "the root": Path("/"),
    }


ODD = ("300 letters", "a circle", "in a circle", "dangling", "in a file", "a pipe", "a device",
       "the root")  # fmt: skip


@pytest.mark.parametrize("place", ["--video", "--audio", "--output", "--job"])
@pytest.mark.parametrize("kind", ODD)
def test_odd_paths_are_refused_with_words(sources, tmp_path, capfd, place, kind):
    if (place, kind) == ("--job", "the root"):
        pytest.skip("a folder like any other, where one may write")
    path = odd_paths(tmp_path)[kind]
    options = {"--video": sources[0], "--audio": sources[1], "--output": tmp_path / "o.mp4"}
    words = [str(word) for pair in (options | {place: path}).items() for word in pair]
    assert cli.main(["dub", *words]) in (3, 4, 8)
    err = capfd.readouterr().err
    assert "Traceback" not in err
    assert "[bad_" in err
    assert not (tmp_path / "o.mp4.gsmooth").exists()


@pytest.mark.parametrize("kind", ODD)
def test_other_commands_refuse_them_too(sources, tmp_path, capfd, kind):
    path = str(odd_paths(tmp_path)[kind])
    target = str(tmp_path / "t.safetensors")
    for words in (
        ["track", "--video", path, "--output", target],
        ["predict", "--audio", path, "--output", target],
        ["mesh", "--track", path, "--output", target],
        ["dub", "--video", str(sources[0]), "--expression", path, "--output", target + ".mp4"],
        ["sync", path],
        ["sync", str(sources[0]), "--expert", path],
        ["report", path],
    ):
        assert cli.main(words) in (3, 4, 6, 7, 8), words
    assert "Traceback" not in capfd.readouterr().err


def test_an_empty_path_is_a_slip(sources, tmp_path, capfd):
    with pytest.raises(SystemExit):
        dub(*sources, tmp_path / "o.mp4", "--job", "")
    assert "the path is empty" in capfd.readouterr().err


def test_the_terminal_gets_no_control_characters(sources, tmp_path, capfd):
    video = sources[0].rename(tmp_path / "v\x1b[31m\r.mp4")
    assert dub(video, sources[1], tmp_path / "o\x1b]0;x\x07.mp4") == 0
    assert dub(tmp_path / "none\x1b[2J.mp4", sources[1], tmp_path / "p.mp4") == 4
    out, err = capfd.readouterr()
    assert not {"\x1b", "\r", "\x07"} & set(out + err)
    assert "\\x1b" in err


@pytest.mark.parametrize(
    ("environment", "status"),
    [
        ({"HOME": ""}, 0),
        ({"HOME": "{file}"}, 8),  # the folder for locks cannot be made there
        ({"HOME": "{file}", "XDG_STATE_HOME": "{state}"}, 0),
        ({"TMPDIR": "/nonexistent"}, 0),
    ],
)
def test_no_home_and_no_temp_folder(sources, tmp_path, environment, status):
    places = {"file": sources[0], "state": tmp_path / "state"}
    given = {name: value.format(**places) for name, value in environment.items()}
    words = ["dub", "--video", sources[0], "--audio", sources[1], "--output", tmp_path / "o.mp4"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.doubles", "cli", *map(str, words)], cwd=ROOT,
        env=os.environ | given, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert status == 0 or "XDG_STATE_HOME" in done.stderr
