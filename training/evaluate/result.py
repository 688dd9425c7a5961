"""An evaluation as a whole: the clips, and their means."""

from __future__ import annotations

from dataclasses import dataclass

from gsmooth_core.evaluation.metrics.figures import Figures
from training.evaluate.clip import ClipResult, LeftOut


@dataclass(frozen=True)
class Evaluation:
    """All clips, and their means.

    Attributes:
        date: of the evaluation.
        plan: how clips were evaluated, as plain values.
        models: first digits of the SHA-256 of each model file.
        means: row -> figure -> mean over clips, each clip counting once.
        in_sync: row -> share of the judged clips whose offset is at most one frame.
        clips: one by one.
        left_out: clips that could not be evaluated.
    """

    date: str
    plan: dict[str, object]
    models: dict[str, str]
    means: dict[str, Figures]
    in_sync: dict[str, float | None]
    clips: list[ClipResult]
    left_out: list[LeftOut]
