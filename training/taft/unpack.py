"""A pack -> samples: `python -m training.taft.unpack --pack DIR --output DIR`.

Packs are made by `training.taft.pack`. Here OpenCV alone reads them, on all cores.
"""

from __future__ import annotations

import argparse
import gzip
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from gsmooth_core.face.load import load_face_model
from gsmooth_core.storage.arrays import load_arrays, load_track
from gsmooth_core.types import FaceTrack, Image
from training.taft.data import composed, reconstruction, sample_arrays, store
from training.taft.losses import Trunk
from training.taft.store import STORED, with_masks
from training.workers import workers

REFERENCES = 6
TRACK = ".track.gz"
STAGES = 3
"""Of the trunk: those that see lines and grain."""

_CONVOLUTIONS = 13  # of the whole trunk, a VGG-16

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """A share of one clip's samples, made in one process.

    Attributes:
        film: the packed clip.
        target: folder of the samples.
        first: number of the first frame that becomes a sample.
        step: frames from one sample to the next.
        until: monotonic time after which no further sample is made.
    """

    film: Path
    target: Path
    first: int
    step: int
    until: float


def pictures(path: Path) -> Iterator[Image]:
    """(H, W, 3) RGB frames of a packed clip, in order."""
    film = cv2.VideoCapture(str(path))
    while True:
        there, picture = film.read()
        if not there:
            film.release()
            return
        yield np.ascontiguousarray(picture[..., ::-1])


def packed_track(film: Path) -> FaceTrack:
    """The track of a packed clip, without landmarks."""
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "track"
        plain.write_bytes(gzip.decompress(film.with_suffix(TRACK).read_bytes()))
        return load_track(plain)


def packed_trunk(path: Path) -> Trunk:
    """The first stages of the perceptual trunk."""
    arrays, meta = load_arrays(path, "trunk")
    count = len(arrays) // 2
    pairs = [(arrays[f"weight{n}"], arrays[f"bias{n}"]) for n in range(count)]
    known = [(torch.from_numpy(w).float(), torch.from_numpy(b).float()) for w, b in pairs]
    known += known[-1:] * (_CONVOLUTIONS - count)  # those of later stages, which never run
    return Trunk(known, STAGES, blur=bool(meta["blur"]))


def unpack(pack: Path, target: Path, step: int, seconds: float) -> list[Path]:
    """Compose the samples of all packed clips.

    Args:
        pack: the pack's folder.
        target: where samples go, a folder a share of a clip.
        step: frames from one sample to the next.
        seconds: after which the rest is left out.

    Returns:
        the folders that have samples.
    """
    films = sorted(pack.glob("*.mp4"), key=lambda film: -film.with_suffix(TRACK).stat().st_size)
    until, processes = time.monotonic() + seconds, os.cpu_count() or 1
    shares = 2 if processes > len(films) // 2 else 1
    parts = [
        Part(film, target / f"{film.stem}-{n}", n * step, step * shares, until)
        for n in range(shares)
        for film in films
    ]
    target.mkdir(parents=True, exist_ok=True)
    with workers(processes) as pool:
        made = list(pool.map(make, parts))
    log.info("%d samples of %d clips", sum(made), len(films))
    return [part.target for part, count in zip(parts, made, strict=True) if count]


def make(part: Part) -> int:
    """Compose one share; returns the number of its samples."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if samples := list(_samples(part)):
        rng = np.random.default_rng(part.first)
        store(part.target, with_masks(samples, rng), STORED)
    return len(samples)


def _samples(part: Part) -> Iterator[dict[str, NDArray[Any]]]:
    track, frames = packed_track(part.film), list(pictures(part.film))
    usable = np.flatnonzero(track.usable)
    wanted = [int(frame) for frame in usable[usable < len(frames)][part.first :: part.step]]
    settings = reconstruction(REFERENCES)
    for composition, truth in composed(frames, track, load_face_model(), wanted, settings):
        if composition.members:
            yield sample_arrays(composition, truth, REFERENCES)
        if time.monotonic() > part.until:
            return


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--every", type=int, default=3, help="frames from sample to sample")
    parser.add_argument("--seconds", type=float, default=60.0, help="at most")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    unpack(options.pack, options.output, options.every, options.seconds)


if __name__ == "__main__":
    main()
