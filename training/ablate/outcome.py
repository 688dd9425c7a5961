"""What an ablation is given, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gsmooth_core.evaluation.metrics.figures import Figures
from training.evaluate.clips import EvalClip
from training.evaluate.rows import Plan


@dataclass(frozen=True)
class Outcome:
    """What came of an ablation.

    Attributes:
        name: of the ablation.
        label: of the ablation.
        text: of the ablation.
        own: means of the own-speech row; empty when it was not run.
        reconstruction: means of the reconstruction row.
        command: how its weights are trained, where it has any of its own.
        missing: why it was not run, in a sentence; empty when it was.
    """

    name: str
    label: str
    text: str
    own: Figures
    reconstruction: Figures
    command: str = ""
    missing: str = ""


@dataclass(frozen=True)
class Setup:
    """What all ablations share.

    Attributes:
        clips: the clips.
        plan: how they are evaluated.
        footage: the footage folder.
        output: folder of the results.
        cache: prepared data for training; None where there is none.
        steps: bound of each training; None leaves it to the preset.
    """

    clips: list[EvalClip]
    plan: Plan
    footage: Path
    output: Path
    cache: Path | None
    steps: int | None
