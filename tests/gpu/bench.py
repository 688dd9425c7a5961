"""`gsmooth bench` on a made 720p clip, where ffmpeg and the trackers' packages are."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from gsmooth_core.evaluation.bench import pipeline
from tests.gpu import absent
from tests.gpu.part import Part


def run(part: Part) -> None:
    lacking = absent.missing()
    if lacking:
        part.figure("skipped", f"gsmooth bench needs {', '.join(lacking)}")
        return
    from tests.benchmarks import bench_dub

    with tempfile.TemporaryDirectory() as name:
        job = bench_dub.job(Path(name), 24 if part.quick else 150)
        job = replace(job, settings=replace(job.settings, device=str(part.device)))
        measured = pipeline.bench(job, lambda event: None, lambda: False)
    part.figure("bench", asdict(measured))
