"""What a photo needs of a dub that a clip does not: finer drawing, and a tongue that is seen.

A clip lends a new mouth the pixels of frames in which it is open. A photo has none of these: lips,
teeth and tongue that it does not show are drawn, so they are drawn well.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gsmooth_core.dub import DubPipeline
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.face.tongue import with_raised_tongue
from gsmooth_core.mafb.crop import crop_transforms
from gsmooth_core.taft.composition import SIZES, ComposeSettings
from gsmooth_core.types import FaceTrack

_FINER = 2  # crop pixels a pixel of the photo, which become one: an edge is no staircase


class PhotoPipeline(DubPipeline):
    """A dub of a still picture; of one of many, which are read as a clip, a dub as any other."""

    def face_model(self) -> MorphableModel:
        """The 3D face that the job asks for, its tongue raised in a photo."""
        model = super().face_model()
        return with_raised_tongue(model) if self.source.clip.still else model

    def crop_size(self, track: FaceTrack) -> int:
        """What is asked for; a photo's mouth is drawn at twice its pixels, but for a draft.

        The mesh's own lips, teeth and tongue are a large part of it.
        """
        asked = super().crop_size(track)
        if asked or not self.source.clip.still or self.job.settings.draft:
            return asked
        return fine_size(track, self.model)

    def compose_settings(self, track: FaceTrack) -> ComposeSettings:
        """What the settings mean for the picture.

        A small photo has lines as fine as combs are, and none was taken while the head moved. All
        of its frames show one photo: one of them lends, as the mean of several is a blur.
        """
        chosen = super().compose_settings(track)
        if not self.source.clip.still:
            return chosen
        one = replace(chosen.references, bank=1)
        return replace(chosen, progressive=True, shutter=0, references=one)


def fine_size(track: FaceTrack, model: MorphableModel) -> int:
    """The smallest crop that has twice a photo's pixels in every frame, else the largest there is.

    Not simply the largest: a crop of three times the pixels is not a whole number of theirs, and
    what is left out is jagged again.
    """
    affine = crop_transforms(track, model, SIZES[0])
    least = float(np.hypot(affine[:, 0, 0], affine[:, 1, 0]).min())  # crop pixels a photo's pixel
    fine = [size for size in SIZES if least * size / SIZES[0] >= _FINER]
    return fine[0] if fine else SIZES[-1]
