"""How well people are told apart: pairs of looks at the footage, of one person and of two.

    python -m training.recognise.measure --footage DATA

A look is what GSmooth knows of a person in one shot: the mean of the vectors of some pictures. All
are of different times of a clip, and under light changed by factors of .5 to 2.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from gsmooth_core.media import probe, read_frames
from gsmooth_core.tracking.following.follow import FaceFollower
from gsmooth_core.tracking.people.chip import face_chip
from gsmooth_core.tracking.people.recognise import SAME, distance, identify
from gsmooth_core.types import Float, Image
from training.split import OWN, read_split

LIGHTS = (0.5, 0.7, 1.0, 1.4, 2.0)
_LOOKS, _PICTURES, _BETWEEN = 3, 5, 8


@dataclass(frozen=True)
class Look:
    """A person as seen once.

    Attributes:
        speaker: who it is.
        clip: where.
        place: which part of the clip.
        vector: (128,)
    """

    speaker: str
    clip: str
    place: int
    vector: Float


def main() -> None:
    """Measure and print the errors for thresholds."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--footage", type=Path, required=True, help="folder with clips/")
    parser.add_argument("--split", type=Path, default=OWN, help="who is in which clip")
    parser.add_argument("--output", type=Path, help="JSON file for the figures")
    options = parser.parse_args()
    split, seen = read_split(options.split), list[Look]()
    for path in sorted((options.footage / "clips").iterdir()):
        speaker = split.speaker_of(path)
        if speaker is not None and not speaker.many:
            seen += looks(path, speaker.name)
    figures = errors(seen)
    text = json.dumps(figures, indent=1)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")
    _say(text)


def _say(text: str) -> None:
    import sys

    sys.stdout.write(text + "\n")


def looks(path: Path, speaker: str) -> Iterator[Look]:
    """Some looks at the person of a clip, each under all lights."""
    clip = probe(path)
    part = clip.frame_count // _LOOKS
    step = max(min(_BETWEEN, part // _PICTURES), 1)
    for place in range(_LOOKS):
        chips = list(_chips(list(read_frames(clip, place * part, _PICTURES * step))[::step]))
        for light in LIGHTS if chips else ():
            vector = identify([_lit(chip, light) for chip in chips])
            yield Look(speaker, path.stem, place, vector)


def _chips(frames: list[Image]) -> Iterator[Image]:
    follower = FaceFollower()
    for frame in frames:
        face = follower.step(frame)
        if face is not None:
            yield face_chip(frame, face.points)


def _lit(chip: Image, factor: float) -> Image:
    return np.clip(chip.astype(np.float32) * factor, 0, 255).astype(np.uint8)


def errors(seen: list[Look]) -> dict[str, object]:
    """False accepts and rejects at thresholds, in per cent, and where the distances lie."""
    same, across, others = [], [], []
    for a, b in combinations(seen, 2):
        d = distance(a.vector, b.vector)
        if a.speaker != b.speaker:
            others.append(d)
        elif a.clip != b.clip:
            across.append(d)
        else:
            same.append(d)
    table = {
        f"{threshold:.3f}": {
            "false accept": _percent(np.less(others, threshold)),
            "false reject": _percent(np.greater_equal([*same, *across], threshold)),
            "false reject across clips": _percent(np.greater_equal(across, threshold)),
        }
        for threshold in sorted({*np.arange(0.40, 0.62, 0.02).round(2), SAME})
    }
    pairs = {"same clip": len(same), "same person, other clip": len(across), "others": len(others)}
    nearest = sorted(others)[: max(len(others) // 1000, 1)]
    return {"pairs": pairs, "errors": table, "nearest others (.1 %)": round(nearest[-1], 3)}


def _percent(flags: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float:
    return round(100 * float(np.mean(flags)), 3) if len(flags) else 0.0


if __name__ == "__main__":
    main()
