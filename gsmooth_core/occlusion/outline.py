"""The outline of what is before the face, pixel by pixel, from the cells that it hides."""

from __future__ import annotations

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
_BEYOND = 16  # pixels that an occluder goes on beyond the face, as it is at its edge
_MARGIN = 5  # pixels: diameter by which it is grown, for its blurred edge
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

    Lips and mouth have no colour that could be relied on: there the patch alone decides.

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
    away = _deviation(chart, usual, cells, crop, at)
    away[np.isin(drawing.face.region, (Region.LIPS, *MOUTH_REGIONS))] = _DOUBT / 2
    before = close(face & (share > _OUTSIDE) & (away > wanted), _CLOSED)
    large = [part for part in parts(before) if part.sum() >= _SPECK]
    whole = np.asarray(binary_fill_holes(np.any(large, 0))) if large else np.zeros_like(before)
    return dilate(_beyond(whole & face, face), _MARGIN, _MARGIN)


def _deviation(
    chart: Chart, usual: Usual, cells: tuple[Image, Bool], crop: Image, at: Float
) -> Float:
    """(SIZE, SIZE) how unusual each pixel is on a face that has the map's places `at` it.

    Where the map has no cell (eyes, the open mouth) every colour is as unusual as it must be.
    """
    colours, seen = cells
    light = light_of(chart, np.where(seen[:, None], logarithm(colours) - usual.colour, 0), seen)
    spread = np.stack([usual.light, usual.tint, np.ones_like(usual.tint)], 1)
    grid = chart.spread(np.concatenate([usual.colour + light, spread], 1))
    drawn = cv2.remap(grid, at, None, cv2.INTER_LINEAR)
    known = drawn[..., 5]
    safe = np.maximum(known, 0.5)[..., None]
    rest = logarithm(crop) - drawn[..., :3] / safe
    brightness = rest.mean(-1)
    tint = np.linalg.norm(rest - brightness[..., None], axis=-1)
    light_away, tint_away = np.moveaxis(drawn[..., 3:5] / safe, -1, 0)
    away = np.hypot(brightness / np.maximum(light_away, 1e-3), tint / np.maximum(tint_away, 1e-3))
    return np.where(known > 0.5, away, _DOUBT / 2).astype(np.float32)


def _beyond(before: Bool, face: Bool) -> Bool:
    """Continue an occluder beyond the face's outline: the mesh ends there, the thing does not."""
    if not before.any():
        return before
    distance, nearest = distance_transform_edt(~face, return_indices=True)
    continued: Bool = before[tuple(nearest)] & (distance <= _BEYOND)
    return continued
