"""Show the face behind the picture as an editable mesh."""

import bpy
from bpy.props import BoolProperty, IntProperty

from .. import api
from ..head import rig
from ..jobs.job import Job
from ..storage import job_folder
from ..timeline import selection, speeches, strips
from .worker_operator import WorkerOperator


def _noted(scene: bpy.types.Scene) -> str:
    """The job folder noted on the strip that is meant, or ""."""
    return strips.dubbed_job(strips.meant_strip(scene))


class GSMOOTH_OT_preview_mesh(WorkerOperator, bpy.types.Operator):
    """Add the face of the clip as an animated mesh with ARKit shape keys, and its camera"""

    bl_idname = "gsmooth.preview_mesh"
    bl_label = "Face Mesh"
    bl_options = {"REGISTER", "UNDO"}
    title = "Face mesh"

    rebuild: BoolProperty(
        name="Rebuild",
        description="Make the mesh again, which drops edits of its curves",
        default=False,
        options={"HIDDEN", "SKIP_SAVE"},
    )

    person: IntProperty(
        name="Person",
        description="Whose face, where several people are dubbed; 0 for the first",
        min=0,
        max=speeches.MOST,
        options={"HIDDEN", "SKIP_SAVE"},
    )

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        scene = strips.sequencer_scene(context)
        if _noted(scene):
            return ""
        return selection.why_not(scene, need_speech=False)

    def ready(self, context: bpy.types.Context) -> str:
        scene = strips.sequencer_scene(context)
        noted = _noted(scene)
        folder = job_folder.resolve(noted) if noted else None
        if folder is not None and self.person:
            folder /= f"person_{self.person}"
        body = next(rig.heads(folder), None) if folder is not None else None
        if body is None or self.rebuild:
            return ""
        rig.activate(scene, body)
        return f"'{body.name}' is there already."

    def job(self, context: bpy.types.Context) -> Job:
        scene = strips.sequencer_scene(context)
        if _noted(scene):
            return api.face_mesh(strips.meant_strip(scene), person=self.person)
        chosen = selection.select(scene, need_speech=False)
        return api.face_mesh(chosen.picture, chosen.speech)


CLASSES = (GSMOOTH_OT_preview_mesh,)
