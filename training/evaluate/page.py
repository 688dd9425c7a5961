"""The evaluation as a page for people."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from gsmooth_core.evaluation.metrics.compare import BAND_CURVES
from gsmooth_core.evaluation.metrics.figures import BY_NAME as FIGURES_BY_NAME
from gsmooth_core.evaluation.metrics.figures import FIGURES, Figures, shown
from gsmooth_core.evaluation.metrics.verdict import graded
from gsmooth_core.evaluation.plot import Line
from gsmooth_core.evaluation.report import page as html
from gsmooth_core.evaluation.report.charts import dots, lines
from gsmooth_core.text import clock, counted
from gsmooth_core.types import Float
from training.evaluate.clip import ClipResult, RowResult
from training.evaluate.result import Evaluation
from training.evaluate.rows import BY_NAME, ROWS

PAPER_COLUMNS = ("lmd", "ssim", "psnr", "cpbd", "sync", "offset")
PICTURE_COLUMNS = (
    "mouth_psnr", "mouth_ssim", "mask_psnr", "outside_psnr", "stlpips", "identity", "seam",
    "tone", "tone_worst", "flicker",
)  # fmt: skip
DETAIL_COLUMNS = ("detail", *BAND_CURVES, "signal", "grain")
MOTION_COLUMNS = (
    "aperture_r", "width_r", "vertex", "lve", "jerk", "follows", "silence",
)  # fmt: skip
CLIP_COLUMNS = (
    "lmd", "mouth_psnr", "mouth_ssim", "sync", "offset", "detail", "seam", "jerk", "aperture_r",
    "identity",
)  # fmt: skip
SYNC_ROWS = ("original", "own", "other", "frozen", "wrong", "mismatch")


def evaluation_page(found: Evaluation, output: Path) -> str:
    """The whole page.

    Args:
        found: what was found.
        output: the folder in which the clips' pictures lie.
    """
    speakers = len({clip.speaker for clip in found.clips})
    people = f"{speakers} people" if speakers > 1 else "one person"
    frames = sum(clip.frames for clip in found.clips)
    intro = (
        f"{counted(len(found.clips), 'clip')} of {people} whom no model was trained on, "
        f"{frames} frames, {found.date}. Everything ran through the program as users run it; "
        f"pixels were borrowed from at least {found.plan['gap']} s away from the frame made."
    )
    return html.page(
        "GSmooth evaluation",
        html.text("h1", "How good are the dubs?"),
        html.text("p", intro, "lead"),
        html.tiles(_tiles(found)),
        html.text("h2", "Results and baselines"),
        html.text("p", "Means over clips, each clip counting once. The marked rows are ours."),
        _table(found.means, PAPER_COLUMNS, notes=True),
        html.text("p", _paper_note(), "soft"),
        html.text("h3", "The picture"),
        _table(found.means, PICTURE_COLUMNS),
        html.text("h3", "Detail and grain"),
        _table(found.means, DETAIL_COLUMNS),
        html.text("h3", "The movement"),
        _table(found.means, MOTION_COLUMNS),
        html.text("h2", "Do lips and sound fit?"),
        _sync_section(found),
        html.text("h2", "Clip by clip"),
        *(_clip(clip, output, opened=n == 0) for n, clip in enumerate(found.clips)),
        html.text("h2", "Left out") if found.left_out else "",
        html.glossary((left.clip, left.reason) for left in found.left_out),
        html.text("h2", "What the figures mean"),
        html.glossary((f.label, f.text) for f in FIGURES),
        html.text("h2", "How it was done"),
        html.text("p", _method(found)),
    )


def _tiles(found: Evaluation) -> list[tuple[str, str, str, str]]:
    own, other = found.means["own"], found.means["other"]
    rec = found.means["reconstruction"]
    outside = max(clip.outside for clip in found.clips)
    checked = sum(len(clip.poisoned) for clip in found.clips)
    tiles = [
        (shown("lmd", own["lmd"]) + " px", "Lip distance", "from the true lips, dubbed with the "
         f"clip's own speech; reconstruction has {shown('lmd', rec['lmd'])}, a frozen mouth "
         f"{shown('lmd', found.means['frozen']['lmd'])}", ""),
        (shown("detail", other["detail"]), "Detail", "of the mouth, other speech, as a share of "
         "the source's, in the band that is farthest", graded("detail", other["detail"])),
        (shown("seam", other["seam"]), "Seam", "edge energy on the mask's rim over the source's",
         graded("seam", other["seam"])),
        (shown("jerk", other["jerk"]), "Jerk", "of the lips over true speech, other speech",
         graded("jerk", other["jerk"])),
        (shown("mouth_psnr", rec["mouth_psnr"]) + " dB", "Mouth, reconstructed",
         f"SSIM {shown('mouth_ssim', rec['mouth_ssim'])} in the box around the lips", ""),
        (str(outside), "Outside the mask", "largest change of a pixel before encoding",
         "good" if outside == 0 else "poor"),
        (f"{checked} of {checked}", "Poisoned frames", "left the output as it was: the generator "
         "never sees what it should make", "good"),
    ]  # fmt: skip
    if own["sync"] is not None:
        text = (
            f"own speech; untouched {shown('sync', found.means['original']['sync'])}, wrong speech "
            f"{shown('sync', found.means['wrong']['sync'])}"
        )
        tiles.insert(1, (shown("sync", own["sync"]), "Sync confidence", text, ""))
    if other["identity"] is not None:
        text = f"face embedding against the source; it differs from itself by as much as " \
               f"{shown('identity', other['true_identity'])}"  # fmt: skip
        tiles.insert(4, (shown("identity", other["identity"]), "Identity", text, ""))
    return tiles


def _table(means: dict[str, Figures], columns: Sequence[str], *, notes: bool = False) -> str:
    columns = [c for c in columns if any(row.get(c) is not None for row in means.values())]
    rows = [row for row in ROWS if any(means[row.name].get(c) is not None for c in columns)]
    cells = [[row.label, *(_cell(c, means[row.name].get(c)) for c in columns)] for row in rows]
    marked = [n for n, row in enumerate(rows) if row.name in ("reconstruction", "own", "other")]
    return html.table(
        ["", *(heading(c) for c in columns)],
        cells,
        [r.text for r in rows] if notes else (),
        marked,
    )


def _cell(name: str, value: float | None) -> str:
    """A mean; offsets of a table are absolute, with a decimal."""
    if name == "offset" and value is not None:
        return f"{value:.1f}"
    return shown(name, value)


def heading(name: str) -> str:
    """A figure's name at the top of a column, with its unit and which way is better."""
    figure = FIGURES_BY_NAME[name]
    arrow = {"more": "↑", "less": "↓", "zero": "→0", "one": "→1"}.get(figure.goal, "")
    unit = f", {figure.unit}" if figure.unit else ""
    label = "|Offset|" if name == "offset" else figure.label
    return label + unit + (f"\N{NO-BREAK SPACE}{arrow}" if arrow else "")


def _paper_note() -> str:
    return (
        "For orientation, the paper's Table I: VoxCeleb LMD 1.280, SSIM 0.858, PSNR 38.85, CPBD "
        "0.212; HDTF 0.820, 0.987, 43.29, 0.268. Its footage, crops and landmarks are not ours, "
        "and its sync figure comes from another expert, so the columns agree in kind only."
    )


def _sync_section(found: Evaluation) -> str:
    if found.means["original"]["sync"] is None:
        return html.text(
            "p", "There is no sync expert installed, so lips and sound were not judged."
        )
    rows = [BY_NAME[name] for name in SYNC_ROWS]
    groups = [
        (_short(clip), [clip.rows[row.name].figures.get("sync") for row in rows])
        for clip in found.clips
    ]
    shares = ", ".join(
        f"{row.label.lower()} {100 * share:.0f} %"
        for row in rows
        if (share := found.in_sync[row.name]) is not None
    )
    caption = (
        "Sync confidence of each clip. The true speech should stand apart from the frozen mouth "
        f"and from the wrong speech. Offset within one frame: {shares}."
    )
    return html.drawing(dots(groups, [row.label for row in rows]), caption)


def _clip(clip: ClipResult, output: Path, *, opened: bool) -> str:
    fps = float(Fraction(clip.fps))
    note = f"{clip.size[0]} by {clip.size[1]}, {fps:.4g} fps, {clip.frames} frames" + (
        "" if clip.trusted else ", sync of the source not certain"
    )
    means = {name: row.figures for name, row in clip.rows.items()}
    folder = output / "clips" / Path(clip.clip).stem
    strip, *worst = clip.pictures
    caption = "Rows: source, reconstruction, own speech, other speech, frozen mouth."
    return html.folded(
        _short(clip),
        note,
        html.picture((folder / strip.path).read_bytes(), caption, "faces of the clip"),
        _clip_table(means),
        html.text("h3", "Opening of the mouth"),
        _opening(clip.rows["own"], fps),
        html.text("h3", "Distance from the true lips"),
        _distance(clip, fps),
        _sync_curve(clip),
        html.text("h3", "Worst frames"),
        html.side_by_side(
            html.picture(
                (folder / w.path).read_bytes(),
                f"{BY_NAME[w.row].label} at {clock(w.frame / fps)} (frame {w.frame}): "
                + (f"seam {w.value:.2f}" if w.row == "other" else f"LMD {w.value:.2f} px"),
            )
            for w in worst
        ),
        html.text("p", "Left the source, right the dub.", "soft"),
        opened=opened,
    )


def _clip_table(means: dict[str, Figures]) -> str:
    columns = [c for c in CLIP_COLUMNS if any(row.get(c) is not None for row in means.values())]
    rows = [row for row in ROWS if any(means[row.name].get(c) is not None for c in columns)]
    cells = [[row.label, *(shown(c, means[row.name].get(c)) for c in columns)] for row in rows]
    marked = [n for n, row in enumerate(rows) if row.name in ("reconstruction", "own", "other")]
    heads = [heading(c).replace("|Offset|", "Offset") for c in columns]
    return html.table(["", *heads], cells, (), marked)


def _opening(row: RowResult, fps: float) -> str:
    curves = [
        Line("source", _values(row, "true_aperture"), 0, faint=True),
        Line("asked for by the curves", _values(row, "wanted_aperture"), 3, faint=True),
        Line("found in the dub, own speech", _values(row, "aperture"), 1),
    ]
    return html.drawing(
        lines(_seconds(curves[0].y, fps), curves, "s"),
        "Gap of the inner lips over the distance of the eyes' outer corners.",
    )


def _distance(clip: ClipResult, fps: float) -> str:
    names = ("reconstruction", "own", "frozen")
    curves = [
        Line(BY_NAME[name].label, _values(clip.rows[name], "lmd"), n + 1, faint=name == "frozen")
        for n, name in enumerate(names)
    ]
    return html.drawing(
        lines(_seconds(curves[0].y, fps), curves, "s", 160),
        "LMD of each frame, in pixels of a 256-pixel face crop.",
    )


def _sync_curve(clip: ClipResult) -> str:
    curves = [
        Line(BY_NAME[name].label, _array(clip.rows[name].sync["distances"]), n)
        for n, name in enumerate(("original", "own", "frozen", "wrong"))
        if _centred(clip.rows[name])
    ]
    if not curves:
        return ""
    shifts = np.arange(len(curves[0].y), dtype=np.float64) - len(curves[0].y) // 2
    return html.text("h3", "Lips against shifted sound") + html.drawing(
        lines(shifts, curves, "frames of shift", 180, mark=0.0),
        "Distance of lips and sound at each shift of the sound; a deep dip at 0 is good sync.",
    )


def _centred(row: RowResult) -> bool:
    """Whether a row was judged around no shift at all."""
    shifts = row.sync.get("shifts") or row.sync.get("distances", [])
    return bool(row.sync) and ("shifts" not in row.sync or shifts[len(shifts) // 2] == 0)


def _values(row: RowResult, name: str) -> Float:
    return _array(row.curves.get(name, []))


def _array(values: Sequence[float | None]) -> Float:
    return np.array([np.nan if v is None else v for v in values], np.float32)


def _seconds(values: Float, fps: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.arange(len(values), dtype=np.float64) / fps


def _short(clip: ClipResult) -> str:
    """The end of a long file name says most."""
    stem = Path(clip.clip).stem
    return stem if len(stem) <= 40 else "…" + stem[-38:]


def _method(found: Evaluation) -> str:
    listed = ", ".join(f"{name} {digits}" for name, digits in found.models.items())
    return (
        "Each clip's first frames are tracked once. Its sound is moved to where its lips are (by "
        "the offset of the manifest) before it drives or judges anything. Dubs are encoded with "
        "the program's own settings, decoded, and tracked again from nothing. Pictures are "
        "compared in 256-pixel crops that follow the source's head. On every clip the generator "
        "was first given frames with noise in place of the hidden pixels and of all frames "
        "nearby; its output must not change. "
        + ("Each clip was learned from first (`--adapt`). " if found.plan.get("adapt") else "")
        + f"The other speech was {found.plan['speech']}. Models: {listed}."
    )
