"""The panel of the settings, grouped by what they change."""

from __future__ import annotations

import bpy

from ..settings.output_settings import FIXED
from ..timeline import strips
from .layouts import SequencerPanel, as_properties, wrapped

_GROUPS = (
    ("Speech", "SPEAKER", ("length", "strength", "style")),
    ("Face", "USER", ("mask", "adapt")),
    ("Strips", "SEQ_SEQUENCER", ("replace", "mute_own_sound", "check")),
)
_SELDOM = ("smoothing", "looks", "occluders", "grain", "sharpness", "shutter")
_SLIDERS = ("strength", "smoothing", "shutter")


class GSMOOTH_PT_settings(SequencerPanel, bpy.types.Panel):
    """How it is made."""

    bl_label = "Settings"
    bl_parent_id = "GSMOOTH_PT_dub"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = as_properties(self.layout), strips.sequencer_scene(context).gsmooth
        for title, icon, names in _GROUPS:
            column = layout.box().column()
            column.label(text=title, icon=icon)
            for name in names:
                column.prop(settings, name, slider=name in _SLIDERS)


class GSMOOTH_PT_advanced(SequencerPanel, bpy.types.Panel):
    """What is best left as it is in most clips."""

    bl_label = "Advanced"
    bl_parent_id = "GSMOOTH_PT_settings"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = as_properties(self.layout), strips.sequencer_scene(context).gsmooth
        for name in _SELDOM:
            layout.prop(settings, name, slider=name in _SLIDERS)


class GSMOOTH_PT_output(SequencerPanel, bpy.types.Panel):
    """How the file is coded, and which sound tracks are heard."""

    bl_label = "Output"
    bl_parent_id = "GSMOOTH_PT_settings"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        draw_output(as_properties(self.layout), strips.sequencer_scene(context).gsmooth)


def draw_output(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
    """The rows of the panel."""
    layout.prop(settings, "copy_look_of")
    layout.prop(settings, "codec")
    fixed = FIXED.get(settings.codec, "")
    column = layout.column()
    column.enabled = not fixed
    column.prop(settings, "quality")
    if settings.quality == "crf":
        column.prop(settings, "crf")
    if fixed:
        wrapped(layout, fixed, "INFO")
    layout.prop(settings, "depth")
    layout.prop(settings, "intra")
    layout.separator()
    layout.prop(settings, "audio_track")
    layout.prop(settings, "source_audio_track")


CLASSES = (GSMOOTH_PT_settings, GSMOOTH_PT_output, GSMOOTH_PT_advanced)
