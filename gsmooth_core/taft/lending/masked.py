"""Masked frames: the one place where pixels of the frame to be dubbed are read.

Nothing after this may see what the mask hides. A `MaskedFrame` is black where the mask is, and it
is all that the later steps are given, compositing included.
"""

from __future__ import annotations

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
_BESIDE = 4  # pixels beside what is hidden, of which none is
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
        """(H, W, 3) the crop, 0..1, and (H, W) its pixels that no hidden pixel has a part in.

        They only tell how a new face is lit and what goes on beside it: the frame itself has them
        as they are. So they are interpolated linearly.
        """
        known, picture = self._known(), self.under.cut(self.part, cv2.INTER_LINEAR)
        seen = cv2.bitwise_and(picture, picture, mask=known.view(np.uint8))
        return np.multiply(seen, np.float32(1 / 255), dtype=np.float32), known

    def _known(self) -> Bool:
        """(H, W) pixels of the crop that no hidden pixel has a part in."""
        size = self.under.size
        if not self.hidden.any():
            return np.ones((size, size), bool)
        step = max(1, int(1 / self.under.scale))  # which `Window.cut` reduces pixels by
        rows, columns = (
            slice(first - first % step, last)
            for first, last in self._near_hidden(_BESIDE + 2 * step)
        )
        grown = cv2.dilate(self.hidden[rows, columns].astype(np.uint8), np.ones((5, 5), np.uint8))
        seen = (1 - grown).astype(np.float32)
        known = self.under.narrowed(rows, columns).cut(seen, cv2.INTER_LINEAR) > _KNOWN
        return np.asarray(known, bool)

    def _near_hidden(self, margin: int) -> list[tuple[int, int]]:
        """First and last row, and column, of what is hidden and some pixels around it."""
        around = box_around(self.hidden, margin)
        return [s.indices(n)[:2] for s, n in zip(around, self.hidden.shape, strict=True)]

    def laid(self, picture: Float, rim: float, grained: Grained = lambda new, at: new) -> Lay:
        """How a new picture of the face comes to lie over the frame.

        Args:
            picture: (size, size, 3) RGB 0..1, the new crop.
            rim: pixels around the hidden ones over which the picture fades out (`lay_over`).
            grained: lays grain on pixels of the box (h, w, 3), 0..255.
        """
        part = self._near(rim)
        new = np.zeros((0, 0, 3), np.float32)
        if self.hidden.any():
            levels = picture * np.float32(255)
            np.clip(levels, 0, 255, out=levels)
            at = part[0].start, part[1].start
            new = grained(self.under.uncrop(levels, part=part), at)
        return Lay(self, part, new, rim)

    def _near(self, rim: float) -> tuple[slice, slice]:
        """Rows and columns of the box that may change: most of a large face is not touched."""
        height, width = self.hidden.shape
        if not self.hidden.any():
            return np.s_[0:0], np.s_[0:0]
        if self.letters is not None:  # these are looked at as a whole
            return np.s_[0:height], np.s_[0:width]
        rows, columns = self._near_hidden(int(rim) + 2)
        return slice(*rows), slice(*columns)


@dataclass(frozen=True)
class Lay:
    """A new picture of the face over a frame.

    Attributes:
        masked: the frame without the pixels under the mask.
        part: rows and columns of its box that may change.
        new: (h, w, 3) the new picture there, 0..255, with its grain.
        rim: see `MaskedFrame.laid`.
    """

    masked: MaskedFrame
    part: tuple[slice, slice]
    new: Float
    rim: float

    @property
    def box(self) -> tuple[int, int, int, int]:
        """x0, y0, x1, y1 of the part in the frame; empty where nothing changes."""
        x, y = self.masked.under.box[:2]
        rows, columns = self.part
        return x + columns.start, y + rows.start, x + columns.stop, y + rows.stop

    def over(self, part: Pixels) -> tuple[Pixels, Bool]:
        """The new picture over the part's pixels (h, w, 3), 0..255.

        Args:
            part: uint8, or float32 of the same range for a result that is not rounded; its hidden
                pixels have no part in the result.

        Returns:
            (h, w, 3) the new pixels, and (h, w) which of them may differ from the old ones.
        """
        masked = self.masked
        before = None if masked.occluder is None else masked.occluder[self.part]
        hidden = masked.hidden[self.part]
        laid, changed = lay_over(part, self.new, hidden, self.rim, before)
        if masked.letters is not None:
            laid = masked.letters.over(laid, hidden)
        return laid, changed

    def composite(self, frame: Image) -> tuple[Image, Bool]:
        """Lay the new picture over the frame.

        Args:
            frame: (H, W, 3) the frame; only its pixels outside the box are read.

        Returns:
            (H, W, 3) the new frame, and (H, W) the pixels that may differ from the old one.
        """
        out, mask = frame.copy(), np.zeros(frame.shape[:2], bool)
        x0, y0, x1, y1 = self.box
        out[y0:y1, x0:x1], mask[y0:y1, x0:x1] = self.over(self.masked.part[self.part])
        return out, mask


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
    part = np.ascontiguousarray(under.part(frame))
    part = cv2.bitwise_and(part, part, mask=(~covered).view(np.uint8)) if part.size else part
    return MaskedFrame(under, part, covered, before, letters)
