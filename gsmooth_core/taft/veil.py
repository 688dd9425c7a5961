"""The veil: the one place where pixels of the frame that is to be dubbed are looked at.

Nothing after this may see what the mask hides. A `Veiled` frame holds black where the mask is,
and it is all that the rest of the way is given, the pasting included.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from gsmooth_core.mafb.blend import lay_over
from gsmooth_core.mafb.crop import Window, hidden
from gsmooth_core.types import Bool, Float, Image

_KNOWN = 0.999
_HALF = 0.5


@dataclass(frozen=True)
class Veiled:
    """The box of a frame around its crop, without what the mask hides.

    Attributes:
        under: the crop window.
        part: (h, w, 3) pixels of the box, 0 where hidden.
        hidden: (h, w) what the mask touches.
        before: (h, w) what stands before the face, where that is known.
    """

    under: Window
    part: Image
    hidden: Bool
    before: Bool | None = None

    def crop(self) -> tuple[Float, Bool]:
        """The crop (H, W, 3), 0..1, and (H, W) the pixels of it that no hidden pixel touched."""
        grown = cv2.dilate(self.hidden.astype(np.uint8), np.ones((5, 5), np.uint8))
        clear = self.under.cut((1 - grown).astype(np.float32), cv2.INTER_LINEAR) > _KNOWN
        picture = self.under.cut(self.part).astype(np.float32) / 255
        return np.where(clear[..., None], picture, 0).astype(np.float32), clear

    def reveal(self, frame: Image, picture: Float, rim: float) -> tuple[Image, Bool]:
        """Lay a new picture of the face over the frame.

        Args:
            frame: (H, W, 3) the frame; only its pixels outside of the box are taken.
            picture: (size, size, 3) crop, 0..1.
            rim: pixels around the hidden ones over which the picture fades out (`lay_over`).

        Returns:
            (H, W, 3) new frame, (H, W) where it differs from the old one or may do so.
        """
        new = self.under.spread(np.clip(picture * 255, 0, 255).astype(np.float32))
        out, mask = frame.copy(), np.zeros(frame.shape[:2], bool)
        laid, changed = lay_over(self.part, new, self.hidden, rim, self.before)
        self.under.part(out)[...], self.under.part(mask)[...] = laid, changed
        return out, mask


def veil(frame: Image, under: Window, mask: Bool, before: Bool | None = None) -> Veiled:
    """Hide what (size, size) `mask` covers in the crop `under` of the frame (H, W, 3).

    The mask must keep clear of the crop's border by more than the rim it is revealed with, and
    of what stands `before` (size, size) the face.
    """
    covered = hidden(under, mask)
    part = np.where(covered[..., None], np.uint8(0), under.part(frame))
    if before is None:
        return Veiled(under, part, covered)
    return Veiled(under, part, covered, under.spread(before.astype(np.float32)) > _HALF)
