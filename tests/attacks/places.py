"""What tests of folders share: a sandbox, runs in this process and in others, and what they left.

The way is the double of `tests.doubles`, so a run takes half a second.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import pytest

from gsmooth_core.app import cli
from gsmooth_core.media import probe, read_audio, read_frames
from tests import doubles
from tests.media.made import number_in, numbered_frames, speechlike, write_video, write_wav

ROOT = Path(__file__).parent.parent.parent
FRAMES = 12
REFUSED = 8
PRECIOUS = b"the only copy\n"
Sources = dict[str, object]


def use_sandbox(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way is a double, and locks and scratch files lie below `folder`."""
    import gsmooth_core

    monkeypatch.setitem(sys.modules, "gsmooth_core.run", doubles.module())
    monkeypatch.setattr(gsmooth_core, "run", sys.modules["gsmooth_core.run"], raising=False)
    for name in ("state", "scratch", "place"):
        (folder / name).mkdir(mode=0o700)
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    monkeypatch.setenv("TMPDIR", str(folder / "scratch"))
    monkeypatch.setattr("tempfile.tempdir", None)


def make_sources(folder: Path) -> Sources:
    """Options that name a clip and a speech, for three segments."""
    video = write_video(folder / "in.mp4", numbered_frames(FRAMES), 25)
    audio = write_wav(folder / "s.wav", speechlike(1.0), 16000)
    return {"--video": video, "--audio": audio, "--chunk-frames": 4}


@contextmanager
def kept(folder: Path) -> Iterator[Path]:
    """A folder of somebody's, whose files are as they were when the block has ended."""
    folder.mkdir()
    for name in ("file.txt", "00000.png", "notes"):
        (folder / name).write_bytes(PRECIOUS)
    before = contents(folder)
    yield folder
    assert contents(folder) == before


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its name in it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(files)}


def write(folder: Path, files: dict[str, bytes]) -> None:
    """The reverse."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def arguments(sources: Sources, output: Path, *more: object) -> list[str]:
    """The command's words after its name; of an option that is given twice, the last counts."""
    named = [word for pair in sources.items() for word in pair]
    return ["dub", *map(str, [*named, "--output", output, *more])]


def dub(sources: Sources, output: Path, *more: object) -> int:
    """The command in this process; returns its exit status."""
    return cli.main(arguments(sources, output, *more))


def double(*words: str, before: tuple[str, ...] = ()) -> list[str]:
    """A command line of a process of its own."""
    return [*before, sys.executable, "-m", "tests.doubles", "cli", *words]


def start(words: list[str], slow: float = 0.1) -> subprocess.Popen[str]:
    """Start a process that takes `slow` seconds a frame."""
    return subprocess.Popen(
        words, cwd=ROOT, env=os.environ | {"DOUBLE_SECONDS": str(slow)}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip


def wait_for_frames(folder: Path, count: int) -> None:
    """Wait until a run that works in `folder` has made `count` frames."""
    latest = time.monotonic() + 30
    while len(made_in(folder)) < count:
        assert time.monotonic() < latest
        time.sleep(0.01)


def made_in(folder: Path) -> list[int]:
    """Numbers of the frames that doubles have made in `folder`, in order, over all runs."""
    lists = list(folder.glob("made*.txt"))
    return [int(word) for word in lists[0].read_text().split()] if lists else []


def check_video(output: Path) -> None:
    """See that an output is whole, and a file of its own."""
    clip = probe(output)
    assert [number_in(frame) for frame in read_frames(clip)] == list(range(FRAMES))
    assert len(read_audio(output, 16000)) == pytest.approx(FRAMES / 25 * 16000, abs=1100)
    assert not output.is_symlink()


def check_images(folder: Path, pattern: str = "{:05d}.png") -> None:
    """The same for numbered frames."""
    numbers = [number_in(cv2.imread(str(folder / pattern.format(n)))) for n in range(FRAMES)]
    assert numbers == list(range(FRAMES))
    assert (folder / "sound.wav").stat().st_size > FRAMES / 25 * 16000 * 2
    assert not any(path.is_symlink() for path in [folder, *folder.iterdir()])
