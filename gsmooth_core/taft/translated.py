"""A finished frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from gsmooth_core.mafb.blend import Pixels
from gsmooth_core.types import Bool, Image


class Overlay(Protocol):
    """What changes a part of a frame: a new face (`Lay`), or brows elsewhere (`Carried`)."""

    @property
    def box(self) -> tuple[int, int, int, int]:
        """x0, y0, x1, y1 of the part in the frame; empty where nothing changes."""
        ...

    def over(self, part: Pixels) -> tuple[Pixels, Bool]:
        """The part's pixels (h, w, 3), 0..255, as they become, and (h, w) which may differ."""
        ...

    def composite(self, frame: Image) -> tuple[Image, Bool]:
        """The frame (H, W, 3) with the part changed, and (H, W) the pixels that may differ."""
        ...


@dataclass(frozen=True)
class Translated:
    """A finished frame.

    Attributes:
        frame: (H, W, 3) uint8 RGB; outside of `mask` it is the given frame, bit by bit.
        mask: (H, W) bool, what may have been changed: M_f and its soft rim.
        hidden: (H, W) bool, the pixels of the given frame that nothing has looked at.
        members: frame numbers of the references; empty for a frame that passed untouched.
        lays: the new faces and moved brows, to be laid over the frame as it is stored.
    """

    frame: Image
    mask: Bool
    hidden: Bool = field(repr=False)
    members: tuple[int, ...] = ()
    lays: tuple[Overlay, ...] = field(default=(), repr=False)


class Laid(Translated):
    """A finished frame that is put together when it is asked for: a stored picture never asks.

    Args:
        given: (H, W, 3) uint8 RGB, the frame.
        hidden: (H, W) bool, its pixels that nothing has looked at.
        members: frame numbers of the references.
        lay: what changes it.
    """

    def __init__(self, given: Image, hidden: Bool, members: tuple[int, ...], lay: Overlay) -> None:
        for name, value in (("hidden", hidden), ("members", members), ("lays", (lay,))):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_given", given)

    @cached_property
    def _composited(self) -> tuple[Image, Bool]:
        given: Image = self.__dict__["_given"]
        return self.lays[0].composite(given)

    @property
    def frame(self) -> Image:
        """See `Translated`."""
        return self._composited[0]

    @property
    def mask(self) -> Bool:
        """See `Translated`."""
        return self._composited[1]
