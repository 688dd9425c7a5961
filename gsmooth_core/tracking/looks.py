"""A face looked at more than once: landmarks of crops that are mirrored and moved, averaged.

Where the network sees a point depends a little on how pixels fall on its grid, and on which side
of a face is which. What is left of both in the mean is a half to a third.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gsmooth_core.tracking.landmarks import Crop, FaceLandmarks, FaceMesh
from gsmooth_core.types import Image

MOST = 4
"""Looks at a face."""

USUAL = 4
"""Looks at a face whose mouth is to be made."""


@dataclass(frozen=True)
class Look:
    """One look.

    Attributes:
        moved: how far the crop is moved right and down, in parts of its side.
        mirrored: whether the network sees it in a mirror.
    """

    moved: float = 0.0
    mirrored: bool = False

    def crop(self, own: Crop) -> Crop:
        """The crop of this look, of the face's own."""
        return replace(own, centre=own.centre + np.float32(self.moved * own.side))


_AGAIN = (Look(mirrored=True), Look(0.02), Look(-0.02, mirrored=True))


def looked_again(mesh: FaceMesh, frame: Image, face: FaceLandmarks, looks: int) -> FaceLandmarks:
    """A face that was found in a frame (H, W, 3), its points the mean of so many looks."""
    if looks < 2:
        return face
    again = (
        mesh.landmarks(frame, look.crop(face.crop), mirrored=look.mirrored).points
        for look in _AGAIN[: looks - 1]
    )
    return replace(face, points=np.mean([face.points, *again], 0, dtype=np.float32))
