"""The panels about the face behind the picture, in the sequencer and in the 3D view."""

from __future__ import annotations

from typing import Any

import bpy

from ..head import curve_sets, rig
from ..timeline import speeches, strips
from . import result_panel
from .layouts import SequencerPanel, wrapped
from .task_box import draw_task


class GSMOOTH_PT_face(SequencerPanel, bpy.types.Panel):
    """The face behind the picture."""

    bl_label = "Face"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        strip = strips.meant_strip(strips.sequencer_scene(context))
        if strips.dubbed_job(strip):
            result_panel.draw_file(layout, strip)
        _draw_mesh_buttons(layout, strip)
        layout.operator("gsmooth.rerender_strip", icon="FILE_REFRESH")


def _draw_mesh_buttons(layout: bpy.types.UILayout, strip: Any) -> None:
    """One button, or one for each of several people who are dubbed."""
    for number in (speeches.numbers(strip) if strips.dubbed_job(strip) else []) or [0]:
        words = {"text": f"Face Mesh of Person {number}"} if number else {}
        button = layout.operator("gsmooth.preview_mesh", icon="MESH_MONKEY", **words)
        button.person = number


class GSMOOTH_PT_view(bpy.types.Panel):
    """The same face in the 3D view, where its curves are edited."""

    bl_label = "Face"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "GSmooth"

    def draw(self, context: bpy.types.Context) -> None:
        layout, body = self.layout, context.object
        if not rig.is_head(body):
            wrapped(layout, "Select a head made by Face Mesh (in the Video Sequencer).", "INFO")
            draw_task(layout)
            return
        layout.label(text=body.name, icon="MESH_MONKEY")
        layout.operator("gsmooth.view_face", icon="VIEW_CAMERA")
        _draw_curve_sets(layout, body)
        key = body.active_shape_key
        if key is not None and (body.active_shape_key_index or 0) > 0:
            layout.prop(key, "value", text=key.name, slider=True)
        layout.operator("gsmooth.rerender_strip", icon="FILE_REFRESH")
        column = layout.column(align=True)
        column.operator("gsmooth.send_curves", icon="ARMATURE_DATA")
        row = column.row(align=True)
        row.operator("gsmooth.import_curves", text="Import", icon="IMPORT")
        row.operator("gsmooth.export_curves", text="Export", icon="EXPORT")
        column.operator("gsmooth.export_mesh", icon="MESH_DATA")
        draw_task(layout)


def _draw_curve_sets(layout: bpy.types.UILayout, body: Any) -> None:
    """Dubbed or as filmed, where both are known."""
    if not curve_sets.has_filmed(body):
        return
    filmed = curve_sets.shows_filmed(body)
    layout.label(text="Curves")
    row = layout.row(align=True)
    for which, text in (("dubbed", "Dubbed"), ("filmed", "As Filmed")):
        pressed = filmed == (which == "filmed")
        row.operator("gsmooth.show_curves", text=text, depress=pressed).which = which
    if filmed:
        wrapped(layout, "What was filmed: to edit, go back to Dubbed.", "LOCKED")


SEQUENCER = (GSMOOTH_PT_face,)
VIEWPORT = (GSMOOTH_PT_view,)
