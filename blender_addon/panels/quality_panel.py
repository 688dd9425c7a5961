"""The panel about a dub's quality."""

from __future__ import annotations

import bpy

from ..review import quality, quality_curve, words
from ..timeline import strips
from . import result_panel
from .layouts import SequencerPanel, wrapped


class GSMOOTH_PT_quality(SequencerPanel, bpy.types.Panel):
    """How good a dub is, and where to look."""

    bl_label = "Quality"

    def draw(self, context: bpy.types.Context) -> None:
        layout, scene = self.layout, strips.sequencer_scene(context)
        strip = strips.meant_strip(scene)
        row = layout.row(align=True)
        row.operator("gsmooth.check_quality", icon="VIEWZOOM")
        several = any(quality.pages(strip))
        result_panel.draw_reports(layout if several else row, strip)
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
        result_panel.draw_verdict(box, found)
        for check in found.checks:
            if check["kind"] != "good":
                wrapped(box, check["text"], result_panel.GRADES[check["kind"]])
    count = len(found.places)
    if count:
        wrapped(layout, f"{count} place{'s' if count > 1 else ''} to look at.", "MARKER_HLT")


CLASSES = (GSMOOTH_PT_quality,)
