"""Nods of a head whose crown the photo's upper edge cuts off.

A nod brings into the picture what lies above: hair that the photo does not show, for which what
it shows would be drawn out into a cone. So such a head rises as it nods, and its trunk with it,
as if the photo were taken a little lower.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gsmooth_core.motion.head import CARRIED, HeadMotion
from gsmooth_core.portrait.sheet import Sheet
from gsmooth_core.types import Bool, Float

_PERSON, _HEAD = 0.5, 0.5  # of the matte, and of what goes with the head: there it is cut off
_WIDE = 0.2  # widths of the head that are cut off at least
_LIFTED = 0.85  # of what is lacking, by which it rises
_SOFT = 0.02  # decimetres over which it begins to


def lifted(motion: HeadMotion, sheet: Sheet, matte: Float) -> HeadMotion:
    """A movement in which little of what the photo's upper edge cuts off comes into view.

    Args:
        motion: T frames.
        sheet: the photo's surface.
        matte: (H, W) 0..1 of `matte.find_matte`.

    Returns:
        The same with other shifts (and sway); the same object where the edge cuts off no head.
    """
    cut = _cut(sheet, matte)
    if not cut.any():
        return motion
    names = ("pixels", "points", "head", "outline", "trunk")
    edge = replace(sheet, **{name: getattr(sheet, name)[cut] for name in names})
    unit = -float(edge.points[:, 2].mean()) / sheet.focal  # decimetres a pixel
    lacking = np.empty(len(motion), np.float32)
    for n in range(len(motion)):
        sway, hair = (None if part is None else part[n] for part in (motion.sway, motion.hair))
        seen = edge.moved(motion.turn[n], motion.shift[n], sway, hair)
        lacking[n] = unit * float((seen[:, 1] - edge.pixels[:, 1]).mean())
    rises = _LIFTED / 2 * (lacking + np.hypot(lacking, _SOFT) - _SOFT)
    shift = motion.shift.copy()
    shift[:, 1] += rises
    if motion.sway is None:
        return replace(motion, shift=shift)
    sway = motion.sway.copy()
    sway[:, 1] += CARRIED * rises
    return replace(motion, shift=shift, sway=sway)


def _cut(sheet: Sheet, matte: Float) -> Bool:
    """(N,) nodes at the photo's upper edge that go with a head; none where it cuts off little."""
    step = float(sheet.pixels[1, 0] - sheet.pixels[0, 0])
    x, y = sheet.pixels.T
    inside = (np.abs(y) <= step) & (x >= 0) & (x < sheet.size[0])
    person = matte[0, np.clip(x, 0, sheet.size[0] - 1).astype(int)] > _PERSON
    cut = inside & person & (sheet.head > _HEAD)
    wide = step * len(np.unique(x[cut]))  # pixels
    return np.asarray(cut & (wide >= _WIDE * sheet.wide))
