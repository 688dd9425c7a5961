"""The outline of what is before the face, pixel by pixel, from the cells that it hides."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import binary_fill_holes, distance_transform_edt

from gsmooth_core.face.morphable import MOUTH_REGIONS, MorphableModel, Region
from gsmooth_core.face.render import Drawing, FaceSurface, draw_face, pose_face
from gsmooth_core.mafb.blend import close, dilate, erode
from gsmooth_core.mafb.crop import crop_transforms, window
from gsmooth_core.mafb.occlusion.chart import Chart
from gsmooth_core.mafb.occlusion.patches import parts
from gsmooth_core.mafb.occlusion.usual import Usual, light_and_tint, light_of, logarithm
from gsmooth_core.types import Bool, FaceTrack, Float, Image

SIZE = 256
"""Side in pixels of the crops in which occluders are outlined."""

_BLUR = 0.8  # pixels: a video's blocks and grain
_SOFT = 1.0  # cells over which a patch's edge is uncertain
_DOUBT = 8.0  # deviation that shows an occluder where its patch has ended; 0 in its middle
_INSIDE, _OUTSIDE = 0.9, 0.1  # share of a patch around a place that counts as middle, as end
_CLOSED = 5  # pixels: diameter of gaps that are closed
_ALIKE = 0.35  # difference of colours (logarithm) of one thing, in its own shades
_NEARER = 0.7  # of the difference from lips or teeth
_SLANTED = 21  # pixels, twice the width of the face's edge, where a patch is hardly seen
_BEYOND = 36  # pixels that an occluder goes on beyond the skin that is seen well
_MARGIN = 5  # pixels: diameter by which it is grown, for its blurred edge
_HALF = 0.5
_CENTRE = 0.5  # the middle of a cell, where OpenCV counts from
_SPECK = 60  # pixels: what is smaller is no occluder


class Outliner:
    """Outlines what is before the face in frames of one clip.

    Args:
        chart: the face's map.
        usual: its look in the clip.
        surface: the face.
        track: the clip's.
        model: the track's face model.
    """

    def __init__(
        self,
        chart: Chart,
        usual: Usual,
        surface: FaceSurface,
        track: FaceTrack,
        model: MorphableModel,
    ) -> None:
        self.chart, self.usual, self.surface, self.track = chart, usual, surface, track
        self.transforms = crop_transforms(track, model, SIZE)

    def outline(self, frame: int, picture: Image, colours: Image, seen: Bool, patch: Bool) -> Bool:
        """What is before the face in one frame.

        Lips and mouth have no colour that could be relied on: there the patch decides, and
        whether they look like what is before the skin beside them.

        Args:
            frame: frame number.
            picture: (H, W, 3) its pixels.
            colours: (C, 3) of the map's cells in it (`chart.sample`).
            seen: (C,) cells that can be seen.
            patch: (CELLS, CELLS) hidden cells.

        Returns:
            (SIZE, SIZE) pixels of the crop.
        """
        drawing, at = self._drawn(frame)
        face = drawing.face.mask
        mouth = np.isin(drawing.face.region, (Region.LIPS, *MOUTH_REGIONS))
        crop = self._crop(frame, picture)
        expected = _expected(self.chart, self.usual, colours, seen, at)
        share = _at(cv2.GaussianBlur(patch.astype(np.float32), (0, 0), _SOFT), at)
        wanted = _DOUBT * (_INSIDE - share) / (_INSIDE - _OUTSIDE)
        away = np.where(mouth, _DOUBT / 2, expected.deviation(crop))
        before = face & (share > _OUTSIDE) & (away > wanted)
        before |= mouth & (share <= _INSIDE) & _alike(crop, before & ~mouth, expected.colour)
        whole = _whole(close(before, _CLOSED), share > _HALF)
        well_seen = _at(self.chart.spread(seen.astype(np.float32)), at) > _HALF
        clear = face & (well_seen | mouth)
        for part in (clear, erode(clear, _SLANTED, _SLANTED)):
            whole = whole | _beyond(whole & part, part)
        return np.asarray(binary_fill_holes(dilate(whole, _MARGIN, _MARGIN)), bool)

    def _drawn(self, frame: int) -> tuple[Drawing, Float]:
        """The face, and (SIZE, SIZE, 2) the place on the map that each pixel shows."""
        expression = self.track.expression[frame]
        transform = self.transforms[frame]
        posed = pose_face(self.surface, self.track, frame, expression, transform)
        drawing = draw_face(self.surface, posed, SIZE, None, self.chart.at_vertices)
        return drawing, (drawing.values - _CENTRE).astype(np.float32)

    def _crop(self, frame: int, picture: Image) -> Image:
        under = window(self.transforms[frame], SIZE, *picture.shape[:2])
        crop = under.cut(under.part(picture), cv2.INTER_LINEAR)
        return np.asarray(cv2.GaussianBlur(crop, (0, 0), _BLUR), np.uint8)


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
        light, tint = light_and_tint(logarithm(crop) - self.colour)
        away = np.hypot(light / self.light, tint / self.tint)
        return np.where(self.known, away, _DOUBT / 2).astype(np.float32)


def _expected(chart: Chart, usual: Usual, colours: Image, seen: Bool, at: Float) -> _Expected:
    """The usual look in this frame's light, on a face that has the map's places `at` it."""
    light = light_of(chart, np.where(seen[:, None], logarithm(colours) - usual.colour, 0), seen)
    spread = np.stack([usual.light, usual.tint, np.ones_like(usual.tint)], 1)
    grid = chart.spread(np.concatenate([usual.colour + light, spread], 1))
    drawn = _at(grid, at)
    known = drawn[..., 5] > _HALF
    drawn = np.where(known[..., None], drawn / np.maximum(drawn[..., 5:], _HALF), 1)
    return _Expected(drawn[..., :3], drawn[..., 3], drawn[..., 4], known)


def _at(grid: Float, at: Float) -> Float:
    """(SIZE, SIZE, ...) what a picture of the map (CELLS, CELLS, ...) holds at these places."""
    return np.asarray(cv2.remap(grid, at, None, cv2.INTER_LINEAR), np.float32)


def _whole(before: Bool, sure: Bool) -> Bool:
    """Without specks, which have little of what is `sure`, and without holes."""
    large = [part for part in parts(before) if (part & sure).sum() >= _SPECK]
    return np.asarray(binary_fill_holes(np.any(large, 0)), bool) if large else before & False


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
