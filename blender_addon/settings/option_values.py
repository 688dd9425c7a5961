"""Values that a script gives for options: refused at once where the panel could not hold them."""

from __future__ import annotations

import re
from numbers import Integral, Real
from os import PathLike
from typing import Any

import bpy

from ..errors import UserError

_TRACK = re.compile("[1-9][0-9]?")  # the panel lists the first tracks of a file alone
_SHOWN = 200  # letters of a wrong value


def checked(panel: bpy.types.PropertyGroup, name: str, value: Any) -> Any:
    """`value` as the option `name` holds it.

    Args:
        panel: the scene's settings, whose properties say what may be.
        name: of one of them.
        value: as a script gave it.

    Raises:
        UserError: it is of the wrong kind or out of bounds; the message says what may be.
    """
    known = panel.bl_rna.properties[name]
    if getattr(value, "ndim", None) == 0:  # a number of numpy's
        value = value.item()
    if known.type == "ENUM":
        return _choice(known, name, value)
    if known.type == "BOOLEAN":
        if not (isinstance(value, Integral) and value in (0, 1)):
            raise _wrong(name, value, "It is either True or False.")
        return bool(value)
    if known.type in ("INT", "FLOAT"):
        return _number(known, name, value)
    if not isinstance(value, str | PathLike | None):
        raise _wrong(name, value, "It is the path of a file.")
    return "" if value is None else str(value)


def _choice(known: Any, name: str, value: Any) -> str:
    words = [item.identifier for item in known.enum_items]
    word = str(value)
    if word in words or (name.endswith("audio_track") and _TRACK.fullmatch(word)):
        return word
    raise _wrong(name, value, f"Choose one of: {', '.join(words)}.")


def _number(known: Any, name: str, value: Any) -> float | int:
    whole = known.type == "INT"
    kind = Integral if whole else Real
    number = isinstance(value, kind) and not isinstance(value, bool)
    if not number or not known.hard_min <= value <= known.hard_max:
        least, most = f"{known.hard_min:.10g}", f"{known.hard_max:.10g}"
        raise _wrong(name, value, f"It is a {'whole ' * whole}number from {least} to {most}.")
    return int(value) if whole else float(value)


def _wrong(name: str, value: Any, hint: str) -> UserError:
    return UserError(f"The option {name} is '{str(value)[:_SHOWN]}'. {hint}")
