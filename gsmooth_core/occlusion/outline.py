"""The outline of what is before the face, pixel by pixel, from the cells that it hides."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import binary_fill_holes, distance_transform_edt

from gsmooth_core.crop import Window
from gsmooth_core.data import Bool, FaceTrack, Float, Image
from gsmooth_core.face_model import MOUTH_REGIONS, Region
from gsmooth_core.mafb import close, dilate
from gsmooth_core.occlusion.chart import Chart
from gsmooth_core.occlusion.patches import parts
from gsmooth_core.occlusion.usual import Usual, light_of, logarithm
from gsmooth_core.render import FaceSurface, draw_face, pose_face

SIZE = 256
"""Side in pixels of the crops in which occluders are outlined."""

_BLUR = 0.8  # pixels: a video's blocks and grain
_SOFT = 1.0  # cells over which a patch's edge is uncertain
_DOUBT = 8.0  # deviation that shows an occluder where its patch has ended; 0 in its middle
_INSIDE, _OUTSIDE = 0.9, 0.1  # share of a patch around a place that counts as middle, as end
_CLOSED = 5  # pixels: diameter of gaps that are closed
_ALIKE = 0.35  # difference of colours (logarithm) of one thing, in its own shades
_NEARER = 0.7  # of the difference from lips or teeth
_BEYOND = 28  # pixels that an occluder goes on beyond the skin that is seen well
_MARGIN = 5  # pixels: diameter by which it is grown, for its blurred edge
_HALF = 0.5
_SPECK = 60  # pixels: what is smaller is no occluder


def outline(
    chart: Chart,
    usual: Usual,
    surface: FaceSurface,
    track: FaceTrack,
    frame: int,
    under: Window,
    picture: Image,
    cells: tuple[Image, Bool],
    patch: Bool,
) -> Bool:
    """What is before the face in one frame.

    Lips and mouth have no colour that could be relied on: there the patch decides, and whether
    they look like what is before the skin beside them.

    Args:
        chart: the face's map.
        usual: look of the clip.
        surface: the face.
        track: the clip's.
        frame: frame number.
        under: window of a crop of `SIZE` pixels.
        picture: (H, W, 3) the frame.
        cells: colours and visibility of the map's cells in it (`chart.sample`).
        patch: (CELLS, CELLS) hidden cells.

    Returns:
        (SIZE, SIZE) pixels of the crop.
    """
    posed = pose_face(surface, track, frame, track.expression[frame], under.transform)
    drawing = draw_face(surface, posed, SIZE, None, chart.at_vertices)
    at, face = (drawing.values - 0.5).astype(np.float32), drawing.face.mask
    soft = cv2.GaussianBlur(patch.astype(np.float32), (0, 0), _SOFT)
    share = cv2.remap(soft, at, None, cv2.INTER_LINEAR)
    crop = cv2.GaussianBlur(under.cut(under.part(picture), cv2.INTER_LINEAR), (0, 0), _BLUR)
    wanted = _DOUBT * (_INSIDE - share) / (_INSIDE - _OUTSIDE)
    expected = _expected(chart, usual, cells, at)
    mouth = np.isin(drawing.face.region, (Region.LIPS, *MOUTH_REGIONS))
    away = np.where(mouth, _DOUBT / 2, expected.deviation(crop))
    before = face & (share > _OUTSIDE) & (away > wanted)
    before |= mouth & (share <= _INSIDE) & _alike(crop, before & ~mouth, expected.colour)
    before = close(before, _CLOSED)
    large = [part for part in parts(before) if (part & (share > _HALF)).sum() >= _SPECK]
    whole = np.asarray(binary_fill_holes(np.any(large, 0))) if large else np.zeros_like(before)
    seen = cv2.remap(chart.spread(cells[1].astype(np.float32)), at, None, cv2.INTER_LINEAR) > _HALF
    return dilate(_beyond(whole, face & (seen | mouth)), _MARGIN, _MARGIN)


@dataclass(frozen=True)
class _Expected:
    """What a crop would show of the bare face.

    Attributes:
        colour: (SIZE, SIZE, 3) logarithms.
        light: (SIZE, SIZE) usual deviation of the brightness.
        tint: (SIZE, SIZE) and of the tint.
        known: (SIZE, SIZE) where there is skin or lips on the map.
    """

    colour: Float
    light: Float
    tint: Float
    known: Bool

    def deviation(self, crop: Image) -> Float:
        """(SIZE, SIZE) how unusual each pixel is; undecided where nothing is known."""
        rest = logarithm(crop) - self.colour
        light = rest.mean(-1)
        tint = np.linalg.norm(rest - light[..., None], axis=-1)
        away = np.hypot(light / self.light, tint / self.tint)
        return np.where(self.known, away, _DOUBT / 2).astype(np.float32)


def _expected(chart: Chart, usual: Usual, cells: tuple[Image, Bool], at: Float) -> _Expected:
    """The usual look in this frame's light, on a face that has the map's places `at` it."""
    colours, seen = cells
    light = light_of(chart, np.where(seen[:, None], logarithm(colours) - usual.colour, 0), seen)
    spread = np.stack([usual.light, usual.tint, np.ones_like(usual.tint)], 1)
    grid = chart.spread(np.concatenate([usual.colour + light, spread], 1))
    drawn = cv2.remap(grid, at, None, cv2.INTER_LINEAR)
    known = drawn[..., 5] > _HALF
    drawn = np.where(known[..., None], drawn / np.maximum(drawn[..., 5:], _HALF), 1)
    return _Expected(drawn[..., :3], drawn[..., 3], drawn[..., 4], known)


def _alike(crop: Image, before: Bool, expected: Float) -> Bool:
    """(SIZE, SIZE) pixels in the colour of what is `before` the face, and not in the face's."""
    if not before.any():
        return before
    colours = logarithm(crop)
    own = np.abs(colours - np.median(colours[before], 0)).max(-1)
    alike: Bool = (own < _ALIKE) & (own < _NEARER * np.abs(colours - expected).max(-1))
    return alike


def _beyond(before: Bool, face: Bool) -> Bool:
    """Continue an occluder beyond the face's outline: the mesh ends there, the thing does not."""
    if not before.any():
        return before
    distance, nearest = distance_transform_edt(~face, return_indices=True)
    continued: Bool = before[tuple(nearest)] & (distance <= _BEYOND)
    return continued
