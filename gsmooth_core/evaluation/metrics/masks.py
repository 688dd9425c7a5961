"""The pixels that dubbing replaces, found without asking the generator."""

from __future__ import annotations

import cv2
import numpy as np

from gsmooth_core.evaluation.metrics.landmarks import SIZE
from gsmooth_core.face.morphable import MOUTH_REGIONS, MorphableModel, Region
from gsmooth_core.face.render import (
    covered,
    draw_face,
    face_surface,
    in_camera,
    placed,
    pose_face,
)
from gsmooth_core.mafb.blend import MaskSettings, in_crop
from gsmooth_core.mafb.crop import crop_transforms, window
from gsmooth_core.mafb.meeting import meeting
from gsmooth_core.mafb.room import frame_mask
from gsmooth_core.types import Bool, FaceTrack, Float

_AROUND = 0.03  # of the crop, around lips: what a track may be off, and their shade
_BORDER = 7  # pixels of the crop, beside the rim's width, in which nothing is replaced


class Masks:
    """The masks of a clip's frames, computed without the generator.

    Args:
        track: the track of the clip.
        model: the face model that it was fitted with.
        target: (T, E) the expression of the new frames.
        size: side of the face crop in pixels.
        whole_face: replace the whole face instead of the lower one.
        settings: morphology of the mask.
    """

    def __init__(
        self,
        track: FaceTrack,
        model: MorphableModel,
        target: Float,
        size: int = SIZE,
        *,
        whole_face: bool = False,
        settings: MaskSettings | None = None,
    ) -> None:
        self.track, self.target, self.size, self.whole = track, target, size, whole_face
        self.transforms = crop_transforms(track, model, size)
        self.surface = face_surface(model, track.identity)
        self.settings = settings or MaskSettings()

    def region(self, frame: int) -> Bool:
        """(size, size) old and new face, as far as dubbing replaces it."""
        old, new = self._faces(frame)
        return old | new

    def _faces(self, frame: int) -> tuple[Bool, Bool]:
        """(size, size) what dubbing replaces of the old face, and of the new one."""
        track, at = self.track, self.transforms[frame]
        old = pose_face(self.surface, track, frame, track.expression[frame], at)
        camera = in_camera(self.surface, track, frame, self.target[frame])
        if not self.whole:
            camera = meeting(self.surface, old, camera, self.size, self.settings)
        new = placed(self.surface, camera, track, frame, at)
        drawing = draw_face(self.surface, new, self.size, None)
        region = drawing.face.mask if self.whole else drawing.dubbed
        edge = _BORDER + int(np.ceil(in_crop(self.settings.rim, self.size)))
        inner = np.zeros_like(region)
        inner[edge:-edge, edge:-edge] = True
        return covered(self.surface, old, self.size, whole=self.whole) & inner, region & inner

    def mouth(self, frame: int) -> Bool:
        """(size, size) lips and what is between them, of the old and the new face, and around."""
        found = np.zeros((self.size, self.size), bool)
        for curves in (self.track.expression, self.target):
            at = self.transforms[frame]
            posed = pose_face(self.surface, self.track, frame, curves[frame], at)
            region = draw_face(self.surface, posed, self.size, None).face.region
            found |= np.isin(region, (Region.LIPS, *MOUTH_REGIONS))
        reach = 2 * round(_AROUND * self.size) + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
        return np.asarray(cv2.dilate(found.astype(np.uint8), disc) > 0)

    def mask(self, frame: int) -> Bool:
        """(size, size) M_f: the region closed, with room for the jaw."""
        return frame_mask(*self._faces(frame), self.settings)

    def in_frame(self, frame: int) -> Bool:
        """(H, W) pixels of the frame that lie wholly in the region."""
        height, width = self.track.height, self.track.width
        hidden = np.zeros((height, width), bool)
        under = window(self.transforms[frame], self.size, self.track.area_of(frame))
        region = (self.region(frame) & under.inside()).astype(np.float32)
        under.part(hidden)[...] = under.uncrop(region, cv2.INTER_LINEAR) > 0.999
        return hidden
