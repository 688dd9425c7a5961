"""New faces in pictures as they are stored: in their own samples, with all else bit by bit.

A translator works on 8-bit RGB, and looks at a box around the face alone. So only such boxes are
converted. What it made of them is laid over the stored picture in floating point; samples beyond
the mask are never touched, and colours that RGB has not stay at its rim.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from gsmooth_core.media.pictures.pixels import Pixels
from gsmooth_core.media.pictures.planes import Planes
from gsmooth_core.media.pictures.tone import Tone
from gsmooth_core.taft.translated import Overlay, Translated
from gsmooth_core.types import Bool, Box, Image


@dataclass(frozen=True)
class StoredFrames:
    """Shows the stored pictures of one source to a translator, and lays new faces over them.

    Attributes:
        pixels: reads and writes them.
        tone: the way from their light to what the networks know.
    """

    pixels: Pixels
    tone: Tone

    def shown(self, stored: Planes, boxes: Iterable[Box]) -> Image:
        """(H, W, 3) uint8 RGB of some boxes (x0, y0, x1, y1) of a picture; black elsewhere."""
        frame = np.zeros((*stored.planes[0].shape, 3), np.uint8)
        for box in boxes:
            if not _empty(box):
                x0, y0, x1, y1 = box
                toned = self.tone.down(self.pixels.rgb(stored, box))
                frame[y0:y1, x0:x1] = cv2.multiply(toned, (255.0,) * 4, dtype=cv2.CV_8U)
        return frame

    def lay(self, stored: Planes, lays: tuple[Overlay, ...]) -> tuple[Planes, Bool]:
        """A stored picture with the new faces.

        Args:
            stored: as the source has it; it is not changed.
            lays: what is laid over its RGB, in order.

        Returns:
            the picture, and (H, W) the pixels that may differ from the old ones.
        """
        made = stored.copy() if lays else stored
        changed = np.zeros(stored.planes[0].shape, bool)
        for lay in lays:
            self._one(made, lay, changed)
        return made, changed

    def _one(self, made: Planes, lay: Overlay, changed: Bool) -> None:
        if _empty(lay.box):
            return
        box = self.pixels.around(lay.box, made)
        rgb = self.pixels.rgb(made, box)
        inner, where = _within(lay.box, box), np.zeros(rgb.shape[:2], bool)
        laid, where[inner] = lay.over(self.tone.down(rgb[inner]) * np.float32(255))
        new = self.tone.up(laid / np.float32(255))
        np.copyto(rgb[inner], new, where=where[inner][..., None])
        self.pixels.write(made, box, rgb, where)
        changed[box[1] : box[3], box[0] : box[2]] |= where


@dataclass
class StoredRun:
    """The frames of a stretch as they are stored, on their way through a translator.

    Attributes:
        pictures: number and picture of each, in order.
        frames: shows and lays.
        boxes: those that the translator looks at in a frame, by its number.
    """

    pictures: Iterable[tuple[int, Planes]]
    frames: StoredFrames
    boxes: Callable[[int], Sequence[Box]]
    _waiting: deque[Planes] = field(default_factory=deque, init=False)

    def shown(self) -> Iterator[tuple[int, Image]]:
        """Number and (H, W, 3) uint8 RGB of each, as far as the translator looks at it."""
        for index, picture in self.pictures:
            self._waiting.append(picture)
            yield index, self.frames.shown(picture, self.boxes(index))

    def made(self, translated: Translated) -> tuple[Planes, int]:
        """The next one with its new faces, and its largest change outside of their masks."""
        stored = self._waiting.popleft()
        made, changed = self.frames.lay(stored, translated.lays)
        return made, made.difference(stored, changed)


def _empty(box: Box) -> bool:
    return box[2] <= box[0] or box[3] <= box[1]


def _within(own: Box, box: Box) -> tuple[slice, slice]:
    x0, y0 = own[0] - box[0], own[1] - box[1]
    return slice(y0, y0 + own[3] - own[1]), slice(x0, x0 + own[2] - own[0])
