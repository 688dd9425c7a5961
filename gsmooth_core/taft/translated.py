"""A finished frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from gsmooth_core.taft.lending.masked import Lay
from gsmooth_core.types import Bool, Image


@dataclass(frozen=True)
class Translated:
    """A finished frame.

    Attributes:
        frame: (H, W, 3) uint8 RGB; outside of `mask` it is the given frame, bit by bit.
        mask: (H, W) bool, what may have been changed: M_f and its soft rim.
        hidden: (H, W) bool, the pixels of the given frame that nothing has looked at.
        members: frame numbers of the references; empty for a frame that passed untouched.
        lays: the new faces, to be laid over the frame as it is stored.
    """

    frame: Image
    mask: Bool
    hidden: Bool = field(repr=False)
    members: tuple[int, ...] = ()
    lays: tuple[Lay, ...] = field(default=(), repr=False)


class Laid(Translated):
    """A finished frame that is put together when it is asked for: a stored picture never asks.

    Args:
        given: (H, W, 3) uint8 RGB, the frame.
        hidden: (H, W) bool, its pixels that nothing has looked at.
        members: frame numbers of the references.
        lay: the new face.
    """

    def __init__(self, given: Image, hidden: Bool, members: tuple[int, ...], lay: Lay) -> None:
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
