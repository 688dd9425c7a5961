"""Pairs of mouths for a blind look: `python -m training.taft.blind --help`.

Each pair shows one mouth twice, as filmed and as the program makes it (see `finished`), both out of
a file as the program writes it (see `viewed`), in an order that chance decides. Who judges sees the
sheets alone; the key lies in a file of its own. Right in half of the pairs is a guess.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from gsmooth_core.face.landmarks import LIPS
from gsmooth_core.face.load import load_face_model
from gsmooth_core.media.pictures.images import write_image
from gsmooth_core.storage.files import write_text
from gsmooth_core.taft.composition import ComposeSettings
from gsmooth_core.taft.lending.references import ReferenceSettings
from gsmooth_core.types import Float, Image
from training.footage import Footage, add_footage, chosen_footage
from training.taft.data import GAP
from training.taft.finished import FilmedClip, own_dub, tracked, validation_clips
from training.taft.viewed import AsFilmed, Viewer

ON_A_SHEET = 5
WIDTH, HEIGHT = 480, 320
"""Of each mouth on a sheet, in pixels."""

_AROUND = 1.7  # of the lips' width
_EDGE = 44  # pixels for the number of a pair


@dataclass(frozen=True)
class Pair:
    """One pair.

    Attributes:
        clip: where it is from.
        frame: number in the clip.
        true: "A" or "B": on which side the filmed mouth is.
    """

    clip: str
    frame: int
    true: str


def mouth(picture: Image, landmarks: Float) -> Image:
    """(HEIGHT, WIDTH, 3) the mouth of a picture, the same part for both of a pair."""
    lips = landmarks[list(LIPS), :2]
    x, y = (lips.min(0) + lips.max(0)) / 2
    width = _AROUND * float(np.ptp(lips[:, 0]))
    scale = WIDTH / max(width, 1)
    to_tile = np.array([[scale, 0, WIDTH / 2 - scale * x], [0, scale, HEIGHT / 2 - scale * y]])
    edge = cv2.BORDER_REPLICATE
    tile = cv2.warpAffine(picture, to_tile, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=edge)
    return np.asarray(tile, np.uint8)


def drawn_frames(clip: FilmedClip, count: int, rng: np.random.Generator) -> list[int]:
    """Frames of a clip by chance, none twice."""
    usable = np.flatnonzero(clip.track.usable)
    return sorted(rng.choice(usable, min(count, len(usable)), replace=False).tolist())


def sheet(tiles: list[tuple[int, Image, Image]]) -> Image:
    """Pairs below each other: number, A, B."""
    rows = []
    for number, left, right in tiles:
        row = np.full((HEIGHT, _EDGE + 2 * WIDTH, 3), 255, np.uint8)
        place = 4, HEIGHT // 2
        cv2.putText(row, str(number), place, cv2.FONT_HERSHEY_SIMPLEX, 0.9, (0, 0, 0), 2)
        row[:, _EDGE : _EDGE + WIDTH], row[:, _EDGE + WIDTH :] = left, right
        row[-2:] = 255
        rows.append(row)
    return np.concatenate(rows)


def make(footage: Footage, cache: Path, output: Path, pairs: int, seed: int) -> None:
    """Write `sheet_N.png` and `key.json`."""
    rng = np.random.default_rng(seed)
    found = _mouths(footage, cache, pairs, rng)
    shuffled = [found[n] for n in rng.permutation(len(found))]
    key, tiles = dict[int, Pair](), list[tuple[int, Image, Image]]()
    for number, (clip, frame, true, made) in enumerate(shuffled, 1):
        first = bool(rng.integers(2))
        key[number] = Pair(clip, frame, "A" if first else "B")
        tiles.append((number, *((true, made) if first else (made, true))))
    output.mkdir(parents=True, exist_ok=True)
    for start in range(0, len(tiles), ON_A_SHEET):
        path = output / f"sheet_{start // ON_A_SHEET + 1}.png"
        write_image(path, sheet(tiles[start : start + ON_A_SHEET]))
    text = json.dumps({number: asdict(pair) for number, pair in key.items()}, indent=1)
    write_text(output / "key.json", text)


def _mouths(
    footage: Footage, cache: Path, pairs: int, rng: np.random.Generator
) -> list[tuple[str, int, Image, Image]]:
    """Clip, frame, filmed and made mouth of each pair, clip by clip."""
    model, settings = load_face_model(), ComposeSettings(references=ReferenceSettings(gap=GAP))
    samples = [sample for sample, _ in tracked(footage, cache)]
    count, found = len(samples), []
    shares = np.bincount(np.arange(pairs) % max(count, 1), minlength=count)
    clips = validation_clips(footage, cache)
    for sample, clip, count in zip(samples, clips, shares.tolist(), strict=True):
        dub = own_dub(clip, model, settings)
        with TemporaryDirectory() as folder:
            viewer = Viewer(sample.path, Path(folder))
            for frame in drawn_frames(clip, count, rng):
                points = clip.track.landmarks[frame]
                true, made = (mouth(viewer.shown(frame, by), points) for by in (AsFilmed(), dub))
                found.append((clip.name, frame, true, made))
    return found


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_footage(parser)
    parser.add_argument("--cache", type=Path, required=True, help="with tracks/")
    parser.add_argument("--output", type=Path, required=True, help="folder for sheets and key")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    make(chosen_footage(options), options.cache, options.output, options.pairs, options.seed)


if __name__ == "__main__":
    main()
