"""The part of the crop that the generator sees: what the masks of a clip and their rims can touch.

A generator's picture depends a little on the part that it is given, so the part is one for the
whole clip. What was rendered before keeps its own when curves are edited: only a frame whose new
mouth reaches beyond it gets a larger one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.camera import project, rotation_matrix
from gsmooth_core.face.morphable import Region
from gsmooth_core.face.render import FaceSurface
from gsmooth_core.mafb.blend import MaskSettings, in_crop, scaled
from gsmooth_core.mafb.regions import box_around
from gsmooth_core.types import Bool, FaceTrack, Float

Corners = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels of the crop."""

_BESIDE = 0.07  # of the crop's side: the width of a rim, and as much again
_CONTEXT = 8  # pixels around mask and rim that the generator also sees
_TOGETHER = 256  # frames whose faces are measured at a time
_STEPS = 16, 32  # sides are multiples of it: of crops up to `_SMALL`, and of larger ones, which
_SMALL = 256  # a generator plans in half
_ROUNDED = 1.0  # pixel by which a box may be off what it is around


class Reach:
    """How far the lower faces of a clip reach in their crops, masks and rims with them.

    Args:
        track: the track of the clip, T frames.
        surface: the person's face.
        transforms: (T, 2, 3) from frames to crops.
        target: (T, E) the expression that each frame should show.
        size: side of the crops.
        mask: how masks are grown.
    """

    def __init__(
        self,
        track: FaceTrack,
        surface: FaceSurface,
        transforms: Float,
        target: Float,
        size: int,
        mask: MaskSettings,
    ) -> None:
        self._track, self._surface, self._transforms, self._size = track, surface, transforms, size
        around = in_crop(mask.rim, size) + _CONTEXT
        side = scaled(mask.jaw_width, size) / 2 + around
        down = scaled(mask.jaw_height, size) / 2 + around
        low, high = self._corners(target)
        self.low, self.high = low - side, high + np.array([side, down])

    def box(self) -> Corners:
        """What is around all frames."""
        return _around(self.low.min(0), self.high.max(0), self._size)

    def beyond(self, box: Corners) -> dict[int, Corners]:
        """The frames that reach beyond a box, and for each what is around both."""
        first, last = np.array(box[:2]), np.array(box[2:])
        low = self.low.clip(0, self._size).clip(None, first)
        high = self.high.clip(0, self._size).clip(last, None)
        out = (low < first - _ROUNDED).any(1) | (high > last + _ROUNDED).any(1)
        usable = np.flatnonzero(out & self._track.usable).tolist()
        return {t: _around(low[t], high[t], self._size) for t in usable}

    def _corners(self, target: Float) -> tuple[Float, Float]:
        """(T, 2) corners of the box around each lower face, old and new; unbounded without one."""
        moving = self._surface.moving & (self._surface.regions == Region.LOWER_FACE)
        keep = np.flatnonzero(moving)[::3]
        low, high = (np.full((len(target), 2), v) for v in (np.inf, -np.inf))
        usable = np.flatnonzero(self._track.usable)
        for start in range(0, len(usable), _TOGETHER):
            frames = usable[start : start + _TOGETHER]
            for curves in (target, self._track.expression):
                uv = self._in_crops(frames, curves[frames], keep)
                low[frames] = np.minimum(low[frames], uv.min(1))
                high[frames] = np.maximum(high[frames], uv.max(1))
        return low, high

    def _in_crops(self, frames: NDArray[np.int64], curves: Float, keep: NDArray[np.int64]) -> Float:
        """(F, K, 2) crop pixels of K vertices in F frames that show `curves` (F, E)."""
        track, surface = self._track, self._surface
        shape = np.tensordot(curves, surface.basis[:, keep], 1) + surface.template[keep]
        turned = np.einsum("tij,tvj->tvi", rotation_matrix(track.rotation[frames]), shape)
        camera = turned + track.translation[frames, None]
        seen = project(camera, track.focal, track.width, track.height)[..., :2]
        a = self._transforms[frames]
        uv: Float = np.einsum("tij,tvj->tvi", a[:, :, :2], seen) + a[:, None, :, 2]
        return uv


def corners(noted: object) -> Corners | None:
    """A box that was noted in JSON; None where it is none."""
    if not isinstance(noted, list) or [type(x) for x in noted] != [int] * 4:
        return None
    x0, y0, x1, y1 = noted
    return (x0, y0, x1, y1) if 0 <= x0 < x1 and 0 <= y0 < y1 else None


def _around(low: Float, high: Float, size: int) -> Corners:
    step = _STEPS[size > _SMALL]
    extent = (np.ceil((high - low) / step) * step).clip(step, size)
    x0, y0 = ((low + high - extent) / 2).round().clip(0, size - extent).astype(int)
    return int(x0), int(y0), int(x0 + extent[0]), int(y0 + extent[1])


def narrowed(box: Corners, hidden: Bool) -> Corners:
    """The part of a box that holds what is hidden (H, W), its rim, and as much beside that."""
    around = box_around(hidden, round(_BESIDE * len(hidden)))
    (top, bottom), (left, right) = (s.indices(len(hidden))[:2] for s in around)
    x0, y0, x1, y1 = box
    return max(x0, left), max(y0, top), min(x1, right), min(y1, bottom)
