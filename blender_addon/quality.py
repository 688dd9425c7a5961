"""How good a dub is, on the timeline: markers where to look, a colour for the strip."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import bpy

from . import job_folder, quality_curve, rig, strips
from .answers import RUNS, check_answer
from .checks import FILE, FILE_FRAME, TEXT, Kind, number, optional, record, rows
from .files import UNREADABLE, parse_object
from .jobs import Job, worker_task
from .task import Task

NOTED = "gsmooth_quality"
"""Custom property of a dubbed strip: what was found, as JSON."""
_PREFIX = {"fair": "GSmooth ? ", "poor": "GSmooth ! "}
"""Beginnings of our markers' names; no other is touched."""
_COLOURS = {"good": "COLOR_04", "fair": "COLOR_03", "poor": "COLOR_01"}
_POOR = 2.0  # score from which a frame is poor; from 1 on it deserves a look
_MOST = 200  # places that are marked in one strip

_KIND = Kind(lambda value: value in ("good", "fair", "poor"), "a grade")
_CHECK = record({"name": TEXT, "kind": _KIND, "text": TEXT}, "a check")
_PLACE = record({"frame": FILE_FRAME, "kind": _KIND, "text": TEXT}, "a place")
_WORST = record(
    {"frame": FILE_FRAME, "reason": TEXT, "score": optional(number(-1e9, 1e9))}, "a frame"
)
_ANSWER = {
    "verdict": TEXT,
    "kind": _KIND,
    "checks": rows(_CHECK, "a list of checks"),
    "worst": rows(_WORST, "a list of frames"),
    "page": FILE,
    "untouched_frames": RUNS,
    "scores": optional(rows(optional(number(-1e9, 1e9)), "a list of scores")),
}
_QUALITY = {
    "verdict": TEXT,
    "kind": Kind(lambda value: value == "" or _KIND.fits(value), "a grade"),
    "checks": rows(_CHECK, "a list of checks"),
    "places": rows(_PLACE, "a list of places"),
}


@dataclass(frozen=True)
class Quality:
    """What is known of a dub.

    Attributes:
        verdict: in a sentence; "" before it was checked.
        kind: "good", "fair" or "poor"; "" before it was checked.
        checks: of each quality its name, kind and text.
        places: where to look: frame of the dubbed file, kind and text.
    """

    verdict: str = ""
    kind: str = ""
    checks: tuple[dict[str, str], ...] = ()
    places: tuple[dict[str, Any], ...] = ()


class Report(Job):
    """Judges a dub as a viewer would; the job's folder then holds a page about it."""

    def __init__(self, strip: Any) -> None:
        super().__init__(f"Check '{strip.name}'")
        self._folder = job_folder.resolve(strips.dubbed_job(strip))

    def start(self) -> Task:
        job_folder.read(self._folder)
        return worker_task(self.title, "report", job=str(self._folder))

    def finish(self, result: dict[str, Any]) -> str:
        return note_report(self._folder, result)


def note_report(folder: Path, result: dict[str, Any]) -> str:
    """Keep with a job's strips what was found about it, and mark it; returns the verdict.

    Raises:
        UserError: the answer holds something else.
    """
    check_answer(result, _ANSWER)
    start = job_folder.read(folder)["start_frame"]
    places = _untouched(result) + [
        {"frame": max(0, worst["frame"] - start), "kind": kind, "text": worst["reason"]}
        for worst in result["worst"]
        if (kind := _graded(worst["score"]))
    ]
    checks = [
        {name: check[name] for name in ("name", "kind", "text")} for check in result["checks"]
    ]
    bad_sync = [c for c in checks if c["name"] == "Lip sync" and c["kind"] != "good"]
    places += [{"frame": 0, "kind": c["kind"], "text": c["text"]} for c in bad_sync]
    found = Quality(result["verdict"], result["kind"], tuple(checks), tuple(places))
    for strip in strips.showing(folder.absolute()):
        strip.color_tag = _COLOURS[found.kind]
        _note(strip, found)
        quality_curve.put(strip, result.get("scores") or ())
        _give_heads(strip)
    return str(result["verdict"])


def note_dub(strip: Any, result: dict[str, Any]) -> None:
    """Keep with a new dub which of its frames are as they were."""
    quality_curve.take(strip)
    _give_heads(strip)
    _note(strip, Quality(places=tuple(_untouched(result))))


def _give_heads(strip: Any) -> None:
    for head in rig.heads(job_folder.resolve(strips.dubbed_job(strip))):
        quality_curve.give(head, strip)


def _note(strip: Any, found: Quality) -> None:
    strip[NOTED] = json.dumps(asdict(found))
    mark(strip.id_data)


def _untouched(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs of frames in which nobody was dubbed, and why."""
    whys: Any = result.get("untouched")
    known = {
        (run.get("first"), run.get("last")): run.get("why")
        for run in (whys if isinstance(whys, list) else [])
        if isinstance(run, dict)
    }
    runs = [(first, last) for first, last in result["untouched_frames"]]
    return [
        {
            "frame": first,
            "kind": "fair",
            "text": f"{last - first + 1} frames kept: {known.get((first, last)) or 'not dubbed'}",
        }
        for first, last in runs
    ]


def _graded(score: float | None) -> str:
    if score is None or score < 1.0:
        return ""
    return "poor" if score >= _POOR else "fair"


def of_strip(strip: Any) -> Quality:
    """What is noted with a strip; nothing where that cannot be understood."""
    noted = strip.get(NOTED) if strip is not None else None
    if not isinstance(noted, str):
        return Quality()
    try:
        content = parse_object(noted)
    except UNREADABLE:
        return Quality()
    if not all(kind.fits(content.get(name)) for name, kind in _QUALITY.items()):
        return Quality()
    checks, places = tuple(content["checks"]), tuple(content["places"][:_MOST])
    return Quality(content["verdict"], content["kind"], checks, places)


def page(strip: Any) -> Path | None:
    """The page about a dub, where there is one."""
    noted = strips.dubbed_job(strip)
    path = job_folder.resolve(noted) / "report.html" if noted else None
    return path if path is not None and path.is_file() and not path.is_symlink() else None


def mark(scene: bpy.types.Scene) -> None:
    """Have the markers that the scene's dubs and the chosen severity call for, and no others."""
    markers = scene.timeline_markers
    for marker in [m for m in markers if m.name.startswith(tuple(_PREFIX.values()))]:
        markers.remove(marker)
    wanted = {"all": ("fair", "poor"), "poor": ("poor",)}.get(scene.gsmooth.marks, ())
    for strip in strips.all_strips(scene):
        if strips.dubbed_job(strip) and not strip.mute:
            _mark_strip(markers, strip, wanted)


def _mark_strip(markers: Any, strip: Any, wanted: tuple[str, ...]) -> None:
    begin = strips.first_source_frame(strip)
    for place in of_strip(strip).places:
        frame = max(begin + place["frame"], strips.left(strip))
        if place["kind"] in wanted and frame < strips.right(strip):
            markers.new(f"{_PREFIX[place['kind']]}{place['text']}"[:63], frame=frame)
