"""What the one reading of all frames, in which letters are looked for, sees for later stages."""

from __future__ import annotations

from dataclasses import dataclass

from gsmooth_core.job.kept import KeptPictures
from gsmooth_core.mafb.occlusion.glimpses import Glimpses
from gsmooth_core.mafb.occlusion.hands import HandWatch
from gsmooth_core.types import Opened


@dataclass(frozen=True)
class Watched:
    """Watchers of one reading; whoever has none reads the clip for itself.

    Attributes:
        glimpses: of the face, for what passes before it.
        hands: beside the face, likewise.
        kept: what is likely to lend.
    """

    glimpses: Glimpses | None = None
    hands: HandWatch | None = None
    kept: KeptPictures | None = None

    def opened(self, opened: Opened) -> Opened:
        """The clip, watched by all of them."""
        for watcher in (self.kept, self.glimpses, self.hands):
            opened = watcher.watched(opened) if watcher else opened
        return opened
