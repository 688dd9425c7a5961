"""Show the face behind the picture as an editable mesh."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty

from .. import job_folder, mesh_file, planning, preferences, rendering, rig, selection, strips
from ..answers import check_answer
from ..checks import FILE, Kind
from ..errors import UserError
from ..jobs import worker_task
from ..plan import Plan
from ..task import Task
from .worker_operator import WorkerOperator

_ANSWER = {
    "mesh": FILE,
    "texture": Kind(lambda value: not value or FILE.fits(value), "the path of a file, or nothing"),
}


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

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        scene = strips.sequencer_scene(context)
        if _noted(scene):
            return ""
        return selection.why_not(scene, need_speech=False)

    def ready(self, context: bpy.types.Context) -> str:
        scene = strips.sequencer_scene(context)
        noted = _noted(scene)
        body = next(rig.heads(job_folder.resolve(noted)), None) if noted else None
        if body is None or self.rebuild:
            return ""
        rig.activate(scene, body)
        return f"'{body.name}' is there already."

    def start(self, context: bpy.types.Context) -> Task:
        scene = strips.sequencer_scene(context)
        self._scene = scene.name
        noted = _noted(scene)
        self._waiting: Plan | None = None
        if noted:
            self._folder = job_folder.resolve(noted)
            self._first = strips.first_source_frame(strips.meant_strip(scene))
            return self._mesh()
        self._settings = scene.gsmooth.for_job()
        self._moves = scene.gsmooth.for_photo()
        plan = planning.make_plan(
            scene, selection.select(scene, need_speech=False), scene.gsmooth.length
        )
        return self._go_on(plan)

    def follow(self, context: bpy.types.Context, result: dict[str, Any]) -> Task | None:
        plan = self._waiting
        return self._go_on(rendering.with_file(plan, result)) if plan else None

    def _go_on(self, plan: Plan) -> Task:
        self._waiting = plan if rendering.missing(plan) else None
        return rendering.next_task(self.title, plan) or self._mesh_of(plan)

    def _mesh_of(self, plan: Plan) -> Task:
        job = planning.job_of(plan, self._settings, self._moves)
        self._folder = job_folder.make(preferences.jobs_folder(), job, asdict(plan))
        self._first = plan.span.first
        return self._mesh()

    def _mesh(self) -> Task:
        job_folder.read(self._folder)
        return worker_task(self.title, "mesh", job=str(self._folder))

    def finish(self, context: bpy.types.Context, result: dict[str, Any]) -> str:
        check_answer(result, _ANSWER)
        head = mesh_file.read_mesh(Path(result["mesh"]))
        job, scene = job_folder.read(self._folder), bpy.data.scenes.get(self._scene)
        if scene is None:
            raise UserError(f"The scene '{self._scene}' is gone: make the mesh in another one.")
        for old in list(rig.heads(self._folder)):
            rig.remove(old)
        texture = Path(result["texture"]) if result.get("texture") else None
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
