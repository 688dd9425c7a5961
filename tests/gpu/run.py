"""Run all parts on a card, each in a process of its own; see `run.sh`.

A part that fails, hangs or crashes is written down, and the others still run. The exit code is 0
only when all hold.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.gpu import absent

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 280.0  # for all parts together; who gives more gives each part more
RESERVE = 4.0  # seconds that are kept for the end


@dataclass(frozen=True)
class Step:
    """A part of the run.

    Attributes:
        module: has `run(part)`.
        limit: seconds that it may take.
    """

    module: str
    limit: float

    @property
    def name(self) -> str:
        """Its short name."""
        return self.module.rpartition(".")[2]


STEPS = (
    Step("tests.gpu.machine", 60),
    Step("tests.gpu.generator", 75),
    Step("tests.gpu.speech", 60),
    Step("tests.gpu.training", 75),
    Step("tests.gpu.checks", 90),
    Step("tests.gpu.raster", 40),
    Step("tests.gpu.frames", 75),
    Step("tests.gpu.bench", 90),
)
"""In the order of their worth: what comes late is the first to fall short of time."""


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/gpu/run.sh", description=__doc__)
    default = Path(os.environ.get("OUT", ".")) / "gpu.json"
    parser.add_argument("--output", type=Path, default=default, help="JSON file ($OUT/gpu.json)")
    parser.add_argument("--device", default="cuda", help="cpu: a rehearsal")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for all parts together")
    parser.add_argument("--quick", action="store_true", help="small sizes, for a rehearsal")
    parser.add_argument("--only", nargs="*", help="names of parts")
    parser.add_argument("--part", help=argparse.SUPPRESS)  # what the processes are called with
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None, steps: Sequence[Step] = STEPS) -> int:
    options = parse(arguments)
    if options.part:
        return run_here(options)
    begin = time.monotonic()
    chosen = [step for step in steps if not options.only or step.name in options.only]
    document: dict[str, Any] = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": options.device,
        "quick": options.quick,
        "parts": {},
    }
    for step in chosen:
        left = options.seconds - (time.monotonic() - begin) - RESERVE
        limit = step.limit * max(1.0, options.seconds / SECONDS)
        document["parts"][step.name] = found = run_apart(step, options, min(limit, left))
        verdict = "holds" if found["passed"] else "FAILED"
        print(f"== {step.name}: {verdict}, {found['seconds']:.1f} s", flush=True)
        document["passed"] = all(part["passed"] for part in document["parts"].values())
        document["seconds"] = round(time.monotonic() - begin, 1)
        write(options.output, document)
    print(f"{options.output}: {'all holds' if document['passed'] else 'NOT ALL HOLDS'}", flush=True)
    return 0 if document["passed"] else 1


def run_apart(step: Step, options: argparse.Namespace, seconds: float) -> dict[str, Any]:
    """One part in a process of its own; its record, whatever became of it."""
    print(f"== {step.name}, at most {seconds:.0f} s", flush=True)
    if seconds < 1:
        return record({}, ["no time was left for it"], 0.0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part.json"
        command = [sys.executable, "-m", "tests.gpu.run", "--part", step.module]
        command += ["--output", str(path), "--device", options.device]
        command += ["--quick"] if options.quick else []
        begin = time.monotonic()
        problem = wait_for(command, seconds)
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    failures = found.get("failures", []) + ([problem] if problem else [])
    return record(found.get("figures", {}), failures, time.monotonic() - begin)


def wait_for(command: list[str], seconds: float) -> str:
    """Run a command in this terminal; what went wrong with the process itself, or nothing."""
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        return f"stopped after {seconds:.0f} s"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return "" if code == 0 else f"the process ended with {code}"


def record(figures: dict[str, Any], failures: list[str], seconds: float) -> dict[str, Any]:
    return {
        "passed": not failures,
        "seconds": round(seconds, 1),
        "failures": failures,
        "figures": figures,
    }


def run_here(options: argparse.Namespace) -> int:
    """One part, in this process."""
    absent.stand_in()
    import torch

    from tests.gpu.part import Part

    if options.device == "cpu":  # a rehearsal, on cores that others may want: threads would spin
        torch.set_num_threads(1)
    part = Part(options.device, quick=options.quick, path=options.output)
    with part.attempt(options.part.rpartition(".")[2]):
        importlib.import_module(options.part).run(part)
    return 0


def write(path: Path, document: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(document, indent=1), encoding="utf-8")
    partial.replace(path)


if __name__ == "__main__":
    sys.exit(main())
