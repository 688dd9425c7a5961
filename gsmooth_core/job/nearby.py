"""The part of a clip's pictures in which its face is seen: the rest need not become RGB."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.job.source import Source
from gsmooth_core.mafb.crop import crop_transforms, in_frame
from gsmooth_core.types import Box, FaceTrack, Opened

_AROUND = 0.3  # of a crop's side beside it: captions are looked for there
_EDGE = 8  # pixels beyond which no pixel is made of: colour is brought between its samples
_WHOLE = 0.8  # share of a picture from which all of it is as good
_SIZE = 256


def opened_near(source: Source, track: FaceTrack, model: MorphableModel) -> Opened:
    """Opens the pictures of a source, of which only what lies around a face is to be looked at."""
    transforms = crop_transforms(track, model, _SIZE)
    box = box_of_crops(transforms, _SIZE, track.width, track.height)
    return lambda: closing(source.frames(box))


def box_of_crops(transforms: NDArray[Any], size: int, width: int, height: int) -> Box | None:
    """The box that holds the crops of all frames, and what is looked at beside them.

    Args:
        transforms: (T, 2, 3) frame -> crop pixels; similarities.
        size: side of a crop in pixels.
        width: of the frames in pixels.
        height: of the frames in pixels.

    Returns:
        left, top, and the first column and row behind it; None where most of a frame lies in it.
    """
    ends = np.array([-_AROUND, 1 + _AROUND]) * size
    corners = np.stack(np.meshgrid(ends, ends), -1).reshape(-1, 2)
    seen = in_frame(transforms, corners).reshape(-1, 2)  # (T, 4, 2) -> (T * 4, 2)
    limit = np.array([width, height])
    low = ((np.floor(seen.min(0)) - _EDGE) // _EDGE * _EDGE).clip(0, limit)
    high = ((np.ceil(seen.max(0)) + _EDGE) // _EDGE * _EDGE + _EDGE).clip(0, limit)
    if np.prod(np.maximum(high - low, 1)) > _WHOLE * width * height or (high <= low).any():
        return None
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
