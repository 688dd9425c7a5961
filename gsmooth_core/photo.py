"""What a photo needs of a dub that a clip does not: finer drawing, and a tongue that is seen.

A clip lends a new mouth the pixels of frames in which it is open. A photo has none of these: lips,
teeth and tongue that it does not show are drawn, so they are drawn well.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from gsmooth_core.dub import DubPipeline
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.face.tongue import with_raised_tongue
from gsmooth_core.job.events import Cancelled, OnEvent
from gsmooth_core.job.job import Job
from gsmooth_core.mafb.crop import crop_transforms
from gsmooth_core.taft.compose import SIZES
from gsmooth_core.taft.composition import ComposeSettings
from gsmooth_core.taft.translate import FaceTranslator
from gsmooth_core.types import Expression, FaceTrack, FrameSource

_FINER = 2  # crop pixels a pixel of the photo, which become one: an edge is no staircase


class PhotoPipeline(DubPipeline):
    """A dub of a still picture; of one of many, which are read as a clip, a dub as any other."""

    def __init__(
        self,
        job: Job,
        folder: Path,
        on_event: OnEvent = lambda event: None,
        cancelled: Cancelled = lambda: False,
    ) -> None:
        super().__init__(job, folder, on_event, cancelled)
        if self.source.clip.still:
            self.model = with_raised_tongue(self.model)
        self._size = 0

    def translator(
        self, track: FaceTrack, target: Expression, frames: FrameSource | None
    ) -> FaceTranslator:
        """What makes this person's frames, in a crop as fine as the photo needs."""
        self._size = fine_size(track, self.model)
        return super().translator(track, target, frames)

    def compose_settings(self) -> ComposeSettings:
        """What the settings mean for the picture.

        A small photo has lines as fine as combs are; and its mouth, of which the mesh's own lips,
        teeth and tongue are a large part, is drawn at twice its pixels or more, but for a draft.
        """
        chosen = super().compose_settings()
        if not self.source.clip.still:
            return chosen
        fine = 0 if self.job.settings.draft else self._size
        return replace(chosen, progressive=True, size=chosen.size or fine)


def fine_size(track: FaceTrack, model: MorphableModel) -> int:
    """The smallest crop that has twice a photo's pixels in every frame, else the largest there is.

    Not simply the largest: a crop of three times the pixels is not a whole number of theirs, and
    what is left out is jagged again.
    """
    affine = crop_transforms(track, model, SIZES[0])
    least = float(np.hypot(affine[:, 0, 0], affine[:, 1, 0]).min())  # crop pixels a photo's pixel
    fine = [size for size in SIZES if least * size / SIZES[0] >= _FINER]
    return fine[0] if fine else SIZES[-1]
