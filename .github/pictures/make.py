"""The README's pictures of the demo: python .github/pictures/make.py demo.jpg DEMO...

Each DEMO is a folder that `python -m blender_addon.demo` wrote; it becomes a row, the photo first.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from gsmooth_core.media import probe, read_frames

SIDE = 216  # pixels of a picture
LEFT, TOP = 120, 0  # corner of the head in the photo
FRAMES = 6  # of a video, evenly over its speech
TAIL = 15  # frames at the end in which nobody speaks


def row(folder: Path) -> np.ndarray:
    """The photo and frames of its dub, (SIDE, SIDE * (FRAMES + 1), 3) RGB."""
    frames = list(read_frames(probe(folder / "dubbed.mp4")))
    places = np.linspace(5, len(frames) - TAIL, FRAMES).astype(int)
    photo = cv2.imread(str(folder / "photo.png"))[..., ::-1]
    shown = [photo, *(frames[n] for n in places)]
    return np.concatenate([p[TOP : TOP + SIDE, LEFT : LEFT + SIDE] for p in shown], 1)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("demos", type=Path, nargs="+")
    options = parser.parse_args()
    rows = np.concatenate([row(folder) for folder in options.demos])
    cv2.imwrite(str(options.output), rows[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])


if __name__ == "__main__":
    main()
