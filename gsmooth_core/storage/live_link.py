"""Curves as a table (CSV) with the columns of Epic's Live Link Face, which most rigs can read.

A row is a frame: `Timecode` (HH:MM:SS:FF.fff), `BlendShapeCount`, the 52 ARKit shapes in
PascalCase and nine angles of head and eyes in radians. Tables of other makers are read too, as
long as they name ARKit shapes and tell the time in `Timecode` or in `Seconds`.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.errors import InputError
from gsmooth_core.storage.files import check_file, shown, write_text
from gsmooth_core.storage.layout import damaged
from gsmooth_core.types import Expression, Float

Reals = NDArray[np.float64]

SHAPES = (
    *("eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft"),
    *("eyeSquintLeft", "eyeWideLeft", "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight"),
    *("eyeLookOutRight", "eyeLookUpRight", "eyeSquintRight", "eyeWideRight", "jawForward"),
    *("jawRight", "jawLeft", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthRight"),
    *("mouthLeft", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight"),
    *("mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight"),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *("mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight"),
    *("mouthUpperUpLeft", "mouthUpperUpRight", "browDownLeft", "browDownRight", "browInnerUp"),
    *("browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft"),
    *("cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut"),
)
"""The 52 shapes of ARKit in the order of Live Link Face's columns (right before left twice)."""

_ANGLES = (
    *("HeadYaw", "HeadPitch", "HeadRoll", "LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll"),
    *("RightEyeYaw", "RightEyePitch", "RightEyeRoll"),
)
_TIMECODE = re.compile(r"(\d{1,3}):(\d{1,2}):(\d{1,2})[:;](\d{1,3}(?:\.\d{1,9})?)")
_BASES = (24, 25, 30, 48, 50, 60, 100, 120, 240)  # frames a second that a timecode may count
_SIDES = {"_l": "left", "_r": "right"}  # of other makers' names: eyeBlink_L
_KNOWN = {name.lower(): name for name in SHAPES}
_LARGEST = 1 << 28  # bytes; an hour at 60 frames a second has half of that
_EVEN = 0.1  # of a frame: rows that lie closer to their place are taken as they are
_MOST_GAPS = 20  # times as many frames as rows
_SAME_RATE = 4e-4  # 24 and 23.976 differ by 1e-3


def write_live_link(path: Path, curves: Expression) -> None:
    """Write curves as a Live Link Face table, with a head and eyes that rest.

    Args:
        path: the table to write.
        curves: T frames; shapes that it lacks are written as 0, further ones are left out.
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("Timecode", "BlendShapeCount", *map(_pascal, SHAPES), *_ANGLES))
    count = len(SHAPES) + len(_ANGLES)
    for number, row in enumerate(_columns(curves)):
        time = _timecode(number, curves.fps)
        writer.writerow((time, count, *(f"{value:.6f}" for value in row)))
    write_text(path, table.getvalue())


def _pascal(name: str) -> str:
    return name[0].upper() + name[1:]


def _columns(curves: Expression) -> Float:
    """(T, 61) values in the order of the table."""
    table = np.zeros((len(curves), len(SHAPES) + len(_ANGLES)), np.float32)
    for column, name in enumerate(SHAPES):
        if name in curves.names:
            table[:, column] = curves.values[:, curves.names.index(name)]
    return table


def _timecode(number: int, fps: Fraction) -> str:
    """The moment at which a frame begins, in frames of the next whole rate, which may be parts."""
    base = math.ceil(fps)
    second = int(number / fps)
    thousandths = round((number / fps - second) * base * 1000)
    if thousandths == base * 1000:
        second, thousandths = second + 1, 0
    minutes, hours = second // 60, second // 3600
    clock = f"{hours:02d}:{minutes % 60:02d}:{second % 60:02d}"
    return f"{clock}:{thousandths // 1000:02d}.{thousandths % 1000:03d}"


def read_live_link(path: Path) -> Expression:
    """Read the curves of a table.

    Args:
        path: a table with a header that names ARKit shapes, as `jawOpen`, `JawOpen` or
            `eyeBlink_L`, and a column `Timecode` or `Seconds`; further columns are left out.

    Returns:
        the named shapes at the table's own rate; rows that lack are filled in.

    Raises:
        InputError: no table, no known shape, no time, or a cell that is no number.
    """
    header, rows = _table(path)
    shapes = _shapes_of(header)
    if not shapes:
        raise InputError(
            f"'{shown(path)}' names no ARKit shape in its first row.",
            "Export it with a header: Timecode, JawOpen, MouthClose, ...",
        )
    values = np.array([[_number(path, row[at]) for at in shapes] for row in rows], np.float64)
    times = _times(path, header, rows)
    fps = _rate(path, times)
    if not fps or times[-1] * float(fps) > _MOST_GAPS * len(times):
        raise damaged(path, "its times are far apart")
    return Expression(tuple(shapes.values()), _even(values, times, fps), fps)


def _table(path: Path) -> tuple[Sequence[str], list[Sequence[str]]]:
    """The first row, in small letters, and those after it."""
    if check_file(path).st_size > _LARGEST:
        raise InputError(f"'{shown(path)}' is too large for curves.", "Export a shorter part.")
    try:
        text = path.read_bytes().decode("utf-8-sig")
        rows = [row for row in csv.reader(io.StringIO(text)) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise damaged(path, "it is no table of text") from error
    if len(rows) < 2:
        raise InputError(f"'{shown(path)}' has no frame.", "Export it again.")
    header = [name.strip().lower() for name in rows[0]]
    if any(len(row) != len(header) for row in rows):
        raise damaged(path, "its rows have different lengths")
    return header, list(rows[1:])


def _shapes_of(header: Sequence[str]) -> Mapping[int, str]:
    """Which columns are shapes, and which."""
    found: dict[int, str] = {}
    for column, name in enumerate(header):
        full = name[:-2] + _SIDES[name[-2:]] if name[-2:] in _SIDES else name
        if full in _KNOWN and _KNOWN[full] not in found.values():
            found[column] = _KNOWN[full]
    return found


def _number(path: Path, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise damaged(path, f"'{cell[:20]}' is no number")
    return value


def _times(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Reals:
    """(T,) seconds from the first row on."""
    if "timecode" in header:
        times = _clock(path, [row[header.index("timecode")] for row in rows])
    elif "seconds" in header:
        times = np.array([_number(path, row[header.index("seconds")]) for row in rows])
    else:
        text = f"'{shown(path)}' does not say when its rows are."
        raise InputError(text, "Give it a column 'Timecode' (HH:MM:SS:FF) or 'Seconds'.")
    times -= times[0]
    if (np.diff(times) <= 0).any():
        raise damaged(path, "its times do not go on from row to row")
    return times


def _clock(path: Path, cells: Sequence[str]) -> Reals:
    """(T,) seconds of timecodes; how many frames a second has is told by the largest of them."""
    found = [_TIMECODE.fullmatch(cell.strip()) for cell in cells]
    parts = np.array([[float(part) for part in match.groups()] for match in found if match])
    if len(parts) < len(cells):
        bad = next(cell for cell, match in zip(cells, found, strict=True) if not match)
        raise damaged(path, f"'{bad[:20]}' is no timecode")
    seconds, frames = parts[:, :3] @ (3600.0, 60.0, 1.0), parts[:, 3]
    base = next((base for base in _BASES if frames.max() < base), None)
    if base is None or len(np.unique(seconds)) < 2:
        text = f"'{shown(path)}' is too short to tell its frames a second from its timecodes."
        raise InputError(text, "Give it a column 'Seconds' instead.")
    clock: Reals = seconds + frames / base
    return clock


def _rate(path: Path, times: Reals) -> Fraction:
    """Rows a second: a whole number or one of television's (n * 1000/1001) where it is close."""
    if len(times) < 2:
        raise InputError(f"'{shown(path)}' has one frame, and no rate.", "Export more of it.")
    rate = 1 / float(np.median(np.diff(times)))
    if len(times) == round(times[-1] * rate) + 1:  # no row lacks: the mean is finer
        rate = (len(times) - 1) / float(times[-1])
    whole = Fraction(max(round(rate), 1)), Fraction(max(round(rate * 1.001), 1) * 1000, 1001)
    nearest = min(whole, key=lambda usual: abs(float(usual) - rate))
    if abs(float(nearest) - rate) <= _SAME_RATE * rate:
        return nearest
    return Fraction(rate).limit_denominator(1001)


def _even(values: Reals, times: Reals, fps: Fraction) -> Float:
    """(N, E) values in even frames; rows that lie well enough stay as they are."""
    places = times * float(fps)
    count = round(float(places[-1])) + 1
    if count == len(values) and np.abs(places - np.arange(count)).max() <= _EVEN:
        return values.astype(np.float32)
    at = np.arange(count)
    columns = [np.interp(at, places, column) for column in values.T]
    return np.stack(columns, 1).astype(np.float32)
