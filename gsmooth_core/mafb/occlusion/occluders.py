"""The occluder masks that were found in a clip, frame by frame, and their file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.ranges import Ranges, ranges_of
from gsmooth_core.storage.arrays import Arrays, load_arrays, save_arrays
from gsmooth_core.storage.layout import ArrayLayout, Facts, Layout, damaged
from gsmooth_core.types import Bool, FaceTrack, Int

_LAYOUT: Layout = {
    "frames": ArrayLayout(("N",), 2**31 - 1, 0, kind="iu"),
    "packed": ArrayLayout(("N", "B"), kind="u"),
}
_ENOUGH = 1 / 3  # of the usable frames must be unoccluded, to learn from them alone
_MARGIN = 2  # frames on either side of an occluded one in which the object may just be visible


@dataclass(frozen=True)
class Occluders:
    """Masks of what is in front of the face, in the N occluded frames of a clip.

    Attributes:
        frames: (N,) ascending frame numbers.
        size: side in pixels of the crops that the masks belong to (`crop.crop_transforms`).
        packed: (N, size * size / 8) the masks, a bit per pixel.
    """

    frames: Int
    size: int
    packed: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.frames)

    def mask(self, frame: int, size: int) -> Bool:
        """(size, size) occluder mask of a frame, for its crop of that size."""
        place = int(np.searchsorted(self.frames, frame))
        if place == len(self.frames) or self.frames[place] != frame:
            return np.zeros((size, size), bool)
        bits = np.unpackbits(self.packed[place]).reshape(self.size, self.size)
        scaled = cv2.resize(bits * 255, (size, size), interpolation=cv2.INTER_LINEAR)
        return np.asarray(scaled > 127)

    def ranges(self) -> Ranges:
        """[first, last] of each run of occluded frames."""
        return ranges_of(np.isin(np.arange(self.frames.max(initial=-1) + 1), self.frames))

    def unoccluded_frames(self, count: int) -> Bool:
        """(count,) frames of the clip that are not occluded, nor next to one that is."""
        unoccluded = np.ones(count, bool)
        for shift in range(-_MARGIN, _MARGIN + 1):
            unoccluded[(self.frames + shift).clip(0, count - 1)] = False
        return unoccluded

    def unoccluded(self, track: FaceTrack) -> FaceTrack:
        """The track with no confidence in the frames from which nothing must be learned.

        Where they are most of the usable ones, the track as it is: among few that are left, those
        would weigh most in which the object was missed.
        """
        frames = self.unoccluded_frames(len(track))
        if (track.usable & frames).sum() < _ENOUGH * track.usable.sum():
            return track
        return track.only(frames)


def packed(masks: Iterable[tuple[int, Bool]], size: int) -> Occluders:
    """Pack the masks of a clip's frames.

    Args:
        masks: ascending frame numbers, each with a (size, size) mask; empty ones are left out.
            They are taken one at a time, and only their bits are kept.
        size: side of the masks in pixels.
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
