"""Show the face behind the picture as an editable mesh."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty

from .. import job_folder, mesh_file, planning, preferences, rig, runtime, selection, strips
from .worker_operator import WorkerOperator, worker_task


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

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        scene = strips.sequencer_scene(context)
        if strips.dubbed_job(strips.active_strip(scene)):
            return ""
        return selection.why_not(scene, need_speech=False)

    def ready(self, context: bpy.types.Context) -> str:
        scene = strips.sequencer_scene(context)
        noted = strips.dubbed_job(strips.active_strip(scene))
        body = next(rig.heads(job_folder.resolve(noted)), None) if noted else None
        if body is None or self.rebuild:
            return ""
        rig.activate(scene, body)
        return f"'{body.name}' is there already."

    def start(self, context: bpy.types.Context) -> runtime.Task:
        scene = strips.sequencer_scene(context)
        self._scene = scene.name
        strip = strips.active_strip(scene)
        if strips.dubbed_job(strip):
            self._folder = job_folder.resolve(strips.dubbed_job(strip))
            self._first = strips.first_source_frame(strip)
        else:
            self._folder, self._first = self._new_job(scene)
        job_folder.read(self._folder)
        return worker_task(self.title, "mesh", self._folder, job=str(self._folder))

    def _new_job(self, scene: bpy.types.Scene) -> tuple[Path, int]:
        plan = planning.make_plan(scene, selection.select(scene, need_speech=False))
        job = planning.job_of(plan, scene.gsmooth.for_job())
        return job_folder.make(preferences.jobs_folder(), job, asdict(plan)), plan.span.first

    def finish(self, context: bpy.types.Context, result: dict[str, Any]) -> str:
        head = mesh_file.read_mesh(Path(result["mesh"]))
        for old in list(rig.heads(self._folder)):
            rig.remove(old)
        job = job_folder.read(self._folder)
        texture = Path(result["texture"]) if result.get("texture") else None
        scene = bpy.data.scenes[self._scene]
        name = Path(job["video"]).stem
        picture = _picture(job, self._first, len(head))
        body = rig.build(scene, name, head, self._first, picture, texture)
        rig.note_job(body, self._folder, self._first, len(head), job["fps"])
        rig.activate(scene, body)
        return f"'{body.name}' is in scene '{scene.name}': edit its shape keys, then Re-render."


def _picture(job: dict[str, Any], first: int, count: int) -> rig.Picture:
    path, skipped = Path(job["video"]), job["start_frame"]
    still = path.suffix.lower() in bpy.path.extensions_image
    return rig.Picture(path, first - skipped, skipped + count, still)


CLASSES = (GSMOOTH_OT_preview_mesh,)
