"""How good a dub is, on the timeline: markers where to look, a colour for the strip."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import bpy

from ..head import rig
from ..storage import job_folder
from ..storage.checks import FILE, FILE_FRAME, TEXT, Kind, number, optional, record, rows
from ..storage.files import noted_object
from ..timeline import speeches, strips
from ..worker.answers import RUNS, check_answer
from ..worker.events import shown
from . import quality_curve, words

NOTED = "gsmooth_quality"
"""Custom property of a dubbed strip: what was found, as JSON."""
_PREFIX = {"fair": "GSmooth ? ", "poor": "GSmooth ! "}
"""Beginnings of our markers' names; no other is touched."""
_GRADES = ("good", "fair", "poor")
_COLOURS = {"good": "COLOR_04", "fair": "COLOR_03", "poor": "COLOR_01"}
_WHYS = {
    "unusable": "face turned away or hidden",
    "someone else": "someone else is seen",
    "another's turn": "who speaks is not seen",
    "dissolve": "two pictures are mixed",
    "covered": "letters cover the mouth",
}
"""Why frames stay as they are, as the worker says it, in a person's words."""
_POOR = 2.0  # score from which a frame is poor; from 1 on it deserves a look
_MOST = 200  # places that are marked in one strip

_KIND = Kind(lambda value: value in _GRADES, "a grade")
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


def note(folder: Path, answers: Mapping[int, dict[str, Any]]) -> str:
    """Keep with a job's strips what was found about it, and mark it; returns the verdict.

    Args:
        folder: the job's.
        answers: the worker's by the numbers of the people whom the job dubs; 0 for one alone.

    Raises:
        UserError: an answer holds something else.
    """
    for answer in answers.values():
        check_answer(answer, _ANSWER)
    start = job_folder.read(folder)["start_frame"]
    parts = [_found(number, answer, start) for number, answer in answers.items()]
    untouched = _untouched(next(iter(answers.values())))
    found = Quality(
        " ".join(part.verdict for part in parts),
        max((part.kind for part in parts), key=_GRADES.index),
        tuple(check for part in parts for check in part.checks),
        (*untouched, *(place for part in parts for place in part.places)),
    )
    scores = {number: answer.get("scores") or () for number, answer in answers.items()}
    for strip in strips.showing(folder.absolute()):
        strip.color_tag = _COLOURS[found.kind]
        _note(strip, found)
        quality_curve.put(strip, scores)
        _give_heads(strip)
    return found.verdict


def _found(number: int, answer: dict[str, Any], start: int) -> Quality:
    """What an answer says; of one of several people everything names them."""
    who = f"Person {number}: " if number else ""
    checks = [{"name": c["name"], "kind": c["kind"], "text": c["text"]} for c in answer["checks"]]
    places = [
        {"frame": max(0, worst["frame"] - start), "kind": kind, "text": who + worst["reason"]}
        for worst in answer["worst"]
        if (kind := _graded(worst["score"]))
    ]
    bad_sync = [c for c in answer["checks"] if c["name"] == "Lip sync" and c["kind"] != "good"]
    places += [
        {"frame": 0, "kind": c["kind"], "text": who + (shown(c.get("fault")) or c["text"])}
        for c in bad_sync
    ]
    named = tuple(check | {"text": who + check["text"]} for check in checks)
    return Quality(who + answer["verdict"], answer["kind"], named, tuple(places))


def note_dub(strip: Any, result: dict[str, Any]) -> None:
    """Keep with a new dub which of its frames are as they were."""
    quality_curve.take(strip)
    _give_heads(strip)
    words.forget(strip)
    _note(strip, Quality(places=tuple(_untouched(result))))


def _give_heads(strip: Any) -> None:
    for head in rig.heads_of_dub(job_folder.resolve(strips.dubbed_job(strip))):
        quality_curve.give(head, strip, job_folder.person_of(rig.noted_job(head).folder))


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
            "text": _kept(last - first + 1, known.get((first, last))),
        }
        for first, last in runs
    ]


def _kept(count: int, why: Any) -> str:
    """What is said of frames that stayed as they were."""
    reason = f": {_WHYS.get(why, why)}" if isinstance(why, str) and why else ""
    return f"{count} frame{'s' if count > 1 else ''} not dubbed{reason}"


def _graded(score: float | None) -> str:
    if score is None or score < 1.0:
        return ""
    return "poor" if score >= _POOR else "fair"


def of_strip(strip: Any) -> Quality:
    """What is noted with a strip; nothing where that cannot be understood."""
    content = noted_object(strip, NOTED)
    if not all(kind.fits(content.get(name)) for name, kind in _QUALITY.items()):
        return Quality()
    checks, places = tuple(content["checks"]), tuple(content["places"][:_MOST])
    return Quality(content["verdict"], content["kind"], checks, places)


def pages(strip: Any) -> dict[int, Path]:
    """The pages about a dub by the numbers of several people; 0 for one alone."""
    noted = strips.dubbed_job(strip)
    if not noted:
        return {}
    folder = job_folder.resolve(noted)
    names = {0: "."} | {number: f"person_{number}" for number in speeches.numbers(strip)}
    found = {number: folder / name / "report.html" for number, name in names.items()}
    return {n: path for n, path in found.items() if path.is_file() and not path.is_symlink()}


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
