"""Thin lines in a picture that runs along them, and the best of them by dynamic programming."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.types import Float

Steps = NDArray[np.int64]
"""(A,) a line: at which step it is at each place of the first axis."""

_STRAIGHT = 0.4  # what a change of a step costs; more cost their square
_BEND = 3  # steps from one place to the next, at most
_OTHERWISE = 0.6  # of its contrast counts in a line of the other tone: a rim before a brow
_ALONG = 1.5  # places: deviation over which a picture is evened along its lines


def lines_in(
    picture: Float, mode: str, widths: Sequence[int], tone: int = 0
) -> tuple[Float, Steps, NDArray[np.bool_]]:
    """How far lines of some widths, along the first axis of a picture, differ from both sides.

    Args:
        picture: (A, R, 3) levels.
        mode: how it goes on before and after its first axis.
        widths: steps.
        tone: 1 for dark lines above all, -1 for bright ones, 0 for both alike.

    Returns:
        (A, R) levels of the line that differs most, (A, R) its width, (A, R) whether it is dark.
    """
    ends = 8
    wrap = np.pad(picture, ((ends, ends), (0, 0), (0, 0)), mode)  # type: ignore[call-overload]
    even = cv2.GaussianBlur(wrap, (1, 9), 0.01, None, _ALONG)[ends:-ends]
    contrast = np.zeros(picture.shape[:2], np.float32)
    width, darker = np.ones(picture.shape[:2], np.int64), np.zeros(picture.shape[:2], bool)
    for wide in widths:
        apart = wide // 2 + 2 + (wide > 1)
        own, side = cv2.blur(even, (wide, 1)), cv2.blur(even, (min(wide, 3), 1))
        inner, outer = side[:, : -2 * apart], side[:, 2 * apart :]
        own = own[:, apart:-apart]
        dark = (np.minimum(inner, outer) - own).max(2)
        bright = (own - np.maximum(inner, outer)).max(2)
        dark *= _OTHERWISE if tone < 0 else 1
        bright *= _OTHERWISE if tone > 0 else 1
        found, low = np.zeros_like(contrast), np.zeros_like(darker)
        low[:, apart:-apart] = dark > bright
        found[:, apart:-apart] = np.maximum(dark, bright)
        more = found > contrast
        width[more], darker[more] = wide, low[more]
        contrast = np.maximum(contrast, found)
    return contrast, width, darker


def along_line(values: NDArray[Any], line: Steps) -> Float:
    """(A,) values (A, R) along a line."""
    return np.asarray(values[np.arange(len(line)), line], np.float32)


def evened(contrast: Float, line: Steps) -> Float:
    """(A,) of a line, hardly of single places of it."""
    along = along_line(contrast, line)[None]
    return np.asarray(cv2.blur(along, (5, 1), borderType=cv2.BORDER_REFLECT)[0])


def closed_line(reward: Float) -> Steps:
    """(A,) the line around with the greatest sum of a reward (A, R) that ends where it begins."""
    half = len(reward) // 2
    middle = int(best_line(np.concatenate([reward, reward[:1]]), None)[half])
    turned = np.roll(reward, -half, 0)
    return np.roll(best_line(np.concatenate([turned, turned[:1]]), middle)[:-1], half)


def best_line(reward: Float, ends: int | None) -> Steps:
    """(A,) the line with the greatest sum of a reward (A, R); by dynamic programming.

    Args:
        reward: of each place, from which bends are taken off.
        ends: where it begins and ends; None for anywhere.
    """
    count, steps = reward.shape
    total = np.full(steps + 2 * _BEND, -np.inf)
    inside = slice(_BEND, -_BEND)
    total[inside] = reward[0]
    if ends is not None:
        total[inside][np.arange(steps) != ends] = -np.inf
    bends = np.arange(-_BEND, _BEND + 1)
    cost = (_STRAIGHT * bends**2)[:, None]
    came = np.zeros((count, steps), np.int64)
    for n in range(1, count):
        offered = np.stack([total[_BEND + b : _BEND + b + steps] for b in bends]) - cost
        chosen = offered.argmax(0)
        came[n] = np.arange(steps) + bends[chosen]
        total[inside] = np.take_along_axis(offered, chosen[None], 0)[0] + reward[n]
    line = np.empty(count, np.int64)
    line[-1] = int(total[inside].argmax()) if ends is None else ends
    for n in range(count - 1, 0, -1):
        line[n - 1] = came[n, line[n]]
    return line
