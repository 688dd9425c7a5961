"""Tables of reenacted clips, against numbers worked out by hand."""

from __future__ import annotations

from training.head.measure import Row, gains, table


def row(clip: str, kind: str, angle: float, face: float) -> Row:
    return Row(clip, kind, angle, {"face": face}, {"face": 1.0}, float("nan"))


ROWS = [
    row("a", "layer", 4, 30), row("a", "static", 4, 20),
    row("a", "layer", 5, 32), row("a", "static", 5, 22),
    row("b", "layer", 7, 25), row("b", "static", 7, 24),
    row("b", "layer", 14, 10), row("b", "static", 14, 10),
]  # fmt: skip


def test_a_clip_counts_once_however_many_frames_it_has() -> None:
    lines = table(ROWS).splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("| 3-10 degrees"))
    assert "2 clips, 3 frames" in lines[start]
    assert "28.00 (1.00) | 22.50 (1.00)" in lines[start + 1]


def test_gains_are_told_clip_by_clip_within_the_angles() -> None:
    assert gains(ROWS, 3, 10).splitlines() == ["a: +10.00", "b: +1.00"]
