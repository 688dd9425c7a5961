"""A measurement as a picture (SVG): distance over shift, confidence over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np

from gsmooth_core.evaluation.sync.offset import MOST_SHIFT, SyncResult
from gsmooth_core.evaluation.sync.words import in_words
from gsmooth_core.text import printable
from gsmooth_core.types import Float

WIDTH, HEIGHT = 860, 360
_MOST_TICKS = 8
_INK, _FAINT, _LINE, _MARK = "#222", "#bbb", "#2b6cb0", "#c05621"


@dataclass(frozen=True)
class _Panel:
    """Where a curve is drawn, and which values its edges are."""

    left: float
    right: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    top: float = 90.0
    bottom: float = HEIGHT - 60.0

    def x(self, value: float) -> float:
        low, high = self.x_range
        return self.left + (value - low) / max(high - low, 1e-9) * (self.right - self.left)

    def y(self, value: float) -> float:
        low, high = self.y_range
        return self.bottom - (value - low) / max(high - low, 1e-9) * (self.bottom - self.top)

    def frame(self, title: str, x_name: str) -> list[str]:
        middle = (self.left + self.right) / 2
        box = (self.left, self.top, self.right - self.left, self.bottom - self.top)
        return [
            f'<rect x="{box[0]}" y="{box[1]}" width="{box[2]}" height="{box[3]}" fill="none" '
            f'stroke="{_FAINT}"/>',
            _text(middle, self.top - 10, title, "middle", 14),
            _text(middle, self.bottom + 40, x_name, "middle"),
            *(_text(self.left - 6, self.y(v) + 4, f"{v:.2f}", "end") for v in self.y_range),
        ]

    def ticks(self, values: Sequence[float]) -> list[str]:
        return [_text(self.x(v), self.bottom + 18, f"{v:g}", "middle") for v in values]

    def curve(self, xs: Float, ys: Float) -> list[str]:
        """A line through the points, broken where they are no numbers, and a dot on each."""
        known = np.isfinite(ys)
        points = [(self.x(float(a)), self.y(float(b))) for a, b in zip(xs, ys, strict=True)]
        parts = [
            f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}" '
            f'stroke="{_LINE}" stroke-width="2"/>'
            for i, (a, b) in enumerate(pairwise(points))
            if known[i] and known[i + 1]
        ]
        dots = [p for p, k in zip(points, known, strict=True) if k]
        return parts + [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{_LINE}"/>' for x, y in dots
        ]

    def upright(self, value: float) -> str:
        x = self.x(value)
        return (
            f'<line x1="{x:.1f}" y1="{self.top}" x2="{x:.1f}" y2="{self.bottom}" '
            f'stroke="{_MARK}" stroke-width="1.5"/>'
        )

    def level(self, value: float) -> str:
        y = self.y(value)
        return (
            f'<line x1="{self.left}" y1="{y:.1f}" x2="{self.right}" y2="{y:.1f}" '
            f'stroke="{_MARK}" stroke-dasharray="5 4"/>'
        )


def draw(found: SyncResult, title: str) -> str:
    """The picture of a measurement as the text of an SVG file."""
    shown = [
        _text(WIDTH / 2, 28, title, "middle", 16),
        _text(WIDTH / 2, 52, in_words(found), "middle"),
    ]
    body = "\n".join([*shown, *_distances(found), *_confidences(found)])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" font-family="sans-serif">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
    )


def _distances(found: SyncResult) -> list[str]:
    shifts = np.arange(-MOST_SHIFT, MOST_SHIFT + 1, dtype=np.float32) + found.centre
    edges = (float(shifts[0]), float(shifts[-1]))
    panel = _Panel(70, 400, edges, _range(found.distances))
    return [
        *panel.frame("How far lips and sound are apart", "sound later by ... frames (25 a second)"),
        *panel.ticks([float(shifts[i]) for i in (0, 5, 10, 15, 20, 25, 30)]),
        panel.upright(found.offset_seconds * 25),
        *panel.curve(shifts, found.distances),
    ]


def _confidences(found: SyncResult) -> list[str]:
    seconds = np.arange(len(found.per_second), dtype=np.float32) + 0.5
    levels = np.append(found.per_second, [0.0, found.threshold, found.confidence])
    panel = _Panel(490, 830, (0.0, float(len(seconds))), _range(levels.astype(np.float32)))
    return [
        *panel.frame("Confidence over time", "second (dashed: none)"),
        *panel.ticks(range(0, len(seconds) + 1, max(1, -(-len(seconds) // _MOST_TICKS)))),
        panel.level(0.0),
        *panel.curve(seconds, found.per_second),
    ]


def _range(values: Float) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    room = max((high - low) * 0.08, 1e-3)
    return low - room, high + room


def _text(x: float, y: float, text: str, anchor: str, size: int = 12) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
        f'fill="{_INK}">{escape(printable(text))}</text>'
    )
