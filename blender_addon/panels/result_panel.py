"""What the panels say of a dubbed strip, and what can be done with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from ..review import comparing, notices, quality, versions
from ..timeline import selection, strips
from .layouts import wrapped

_SEVERAL = 2
GRADES = {"good": "CHECKMARK", "fair": "QUESTION", "poor": "ERROR", "": "INFO"}
"""Icons of the grades."""


def draw_dub(layout: bpy.types.UILayout, scene: bpy.types.Scene, strip: Any) -> None:
    """A dub, to be looked at, kept or taken away; above what dubs it again."""
    box = layout.box()
    box.label(text="This strip is dubbed.", icon="CHECKMARK")
    wrapped(box, str(strip.get("gsmooth_info", "")))
    found = quality.of_strip(strip)
    draw_verdict(box, found)
    row = box.row(align=True)
    compared = versions.comparison(strip) is not None
    row.operator("gsmooth.compare_original", icon="MOD_MIRROR", depress=compared)
    row.operator("gsmooth.restore_strip", icon="LOOP_BACK")
    if compared:
        wrapped(box, comparing.in_words(strip), "INFO")
    if found.verdict and quality.pages(strip):  # a page may be about the dub before
        draw_reports(box.column(align=True), strip)
    else:
        box.operator("gsmooth.check_quality", icon="VIEWZOOM")
    _draw_versions(box, strip)
    if selection.dubbed_from(scene, strip) is None:
        text = "Its original is gone, or was moved or cut: what is dubbed again is the dub."
        wrapped(box, text, "INFO")


def draw_verdict(layout: bpy.types.UILayout, found: quality.Quality) -> None:
    """What a check said as a whole, and what the strip's colour says of it."""
    if found.verdict:
        wrapped(layout, found.verdict, GRADES[found.kind])
        wrapped(layout, _colour(found.kind), "COLOR")


def _colour(kind: str) -> str:
    """What the strip's colour says."""
    meanings = {"good": "green for good", "fair": "yellow for a look", "poor": "red for poor"}
    others = ", ".join(text for other, text in meanings.items() if other != kind)
    return f"The strip's colour: {meanings[kind]} ({others})."


def draw_reports(layout: bpy.types.UILayout, strip: Any) -> None:
    """A button to the page about each person who was judged."""
    for number in quality.pages(strip) or [0]:
        named = {"text": f"Report of Person {number}"} if number else {}
        layout.operator("gsmooth.open_report", icon="URL", **named).person = number


def draw_file(layout: bpy.types.UILayout, strip: Any) -> None:
    """The file that a dub shows, and what it has not as the clip had it."""
    box = layout.box()
    box.label(text=Path(strip.filepath).name, icon="FILE_MOVIE")
    for text in notices.of_strip(strip):
        wrapped(box, text, "INFO")


def _draw_versions(layout: bpy.types.UILayout, strip: Any) -> None:
    """The versions that Re-render left, where there are several."""
    found = versions.of_strip(strip)
    if len(found) < _SEVERAL:
        return
    compared, used = versions.comparison(strip), strips.source_path(strip)
    beside = strips.source_path(compared) if compared is not None else None
    column = layout.column(align=True)
    column.label(text="Versions")
    for version in found:
        row = column.row(align=True)
        now = version.path == used
        text = f"Version {version.number} ({version.bytes / 1e6:.1f} MB)"
        use = row.operator("gsmooth.use_version", text=text, depress=now)
        use.number = version.number
        others = row.row(align=True)
        others.enabled = not now
        compare = others.operator(
            "gsmooth.compare_version", text="", icon="MOD_MIRROR", depress=version.path == beside
        )
        compare.number = version.number
        others.operator("gsmooth.delete_version", text="", icon="TRASH").number = version.number
