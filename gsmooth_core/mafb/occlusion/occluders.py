"""What was found before the face of a clip, frame by frame, and its file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.storage.arrays import Arrays, load_arrays, save_arrays
from gsmooth_core.storage.layout import ArrayLayout, Facts, Layout, damaged
from gsmooth_core.types import Bool, FaceTrack, Int

_LAYOUT: Layout = {
    "frames": ArrayLayout(("N",), 2**31 - 1, 0, kind="iu"),
    "packed": ArrayLayout(("N", "B"), kind="u"),
}
_BESIDE = 2  # frames before and after one with an occluder, in which it may just be seen


@dataclass(frozen=True)
class Occluders:
    """Masks of what is before the face in N of a clip's frames.

    Attributes:
        frames: (N,) ascending frame numbers.
        size: side of the crops that the masks belong to (`crop.crop_transforms`).
        packed: (N, size * size / 8) their bits.
    """

    frames: Int
    size: int
    packed: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.frames)

    def mask(self, frame: int, size: int) -> Bool:
        """(size, size) pixels of the frame's crop of that size which something is before."""
        place = int(np.searchsorted(self.frames, frame))
        if place == len(self.frames) or self.frames[place] != frame:
            return np.zeros((size, size), bool)
        bits = np.unpackbits(self.packed[place]).reshape(self.size, self.size)
        scaled = cv2.resize(bits * 255, (size, size), interpolation=cv2.INTER_LINEAR)
        return np.asarray(scaled > 127)

    def clear(self, count: int) -> Bool:
        """(count,) frames of the clip with nothing before the face, nor just before or after."""
        clear = np.ones(count, bool)
        for shift in range(-_BESIDE, _BESIDE + 1):
            clear[(self.frames + shift).clip(0, count - 1)] = False
        return clear

    def lendable(self, track: FaceTrack) -> FaceTrack:
        """The track with no confidence in the frames from which nothing must be learned.

        Where no usable frame is clear, the track as it is.
        """
        clear = self.clear(len(track))
        if not (track.usable & clear).any():
            return track
        return track.only(clear)


def packed(masks: Iterable[tuple[int, Bool]], size: int) -> Occluders:
    """Occluders of ascending frame numbers, each with a (size, size) mask.

    Empty masks are left out. The masks are taken one by one, and only their bits are kept.
    """
    bits = {frame: np.packbits(mask) for frame, mask in masks if mask.any()}
    rows = np.array(list(bits.values()), np.uint8).reshape(len(bits), size * size // 8)
    return Occluders(np.array(list(bits), np.int32), size, rows)


def save_occluders(path: Path, occluders: Occluders) -> None:
    """Write a file that `load_occluders` reads."""
    arrays: Arrays = {"frames": occluders.frames, "packed": occluders.packed}
    save_arrays(path, "occluders", arrays, {"size": occluders.size})


def load_occluders(path: Path) -> Occluders:
    """Read a file of occluders.

    Raises:
        InputError: the file is missing, damaged or something else.
    """
    arrays, meta = load_arrays(path, "occluders", _LAYOUT)
    size = Facts(path, meta).whole("size", 8, 4096)
    if arrays["packed"].shape[1] != size * size // 8:
        raise damaged(path, f"'packed' holds no masks of {size} x {size}")
    if (np.diff(arrays["frames"]) <= 0).any():
        raise damaged(path, "'frames' do not ascend")
    return Occluders(arrays["frames"], size, arrays["packed"])
