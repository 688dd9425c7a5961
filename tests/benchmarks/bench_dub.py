"""`gsmooth bench` on a 1280x720 clip that is made of a public-domain photo.

python -m tests.benchmarks.bench_dub [--frames 200]
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import skimage.data

from gsmooth_core.evaluation.bench import pipeline
from gsmooth_core.job.job import Job
from gsmooth_core.media import ffmpeg
from gsmooth_core.storage.arrays import save_expression
from gsmooth_core.types import Expression, Image

SIZE = (1280, 720)
FPS = 25


def picture(number: int) -> Image:
    """The astronaut, slowly swaying, in a 720p frame; her face is about 256 pixels large."""
    photo = skimage.data.astronaut()
    shift = 20 * np.sin(number / 12)
    matrix = np.float32([[2.2, 0, 150 + shift], [0, 2.2, -60 + shift / 2]])
    return np.asarray(cv2.warpAffine(photo, matrix, SIZE, borderMode=cv2.BORDER_REPLICATE))


def job(folder: Path, frames: int) -> Job:
    """A clip of `frames` frames, and curves of a mouth that opens and shuts."""
    video = folder / f"{frames}.mp4"
    command = ffmpeg.command(
        *("-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", "{}x{}".format(*SIZE)),
        *("-framerate", str(FPS), "-i", "pipe:0", "-c:v", "libx264", "-crf", "14"),
        *("-preset", "veryfast", "-pix_fmt", "yuv420p", ffmpeg.url(video)),
    )
    with ffmpeg.Pipe(command, write=True) as pipe:  # one by one: what is measured is a dub's memory
        for number in range(frames):
            pipe.write(picture(number).data)
        pipe.finish()
    opened = 0.3 * np.abs(np.sin(np.arange(frames) / 4)).astype(np.float32)
    curves = folder / f"{frames}.json"
    save_expression(curves, Expression(("jawOpen",), opened[:, None], Fraction(FPS)))
    return Job(video=video, expression=curves, output=folder / f"{frames}_dubbed.mp4")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        measured = pipeline.bench(
            job(Path(name), options.frames), lambda event: None, lambda: False
        )
    print(pipeline.describe(asdict(measured)))


if __name__ == "__main__":
    main()
