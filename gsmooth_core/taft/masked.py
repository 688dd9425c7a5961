"""Masked frames: the one place where pixels of the frame to be dubbed are read.

Nothing after this may see what the mask hides. A `MaskedFrame` is black where the mask is, and it
is all that the later steps are given, compositing included.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from gsmooth_core.mafb.blend import Pixels, lay_over
from gsmooth_core.mafb.crop import Window, hidden
from gsmooth_core.mafb.occlusion.matte import Matte
from gsmooth_core.mafb.regions import box_around
from gsmooth_core.types import Bool, Float, Image

Grained = Callable[[Float, tuple[int, int]], Float]
"""A picture in levels, which begins at a row and column of its box, with grain."""

_KNOWN = 0.999
_TINT, _MOSTLY = 3, 0.999  # levels between channels in a picture without colour, and where
_LUMA = (0.299, 0.587, 0.114)
_HALF = 0.5


@dataclass(frozen=True)
class MaskedFrame:
    """The box of a frame around its crop, without the pixels under the mask.

    Attributes:
        under: the crop window.
        part: (h, w, 3) pixels of the box, 0 where hidden.
        hidden: (h, w) pixels that the mask touches.
        occluder: (h, w) pixels of what is in front of the face; None where nothing is.
        letters: what was burned in over it; None where nothing is.
    """

    under: Window
    part: Image
    hidden: Bool
    occluder: Bool | None = None
    letters: Matte | None = None

    def crop(self) -> tuple[Float, Bool]:
        """(H, W, 3) the crop, 0..1, and (H, W) its pixels that no hidden pixel has a part in."""
        grown = cv2.dilate(self.hidden.astype(np.uint8), np.ones((5, 5), np.uint8))
        known = self.under.cut((1 - grown).astype(np.float32), cv2.INTER_LINEAR) > _KNOWN
        picture = self.under.cut(self.part) * (known * np.float32(1 / 255))[..., None]
        return picture, known

    def number(self) -> int:
        """A number of what is seen of the frame: of a picture that is shown again the same.

        Letters and hands have no part in it: they say nothing about the face.
        """
        seen = self.part if self.occluder is None else self.part * ~self.occluder[..., None]
        return zlib.crc32(seen.tobytes())

    def composite(
        self, frame: Image, picture: Float, rim: float, grained: Grained = lambda new, at: new
    ) -> tuple[Image, Bool]:
        """Lay a new picture of the face over the frame.

        Args:
            frame: (H, W, 3) the frame; only its pixels outside the box are read.
            picture: (size, size, 3) RGB 0..1, the new crop.
            rim: pixels around the hidden ones over which the picture fades out (`lay_over`).
            grained: lays grain on pixels of the box (h, w, 3), 0..255.

        Returns:
            (H, W, 3) the new frame, and (H, W) the pixels that may differ from the old one.
        """
        out, mask = frame.copy(), np.zeros(frame.shape[:2], bool)
        laid, changed = self.over(self.part, picture, rim, grained)
        self.under.part(out)[...], self.under.part(mask)[...] = laid, changed
        return out, mask

    def over(
        self, part: Pixels, picture: Float, rim: float, grained: Grained
    ) -> tuple[Pixels, Bool]:
        """As `composite`, over the box's pixels (h, w, 3) alone; floats are not rounded."""
        laid, changed = part.copy(), np.zeros(self.hidden.shape, bool)
        if not self.hidden.any():
            return laid, changed
        near = box_around(self.hidden, int(rim) + 2)  # most of a large face is not touched
        levels = picture * np.float32(255)
        np.clip(levels, 0, 255, out=levels)
        at = near[0].start, near[1].start
        new = grained(self.under.uncrop(levels, part=near), at)
        before = None if self.occluder is None else self.occluder[near]
        laid[near], changed[near] = lay_over(part[near], new, self.hidden[near], rim, before)
        if self.letters is not None:
            laid = self.letters.over(laid, self.hidden)
        return laid, changed


@dataclass(frozen=True)
class Lay:
    """A new picture of the face, and how it was laid over a frame.

    Attributes:
        masked: the frame without the pixels under the mask.
        picture: (size, size, 3) RGB 0..1, the new crop.
        rim: see `MaskedFrame.composite`.
        grained: likewise.
    """

    masked: MaskedFrame
    picture: Float
    rim: float
    grained: Grained

    def over(self, part: Float) -> tuple[Float, Bool]:
        """The same over (h, w, 3) the box's pixels, 0..255, of a finer twin of the frame.

        Returns:
            (h, w, 3) the new pixels, not rounded, and (h, w) which of them may differ.
        """
        return self.masked.over(part, self.picture, self.rim, self.grained)


def colourless(part: Image) -> bool:
    """Whether what is seen of a frame (H, W, 3) is black and white."""
    red, green, blue = cv2.split(part)
    most, least = (f(f(red, green), blue) for f in (cv2.max, cv2.min))
    return bool(np.mean(most - least <= _TINT) >= _MOSTLY)


def without_colour(picture: Float) -> Float:
    """(H, W, 3) the same brightness (BT.601) in greys."""
    grey = picture @ np.array(_LUMA, np.float32)
    return np.repeat(grey[..., None], 3, 2).astype(np.float32)


def mask_frame(
    frame: Image,
    under: Window,
    mask: Bool,
    occluder: Bool | None = None,
    letters: Matte | None = None,
) -> MaskedFrame:
    """Hide what a mask covers.

    Args:
        frame: (H, W, 3) the frame.
        under: the window of its crop.
        mask: (size, size) M_f in the crop. It must stay away from the crop's border by more than
            the rim that the frame will be composited with, and from the occluder.
        occluder: (size, size) mask of what is in front of the face.
        letters: what was burned in, in the box of the window; it is not hidden.
    """
    covered = hidden(under, mask)
    before = None if occluder is None else under.uncrop(occluder.astype(np.float32)) > _HALF
    if letters is not None:
        covered &= ~letters.letters
        before = letters.letters if before is None else before | letters.letters
    part = under.part(frame).copy()
    part[covered] = 0
    return MaskedFrame(under, part, covered, before, letters)
