"""What panels share: text of several lines, and where they stand."""

from __future__ import annotations

import bpy

_LETTER = 6.6  # usual width of a letter in pixels, at a scale of 1
_MARGIN = 70.0


def _line_length() -> int:
    """Letters that fit beside each other into the region that is drawn."""
    region, scale = bpy.context.region, bpy.context.preferences.system.ui_scale
    width = region.width / scale if region else 300.0
    return max(16, int((width - _MARGIN) / _LETTER))


def wrapped(layout: bpy.types.UILayout, text: str, icon: str = "NONE") -> None:
    """A label of several lines; Blender's own is cut off."""
    column, most = layout.column(align=True), _line_length()
    line = ""
    for word in [*text.split(), ""]:
        if line and (not word or len(line) + len(word) > most):
            column.label(text=line, icon=icon)
            line, icon = "", "BLANK1" if icon != "NONE" else "NONE"
        line = f"{line} {word}".strip()


def as_properties(layout: bpy.types.UILayout) -> bpy.types.UILayout:
    """The layout with names beside values, and no marks of keys."""
    layout.use_property_split = True
    layout.use_property_decorate = False
    return layout


class SequencerPanel:
    """A panel of the sequencer's sidebar."""

    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "GSmooth"
