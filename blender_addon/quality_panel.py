"""The panel about a dub's quality."""

from __future__ import annotations

import bpy

from . import quality, quality_curve, strips, words
from .layouts import SequencerPanel, wrapped

_GRADES = {"good": "CHECKMARK", "fair": "QUESTION", "poor": "ERROR", "": "INFO"}


class GSMOOTH_PT_quality(SequencerPanel, bpy.types.Panel):
    """How good a dub is, and where to look."""

    bl_label = "Quality"

    def draw(self, context: bpy.types.Context) -> None:
        layout, scene = self.layout, strips.sequencer_scene(context)
        strip = strips.meant_strip(scene)
        row = layout.row(align=True)
        row.operator("gsmooth.check_quality", icon="VIEWZOOM")
        for number in quality.pages(strip) or [0]:
            named = {"text": f"Report of Person {number}"} if number else {}
            column = layout if number else row
            column.operator("gsmooth.open_report", icon="URL", **named).person = number
        if strips.dubbed_job(strip):
            _draw_quality(layout, quality.of_strip(strip))
            if quality_curve.NAME in strip:
                text = f"Frame by frame: '{quality_curve.NAME}' in the graph editor."
                wrapped(layout, text, "FCURVE")
        layout.operator("gsmooth.show_words", icon="FONT_DATA", depress=words.are_shown(strip))
        layout.label(text="Markers")
        layout.row(align=True).prop(scene.gsmooth, "marks", expand=True)


def _draw_quality(layout: bpy.types.UILayout, found: quality.Quality) -> None:
    if found.verdict:
        box = layout.box()
        wrapped(box, found.verdict, _GRADES[found.kind])
        for check in found.checks:
            if check["kind"] != "good":
                wrapped(box, f"{check['name']}: {check['text']}", _GRADES[check["kind"]])
    count = len(found.places)
    if count:
        wrapped(layout, f"{count} place{'s' if count > 1 else ''} to look at.", "MARKER_HLT")


CLASSES = (GSMOOTH_PT_quality,)
