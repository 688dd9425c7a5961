"""One Ctrl-C ends whatever is going on: probing, waiting for a hung program, a stubborn library."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import imageio_ffmpeg
import pytest

from gsmooth_core.job.job import Job
from tests.media.made import numbered_frames, speechlike, write_video, write_wav

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs signals")

ROOT = Path(__file__).parents[2]
HOUR = 3600
LIMIT = 60.0
"""Seconds after which a stop counts as hung; what it interrupts lasts an hour."""

STUBBORN = f"""
import sys, time
from gsmooth_core.app import cli
from gsmooth_core.app import stages

def swallow(*arguments, **named):
    print("busy", flush=True)
    end = time.monotonic() + {HOUR}
    while time.monotonic() < end:
        try:
            time.sleep({HOUR})
        except KeyboardInterrupt:
            pass

stages.predict = swallow
sys.exit(cli.main(sys.argv[1:]))
"""


ELSEWHERE = """
import os, signal, sys, threading, time
from gsmooth_core.app import cli
from gsmooth_core.app import stages

def strike():
    time.sleep(0.3)
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)

def wait(*arguments, **named):
    threading.Thread(target=strike, daemon=True).start()
    os.read(os.pipe()[0], 1)

stages.predict = wait
sys.exit(cli.main(sys.argv[1:]))
"""
"""A program that waits for ever, and a signal that does not wake it: another thread has it."""

FLOOD = """
import sys
from gsmooth_core.app import cli
from gsmooth_core.app import stages
from gsmooth_core.job.events import Message

def talk(audio, *arguments, **named):
    on_event = next(each for each in arguments if getattr(each, "__name__", "") == "on_event")
    while True:
        on_event(Message("info", "x" * 1000))

stages.predict = talk
sys.exit(cli.main(sys.argv[1:]))
"""
"""A program that says more than its pipe holds."""

numbers = itertools.count()


@pytest.fixture
def sleep() -> str:
    """Seconds by which the sleeping program of this test is known."""
    return f"{HOUR}.{os.getpid()}{next(numbers):03d}"


@pytest.fixture
def hung(tmp_path: Path, sleep: str) -> Path:
    """An ffmpeg that never answers, and says in a file that it was asked."""
    script = tmp_path / "ffmpeg"
    script.write_text(f'#!/bin/sh\ntouch "{tmp_path}/asked"\nexec sleep {sleep}\n')
    script.chmod(0o755)
    return script


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Path]:
    video = write_video(tmp_path / "v.mp4", numbered_frames(20), 25, tone=0.8)
    return {"video": video, "sound": write_wav(tmp_path / "w.wav", speechlike(1.0), 16000)}


def start(*arguments: object, program: tuple[str, ...] = ("-m", "gsmooth_core"), **env: str):
    return subprocess.Popen(
        [sys.executable, *program, *map(str, arguments), "--json"], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | env,
        start_new_session=True,
    )  # fmt: skip


def stopped(process: subprocess.Popen[str], times: int = 1) -> dict[str, object]:
    """What a process says last after `times` Ctrl-C."""
    began = time.monotonic()
    for _ in range(times):
        os.kill(process.pid, signal.SIGINT)
        time.sleep(0.1)
    out, err = process.communicate(timeout=LIMIT)
    assert time.monotonic() - began < LIMIT
    assert process.returncode == 130
    assert "Traceback" not in err
    return json.loads(out.splitlines()[-1])


def commands(sources: dict[str, Path], folder: Path) -> dict[str, list[object]]:
    video, sound = sources["video"], sources["sound"]
    return {
        "track": ["track", "--video", video, "--output", folder / "t.safetensors"],
        "predict": ["predict", "--audio", sound, "--output", folder / "c.json"],
        "sync": ["sync", video],
        "dub": ["dub", "--video", video, "--audio", sound, "--output", folder / "o.mp4"],
        "mesh": ["mesh", "--video", video, "--output", folder / "m.npz"],
        "bench": ["bench", "--video", video, "--audio", sound],
        "report": ["report", finished(video, folder / "job")],
    }


def finished(video: Path, folder: Path) -> Path:
    """The folder of a job that looks finished, so that its report begins to read the source."""
    Job(video, video).save(folder)
    for name in ("track.safetensors", "target.safetensors"):
        (folder / name).touch()
    (folder / "report.json").write_text('{"outside_mask_max_difference": 0}')
    return folder


COMMANDS = ["track", "predict", "sync", "dub", "mesh", "bench", "report"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_program_that_hangs_does_not_hold_it(tmp_path, sources, hung, command):
    process = start(*commands(sources, tmp_path)[command], IMAGEIO_FFMPEG_EXE=str(hung))
    while not (tmp_path / "asked").exists():
        assert process.poll() is None
        time.sleep(0.05)
    before = sorted(tmp_path.iterdir())
    said = stopped(process)
    assert (said["event"], said["code"]) == ("error", "cancelled")
    left = [path for path in tmp_path.iterdir() if path not in before]
    assert left == []


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("command", ["track", "predict", "dub"])
def test_describing_that_hangs_does_not_hold_it(tmp_path, sources, command, times):
    """The process that looks at a file does not get beyond its first import, and ends too."""
    module = tmp_path / "hung" / "av" / "__init__.py"
    module.parent.mkdir(parents=True)
    asked = f"import pathlib; pathlib.Path({str(tmp_path / 'asked')!r}).touch()"
    module.write_text(f"{asked}\nimport time; time.sleep({HOUR})\n")
    arguments = commands(sources, tmp_path)[command]
    process = start(*arguments, PYTHONPATH=str(tmp_path / "hung"))
    while not (tmp_path / "asked").exists():
        assert process.poll() is None
        time.sleep(0.05)
    assert describing(tmp_path)
    assert stopped(process, times)["code"] == "cancelled"
    assert not describing(tmp_path)


def describing(folder: Path) -> list[str]:
    """Processes that look at a file in `folder`."""
    lines = running().splitlines()
    return [line for line in lines if "describe.py" in line and str(folder) in line]


def test_the_hung_program_ends_too(tmp_path, sources, hung, sleep):
    process = start(*commands(sources, tmp_path)["predict"], IMAGEIO_FFMPEG_EXE=str(hung))
    while sleep not in running():
        assert process.poll() is None
        time.sleep(0.05)
    stopped(process)
    assert sleep not in running()


@pytest.mark.parametrize("times", [1, 2])
def test_a_decoder_that_hangs_amid_the_pictures_ends_too(tmp_path, sources, sleep, times):
    """It is read ahead: a thread waits for its next picture when the command is stopped."""
    script, real = tmp_path / "ffmpeg", imageio_ffmpeg.get_ffmpeg_exe()
    script.write_text(
        '#!/bin/sh\ncase "$*" in\n'
        f'*"-f rawvideo -pix_fmt "*" -") "{real}" "$@" | head -c 100000; exec sleep {sleep};;\n'
        f'*) exec "{real}" "$@";;\nesac\n'
    )
    script.chmod(0o755)
    process = start(*commands(sources, tmp_path)["track"], IMAGEIO_FFMPEG_EXE=str(script))
    assert process.stdout
    while f'"done": {100_000 // (96 * 64 * 3)}' not in process.stdout.readline():
        assert process.poll() is None
    time.sleep(0.5)  # by now it waits for the picture that does not come
    stopped(process, times)
    assert sleep not in running()


def running() -> str:
    command = ["ps", "-ww", "-eo", "args"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("times", [1, 2])
def test_what_swallows_the_interruption_ends_with_the_process(tmp_path, sources, times):
    arguments = commands(sources, tmp_path)["predict"]
    process = start(*arguments, program=("-c", STUBBORN))
    assert process.stdout
    assert process.stdout.readline() == "busy\n"
    assert stopped(process, times)["code"] == "cancelled"


def test_a_signal_that_does_not_wake_the_program_ends_it_too(tmp_path, sources):
    process = start(*commands(sources, tmp_path)["predict"], program=("-c", ELSEWHERE))
    out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert json.loads(out.splitlines()[-1])["code"] == "cancelled"


@pytest.mark.parametrize("times", [1, 3])
def test_what_nobody_reads_does_not_hold_it(tmp_path, sources, times):
    process = start(*commands(sources, tmp_path)["predict"], program=("-c", FLOOD))
    assert process.stdout
    assert process.stdout.read(1) == "{"
    time.sleep(0.5)  # the rest of the pipe fills
    for _ in range(times):
        os.kill(process.pid, signal.SIGINT)
        time.sleep(0.1)
    try:
        # One that comes when all was told ends it as the system does, which a shell calls 130, too.
        assert process.wait(LIMIT) in ((130,) if times == 1 else (130, -signal.SIGINT))
    finally:
        process.kill()
        process.communicate()
