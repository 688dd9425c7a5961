"""Bars around a picture: letterbox, pillarbox, the frame of a smaller one on a larger screen.

A chin that a bar cuts is cut as by the picture's own edge: nothing is drawn into the bar, and none
of it is lent. Bars are lines of one colour, the same in all frames of a shot. So is a wall behind
a head; but a bar ends along a line that most of the picture reaches.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.types import Float, Image, Int

_EVERY = 4  # frames of which one is looked at; bars stay
_STRIDE = 2  # pixels of a line of which one is looked at
_FLAT = 10  # levels by which the pixels of a bar differ
_NEARLY = 0.9  # share of a line that does not; coders leave specks where a bar ends
_MOST = 3  # a bar takes a third of the frame at most
_LEAST = 3  # lines; fewer are a coder's ragged edge
_INTO = 2  # lines behind a bar's end that may still hold some of it, as coders leave them
_MIXED = 0.5  # share of such a line that is nearer to the bar than to the picture
_OTHER = 12  # levels by which the picture differs from its bar
_REACHED = 0.2  # share of a bar's end that the picture reaches; of a wall's, a head less
_LEAST_OF = 5  # percentile of the frames of a shot; a dark picture seems to be part of its bars
_SHOWN = 0.5  # of its frames show where bars end; subtitles in them do not
_OFTEN = 0.5  # share of the frames with a mouth
_SIDES = 4  # left, top, right, bottom


class BarFinder:
    """Looks for lines of one colour at the edges of each frame."""

    def __init__(self) -> None:
        self._size, self._count = (0, 0), 0
        self._found: list[NDArray[np.float32]] = []

    def see(self, frame: Image) -> None:
        """Look at the next frame (H, W, 3)."""
        self._size = frame.shape[1], frame.shape[0]
        if self._count % _EVERY == 0:
            self._found.append(np.array([_bar(_from(frame, side)) for side in range(_SIDES)]))
        self._count += 1

    def areas(self, shot: Int) -> Int | None:
        """(T, 4) x0, y0, x1, y1 of the picture between its bars; None where there are no bars.

        Args:
            shot: (T,) number of the shot of each frame.
        """
        width, height = self._size
        areas = np.tile(np.array([0, 0, width, height], np.int32), (len(shot), 1))
        found = np.array(self._found, np.float32).reshape(-1, _SIDES, 5)
        seen = shot[::_EVERY]
        for number in np.unique(seen):
            left, top, right, bottom = (_of_shot(found[seen == number, s]) for s in range(_SIDES))
            right, bottom = _whole(right, width), _whole(bottom, height)
            areas[shot == number] = _whole(left), _whole(top), width - right, height - bottom
        return areas if (areas != [0, 0, width, height]).any() else None


def beside_mouths(areas: Int, mouths: Float, far: Float, shot: Int, size: tuple[int, int]) -> Int:
    """Areas without what is no bar: a wall or a panel in which somebody speaks.

    Args:
        areas: (T, 4) of `BarFinder.areas`.
        mouths: (T, 2) pixels of a mouth; NaN where there is none.
        far: (T,) pixels in a bar up to which a mouth may be imagined that the bar hides.
        shot: (T,) number of the shot of each frame.
        size: width and height of the frames.
    """
    whole = np.array([0, 0, *size], np.int32)
    beyond = np.concatenate([areas[:, :2] - mouths, mouths - areas[:, 2:]], 1)  # (T, 4) by side
    areas = areas.copy()
    for number in np.unique(shot[(beyond > 0).any(1)]):
        there = shot == number
        seen, deep = beyond[there], far[there, None]
        often = (seen > 0).sum(0) > _OFTEN * np.isfinite(seen).sum(0)
        areas[there] = np.where((seen > deep).any(0) | often, whole, areas[there])
    return areas


def _from(frame: Image, side: int) -> Image:
    """The frame as lines (N, L, 3) from one of its sides."""
    turned = frame.transpose(1, 0, 2) if side in (0, 2) else frame
    return (turned[::-1] if side > 1 else turned)[:, ::_STRIDE]


def _bar(lines: Image) -> NDArray[np.float32]:
    """(5,) lines of a bar, how much of its end the picture reaches, and its colour."""
    colour = np.median(lines[0], axis=0)
    if not _flat(lines[:1], colour)[0]:
        return np.array([0, 1, *colour], np.float32)  # the picture reaches the frame's edge
    flat = _flat(lines[: len(lines) // _MOST], colour)
    count = len(flat) if flat.all() else int(np.argmin(flat))
    behind = lines[min(count + _INTO, len(lines) - 1)]
    apart = np.abs(behind - colour).max(-1)
    for line in lines[count : count + _INTO]:
        if (np.abs(line - colour).max(-1) < apart / 2).mean() < _MIXED:
            break
        count += 1
    return np.array([count, (apart > _OTHER).mean(), *colour], np.float32)


def _flat(lines: Image, colour: NDArray[Any]) -> NDArray[np.bool_]:
    """(N,) lines nearly all of whose pixels have a colour."""
    low, high = (np.clip(colour + way, 0, 255) for way in (-_FLAT, _FLAT))
    within = cv2.inRange(np.ascontiguousarray(lines), low, high)
    return np.asarray((within > 0).mean(1) >= _NEARLY)


def _whole(count: int, size: int = 0) -> int:
    """Lines of a bar, with one of the picture that shares a sample of colour with it in 4:2:0."""
    return count + (size - count) % 2 if count else 0


def _of_shot(found: NDArray[np.float32]) -> int:
    """Lines of one side's bar in all of a shot, from what was found (N, 5) in its frames."""
    ends = found[found[:, 1] >= _REACHED]
    if len(ends) < _SHOWN * len(found):
        return 0
    count = int(np.percentile(ends[:, 0], _LEAST_OF, method="nearest"))
    there = ends[np.abs(ends[:, 0] - count) <= 1]
    same = np.abs(there[:, 2:] - np.median(there[:, 2:], axis=0)).max() <= _FLAT
    return count if count >= _LEAST and same else 0
