"""Nothing that a file says reaches a filter, a command line or a path."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.app import cli
from gsmooth_core.errors import GSmoothError, MediaError
from gsmooth_core.media import (
    SegmentWriter,
    Sound,
    assemble,
    probe,
    read_audio,
    read_frames,
    segment_path,
)
from gsmooth_core.media.encoding.encoders import Wish
from tests import doubles
from tests.attacks import prepared
from tests.attacks.prepared import A_LIST_OF_OTHERS, FRAMES, INNOCENT_PICTURE, Canaries
from tests.media.made import number_in

ROOT = Path(__file__).parents[2]
KINDS = {**INNOCENT_PICTURE, **A_LIST_OF_OTHERS}


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Canaries]:
    monkeypatch.chdir(tmp_path)  # a relative name in a payload would land here
    with prepared.canaries(tmp_path) as watched:
        yield watched
        watched.check()


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return prepared.speaking(tmp_path)


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way is a double, which reads and writes as the true one does."""
    monkeypatch.setitem(sys.modules, "gsmooth_core.run", doubles.module())
    import gsmooth_core

    monkeypatch.setattr(gsmooth_core, "run", sys.modules["gsmooth_core.run"], raising=False)


@pytest.mark.parametrize("kind", INNOCENT_PICTURE)
def test_words_in_a_file_change_nothing(
    watched: Canaries, plain: Path, tmp_path: Path, kind: str
) -> None:
    path = INNOCENT_PICTURE[kind](plain, tmp_path, watched)
    clip = probe(path)
    expected = probe(plain)
    assert (clip.width, clip.height, clip.fps) == (expected.width, expected.height, expected.fps)
    assert [number_in(frame) for frame in read_frames(clip)] == list(range(FRAMES))
    assert np.array_equal(read_audio(path), read_audio(plain))


@pytest.mark.parametrize("kind", INNOCENT_PICTURE)
def test_a_dub_is_made_as_if_the_words_were_not_there(
    watched: Canaries, plain: Path, tmp_path: Path, kind: str
) -> None:
    path = INNOCENT_PICTURE[kind](plain, tmp_path, watched)
    clip, output = probe(path), tmp_path / "out.mp4"
    segment = segment_path(tmp_path, 0, output)
    with SegmentWriter(segment, clip, output, wish=Wish(preset="ultrafast")) as writer:
        for frame in read_frames(clip):
            writer.write(frame)
    assemble([segment], output, clip, FRAMES, Sound(path))
    made = probe(output)
    assert [number_in(frame) for frame in read_frames(made)] == list(range(FRAMES))
    assert b"color_trc" not in output.read_bytes()


@pytest.mark.parametrize("kind", A_LIST_OF_OTHERS)
def test_what_leads_elsewhere_is_refused(
    watched: Canaries, plain: Path, tmp_path: Path, kind: str
) -> None:
    path = A_LIST_OF_OTHERS[kind](plain, tmp_path, watched)
    with pytest.raises(MediaError, match="no video"):
        probe(path)
    with pytest.raises(GSmoothError):
        read_audio(path)


@pytest.mark.parametrize("kind", KINDS)
def test_every_command_and_the_worker(
    watched: Canaries, plain: Path, tmp_path: Path, kind: str, double: None
) -> None:
    path = KINDS[kind](plain, tmp_path, watched)
    job = tmp_path / "job"
    for arguments in commands(path, plain, tmp_path, job):
        cli.main([str(word) for word in arguments])
        watched.check()
    folder = tmp_path / "asked"
    folder.mkdir()
    content = {"video": str(path), "audio": str(path), "output": str(folder / "o.mp4")}
    (folder / "job.json").write_text(
        json.dumps({"kind": "gsmooth-job", "version": 1, **content}), encoding="utf-8"
    )
    ask_worker(folder, "tests.doubles", "worker")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_command_and_the_worker_with_a_face(
    watched: Canaries, tmp_path: Path, kind: str
) -> None:
    """The whole program, models and all, on a public-domain face."""
    from skimage import data, transform

    face = (255 * transform.resize(data.astronaut()[:300, 70:370], (256, 256))).astype(np.uint8)
    plain = prepared.speaking(tmp_path, np.repeat(face[None], FRAMES, axis=0))
    path = KINDS[kind](plain, tmp_path, watched)
    ended = []
    for arguments in commands(path, plain, tmp_path, tmp_path / "job"):
        command = [sys.executable, "-m", "gsmooth_core", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert "Traceback" not in done.stderr
        ended.append(done.returncode)
        watched.check()
    assert all(status not in (70,) for status in ended)
    if kind in INNOCENT_PICTURE:
        assert ended[:2] == [0, 0]
        ask_worker(tmp_path / "job", "gsmooth_core.app.worker")


def commands(path: Path, plain: Path, folder: Path, job: Path) -> list[list[object]]:
    """All ways in which the command line meets a file: as picture, as sound, and in a report."""
    return [
        ["dub", "--video", path, "--audio", path, "--output", folder / "a.mp4", "--job", job],
        ["track", "--video", path, "--output", folder / "t.safetensors"],
        ["dub", "--video", plain, "--audio", path, "--output", folder / "b.mp4"],
        ["predict", "--audio", path, "--output", folder / "c.json"],
        ["sync", path, "--audio", path],
        ["report", job],
        ["mesh", "--video", path, "--output", folder / "m.npz"],
    ]


def ask_worker(folder: Path, *module: str) -> None:
    """Have the worker do all that it can with the job in `folder`."""
    output = json.loads((folder / "job.json").read_text(encoding="utf-8"))["output"]
    asked = [
        {"id": number, "command": command, "arguments": {"job": str(folder), "output": output}}
        for number, command in enumerate(("dub", "track", "predict", "mesh", "sync", "report"))
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", *module], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    with process:
        for request in asked:
            process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        ends = 0
        while ends < len(asked):
            event = json.loads(process.stdout.readline())
            ends += event["event"] in ("result", "error")
            assert event.get("code") != "internal", event
        process.stdin.close()
