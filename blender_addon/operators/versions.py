"""Use, compare and delete the versions that Re-render left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import IntProperty

from ..errors import UserError
from ..review import comparing, versions
from ..storage import job_folder
from ..timeline import strips


class _VersionOperator:
    """Mixin: acts on one version of the dubbed strip that is meant."""

    number: IntProperty(name="Version", default=1, min=1, options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        strip = strips.meant_strip(strips.sequencer_scene(context))
        fits = bool(strips.dubbed_job(strip))
        if not fits:
            cls.poll_message_set("Select a dubbed strip.")
        return fits

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Act, where the version is still there."""
        strip = strips.meant_strip(strips.sequencer_scene(context))
        versions.forget()
        found = {version.number: version.path for version in versions.of_strip(strip)}
        if self.number not in found:
            self.report({"ERROR"}, f"There is no version {self.number} of '{strip.name}' any more.")
            return {"CANCELLED"}
        problem = self.act(strip, found[self.number])
        versions.forget()
        if problem:
            self.report({"ERROR"}, problem)
        return {"CANCELLED"} if problem else {"FINISHED"}

    def act(self, strip: Any, path: Path) -> str:
        """Do it; returns why it cannot be done, or ""."""
        raise NotImplementedError


class GSMOOTH_OT_use_version(_VersionOperator, bpy.types.Operator):
    """Show this version in the dubbed strip"""

    bl_idname = "gsmooth.use_version"
    bl_label = "Use Version"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, strip: Any, path: Path) -> str:
        strip.filepath = job_folder.reference(path)
        return ""


class GSMOOTH_OT_compare_version(_VersionOperator, bpy.types.Operator):
    """Show this version in the right half of the picture, or end the comparison"""

    bl_idname = "gsmooth.compare_version"
    bl_label = "Compare Version"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, strip: Any, path: Path) -> str:
        comparing.with_version(strip, path)
        return ""


class GSMOOTH_OT_compare_original(bpy.types.Operator):
    """Show what was dubbed in the right half of the picture, or end the comparison"""

    bl_idname = "gsmooth.compare_original"
    bl_label = "Compare"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        fits = bool(strips.dubbed_job(strips.meant_strip(strips.sequencer_scene(context))))
        if not fits:
            cls.poll_message_set("Select a dubbed strip.")
        return fits

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Show it, or end that."""
        try:
            strip = strips.meant_strip(strips.sequencer_scene(context))
            comparing.with_original(strip)
        except UserError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, comparing.in_words(strip) or "The whole picture is the dub again.")
        return {"FINISHED"}


class GSMOOTH_OT_delete_version(_VersionOperator, bpy.types.Operator):
    """Delete this version's file from the disk; that cannot be undone"""

    bl_idname = "gsmooth.delete_version"
    bl_label = "Delete Version"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        """Ask first."""
        return context.window_manager.invoke_confirm(self, event)

    def act(self, strip: Any, path: Path) -> str:
        using = versions.users(path)
        if using:
            return f"'{using[0].name}' shows version {self.number}: use another one there first."
        try:
            path.unlink()
        except OSError as error:
            return f"'{path}' cannot be deleted ({error.strerror})."
        return ""


CLASSES = (
    GSMOOTH_OT_use_version,
    GSMOOTH_OT_compare_version,
    GSMOOTH_OT_compare_original,
    GSMOOTH_OT_delete_version,
)
