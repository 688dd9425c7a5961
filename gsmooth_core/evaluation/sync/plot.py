"""A measurement of sync as an SVG file: distance over shift, confidence over time."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from gsmooth_core.evaluation.plot import FILE, Line, Panel, Values, drawing, limits
from gsmooth_core.evaluation.sync.describe import describe
from gsmooth_core.sync.offset import MOST_SHIFT, SyncResult

WIDTH, HEIGHT = 860, 360
_TOP, _BOTTOM = 90.0, HEIGHT - 60.0


def draw(found: SyncResult, title: str) -> str:
    """The picture of a measurement as the text of an SVG file."""
    shifts = np.arange(-MOST_SHIFT, MOST_SHIFT + 1, dtype=np.float64) + found.centre
    distances = _panel(70, 400, shifts, found.distances)
    seconds = np.arange(len(found.per_second), dtype=np.float64) + 0.5
    levels = np.append(found.per_second, [0.0, found.threshold, found.confidence])
    confidences = _panel(490, 830, np.array([0.0, len(seconds)]), levels)
    parts = [
        distances.word(WIDTH / 2, 28, title, "middle", 16),
        distances.word(WIDTH / 2, 52, describe(found), "middle"),
        *_titled(
            distances, "Distance of lips and sound", "frames (25 a second) that the sound is later"
        ),
        distances.upright(found.offset_seconds * 25),
        *distances.curve(shifts, Line("distance", found.distances, 1, dotted=True)),
        *_titled(confidences, "Confidence over time", "second (dashed: none)"),
        confidences.level(0.0),
        *confidences.curve(seconds, Line("confidence", found.per_second, 1, dotted=True)),
    ]
    return str(drawing(parts, WIDTH, HEIGHT, alone=True))


def _panel(left: float, right: float, x: Values, y: Values) -> Panel:
    box = (left, _TOP, right, _BOTTOM)
    return Panel(box, (float(x[0]), float(x[-1])), limits(y), FILE)


def _titled(panel: Panel, title: str, x_label: str) -> list[Markup]:
    left, top, right, bottom = panel.box
    middle = (left + right) / 2
    names = [(top - 10, title, 14), (bottom + 40, x_label, 12)]
    return [
        *(panel.word(middle, y, name, "middle", size) for y, name, size in names),
        *panel.axes(""),
    ]
