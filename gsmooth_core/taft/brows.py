"""Brows that curves move otherwise than the actor did: the frame's pixels, carried with the skin.

A dub replaces the lower face alone. What an edit does to the shapes of the brows is laid over the
finished frame: each pixel of brow and forehead shows what lies where the mesh had that skin before.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from gsmooth_core.face.camera import project
from gsmooth_core.face.curves import BROWS
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.face.rasterizer import rasterize
from gsmooth_core.face.render import face_surface, in_camera
from gsmooth_core.mafb.blend import Pixels
from gsmooth_core.types import Bool, Box, Expression, FaceTrack, Float, Image

_SAME = 1e-3  # what curves differ by less is rounding
_STILL = 0.02  # pixels of a frame that nobody sees
_SOFT = 0.02  # decimetres, sigma: the mesh's outline, where movements would end all at once
_SOFTEST = 0.02  # of a frame's width, at most
_NEAREST = 0.5  # decimetres from the camera: no face is nearer
_BESIDE = 4  # pixels around what moves, which cubic lookups see


@dataclass(frozen=True)
class Carried:
    """Pixels of a frame that are shown in another place (`translated.Overlay`).

    Attributes:
        box: x0, y0, x1, y1 in the frame.
        at: (h, w, 2) x and y in the box of what each of its pixels shows.
        moved: (h, w) those that show another place than their own.
    """

    box: Box
    at: Float
    moved: Bool

    def over(self, part: Pixels) -> tuple[Pixels, Bool]:
        """The part's pixels (h, w, 3), 0..255, where they are carried to, and which may differ."""
        edge = cv2.BORDER_REPLICATE
        new, made = cv2.remap(part, self.at, None, cv2.INTER_CUBIC, borderMode=edge), part.copy()
        np.copyto(made, np.clip(new, 0, 255), where=self.moved[..., None])
        return made, self.moved

    def composite(self, frame: Image) -> tuple[Image, Bool]:
        """The frame (H, W, 3) with its pixels carried, and (H, W) those that may differ."""
        out, mask = frame.copy(), np.zeros(frame.shape[:2], bool)
        x0, y0, x1, y1 = self.box
        out[y0:y1, x0:x1], mask[y0:y1, x0:x1] = self.over(frame[y0:y1, x0:x1])
        return out, mask


class BrowMover:
    """Moves the brows in the frames of a clip to where its curves have them.

    Args:
        track: of the clip, T frames.
        model: the track's face model.
        target: (T, E) the expression that each frame should show.

    Attributes:
        moved: (T,) frames whose brows are to be elsewhere than the track has them.
    """

    def __init__(self, track: FaceTrack, model: MorphableModel, target: Float) -> None:
        self._track, self._surface = track, face_surface(model, track.identity)
        self._wanted = np.where(_of_brows(track), target, track.expression)
        away = np.abs(self._wanted - track.expression).max(1)
        self.moved: Bool = (away > _SAME) & track.usable

    def carried(self, index: int) -> Carried | None:
        """What of frame `index` is carried where; None where nothing is."""
        track, surface = self._track, self._surface
        distance = -float(track.translation[index, 2])
        if distance < _NEAREST:
            return None
        shapes = track.expression[index], self._wanted[index]
        old, new = (in_camera(surface, track, index, shape) for shape in shapes)
        camera = track.focal, track.width, track.height
        before, after = (project(vertices, *camera).astype(np.float32) for vertices in (old, new))
        back = before[:, :2] - after[:, :2]
        moves = np.abs(back).max(1) > _STILL
        if not moves.any():
            return None
        soft = np.clip(_SOFT * track.focal / distance, 0.5, _SOFTEST * track.width)  # pixels
        both = np.concatenate([before[moves, :2], after[moves, :2]])
        box = _around(both, 3 * soft + _BESIDE, track.width, track.height)
        x0, y0, x1, y1 = box
        if x1 <= x0 or y1 <= y0:
            return None
        drawn = after - np.array([x0, y0, 0], np.float32)
        field = rasterize(drawn, surface.faces, back, y1 - y0, x1 - x0).image
        field = cv2.GaussianBlur(field, (0, 0), soft)
        at = field + np.dstack(np.meshgrid(np.arange(x1 - x0), np.arange(y1 - y0)))
        return Carried(box, at.astype(np.float32), np.abs(field).max(2) > _STILL)


def with_filmed_brows(target: Expression, track: FaceTrack) -> Float:
    """(T, E) curves with the track's brows: what the lower face is made of, whatever these do."""
    return np.where(_of_brows(track), track.expression, target.values).astype(np.float32)


def _of_brows(track: FaceTrack) -> Bool:
    """(E,) which shapes of a track's face model move brows."""
    return np.array([name in BROWS for name in track.expression_names])


def _around(points: Float, margin: float, width: int, height: int) -> Box:
    """The box of a frame that holds points (N, 2) and what lies beside them."""
    low = np.clip(np.floor(points.min(0) - margin), 0, [width, height]).astype(int)
    high = np.clip(np.ceil(points.max(0) + margin), 0, [width, height]).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
