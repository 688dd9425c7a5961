"""The pixel mask of an occluder, from the texels that it covers."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import binary_fill_holes, distance_transform_edt

from gsmooth_core.face.morphable import MOUTH_REGIONS, MorphableModel, Region
from gsmooth_core.face.render import Drawing, FaceSurface, draw_face, pose_face
from gsmooth_core.mafb.blend import close, dilate, erode
from gsmooth_core.mafb.crop import crop_transforms, window
from gsmooth_core.mafb.occlusion.appearance import (
    AppearanceModel,
    brightness_and_tint,
    logarithm,
    relit,
)
from gsmooth_core.mafb.occlusion.canonical import CanonicalMap
from gsmooth_core.mafb.occlusion.patches import parts
from gsmooth_core.types import Bool, FaceTrack, Float, Image

SIZE = 256
"""Side in pixels of the crops in which occluders are outlined."""

_BLUR = 0.8  # pixels: blocks and grain of a video
_SOFT = 1.0  # texels over which the edge of a patch is uncertain
_DOUBT = 8.0  # z-score that an occluder needs where its patch has ended; 0 in the middle of it
_INSIDE, _OUTSIDE = 0.9, 0.1  # blurred patch from which on a place counts as its middle, its end
_CLOSED = 5  # pixels: diameter of gaps that are closed
_ALIKE = 0.35  # largest difference (logarithm) between the shades of one object
_NEARER = 0.7  # its largest share of the difference from lips or teeth
_SLANTED = 21  # pixels: twice the width of the face's edge, where a patch is hardly seen
_BEYOND = 36  # pixels that an occluder is continued beyond the skin that is seen well
_MARGIN = 5  # pixels: diameter by which it is grown, for its blurred edge
_HALF = 0.5
_CENTRE = 0.5  # OpenCV puts (0, 0) on the centre of the first texel
_SPECK = 60  # pixels: anything smaller is no occluder


class Outliner:
    """Outlines the occluders in the frames of one clip.

    Args:
        canonical: the face's map.
        appearance: the clip's appearance model of it.
        surface: the person's face surface.
        track: the track of the clip.
        model: the face model that the track was fitted with.
    """

    def __init__(
        self,
        canonical: CanonicalMap,
        appearance: AppearanceModel,
        surface: FaceSurface,
        track: FaceTrack,
        model: MorphableModel,
    ) -> None:
        self.canonical, self.appearance = canonical, appearance
        self.surface, self.track = surface, track
        self.transforms = crop_transforms(track, model, SIZE)

    def outline(self, frame: int, picture: Image, colours: Image, seen: Bool, patch: Bool) -> Bool:
        """The occluder mask of one frame.

        On skin the patch is refined by each pixel's own z-score. Lips and mouth have no colour
        that could be relied on: there the patch decides, and whether a pixel looks like what is
        in front of the skin beside it.

        Args:
            frame: frame number.
            picture: (H, W, 3) RGB pixels of the frame.
            colours: (C, 3) RGB of the map's texels in it (`canonical.sample`).
            seen: (C,) texels that can be seen.
            patch: (TEXELS, TEXELS) occluded texels (`Patches.find`).

        Returns:
            (SIZE, SIZE) bool, in the frame's crop.
        """
        drawing, at = self._drawn(frame)
        face = drawing.face.mask
        mouth = np.isin(drawing.face.region, (Region.LIPS, *MOUTH_REGIONS))
        crop = self._crop(frame, picture)
        expected = _expected(self.canonical, self.appearance, colours, seen, at)
        share = _at(cv2.GaussianBlur(patch.astype(np.float32), (0, 0), _SOFT), at)
        # In the middle of the patch no evidence is needed, beyond its end none is enough; in
        # between the bar rises, so that the outline follows the picture and not the texels.
        needed = _DOUBT * (_INSIDE - share) / (_INSIDE - _OUTSIDE)
        z = np.where(mouth, _DOUBT / 2, expected.z_scores(crop))
        occluder = face & (share > _OUTSIDE) & (z > needed)
        occluder |= mouth & (share <= _INSIDE) & _alike(crop, occluder & ~mouth, expected.colour)
        whole = _whole(close(occluder, _CLOSED), share > _HALF)
        well_seen = _at(self.canonical.image(seen.astype(np.float32)), at) > _HALF
        reliable = face & (well_seen | mouth)
        # Slanted skin tells nothing, so the object is carried on from where the face is seen
        # well: once from all of that, and once from well inside of it, since the patch itself
        # fades at the edge.
        for part in (reliable, erode(reliable, _SLANTED, _SLANTED)):
            whole = whole | _beyond(whole & part, part)
        return np.asarray(binary_fill_holes(dilate(whole, _MARGIN, _MARGIN)), bool)

    def _drawn(self, frame: int) -> tuple[Drawing, Float]:
        """The face, and (SIZE, SIZE, 2) the place on the map that each pixel shows."""
        expression = self.track.expression[frame]
        transform = self.transforms[frame]
        posed = pose_face(self.surface, self.track, frame, expression, transform)
        drawing = draw_face(self.surface, posed, SIZE, None, self.canonical.at_vertices)
        return drawing, (drawing.values - _CENTRE).astype(np.float32)

    def _crop(self, frame: int, picture: Image) -> Image:
        under = window(self.transforms[frame], SIZE, self.track.area_of(frame))
        crop = under.cut(under.part(picture), cv2.INTER_LINEAR)
        return np.asarray(cv2.GaussianBlur(crop, (0, 0), _BLUR), np.uint8)


@dataclass(frozen=True)
class _Expected:
    """The appearance model as one frame's crop would show it, without an occluder.

    Attributes:
        colour: (SIZE, SIZE, 3) logarithms of RGB.
        brightness: (SIZE, SIZE) standard deviation of the brightness.
        tint: (SIZE, SIZE) standard deviation of the tint.
        known: (SIZE, SIZE) where the map has skin or lips.
    """

    colour: Float
    brightness: Float
    tint: Float
    known: Bool

    def z_scores(self, crop: Image) -> Float:
        """(SIZE, SIZE) z-score of each pixel; undecided where nothing is known."""
        brightness, tint = brightness_and_tint(logarithm(crop) - self.colour)
        z = np.hypot(brightness / self.brightness, tint / self.tint)
        return np.where(self.known, z, _DOUBT / 2).astype(np.float32)


def _expected(
    canonical: CanonicalMap, model: AppearanceModel, colours: Image, seen: Bool, at: Float
) -> _Expected:
    """The appearance model in this frame's light, for a crop that shows the map's places `at`."""
    difference = np.where(seen[:, None], logarithm(colours) - model.colour, 0)
    light = difference - relit(canonical, model, colours, seen)
    deviations = np.stack([model.brightness, model.tint, np.ones_like(model.tint)], 1)
    grid = canonical.image(np.concatenate([model.colour + light, deviations], 1))
    drawn = _at(grid, at)
    known = drawn[..., 5] > _HALF
    # Next to texels that are neither skin nor lips, interpolation mixes in zeros: divide by the
    # share that is known.
    drawn = np.where(known[..., None], drawn / np.maximum(drawn[..., 5:], _HALF), 1)
    return _Expected(drawn[..., :3], drawn[..., 3], drawn[..., 4], known)


def _at(grid: Float, at: Float) -> Float:
    """(SIZE, SIZE, ...) an image of the map (TEXELS, TEXELS, ...), looked up at places `at`."""
    return np.asarray(cv2.remap(grid, at, None, cv2.INTER_LINEAR), np.float32)


def _whole(occluder: Bool, sure: Bool) -> Bool:
    """The mask without specks, which have few pixels that are `sure`, and without holes."""
    large = [part for part in parts(occluder) if (part & sure).sum() >= _SPECK]
    return np.asarray(binary_fill_holes(np.any(large, 0)), bool) if large else occluder & False


def _alike(crop: Image, occluder: Bool, expected: Float) -> Bool:
    """(SIZE, SIZE) pixels in the colour of the occluder and not in the one of the face."""
    if not occluder.any():
        return occluder
    colours = logarithm(crop)
    own = np.abs(colours - np.median(colours[occluder], 0)).max(-1)
    alike: Bool = (own < _ALIKE) & (own < _NEARER * np.abs(colours - expected).max(-1))
    return alike


def _beyond(occluder: Bool, face: Bool) -> Bool:
    """Continue an occluder beyond the face: the mesh ends there, the object does not."""
    if not occluder.any():
        return occluder
    distance, nearest = distance_transform_edt(~face, return_indices=True)
    continued: Bool = occluder[tuple(nearest)] & (distance <= _BEYOND)
    return continued
