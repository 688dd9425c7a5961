"""The other end of a worker: its process, its pipes, a job for it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from gsmooth_core.job.job import Job
from gsmooth_core.job.settings import DubSettings
from tests.media.made import numbered_frames, speechlike, write_video, write_wav

PATIENCE = 60.0
ROOT = Path(__file__).parents[2]


class Host:
    """The other end of a worker's pipes."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *(arguments or ("-m", "tests.doubles", "worker"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            cwd=ROOT,
            env=os.environ | environment,
        )
        self.lines: queue.Queue[dict] = queue.Queue()
        self.errors: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._read_errors, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.put(json.loads(line))  # any other print on stdout ends this thread
        self.lines.put({"event": "closed"})

    def _read_errors(self) -> None:
        self.errors.extend(self.process.stderr)

    def send(self, **request) -> None:
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def until(self, *events: str, number: int | None = None) -> dict:
        """The next event of the given kinds (and request)."""
        end = time.monotonic() + PATIENCE
        while True:
            event = self.lines.get(timeout=max(0.1, end - time.monotonic()))
            if event["event"] in events and number in (None, event.get("id")):
                return event

    def close(self) -> int:
        self.process.stdin.close()
        return self.process.wait(PATIENCE)


@contextlib.contextmanager
def host(*arguments: str, **environment: str) -> Iterator[Host]:
    worker = Host(*arguments, **environment)
    try:
        yield worker
    finally:
        worker.process.kill()
        worker.process.wait()
        for stream in (worker.process.stdin, worker.process.stdout, worker.process.stderr):
            with contextlib.suppress(OSError):
                stream.close()


def make_job(folder: Path, frames: int = 40, chunk: int = 8) -> Job:
    video = write_video(folder / "in put'.mp4", numbered_frames(frames), 25)
    audio = write_wav(folder / "s.wav", speechlike(1.0), 16000)
    job = Job(video, folder / "job" / "out.mp4", audio, settings=DubSettings(chunk_frames=chunk))
    job.save(folder / "job")
    return job


def made(folder: Path) -> list[int]:
    path = folder / "job" / "made.gsmooth-partial.txt"
    return [int(line) for line in path.read_text().split()] if path.exists() else []
