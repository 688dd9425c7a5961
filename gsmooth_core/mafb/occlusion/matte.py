"""Letters cut out of a frame: their own pixels, and how much of each is theirs.

What was found of a caption is found generously, so that nothing of it is ever lent. What stays in
a frame should be the letters alone: between them, and inside an O, the face goes on. Colours tell
the two apart: those that are common under captions and rare on the face.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from gsmooth_core.mafb.blend import Pixels, close, dilate
from gsmooth_core.mafb.nearest import nearest
from gsmooth_core.mafb.occlusion.boxes import beside_boxes, with_boxes
from gsmooth_core.types import Bool, Float, Image, Int

_BINS = 16  # of each channel
_UNKNOWN = 1e-4  # share of a colour below which it counts as not seen
_BENEFIT = 3.0  # a colour that was never seen on the face is rather a letter's
_OWN = 0.25  # weight of the frame's own captions beside those of the others
_SURE = 1.2  # the same for a colour that each letter must have somewhere
_COMMON = 0.003  # share of such a colour: teeth and highlights are rare in captions, too
_BLUR = 0.6  # pixels: noise of a video
_CLOSED = 3  # pixels: gaps between a letter and its outline
_SPECK = 6  # pixels
_SOFT = 2.0  # pixels beyond a letter in which it may fade out
_BEYOND = 3.5  # pixels from a letter at which there is nothing of it
_PART = 0.98  # of a pixel beside a letter that may be its own
_CONTRAST = 24.0  # levels between letter and surroundings: below, the edge cannot be seen


@dataclass(frozen=True)
class LetterColours:
    """How common colours are under the captions of a clip and on its lower face.

    Attributes:
        caption: (BINS ** 3,) shares of the pixels under captions.
        face: (BINS ** 3,) shares of the pixels of the bare lower face.
    """

    caption: Float
    face: Float

    def letters(
        self, picture: Image, captioned: Bool, odds: float, exact: Bool | None = None
    ) -> Bool:
        """What of a caption is letters, outlines and boxes.

        Args:
            picture: (H, W, 3) RGB.
            captioned: (H, W) the caption as it was found, generously.
            odds: logarithm of how much more common a letter's colours are under captions.
            exact: (H, W) where nothing beside a box is a part of it; None is nowhere.

        Returns:
            (H, W) a part of `captioned`.
        """
        return with_boxes(self._coloured(picture, captioned, odds), captioned, picture, exact)

    def beside_boxes(self, picture: Image, captioned: Bool, odds: float) -> Bool:
        """(H, W) what of a caption as it was found lies beside the box in which it stands."""
        return beside_boxes(self._coloured(picture, captioned, odds), captioned, picture)

    def _coloured(self, picture: Image, captioned: Bool, odds: float) -> Bool:
        """(H, W) what of a caption has its colours."""
        if not captioned.any():
            return captioned
        bins = _bins(picture)
        caption = (1 - _OWN) * self.caption + _OWN * _shares(bins[captioned])
        more = np.log((caption + _BENEFIT * _UNKNOWN) / (self.face + _UNKNOWN))[bins]
        more = cv2.GaussianBlur(more.astype(np.float32), (0, 0), _BLUR)
        found = captioned & (more > odds)
        found = close(found, _CLOSED) & captioned
        sure = (more > max(odds, _SURE)) & (caption[bins] >= _COMMON)
        return _certain(found, sure)


def learn_colours(samples: Iterable[tuple[Image, Bool, Bool]]) -> LetterColours:
    """Learn the colours of a clip's captions.

    Args:
        samples: (H, W, 3) RGB, (H, W) what captions cover in it, and (H, W) the lower face.
    """
    caption, face = np.zeros((2, _BINS**3), np.float64)
    for picture, captioned, lower in samples:
        bins = _bins(picture)
        caption += np.bincount(bins[captioned], minlength=_BINS**3)
        bare = lower & ~dilate(captioned, _CLOSED, _CLOSED)
        face += np.bincount(bins[bare], minlength=_BINS**3)
    return LetterColours(_pooled(caption), _pooled(face))


@dataclass(frozen=True)
class Matte:
    """Letters to be laid over a picture.

    Attributes:
        alpha: (H, W) 0..1, how much of each pixel they cover; 1 on the letters.
        colour: (H, W, 3) RGB, 0..255, the frame's own pixels there, and beyond them what the
            nearest letter has.
    """

    alpha: Float
    colour: Image

    @property
    def letters(self) -> Bool:
        """(H, W) pixels that are the letters' alone."""
        whole: Bool = self.alpha >= 1
        return whole

    def over(self, picture: Pixels, where: Bool) -> Pixels:
        """(H, W, 3) the letters over a picture (H, W, 3), as far as `where` (H, W).

        Floats, 0..255 like bytes, are not rounded.
        """
        alpha = np.where(where | self.letters, self.alpha, 0)[..., None]
        mixed = picture + alpha * (self.colour.astype(np.float32) - picture)
        whole = picture.dtype == np.uint8
        laid: Pixels = (np.rint(mixed) if whole else mixed).clip(0, 255).astype(picture.dtype)
        return laid


def cut_out(picture: Image, letters: Bool) -> Matte:
    """Cut letters out of a picture, with the soft edge that they have in it.

    A pixel beside a letter is a mixture of the letter's colour and of what lies around: how much
    there is of either follows from where it lies between the two.

    Args:
        picture: (H, W, 3) RGB.
        letters: (H, W) the letters (`LetterColours.letters`).
    """
    if not letters.any():
        return Matte(np.zeros(letters.shape, np.float32), np.zeros_like(picture))
    own = picture.astype(np.float32)
    distance, letter = nearest(own, letters)
    _, around = nearest(own, distance > _BEYOND)
    apart = letter - around
    size = (apart**2).sum(2)
    share = ((own - around) * apart).sum(2) / np.maximum(size, 1)
    fade = np.clip((_SOFT + 1 - distance) / _SOFT, 0, 1)
    share = np.where(size > _CONTRAST**2, share.clip(0, _PART), 0) * fade
    alpha = np.where(letters, 1, np.where(distance <= _SOFT, share, 0)).astype(np.float32)
    colour = np.where(letters[..., None], picture, letter.astype(np.uint8))
    return Matte(alpha, np.where(alpha[..., None] > 0, colour, np.uint8(0)))


def _certain(found: Bool, sure: Bool) -> Bool:
    """The parts of a mask that hold pixels which are sure, without specks."""
    count, label, stats, _ = cv2.connectedComponentsWithStats(found.astype(np.uint8))
    certain = np.bincount(label[found & sure], minlength=count) > 0
    certain &= stats[:, cv2.CC_STAT_AREA] >= _SPECK
    certain[0] = False
    kept: Bool = certain[label]
    return kept


def _shares(bins: Int) -> Float:
    return _pooled(np.bincount(bins, minlength=_BINS**3))


def _pooled(counts: Int | Float) -> Float:
    """Shares, with those of the neighbouring bins, weighed by 1 2 1 along each channel."""
    cube = np.pad(counts.reshape(_BINS, _BINS, _BINS) / max(counts.sum(), 1), 1)
    for axis in range(3):
        cube = cube + (np.roll(cube, 1, axis) + np.roll(cube, -1, axis)) / 2
    return np.asarray(cube[1:-1, 1:-1, 1:-1].ravel() / 8, np.float32)


def _bins(picture: Image) -> Int:
    """(H, W) number of the bin of each pixel of (H, W, 3)."""
    red, green, blue = np.moveaxis(picture.astype(np.int32) * _BINS // 256, -1, 0)
    number: Int = (red * _BINS + green) * _BINS + blue
    return number
