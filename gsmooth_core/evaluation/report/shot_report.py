"""The report of one finished dub job: is this shot good, and where should one look?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from gsmooth_core.a2ep.closures import SpokenWord
from gsmooth_core.evaluation.metrics.badness import FrameBadness, frame_badness
from gsmooth_core.evaluation.metrics.compare import Curves
from gsmooth_core.evaluation.metrics.figures import FIGURES, Figures, shown
from gsmooth_core.evaluation.metrics.kept import finding as kept_finding
from gsmooth_core.evaluation.metrics.kept import kept_share, occluders_in, torn
from gsmooth_core.evaluation.metrics.shot import Shot, found_landmarks, measure, open_shot, speech
from gsmooth_core.evaluation.metrics.summary import summarise
from gsmooth_core.evaluation.metrics.synchrony import sync_figures, sync_of
from gsmooth_core.evaluation.metrics.verdict import Finding, findings, verdict
from gsmooth_core.evaluation.plot import Line
from gsmooth_core.evaluation.report import page as html
from gsmooth_core.evaluation.report.charts import lines
from gsmooth_core.evaluation.report.pictures import face_strip, jpeg, worst_pairs
from gsmooth_core.evaluation.report.seen import seen_elements
from gsmooth_core.evaluation.report.words import finding, proofread, word_elements
from gsmooth_core.face.load import load_face_model
from gsmooth_core.job import seen
from gsmooth_core.job.checks import check_target
from gsmooth_core.job.events import Cancelled, Message, OnEvent, Progress, raise_if
from gsmooth_core.job.names import JobFile
from gsmooth_core.ranges import Ranges
from gsmooth_core.storage.files import write_text
from gsmooth_core.sync import SyncResult
from gsmooth_core.text import clock

SAMPLES = 8
WORST = 6
_UNTRUE = frozenset((
    "lmd", "ssim", "psnr", "mouth_psnr", "mouth_ssim", "mask_psnr", "stlpips", "aperture_r",
    "width_r", "vertex", "lve",
))  # fmt: skip
"""What needs the same words in source and dub; of a photo, whose lips rest, "jerk" as well."""
"""Figures that compare with the source as if it said the same words."""


@dataclass(frozen=True)
class ShotReport:
    """What was found about a shot.

    Attributes:
        verdict: in a sentence.
        kind: "good", "fair" or "poor".
        checks: the findings; the name is that of the JSON entry.
        figures: by name; None where there is none.
        worst: frames to look at: frame (counted in the source), time in seconds, reason.
        scores: of each frame of the job, how bad it is: from 1 on it deserves a look, from 2 on it
            is poor; None where it was not judged.
        page: the HTML file.
        job: the job's folder.
        person: number of the person who is judged; 0 where it is not known.
        untouched_frames: [first, last] ranges in which nobody was dubbed, counted in the job.
        untouched: the same, with why.
        refused: frames that were not used as references, and why.
        shots: [first, last] of each shot.
        people: who is seen, whose face was dubbed, and where.
        words: what is said when, and whether the lips meet on its p, b and m; none where the
            recogniser is not installed.
    """

    verdict: str
    kind: str
    checks: list[Finding]
    figures: Figures
    worst: list[dict[str, Any]]
    scores: list[float | None]
    page: str
    job: str
    person: int
    untouched_frames: Ranges
    untouched: list[seen.Untouched]
    refused: list[seen.Refused]
    shots: Ranges
    people: list[seen.Seen]
    words: list[SpokenWord]


def report(
    folder: Path,
    page: Path | None,
    on_event: OnEvent,
    cancelled: Cancelled,
    face: str | None = None,
) -> ShotReport:
    """Measure a finished job and write its page.

    Args:
        folder: the job's folder.
        page: the HTML file to write; by default `report.html` in the folder, or in the person's
            own where one is named.
        on_event: told about progress.
        cancelled: asked after every frame.
        face: number of the person, where several were dubbed; the first by default.

    Raises:
        JobError: there is no finished job.
        InputError: it did not dub that person.
        GSmoothError: its files cannot be read or written.
    """

    def on_progress(stage: str, done: int, total: int) -> None:
        raise_if(cancelled)
        on_event(Progress(stage, done, total))

    shot = open_shot(folder, face)
    place = folder if face is None else shot.folder
    path = page or place / JobFile.PAGE
    check_target(path)
    if face is None and len(shot.dubbed) > 1:
        on_event(Message("info", _others(shot)))
    found = found_landmarks(shot, on_progress)
    curves, faces = measure(shot, found, SAMPLES, on_progress)
    sync = sync_of(found, shot.track.fps, speech(shot))
    figures = summarise(curves, faces, load_face_model()) | sync_figures(sync)
    untrue = _UNTRUE | ({"jerk"} if shot.source.clip.still else set())
    figures = {f.name: None if f.name in untrue else figures.get(f.name) for f in FIGURES}
    words = proofread(shot, found, on_event, cancelled)
    found_out = findings(
        figures,
        sync_sure=sync is not None and sync.sure,
        spoken=float((shot.track.usable & ~faces.silent).sum() / shot.track.fps),
        untouched=float((~shot.track.usable).mean()),
        outside=shot.outside,
    )
    kept = kept_share(shot.masks(), occluders_in(shot.folder, shot.source))
    openings = curves["true_aperture"], curves["wanted_aperture"]
    curves["torn"] = np.where(torn(kept, *openings), kept, 0)
    left = kept_finding(kept, *openings, shot.job.start_frame)
    found_out += [each for each in (left, finding(words)) if each.kind]
    sentence, kind = verdict(found_out)
    bad = frame_badness(curves)
    pairs = worst_pairs(shot, bad.score, WORST)
    result = ShotReport(
        sentence, kind, found_out, figures,
        [_place(shot, frame, bad) for frame, _ in pairs], _scores(bad), str(path), str(folder),
        shot.track.person, **seen.told(shot.dubbed), words=list(words),
    )  # fmt: skip
    pictures = [jpeg(pair) for _, pair in pairs]
    write_text(path, _page(shot, result, curves, sync, pictures))
    write_text(place / JobFile.QUALITY, json.dumps(asdict(result), indent=1, allow_nan=False))
    return result


def _scores(bad: FrameBadness) -> list[float | None]:
    return [round(float(score), 2) if np.isfinite(score) else None for score in bad.score]


def _others(shot: Shot) -> str:
    others = ", ".join(str(d.track.person) for d in shot.dubbed[1:])
    return f"Person {shot.track.person} is judged; with --face one of the others: {others}."


def describe(result: dict[str, Any]) -> str:
    """A report (`ShotReport` as plain values) in lines for the terminal."""
    marks = {"good": "ok", "fair": "look", "poor": "POOR"}
    rows = [f"  {marks[c['kind']]:5} {c['name']}: {c['text']}" for c in result["checks"]]
    worst = [f"  {clock(w['seconds'])}  frame {w['frame']}: {w['reason']}" for w in result["worst"]]
    return "\n".join([result["verdict"], *rows, "Least good:", *worst, result["page"]])


def _place(shot: Shot, frame: int, bad: FrameBadness) -> dict[str, Any]:
    return {
        "frame": frame + shot.job.start_frame,
        "seconds": round(frame / float(shot.track.fps), 3),
        "reason": bad.reasons[frame],
        "score": round(float(bad.score[frame]), 2),
    }


def _page(
    shot: Shot,
    result: ShotReport,
    curves: Curves,
    sync: SyncResult | None,
    pictures: Sequence[bytes],
) -> str:
    clip, job = shot.source.shown, shot.job
    spoken = job.expression or job.audio
    lead = (
        f"{job.output.name}: {job.video.name}"
        + (f" speaking {spoken.name}" if spoken else "")
        + f". {clip.width} by {clip.height}, {float(clip.fps):.4g} fps, {clip.frame_count} frames."
    )
    known = [f for f in FIGURES if result.figures[f.name] is not None]
    return html.page(
        f"Report: {job.output.name}",
        html.text("h1", result.verdict, result.kind),
        html.text("p", lead, "lead"),
        html.tiles((_word(c), c.name, c.text, c.kind) for c in result.checks),
        html.picture(jpeg(face_strip([shot.untouched(), shot])), "Above the source, below the dub"),
        html.text("h2", "Where it is least good"),
        html.side_by_side(
            html.picture(data, f"{clock(w['seconds'])}, frame {w['frame']}: {w['reason']}")
            for data, w in zip(pictures, result.worst, strict=True)
        ),
        html.text("p", "Left the source, right the dub; the worst first.", "soft"),
        html.text("h2", "Who and what is seen"),
        *seen_elements(
            result.people, result.shots, result.untouched, result.refused, job.start_frame
        ),
        *word_elements(result.words),
        html.text("h2", "Over time"),
        *_plots(shot, curves, sync),
        html.text("h2", "All figures"),
        html.table(
            ["", "this shot"],
            [[f.label + (f", {f.unit}" if f.unit else ""), shown(f.name, result.figures[f.name])]
             for f in known],
            [f.text for f in known],
        ),
    )  # fmt: skip


def _plots(shot: Shot, curves: Curves, sync: SyncResult | None) -> list[Markup]:
    fps = float(shot.track.fps)
    seconds = np.arange(len(shot.track), dtype=np.float64) / fps
    opening = [
        Line("source", curves["true_aperture"], 0, faint=True),
        Line("asked for", curves["wanted_aperture"], 3, faint=True),
        Line("found in the dub", curves["aperture"], 1),
    ]
    names = ("mouth_band1", "rim")
    detail, rim = (
        [Line("source", curves[f"true_{n}"], 0, faint=True), Line("dub", curves[n], 1)]
        for n in names
    )
    parts = [
        html.text("h3", "Opening of the mouth"),
        html.drawing(lines(seconds, opening, "s"), "Over the distance of the eyes' corners."),
        html.text("h3", "Fine detail of the mouth"),
        html.drawing(
            lines(seconds, detail, "s", 160),
            "Energy of details of about 2 pixels in the mouth box; shut lips have less than teeth.",
        ),
        html.text("h3", "Seam"),
        html.drawing(
            lines(seconds, rim, "s", 160),
            "Mean gradient across the mask's outline; a dub that lies above shows an edge.",
        ),
    ]
    return [*parts, *_sync_plots(sync)] if sync is not None else parts


def _sync_plots(sync: SyncResult) -> list[Markup]:
    whole = np.arange(len(sync.per_second), dtype=np.float64) + 0.5
    shifts = np.arange(len(sync.distances), dtype=np.float64) - len(sync.distances) // 2
    shifts += sync.centre
    return [
        html.text("h3", "Lip sync, second by second"),
        html.drawing(
            lines(whole, [Line("confidence", sync.per_second, 1)], "s", 150),
            "How far lips and sound fit better at the shot's own shift than at others.",
        ),
        html.text("h3", "Lips against shifted sound"),
        html.drawing(
            lines(shifts, [Line("distance", sync.distances, 1)], "frames", 150, mark=0.0),
            "A deep dip at 0 is good sync; a dip at the right means that the sound is late.",
        ),
    ]


def _word(finding: Finding) -> str:
    return {"good": "good", "fair": "look", "poor": "poor"}[finding.kind]
