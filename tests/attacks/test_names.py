"""Odd names: bytes that are no UTF-8, names no disk takes, links in a circle, no home, no temp."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from gsmooth_core.app import cli
from gsmooth_core.evaluation.metrics.shot import _pictures
from gsmooth_core.evaluation.plot import Line
from gsmooth_core.evaluation.report import charts, page
from gsmooth_core.evaluation.sync.plot import draw
from gsmooth_core.job.job import load_job
from gsmooth_core.media import probe, read_frames
from gsmooth_core.sync.offset import SyncResult
from tests import doubles
from tests.attacks.talking import talking
from tests.media.made import numbered_frames, speechlike, write_video, write_wav

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names are bytes there")


@pytest.fixture(autouse=True)
def double(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gsmooth_core.run", doubles.module())
    import gsmooth_core

    monkeypatch.setattr(gsmooth_core, "run", sys.modules["gsmooth_core.run"], raising=False)


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


def test_nor_does_the_log(sources, tmp_path):
    """The log names files too, when a person asks for more of it."""
    video = sources[0].rename(tmp_path / "v\x1b[31m.mp4")
    code = (
        "import logging, sys; from gsmooth_core.app.console import log_to_stderr\n"
        "log_to_stderr(logging.INFO); logging.getLogger('x').info('%s is odd', sys.argv[1])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(video)], capture_output=True, check=True)
    assert b"\x1b" not in done.stderr
    assert b"\\x1b[31m.mp4 is odd" in done.stderr


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


# -- names of what is written ----------------------------------------------------------------

NAMES = [
    "-x", "a\nb", "con", "%s%n", "%d", "e\x1b[31m", "a'b\"c`$(touch x)<script>", "a;b,c[d]\\",
    "*?[a-z]", "\u202egpj", "pipe:1", os.fsdecode(b"caf\xe9\xff"), "n" * 240,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_names_of_outputs(sources, tmp_path, name):
    """A video, frames in a folder, and frames beside others: each under its own name."""
    place = tmp_path / "place"
    place.mkdir()
    assert dub(*sources, place / f"{name}.mp4") == 0
    assert dub(*sources, place / name) == 0
    assert dub(*sources, place / f"{name}_%03d.png") == 0
    written = {path.name for path in place.iterdir()}
    numbered = name.replace("%d", "{}", 1)
    rest = "%03d" if numbered != name else "{:03d}"
    frames = {f"{numbered}_{rest}".format(number) + ".png" for number in range(6)}
    assert written == {f"{name}.mp4", name, *frames, "sound.wav"}
    assert probe(place / f"{name}.mp4").frame_count == 6
    assert sorted(path.name for path in (place / name).iterdir())[:2] == ["00000.png", "00001.png"]
    assert [frame.shape for frame in _pictures(place / name)] == [(64, 96, 3)] * 6


@pytest.mark.parametrize("kind", ["a pipe", "a folder", "in a file", "300 letters", "the link"])
def test_results_of_other_commands_replace_only_files(sources, tmp_path, capfd, kind):
    """Refused before the work; what is there stays as it is."""
    video, audio = sources
    for suffix in (".json", ".safetensors", ".npz", ".svg"):
        place = tmp_path / suffix[1:]
        place.mkdir()
        os.mkfifo(place / f"pipe{suffix}")
        (place / f"folder{suffix}").mkdir()
        (place / f"link{suffix}").symlink_to("/dev/null")
        target = {
            "a pipe": place / f"pipe{suffix}",
            "a folder": place / f"folder{suffix}",
            "the link": place / f"link{suffix}",
            "in a file": video / f"x{suffix}",
            "300 letters": place / ("n" * 300 + suffix),
        }[kind]
        before = sorted(place.iterdir())
        words = {
            ".json": ["predict", "--audio", audio, "--output", target],
            ".safetensors": ["track", "--video", video, "--output", target],
            ".npz": ["mesh", "--video", video, "--output", target],
            ".svg": ["sync", video, "--plot", target],
        }[suffix]
        assert cli.main([str(word) for word in words]) in (3, 4), words
        assert sorted(place.iterdir()) == before
        assert (place / f"pipe{suffix}").is_fifo()
    assert Path("/dev/null").is_char_device()
    assert "Traceback" not in capfd.readouterr().err


def test_a_mesh_takes_the_place_of_no_track(tmp_path, capfd):
    track = tmp_path / "t.safetensors"
    track.write_bytes(b"the only copy")
    assert cli.main(["mesh", "--track", str(track), "--output", str(track)]) == 3
    assert "its own source" in capfd.readouterr().err
    assert track.read_bytes() == b"the only copy"


@pytest.fixture
def no_temp_folder(tmp_path, monkeypatch):
    """While the context lasts, there is none: pytest itself needs one."""

    @contextmanager
    def context() -> Iterator[None]:
        with monkeypatch.context() as patched:
            patched.setattr("tempfile._candidate_tempdir_list", lambda: [str(tmp_path / "none")])
            patched.setattr("tempfile.tempdir", None)
            yield

    return context


def test_a_dub_needs_no_temp_folder(sources, tmp_path, no_temp_folder):
    with no_temp_folder():
        assert len(list(read_frames(probe(sources[0])))) == 6
        assert dub(*sources, tmp_path / "o.mp4") == 0


def test_a_bench_without_a_temp_folder_says_so(sources, no_temp_folder, capfd):
    words = ["bench", "--video", sources[0], "--audio", sources[1]]
    with no_temp_folder():
        assert cli.main([str(word) for word in words]) == 4
    assert "TMPDIR" in capfd.readouterr().err


# -- names on pages and plots ----------------------------------------------------------------

EVIL = os.fsdecode(b"<script>alert(1)</script>'\"&amp;\x1b[31m\x07\xff") + "\u202e"


class Elements(HTMLParser):
    """The elements of a page, and the names of their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, name) for name, _ in attrs] or [(tag, "")]


def is_plain(text: str) -> bool:
    return all(letter.isprintable() or letter == "\n" for letter in text)


def test_a_page_shows_names_and_obeys_none():
    def made(word: str) -> str:
        values = np.arange(3, dtype=np.float32)
        return page.page(
            word, page.text("h1", word), page.tiles([(word, word, word, "good")]),
            page.table([word], [[word, word]], [word]), page.picture(b"x", word),
            page.folded(word, word), page.glossary([(word, word)]),
            charts.lines(values.astype(float), [Line(word, values, 0)], "s"),
            charts.dots([(word, [1.0])], [word]), page.drawing(word, word),
            page.side_by_side([word]), page.legend([(word, 1)]),
        )  # fmt: skip

    assert is_plain(made(EVIL))
    assert Elements(made(EVIL)).found == Elements(made("plain")).found
    made(EVIL).encode("utf-8")


def test_a_plot_is_xml_whatever_the_name():
    found = SyncResult(0, 0.0, 0.5, np.ones(31, np.float32), np.ones(3, np.float32))
    drawn = draw(found, EVIL)
    assert is_plain(drawn)
    elements = ElementTree.fromstring(drawn)  # noqa: S314  (made just now)
    titles = [element.text or "" for element in elements.iter()]
    assert any(title.startswith("<script>alert(1)</script>'\"&amp;\\x1b") for title in titles)


def test_a_plot_of_a_single_second():
    """A shot of one second has one value for each second: there is no scale between two."""
    drawn = charts.lines(np.array([0.5]), [Line("confidence", np.ones(1, np.float32), 1)], "s")
    assert drawn.count(">0.5</text>") == 1


@pytest.mark.slow
def test_every_command_with_bytes_that_are_no_utf8(tmp_path_factory, tmp_path):
    """The whole program, models and all, on names that no page may obey."""
    folder = tmp_path / os.fsdecode(b"f\xff<b>\x1b")

    def named(raw: bytes, suffix: str = "") -> Path:
        return folder / (os.fsdecode(raw + b"\xe9<i>&\x07") + suffix)

    clip, video, sound = talking(tmp_path_factory), named(b"v", ".mp4"), named(b"s", ".wav")
    folder.mkdir()
    shutil.copyfile(clip.video, video)
    shutil.copyfile(clip.speech, sound)
    output, track, curves = named(b"o", ".mp4"), named(b"t", ".safetensors"), named(b"c", ".json")
    sources = ["--video", video, "--frame-count", 25]
    for words in (
        ["dub", *sources, "--audio", sound, "--output", output, "--keep-job"],
        ["report", f"{output}.gsmooth", "--output", named(b"p", ".html")],
        ["sync", output, "--plot", named(b"q", ".svg")],
        ["track", *sources, "--output", track],
        ["predict", "--audio", sound, "--output", curves],
        ["mesh", "--track", track, "--expression", curves, "--output", named(b"m", ".npz")],
        ["dub", *sources, "--expression", track, "--output", named(b"d")],
    ):
        command = [sys.executable, "-m", "gsmooth_core", *map(str, words)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (words, done.stderr)
    ElementTree.parse(named(b"q", ".svg"))  # noqa: S314  (made just now)
    assert is_plain(named(b"p", ".html").read_text(encoding="utf-8"))
