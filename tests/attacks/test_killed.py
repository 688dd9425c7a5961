"""Twenty times kill -9 while a clip is dubbed: the end is the same, and nothing stays behind."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gsmooth_core.media import probe, read_audio, read_frames
from gsmooth_core.storage.files import partial_path
from tests.attacks.talking import FRAMES, ROOT, Talking, command, talking

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc"),
]

CHUNK = 16
KILLS = [
    *(("predict", done) for done in (0, 1)),
    *(("occluders", done) for done in (0, 1, 40, 60, 99, 100)),
    *(("render", done) for done in (1, 9, 16, 17, 40, 48, 55, 70, 96, 100)),
    ("encode", 0),
    ("encode", 0),
]
"""Stage and step at which a run is killed: first and last ones, and both sides of a chunk's end.

The last but one falls when the output's file has been begun.
"""

LONGEST = 180.0  # seconds that any run may take
ENDING = 5.0  # seconds in which ffmpeg must notice that nobody listens any more
Piece = tuple[str, int]  # stage and part of a line in the journal


@dataclass
class Attempt:
    """One run, to its end or to its death.

    Attributes:
        number: of its process, and of the session in which its children run.
        events: what it said.
        status: as `Popen.returncode`: 0 when it ended well, -9 when it was killed.
    """

    number: int
    events: list[dict[str, Any]] = field(default_factory=list)
    status: int = 0

    @property
    def steps(self) -> list[tuple[str, int]]:
        """Stage and step of each progress event."""
        return [(e["stage"], e["done"]) for e in self.events if e["event"] == "progress"]


def attempt(
    words: list[str], moment: tuple[str, int] | None = None, begun: Path | None = None
) -> Attempt:
    """Run a command; kill its process, and no child of it, when it says that `moment` is there.

    Args:
        words: the command.
        moment: stage and step, if it is to be killed.
        begun: a folder in which another file must lie by then.
    """
    process = subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    run = Attempt(process.pid)
    guard = threading.Timer(LONGEST, process.kill)
    guard.start()
    try:
        for line in process.stdout:
            run.events.append(json.loads(line))
            if moment and moment_is_there(run.events[-1], moment):
                wait_for_another(begun)
                process.kill()
                break  # a child that outlives it may hold the pipe open
        run.status = process.wait()
    finally:
        guard.cancel()
        process.kill()
        process.stdout.close()
    return run


def moment_is_there(event: dict[str, Any], moment: tuple[str, int]) -> bool:
    stage, done = moment
    return event.get("stage") == stage and event["done"] >= done


def wait_for_another(folder: Path | None) -> None:
    if folder is None:
        return
    before, latest = len(list(folder.iterdir())), time.monotonic() + LONGEST
    while len(list(folder.iterdir())) == before:
        assert time.monotonic() < latest
        time.sleep(0.001)


def alive(session: int) -> list[str]:
    """Command lines of the processes of a session; those that only wait to be buried are none."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, number = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(number) == session and state != "Z":
                found.append((folder / "cmdline").read_text().replace("\0", " "))
        except (OSError, ValueError):  # it has ended meanwhile
            continue
    return found


def left_alive(session: int) -> list[str]:
    """What of a session still runs after the time that it has to end."""
    latest = time.monotonic() + ENDING
    while (found := alive(session)) and time.monotonic() < latest:
        time.sleep(0.05)
    return found


def journal(folder: Path) -> dict[Piece, tuple[int, int]]:
    """The pieces of work that a folder's journal lists, and which file on the disk each is."""
    pieces = {}
    for line in (folder / "journal.jsonl").read_text().splitlines():
        entry = json.loads(line)
        status = (folder / entry["file"]).stat()
        pieces[entry["stage"], entry["part"]] = (status.st_ino, status.st_mtime_ns)
    return pieces


def made_again(run: Attempt, finished: Iterable[Piece]) -> list[tuple[str, int]]:
    """Steps of a run at what was finished before it; a kept segment is told by its end, once."""
    finished, told = set(finished), Counter(run.steps)
    again = []
    for (stage, done), times in told.items():
        part = (done - 1) // CHUNK if stage == "render" else 0
        end = min((part + 1) * CHUNK, FRAMES)
        allowed = 1 if stage == "render" and done == end else 0
        piece = ("segment" if stage == "render" else stage, part)
        if piece in finished and times > allowed:
            again.append((stage, done))
    return again


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Talking:
    return talking(tmp_path_factory)


@pytest.fixture(scope="module")
def undisturbed(clip, tmp_path_factory) -> Path:
    """What a run makes that nobody disturbs."""
    output = tmp_path_factory.mktemp("undisturbed") / "out.mp4"
    run = attempt(command(clip, output, "--chunk-frames", CHUNK))
    assert run.status == 0
    assert {stage for stage, _ in run.steps} == {"track", *(stage for stage, _ in KILLS)}
    assert [e for e in run.events if "before the mouth" in e.get("text", "")]
    return output


def check_remains(run: Attempt, output: Path) -> None:
    """After a kill there is a folder to go on from, no output, and no process."""
    assert left_alive(run.number) == []
    folder, partial = output.with_name("out.mp4.gsmooth"), partial_path(output)
    assert folder in output.parent.iterdir()
    assert set(output.parent.iterdir()) <= {folder, partial}


def test_killed_twenty_times_it_ends_as_if_nothing_had_been(
    clip, undisturbed, tmp_path, record_property
):
    assert len(KILLS) == 20
    output, folder = tmp_path / "out.mp4", tmp_path / "out.mp4.gsmooth"
    words = command(clip, output, "--chunk-frames", CHUNK)
    finished: dict[Piece, tuple[int, int]] = {}
    fell: list[tuple[str, int]] = []
    for number, moment in enumerate(KILLS, 1):
        run = attempt(words, moment, tmp_path if number == len(KILLS) - 1 else None)
        assert run.status == -9, (moment, run.events[-1:])
        fell.append(run.steps[-1])
        assert fell[-1][0] == moment[0]
        assert made_again(run, finished) == []
        check_remains(run, output)
        before, finished = finished, journal(folder)
        assert before.items() <= finished.items()  # nothing finished was written anew
    run = attempt(words)
    assert run.status == 0
    assert made_again(run, finished) == []
    assert left_alive(run.number) == []
    assert list(tmp_path.iterdir()) == [output]
    record_property("kills", fell)
    sys.stdout.write(f"{len(fell)} kills: {fell}\n")
    check_same(output, undisturbed)


def check_same(output: Path, other: Path) -> None:
    """The same frames and the same sound, and with one encoder even the same bytes."""
    one, two = probe(output), probe(other)
    assert one.frame_count == two.frame_count == FRAMES
    for frame, twin in zip(read_frames(one), read_frames(two), strict=True):
        assert (frame == twin).all()
    assert (read_audio(output, 48000) == read_audio(other, 48000)).all()
    assert output.read_bytes() == other.read_bytes()
