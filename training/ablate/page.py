"""The table of ablations as a page for people."""

from __future__ import annotations

from collections.abc import Sequence

from gsmooth_core.evaluation.metrics.figures import BY_NAME, Figures, shown
from gsmooth_core.evaluation.report import page as html
from gsmooth_core.text import counted
from training.ablate.outcome import Outcome, Setup
from training.evaluate.page import heading

OWN = ("lmd", "ssim", "psnr", "cpbd", "sync", "aperture_r", "lve", "jerk", "detail")
RECONSTRUCTION = ("lmd", "ssim", "psnr", "mouth_psnr", "mouth_ssim", "mask_psnr", "detail",
                  "flicker", "seam")  # fmt: skip


def ablation_page(outcomes: Sequence[Outcome], setup: Setup, frames: int) -> str:
    """The whole page.

    Args:
        outcomes: of the ablations, the full model first.
        setup: what they share.
        frames: number of frames that each was judged on, at most.
    """
    done = [outcome for outcome in outcomes if not outcome.missing]
    left = [outcome for outcome in outcomes if outcome.missing]
    bound = "" if setup.steps is None else f" Trainings were cut off after {setup.steps} steps."
    clips = counted(len(setup.clips), "clip")
    intro = f"{clips}, up to {frames} frames, people unseen in training.{bound}"
    used = dict.fromkeys((*OWN, *RECONSTRUCTION))
    return html.page(
        "GSmooth ablations",
        html.text("h1", "What is each part worth?"),
        html.text("p", intro, "lead"),
        html.text("h2", "Dubbed with the clip's own speech"),
        _table(done, [outcome.own for outcome in done], OWN),
        html.text("h2", "Reconstruction"),
        _table(done, [outcome.reconstruction for outcome in done], RECONSTRUCTION),
        html.text("h2", "Not run") if left else "",
        html.glossary((o.label, f"{o.missing} {o.command}") for o in left),
        html.text("h2", "How those with weights of their own are trained"),
        html.glossary((o.label, o.command) for o in outcomes if o.command),
        html.text("h2", "What the figures mean"),
        html.glossary((BY_NAME[name].label, BY_NAME[name].text) for name in used),
    )


def _table(done: Sequence[Outcome], figures: Sequence[Figures], columns: Sequence[str]) -> str:
    known = [c for c in columns if any(row.get(c) is not None for row in figures)]
    rows = [
        [outcome.label, *(shown(c, row.get(c)) for c in known)]
        for outcome, row in zip(done, figures, strict=True)
    ]
    marked = [n for n, outcome in enumerate(done) if outcome.name == "full"]
    return html.table(["", *map(heading, known)], rows, [o.text for o in done], marked)
