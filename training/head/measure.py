"""How near a moved photo comes to the true frame: PSNR, detail, identity, by part and angle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from gsmooth_core.evaluation.metrics.bands import band_energies
from gsmooth_core.evaluation.metrics.fidelity import psnr
from gsmooth_core.evaluation.metrics.identity import cosine
from gsmooth_core.portrait.hair import hair_between
from gsmooth_core.portrait.sway import sway_between
from gsmooth_core.tracking.people.chip import face_chip
from gsmooth_core.tracking.people.recognise import identify
from gsmooth_core.types import Bool, FaceTrack, Float, Image
from training.head.align import aligned
from training.head.scene import KINDS, Scene, angle_between, pose_between

ANGLES = ((0.0, 3.0), (3.0, 6.0), (6.0, 10.0), (10.0, 15.0))
"""Degrees from the photo's pose, as the table parts them."""

FARTHEST = ANGLES[-1][1]
PARTS = ("face", "upper face", "hair", "neck")
REFINED, SWAYED, BRUSHED = "refined", "swayed", "brushed"
_ENDS = (KINDS[0], KINDS[-1])
_FEWEST = 200  # pixels of a region


@dataclass(frozen=True)
class Row:
    """One picture that was made of one frame.

    Attributes:
        clip: name of the clip.
        kind: how it was made.
        angle: degrees from the photo.
        psnr: dB by part.
        detail: energy of the finest band over the true frame's, by part.
        identity: cosine of recognition vectors with the photo's; NaN where not measured.
    """

    clip: str
    kind: str
    angle: float
    psnr: dict[str, float]
    detail: dict[str, float]
    identity: float


def measured(
    clip: str,
    scene: Scene,
    frames: Iterable[tuple[int, Image]],
    align: bool = False,
    refined: FaceTrack | None = None,
) -> Iterator[Row]:
    """Rows of each kind for frames (number, picture).

    With `align` the head is not where it was tracked, but where its face is. With a `refined` track
    there are three kinds more: the first, moved as that says, its shoulders as well, and its hair.
    """
    known = _who(scene, scene.first, scene.cut(scene.photo))
    for later, picture in frames:
        truth, regions = scene.cut(picture), scene.regions(picture, later)
        pose = scene.pose(later)
        if align:
            pose = aligned(scene.quick, truth, regions["face"], *pose)
        pictures = scene.made(*pose)
        if refined:
            both = scene.first, later
            there, sway = pose_between(refined, *both), sway_between(refined, *both)
            hair = hair_between(refined, *both)
            for kind, more in ((REFINED, ()), (SWAYED, (sway,)), (BRUSHED, (sway, hair))):
                pictures = {kind: scene.made(*there, *more)[KINDS[0]], **pictures}
        angle = angle_between(scene.track, scene.first, later)
        for kind, made in pictures.items():
            who = float("nan")
            if kind in (KINDS[0], REFINED, SWAYED, BRUSHED):
                who = cosine(known, _who(scene, later, made))
            yield Row(clip, kind, angle, *_compared(truth, made, regions), who)


def _compared(
    truth: Image, made: Image, regions: dict[str, Bool]
) -> tuple[dict[str, float], dict[str, float]]:
    seen = {name: part for name, part in regions.items() if part.sum() >= _FEWEST}
    return (
        {name: psnr(truth, made, part) for name, part in seen.items()},
        {name: _detail(made, truth, part) for name, part in seen.items()},
    )


def _detail(made: Image, truth: Image, part: Bool) -> float:
    finest, true = (float(band_energies(picture, part)[0]) for picture in (made, truth))
    return finest / true if true > 0 else float("nan")


def _who(scene: Scene, frame: int, picture: Image) -> Float:
    points = scene.track.landmarks[frame] * scene.crop[0, 0] + scene.crop[:, 2]
    return identify([face_chip(picture, points)])


def table(rows: list[Row]) -> str:
    """Means over clips, each of its frames' mean, as Markdown."""
    kinds = list(dict.fromkeys(row.kind for row in rows))
    lines = ["| | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for low, high in ((0.0, FARTHEST), (3.0, 10.0), *ANGLES):
        chosen = [row for row in rows if low <= row.angle < high]
        lines += _lines(f"{low:g}-{high:g} degrees", chosen, kinds)
    return "\n".join(lines)


def gains(rows: list[Row], low: float, high: float) -> str:
    """DB of the face over the photo as it is, clip by clip."""
    lines = []
    for clip in dict.fromkeys(row.clip for row in rows):
        chosen = [row for row in rows if row.clip == clip and low <= row.angle < high]
        moved, static = (_mean(chosen, kind, lambda r: r.psnr.get("face")) for kind in _ENDS)
        lines.append(f"{clip:.40s}: {moved - static:+.2f}")
    return "\n".join(lines)


def _lines(title: str, rows: list[Row], kinds: list[str]) -> list[str]:
    count = len({row.clip for row in rows}), len(rows) // max(1, len(kinds))
    lines = [f"| {title}, {count[0]} clips, {count[1]} frames" + " |" * (len(kinds) + 1)]
    for part in PARTS:
        cells = [
            f"{_mean(rows, kind, lambda r: r.psnr.get(part)):.2f} "  # noqa: B023
            f"({_mean(rows, kind, lambda r: r.detail.get(part)):.2f})"  # noqa: B023
            for kind in kinds
        ]
        lines.append(f"| {part}, dB (detail) | " + " | ".join(cells) + " |")
    who = [f"{_mean(rows, kind, lambda r: r.identity):.3f}" for kind in kinds]
    return [*lines, "| identity | " + " | ".join(who) + " |"]


def _mean(rows: list[Row], kind: str, value: Callable[[Row], float | None]) -> float:
    """Over clips, of the means over their frames."""
    clips: dict[str, list[float]] = {}
    for row in rows:
        found = value(row)
        if row.kind == kind and found is not None and np.isfinite(found):
            clips.setdefault(row.clip, []).append(found)
    return float(np.mean([np.mean(found) for found in clips.values()])) if clips else float("nan")
