"""The panel about what will be dubbed, with the button that does it."""

from __future__ import annotations

from typing import Any

import bpy

from ..errors import UserError
from ..jobs import previewing
from ..timeline import selection, strips
from . import people_panel, result_panel
from .layouts import SequencerPanel, wrapped
from .task_box import draw_problem, draw_task


def dub_button(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    """The Dub entry of panel and menus, with the panel's option."""
    button = layout.operator("gsmooth.dub_strip", text=_deed(scene), icon="RENDER_ANIMATION")
    button.replace = scene.gsmooth.replace


def _deed(scene: bpy.types.Scene) -> str:
    """What the button does with what is selected."""
    dub = strips.meant_strip(scene)
    if strips.dubbed_job(dub):
        there = selection.dubbed_from(scene, dub) is not None
        return "Dub Again from the Original" if there else "Dub the Dub Again"
    moves = selection.is_photo(scene) and scene.gsmooth.photo != "mouth"
    return "Animate Photo" if moves else "Dub Strip"


def draw_photo(layout: bpy.types.UILayout, settings: Any) -> None:
    """What moves besides the mouth where the clip is a still picture."""
    column = layout.column(align=True)
    column.label(text="What moves:")
    column.row(align=True).prop(settings, "photo", expand=True)
    if settings.photo in ("full", "crop"):
        column.prop(settings, "head", slider=True)
        column.prop(settings, "movement")
    if settings.photo != "mouth":
        column.prop(settings, "blink", slider=True)
        column.prop(settings, "brows", slider=True)
        column.prop(settings, "seed")


class GSMOOTH_PT_dub(SequencerPanel, bpy.types.Panel):
    """What will be dubbed, and the button that does it."""

    bl_label = "Dub"

    def draw(self, context: bpy.types.Context) -> None:
        layout, scene = self.layout, strips.sequencer_scene(context)
        draw_problem(layout)
        dub = strips.meant_strip(scene)
        if strips.dubbed_job(dub):
            result_panel.draw_dub(layout, scene, dub)
        _draw_selection(layout, scene)
        row = layout.row()
        row.scale_y = 1.4
        dub_button(row, scene)
        row = layout.row(align=True)
        row.operator("gsmooth.preview", icon="HIDE_OFF")
        if previewing.of_scene(scene):
            row.operator("gsmooth.discard_preview", text="", icon="TRASH")
        draw_task(layout)


def _draw_selection(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    column = layout.column(align=True)
    try:
        chosen = selection.select(scene)
    except UserError as error:
        wrapped(column, str(error), "INFO")
        return
    icon = "FILE_IMAGE" if strips.is_still(chosen.picture) else "FILE_MOVIE"
    column.label(text=f"Clip: {chosen.picture.name}", icon=icon)
    for number, speech in chosen.speeches or ((0, chosen.speech),):
        whose = f"Speech of Person {number}" if number else "Speech"
        column.label(text=f"{whose}: {speech.name}", icon="SPEAKER")
    people_panel.draw_hint(column, scene, chosen)
    obstacle, remarks = selection.why_not(scene), selection.remarks(scene, chosen)
    if selection.is_photo(scene):
        draw_photo(layout, scene.gsmooth)
    for text in [obstacle] if obstacle else remarks:
        wrapped(column, text, "ERROR" if obstacle else "INFO")
    if not obstacle and selection.has_length(chosen):
        layout.prop(scene.gsmooth, "length")


CLASSES = (GSMOOTH_PT_dub,)
