"""Texels of a face in frames that are read for something else, so that none is decoded for them."""

from __future__ import annotations

from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.face.render import face_surface
from gsmooth_core.mafb.crop import crop_transforms
from gsmooth_core.mafb.occlusion.canonical import SAMPLED, canonical_map, sample
from gsmooth_core.mafb.occlusion.watching import watched
from gsmooth_core.types import Bool, FaceTrack, FrameSource, Image, Opened

_MOST = 9000  # frames, with which some 60 MB are held


class Glimpses:
    """Looks up the C texels of a clip's face, and remembers them; see `canonical.sample`.

    Args:
        track: the track of the clip.
        model: the face model that the track was fitted with.
    """

    def __init__(self, track: FaceTrack, model: MorphableModel) -> None:
        self.track = track
        self.canonical = canonical_map(face_surface(model, track.identity))
        self.transforms = crop_transforms(track, model, SAMPLED)
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
        return sample(self.canonical, self.track, frame, picture, self.transforms[frame])
