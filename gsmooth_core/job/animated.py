"""What a job reads of a photo that moves: first the photo, then frames made as they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from gsmooth_core.errors import InputError
from gsmooth_core.job.frames import OpenFrames
from gsmooth_core.job.job import Job
from gsmooth_core.job.settings import AnimateSettings
from gsmooth_core.job.source import Source
from gsmooth_core.media import read_frames
from gsmooth_core.portrait.animate import Animation
from gsmooth_core.types import Box, Float, Image

_AROUND = 0.9  # heights of the face that a crop leaves around it


class AnimatedSource(Source):
    """The photo of a job, as it is until `animation` is set, and then in motion.

    Args:
        job: the job; its video is a photo.

    Attributes:
        animation: the photo in motion.
        size: width and height at which the photo is animated.

    Raises:
        InputError: the job's video is none of a still picture.
    """

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        if not self.clip.still:
            raise InputError(
                f"'{job.video.name}' is no photo.",
                "Take a photo, or dub the video with `gsmooth dub`.",
            )
        self.animation: Animation | None = None
        longest = (job.animate or AnimateSettings()).size
        self.size = _size(self.clip.width, self.clip.height, longest)
        self._box = (0, 0, *self.size)
        self.shown = replace(self.shown, width=self.size[0], height=self.size[1])

    def photo(self) -> Image:
        """(H, W, 3) the photo, or the part of it that is animated."""
        x0, y0, x1, y1 = self._box
        photo = next(iter(read_frames(self.clip, 0, 1)))
        if photo.shape[1::-1] != self.size:
            photo = cv2.resize(photo, self.size, interpolation=cv2.INTER_AREA)
        return np.ascontiguousarray(photo[y0:y1, x0:x1])

    def crop_to(self, landmarks: Float) -> tuple[int, int]:
        """Take only the surroundings of a face (478, 2); returns left and top of the part."""
        low, high = landmarks.min(0), landmarks.max(0)
        side = float(high[1] - low[1])
        x0, y0 = (max(0, round(float(v - _AROUND * side)) // 2 * 2) for v in low)
        x1, y1 = (round(float(v + _AROUND * side)) // 2 * 2 for v in high)
        x1, y1 = min(x1, self.size[0]), min(y1, self.size[1])
        self._box = (x0, y0, x1, y1)
        self.shown = replace(self.shown, width=x1 - x0, height=y1 - y0)
        return x0, y0

    def frames(self, box: Box | None = None) -> OpenFrames:
        """Frames by their number within the job, each of them whole."""
        if self.animation:
            return _Frames(self.animation.frame)
        photo = self.photo()
        return _Frames(lambda _index: photo)

    def read(self, start: int, count: int) -> Iterator[Image]:
        """`count` frames from the job's frame `start` on."""
        frames = self.frames()
        for index in range(start, start + count):
            yield frames(index)

    def pictures_stamp(self) -> dict[str, Any]:
        """What identifies the pictures, for fingerprints: the photo's part, and how it moves."""
        motion = self.animation.motion if self.animation else None
        moves = motion and [
            _digest(a)
            for a in (motion.turn, motion.shift, motion.blink, motion.sway, motion.hair)
            if a is not None
        ]
        return {**super().pictures_stamp(), "animate": [self._box, moves]}


def _size(width: int, height: int, longest: int) -> tuple[int, int]:
    """What a photo is animated at: its own size, or as large as it may be."""
    scale = longest / max(width, height)
    if scale >= 1:
        return width, height
    small = [max(2, round(side * scale) // 2 * 2) for side in (width, height)]
    return small[0], small[1]


class _Frames:
    """Frames that are made when they are asked for."""

    def __init__(self, frame: Callable[[int], Image]) -> None:
        self._frame = frame

    def __call__(self, index: int) -> Image:
        return self._frame(index)

    def close(self) -> None:
        """Nothing is open."""


def _digest(array: Float) -> str:
    return hashlib.sha256(np.ascontiguousarray(array, np.float32).tobytes()).hexdigest()
