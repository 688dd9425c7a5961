"""What a photo needs of a dub that a clip does not: finer drawing, and a tongue that is seen.

A clip lends a new mouth the pixels of frames in which it is open. A photo has none of these: lips,
teeth and tongue that it does not show are drawn, so they are drawn well.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gsmooth_core.dub import DubPipeline
from gsmooth_core.face.tongue import with_raised_tongue
from gsmooth_core.job.events import Cancelled, OnEvent
from gsmooth_core.job.job import Job
from gsmooth_core.taft.composition import ComposeSettings

_FINEST = 512  # pixels: drawn larger than it is shown, an edge is no staircase


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

    def compose_settings(self) -> ComposeSettings:
        """What the settings mean for the picture.

        A small photo has lines as fine as combs are; and its mouth, of which the mesh's own lips,
        teeth and tongue are a large part, is drawn at several times its pixels, but for a draft.
        """
        chosen = super().compose_settings()
        if not self.source.clip.still:
            return chosen
        size = chosen.size or (0 if self.job.settings.draft else _FINEST)
        return replace(chosen, progressive=True, size=size)
