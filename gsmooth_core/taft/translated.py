"""A finished frame."""

from __future__ import annotations

from dataclasses import dataclass, field

from gsmooth_core.taft.masked import Lay
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
