"""New faces in pictures as they are stored: at their own depth, with all else bit by bit.

A translator works on 8-bit RGB. Where the source has more bits, what it made is laid over the
stored picture once more, in floating point; samples beyond the mask are never touched.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gsmooth_core.media.pixels import Box, Pixels
from gsmooth_core.media.planes import Planes
from gsmooth_core.media.tone import Tone
from gsmooth_core.taft.masked import Lay
from gsmooth_core.types import Bool, Float


@dataclass(frozen=True)
class StoredFrames:
    """Lays new faces over the stored pictures of one source.

    Attributes:
        pixels: reads and writes them.
        tone: the way from their light to what the networks know.
    """

    pixels: Pixels
    tone: Tone

    def lay(self, stored: Planes, lays: tuple[Lay, ...]) -> Planes:
        """A stored picture with the new faces.

        Args:
            stored: as the source has it; it is not changed.
            lays: what was laid over its 8-bit twin, in order.
        """
        made = stored.copy() if lays else stored
        for lay in lays:
            self._one(made, lay)
        return made

    def _one(self, made: Planes, lay: Lay) -> None:
        own = lay.masked.under.box
        if own[2] <= own[0] or own[3] <= own[1]:
            return
        box = self.pixels.whole(own, made)
        rgb = self.pixels.rgb(made, box)
        inner = _within(own, box)
        toned = self.tone.down(rgb[inner]) * np.float32(255)
        laid, changed = lay.over(toned.astype(np.float32))
        new, where = rgb.copy(), np.zeros(rgb.shape[:2], bool)
        new[inner] = _kept(rgb[inner], self.tone.up(laid / np.float32(255)), changed)
        where[inner] = changed
        self.pixels.write(made, box, new, where)


def _kept(old: Float, new: Float, changed: Bool) -> Float:
    return np.where(changed[..., None], new, old).astype(np.float32)


def _within(own: Box, box: Box) -> tuple[slice, slice]:
    x0, y0 = own[0] - box[0], own[1] - box[1]
    return slice(y0, y0 + own[3] - own[1]), slice(x0, x0 + own[2] - own[0])
