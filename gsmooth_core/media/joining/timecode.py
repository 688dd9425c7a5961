"""SMPTE time codes: the one of a later frame."""

from __future__ import annotations

import re
from fractions import Fraction

_CODE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d)")


def later(code: str, frames: int, fps: Fraction) -> str:
    """The time code `frames` after `code`.

    Drop-frame codes (written with ';') leave out the first two numbers (four at 60) of each minute
    but every tenth, so that they keep step with the clock.

    Args:
        code: "01:00:00:00", or "01:00:00;00".
        frames: how many frames later, 0 or more.
        fps: frame rate.

    Raises:
        ValueError: `code` is none.
    """
    found = _CODE.fullmatch(code)
    if found is None:
        raise ValueError(f"'{code}' is no time code")
    hours, minutes, seconds, number = (int(found[k]) for k in (1, 2, 3, 5))
    base, drop = round(fps), found[4] in ";."
    left_out = 2 * round(base / 30) if drop else 0
    passed = 60 * hours + minutes
    count = (60 * passed + seconds) * base + number - left_out * (passed - passed // 10) + frames
    return _written(count, base, left_out, found[4])


def _written(count: int, base: int, left_out: int, mark: str) -> str:
    if left_out:
        ten = 600 * base - 9 * left_out  # frames in ten minutes
        tens, rest = divmod(count, ten)
        first = 60 * base  # the minute that leaves nothing out
        minutes = 0 if rest < first else 1 + (rest - first) // (60 * base - left_out)
        count += left_out * (9 * tens + minutes)
    seconds, number = divmod(count, base)
    hours = seconds // 3600 % 24
    return f"{hours:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{mark}{number:02}"
