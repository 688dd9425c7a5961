"""Text that is only shown: whatever a file is called, it moves no cursor and breaks no page."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""`text` with what is no letter, sign or space written out, such as \x1b for an escape.

    Terminals obey such characters, XML forbids them, and halves of letters (bytes of a name that
    are no UTF-8) cannot be encoded. Lines and tabs stay.
    """
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)


def counted(number: int, thing: str) -> str:
    """How many of something, such as "1 frame" or "3 frames"; its plural ends in s."""
    return f"{number} {thing}{'s' * (number != 1)}"


def clock(seconds: float) -> str:
    """Minutes and seconds, such as 1:07.25."""
    return f"{int(seconds) // 60}:{seconds % 60:05.2f}"
