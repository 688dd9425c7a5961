"""Texels of a face in frames that are read for something else, so that none is decoded for them."""

from __future__ import annotations

import numpy as np

from gsmooth_core.face.morphable import MorphableModel, Region
from gsmooth_core.face.render import face_surface
from gsmooth_core.mafb.crop import crop_transforms
from gsmooth_core.mafb.occlusion.canonical import (
    SAMPLED,
    canonical_map,
    sample,
    texels_in_crop,
)
from gsmooth_core.mafb.occlusion.mosaic import is_mosaic
from gsmooth_core.mafb.occlusion.watching import watched
from gsmooth_core.types import Bool, FaceTrack, FrameSource, Image, Opened

_PICTURE = np.eye(2, 3, dtype=np.float32)  # as a crop: all of it, at its own size
_MOST = 9000  # frames, with which some 60 MB are held


class Glimpses:
    """Looks up the C texels of a clip's face, and remembers them; see `canonical.sample`.

    Args:
        track: the track of the clip.
        model: the face model that the track was fitted with.

    Attributes:
        mosaics: numbers of the frames looked at whose mouth is a mosaic.
    """

    def __init__(self, track: FaceTrack, model: MorphableModel) -> None:
        self.track = track
        self.canonical = canonical_map(face_surface(model, track.identity))
        self.transforms = crop_transforms(track, model, SAMPLED)
        self.mosaics: set[int] = set()
        self._lips = self.canonical.regions == Region.LIPS
        self._known: dict[int, tuple[Image, Bool]] = {}

    def watched(self, opened: Opened) -> Opened:
        """The clip; what is read of it is remembered, as far as there is room."""

        def look(frame: int, picture: Image) -> None:
            if self.track.usable[frame] and len(self._known) < _MOST:
                self._known[frame] = self._sampled(frame, picture)

        return watched(opened, look)

    def texels(self, frame: int, source: FrameSource) -> tuple[Image, Bool]:
        """(C, 3) colours in a frame, and (C,) which of them are seen; read where not remembered."""
        return self._known.get(frame) or self._sampled(frame, source(frame))

    def _sampled(self, frame: int, picture: Image) -> tuple[Image, Bool]:
        places = texels_in_crop(self.canonical, self.track, frame, _PICTURE)
        if is_mosaic(picture, places[self._lips]):
            self.mosaics.add(frame)
        return sample(self.canonical, self.track, frame, picture, self.transforms[frame])
