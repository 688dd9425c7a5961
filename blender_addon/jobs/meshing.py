"""The face of a clip as a mesh in the 3D view."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import bpy

from .. import preferences
from ..errors import UserError
from ..head import mesh_file, rig
from ..review import quality_curve
from ..settings.options import Options
from ..storage import job_folder
from ..storage.checks import FILE, Kind
from ..timeline import planning, strips
from ..timeline.plan import Plan
from ..timeline.selection import Selection
from ..worker.answers import check_answer
from ..worker.task import Task
from .job import Job, worker_task
from .planned import PlannedJob

_ANSWER = {
    "mesh": FILE,
    "texture": Kind(lambda value: not value or FILE.fits(value), "the path of a file, or nothing"),
}


class FaceMesh(Job):
    """Adds the face behind a job's picture as an animated mesh, with the clip's camera.

    Attributes:
        head: name of the mesh object, once it is done.
    """

    def __init__(self, scene: bpy.types.Scene) -> None:
        super().__init__("Face mesh")
        self.head = ""
        self._scene = scene.name
        self._folder: Path
        self._first: int

    def finish(self, result: dict[str, Any]) -> str:
        check_answer(result, _ANSWER)
        head = mesh_file.read_mesh(Path(result["mesh"]))
        job, scene = job_folder.read(self._folder), bpy.data.scenes.get(self._scene)
        if scene is None:
            raise UserError(f"The scene '{self._scene}' is gone: make the mesh in another one.")
        for old in list(rig.heads(self._folder)):
            rig.remove(old)
        texture = Path(result["texture"]) if result.get("texture") else None
        name = Path(job["video"]).stem
        if job_folder.dub_of(self._folder) != self._folder:
            name += f" {self._folder.name.replace('_', ' ')}"
        picture = _picture(job, self._first, len(head))
        body = rig.build(scene, name, head, self._first, picture, texture)
        rig.note_job(body, self._folder, self._first, len(head), job["fps"])
        for strip in strips.showing(job_folder.dub_of(self._folder)):
            quality_curve.give(body, strip, job_folder.person_of(self._folder))
        rig.activate(scene, body)
        self.head = body.name
        return f"'{body.name}' is in scene '{scene.name}': edit its shape keys, then Re-render."

    def _mesh(self) -> Task:
        job_folder.read(self._folder)
        return worker_task(self.title, "mesh", job=str(self._folder))


class DubMesh(FaceMesh):
    """The face of a dubbed strip, as it speaks there; of several people the one of a number."""

    def __init__(self, dubbed: Any, person: int = 0) -> None:
        super().__init__(dubbed.id_data)
        self._folder = job_folder.resolve(strips.dubbed_job(dubbed))
        self._first, self._person = strips.first_source_frame(dubbed), person

    def start(self) -> Task:
        if job_folder.read(self._folder).get("speech"):
            self._folder = job_folder.make_person(self._folder, self._person)
        return self._mesh()


class ClipMesh(PlannedJob, FaceMesh):
    """The face of a strip that was not dubbed: as it would speak, or as it moves in the clip."""

    def __init__(self, scene: bpy.types.Scene, chosen: Selection, options: Options) -> None:
        super().__init__(scene)
        self._chosen, self._options = chosen, options

    def _make_plan(self) -> Plan:
        scene, length = self._chosen.picture.id_data, self._options.settings["length"]
        return planning.make_plan(scene, self._chosen, length)

    def _ask(self) -> Task:
        options = self._options
        job = planning.job_of(self._plan, options.settings, options.moves, options.like)
        self._folder = job_folder.make(preferences.jobs_folder(), job, asdict(self._plan))
        self._first = self._plan.span.first
        return self._mesh()


def _picture(job: dict[str, Any], first: int, count: int) -> rig.Picture:
    path, skipped = Path(job["video"]), job["start_frame"]
    still = path.suffix.lower() in bpy.path.extensions_image
    return rig.Picture(path, first - skipped, skipped + count, still)
