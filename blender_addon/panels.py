"""Panels and menu entries. Drawing code looks at what is there and does no work."""

from __future__ import annotations

from typing import Any

import bpy

from . import (
    closing,
    curve_sets,
    job_queue,
    people_panel,
    preferences,
    previewing,
    quality_panel,
    queue_panel,
    result_panel,
    rig,
    runtime,
    selection,
    settings_panel,
    speeches,
    strips,
    sync_check,
)
from .errors import UserError
from .layouts import SequencerPanel, wrapped


def draw_task(layout: bpy.types.UILayout) -> None:
    """Progress of the running job and a way to stop it, else what came of the last one."""
    task = runtime.active()
    if task is None:
        _draw_outcome(layout)
        return
    box = layout.box()
    box.label(text=task.title, icon="SORTTIME")
    row = box.row(align=True)
    row.progress(factor=task.overall, text=task.text)
    row.operator("gsmooth.cancel", text="", icon="X")
    if task.left:
        box.label(text=task.left[:1].upper() + task.left[1:], icon="BLANK1")
    if task.detail:
        wrapped(box, task.detail)
    for note in dict.fromkeys(task.notes):
        wrapped(box, note, "INFO")
    if job_queue.keeps_running():
        wrapped(box, closing.advice(), "INFO")


_STATES = {
    "done": ("CHECKMARK", "done"),
    "failed": ("ERROR", "failed"),
    "cancelled": ("PAUSE", "stopped. Pressed again, it goes on from there"),
}


def _draw_outcome(layout: bpy.types.UILayout) -> None:
    last = runtime.outcome()
    if last is None:
        return
    icon, word = _STATES[last.state]
    box = layout.box()
    wrapped(box, f"{last.title}: {word}", icon)
    if last.state != "cancelled":
        wrapped(box, last.text)
    for note in last.notes:
        wrapped(box, note, "INFO")


def draw_problem(layout: bpy.types.UILayout) -> None:
    """What stops every job, with the way out."""
    if preferences.runtime_problem():
        box = layout.box()
        wrapped(box, preferences.runtime_problem(), "ERROR")
        box.operator("gsmooth.show_preferences", icon="PREFERENCES")


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


class GSMOOTH_PT_sync(SequencerPanel, bpy.types.Panel):
    """Whether the sound fits the lips."""

    bl_label = "Lip Sync"

    def draw(self, context: bpy.types.Context) -> None:
        layout, scene = self.layout, strips.sequencer_scene(context)
        layout.operator("gsmooth.check_sync", icon="SPEAKER")
        strip = sync_check.checked(scene)
        if strip is not None:
            sure = sync_check.SECONDS in strip
            box = layout.box()
            box.label(text=strip.name, icon="CHECKMARK" if sure else "QUESTION")
            wrapped(box, str(strip[sync_check.INFO]))
            box.operator("gsmooth.move_sound", icon="TRIA_LEFT_BAR")


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


class GSMOOTH_MT_strip(bpy.types.Menu):
    """All of GSmooth for the strips that are selected."""

    bl_label = "GSmooth"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        dub_button(layout, strips.sequencer_scene(context))
        layout.operator("gsmooth.preview", icon="HIDE_OFF")
        layout.operator("gsmooth.add_to_queue", icon="ADD")
        layout.operator("gsmooth.preview_mesh", icon="MESH_MONKEY")
        layout.operator("gsmooth.rerender_strip", icon="FILE_REFRESH")
        layout.operator("gsmooth.compare_original", icon="MOD_MIRROR")
        layout.operator("gsmooth.check_quality", icon="VIEWZOOM")
        layout.operator("gsmooth.check_sync", icon="SPEAKER")
        layout.operator("gsmooth.move_sound")


def _draw_menu(self: bpy.types.Menu, _context: bpy.types.Context) -> None:
    self.layout.separator()
    self.layout.menu("GSMOOTH_MT_strip")


_MENUS = ("SEQUENCER_MT_strip", "SEQUENCER_MT_context_menu")


def register() -> None:
    """Add the menu entries."""
    for name in _MENUS:
        getattr(bpy.types, name).append(_draw_menu)


def unregister() -> None:
    """Take them away again."""
    for name in _MENUS:
        getattr(bpy.types, name).remove(_draw_menu)


CLASSES = (
    GSMOOTH_PT_dub,
    *settings_panel.CLASSES,
    *people_panel.CLASSES,
    *queue_panel.CLASSES,
    GSMOOTH_PT_face,
    *quality_panel.CLASSES,
    GSMOOTH_PT_sync,
    GSMOOTH_PT_view,
    GSMOOTH_MT_strip,
)
