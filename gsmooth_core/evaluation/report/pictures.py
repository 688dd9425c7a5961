"""Pictures of faces for reports: strips of moments, and the frames that look worst."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from gsmooth_core.evaluation.metrics.shot import Shot, evenly_spaced
from gsmooth_core.face.load import load_face_model
from gsmooth_core.mafb.crop import crop_transforms, whole, window
from gsmooth_core.types import Float, Image

STRIP = 120
PAIR = 240
_MOMENTS = 8
_QUALITY = 82
_APART = 0.4  # seconds between two frames of a list of the worst


def face_strip(shots: Sequence[Shot]) -> Image:
    """One row a shot, one column a moment; all through the crops of the first shot's track."""
    places = evenly_spaced(shots[0].source.count, _MOMENTS)
    rows = [np.hstack(_faces(shot, places, STRIP)) for shot in shots]
    return np.vstack(rows)


def worst_pairs(shot: Shot, badness: Float, count: int = 3) -> list[tuple[int, Image]]:
    """Frames where `badness` (T,) is largest, not all from one moment: source left, dub right.

    Returns:
        (frame, (PAIR, 2 PAIR, 3)) in order of badness.
    """
    frames = worst_frames(badness, count, round(_APART * float(shot.track.fps)))
    order = sorted(frames)
    made = _crops(shot, shot.made(), order, PAIR)
    truth = _crops(shot, shot.source.read(0, shot.source.count), order, PAIR)
    return [(n, np.hstack([truth[order.index(n)], made[order.index(n)]])) for n in frames]


def worst_frames(badness: Float, count: int, apart: int) -> list[int]:
    """Places of the largest values, at least `apart` from each other; NaN never counts."""
    left = np.where(np.isfinite(badness), badness, -np.inf)
    chosen: list[int] = []
    while len(chosen) < count and np.isfinite(left).any():
        frame = int(left.argmax())
        chosen.append(frame)
        left[max(0, frame - apart) : frame + apart + 1] = -np.inf
    return chosen


def jpeg(picture: Image) -> bytes:
    """A picture (H, W, 3) RGB as JPEG."""
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes()


def save_jpeg(path: Path, picture: Image) -> str:
    """Write a picture; returns its path."""
    path.write_bytes(jpeg(picture))
    return str(path)


def _faces(shot: Shot, places: Sequence[int], size: int) -> list[Image]:
    return _crops(shot, shot.made(), places, size)


def _crops(shot: Shot, frames: Iterable[Image], places: Sequence[int], size: int) -> list[Image]:
    """Face crops (size, size, 3) of some frames, ascending."""
    transforms = crop_transforms(shot.track, load_face_model(), size)
    crops: list[Image] = []
    for index, frame in enumerate(frames):
        if index in places:
            under = window(transforms[index], size, whole(frame))
            crops.append(np.asarray(under.cut(under.part(frame), cv2.INTER_AREA), np.uint8))
        if index >= places[-1]:
            break
    return crops
