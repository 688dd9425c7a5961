"""Footage -> a small folder that trains elsewhere: `python -m training.taft.pack --help`.

A pack holds, for each training clip, the first seconds of its own video stream (copied, so that
nothing is lost) and its track, and the first stages of the perceptual trunk. A machine without
ffmpeg can read it: `training.taft.unpack` composes its samples there.
"""

from __future__ import annotations

import argparse
import gzip
import logging
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from gsmooth_core.media import probe, read_frames
from gsmooth_core.media.ffmpeg import executable
from gsmooth_core.storage.arrays import load_track, save_arrays, save_track
from gsmooth_core.types import FaceTrack, Image
from training.footage import Sample, add_footage, chosen_footage
from training.split import Part
from training.taft.losses import Trunk, load_trunk
from training.taft.unpack import STAGES, TRACK, pictures

MOST_BYTES = 2_300_000
"""Of a clip's film; a longer one is cut short."""

_ALIKE = 3.0  # grey levels that two readers of one frame may differ by, on the mean
_NOISE = 0.05  # grey levels by which a neighbour may be nearer, as in a still scene
_CHECKED = 12  # frames of a clip

log = logging.getLogger(__name__)


def pack_clip(sample: Sample, cache: Path, target: Path, seconds: float) -> int:
    """Copy one clip's first seconds and its track; returns bytes, 0 where readers disagree."""
    film = target / f"{sample.stem}.mp4"
    command = [executable(), "-v", "error", "-y", "-i", str(sample.path), "-map", "0:v:0", "-an"]
    limits = ["-t", str(seconds), "-fs", str(MOST_BYTES)]
    subprocess.run([*command, "-c", "copy", *limits, str(film)], check=True)
    seen = list(pictures(film))
    track = load_track(cache / "tracks" / f"{sample.stem}.safetensors")
    count = min(len(seen), len(track))
    if not _alike(sample, seen[:count]):
        film.unlink()
        return 0
    return film.stat().st_size + pack_track(film, shortened(track, count))


def pack_track(film: Path, track: FaceTrack) -> int:
    """Write a clip's track beside it, compressed; returns bytes."""
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "track"
        save_track(plain, track)
        packed = film.with_suffix(TRACK)
        packed.write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
    return packed.stat().st_size


def shortened(track: FaceTrack, count: int) -> FaceTrack:
    """The first frames of a track; landmarks are zero, as nothing composes from them."""
    first = track.gathered(np.arange(count, dtype=np.int32))
    picture = None if track.picture is None else first.picture
    return replace(first, picture=picture, landmarks=np.zeros_like(first.landmarks))


def _alike(sample: Sample, seen: list[Image]) -> bool:
    """Whether OpenCV's reader shows the frames that ours does, under the same numbers."""
    step = max(1, len(seen) // _CHECKED)
    for number, frame in enumerate(read_frames(probe(sample.path), 0, len(seen))):
        near = [m for m in (number, number - 1, number + 1) if 0 <= m < len(seen)]
        if number % step:
            continue
        apart = [_apart(frame, seen[m]) for m in near]
        if apart[0] > min(_ALIKE, *(a + _NOISE for a in apart[1:])):
            log.warning("%s: frame %d differs between readers", sample.stem, number)
            return False
    return True


def _apart(a: Image, b: Image) -> float:
    """Mean difference in grey levels, whatever the mean brightness."""
    if a.shape != b.shape:
        return float("inf")
    one, other = (np.float32(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY)) for x in (a, b))
    return float(np.abs((one - one.mean()) - (other - other.mean())).mean())


def pack_trunk(trunk: Trunk, target: Path) -> None:
    """Write the trunk's convolutions in half precision."""
    named = {n: b for n, b in trunk.named_buffers() if n.startswith(("weight", "bias"))}
    arrays = {name: values.half().numpy() for name, values in named.items()}
    save_arrays(target, "trunk", arrays, {"stages": STAGES, "blur": trunk.blur})


def main() -> None:
    """Command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options = _parse()
    options.output.mkdir(parents=True, exist_ok=True)
    pack_trunk(load_trunk(options.trunk, STAGES), options.output / "trunk.safetensors")
    for sample in chosen_footage(options).samples():
        track = options.cache / "tracks" / f"{sample.stem}.safetensors"
        if sample.part is Part.TRAIN and track.is_file() and sample.stem not in options.without:
            size = pack_clip(sample, options.cache, options.output, options.seconds)
            log.info("%-50.50s %5d kB", sample.stem, size // 1024)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_footage(parser)
    parser.add_argument("--cache", type=Path, required=True, help="with tracks")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=16.0, help="of a clip, at most")
    parser.add_argument("--trunk", type=Path, help="state dict of VGG-19 or VGG-16")
    parser.add_argument("--without", nargs="*", default=[], help="stems that are left out")
    return parser.parse_args()


if __name__ == "__main__":
    main()
