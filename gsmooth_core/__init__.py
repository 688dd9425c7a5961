"""GSmooth: visual dubbing with a 3D face in the loop (no Blender in here).

This is the public API: what stands in `__all__` keeps its name and meaning within a major version;
everything else may move. Names are imported when they are first used, so that `import
gsmooth_core` costs nothing. (The module `gsmooth_core.dub` is the pipeline; the function that runs
a job is `dub_job`.)
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gsmooth_core.a2ep import PredictSettings as PredictSettings
    from gsmooth_core.a2ep import merge_expression as merge_expression
    from gsmooth_core.a2ep import predict_expression as predict_expression
    from gsmooth_core.dub import DubPipeline as DubPipeline
    from gsmooth_core.errors import CancelledError as CancelledError
    from gsmooth_core.errors import GSmoothError as GSmoothError
    from gsmooth_core.evaluation.report.shot_report import report as report_job
    from gsmooth_core.evaluation.sync.check import check_video as check_sync
    from gsmooth_core.face.load import load_face_model as load_face_model
    from gsmooth_core.face.mesh import write_mesh as write_mesh
    from gsmooth_core.face.morphable import MorphableModel as MorphableModel
    from gsmooth_core.job.events import Event as Event
    from gsmooth_core.job.events import Message as Message
    from gsmooth_core.job.events import Progress as Progress
    from gsmooth_core.job.job import Job as Job
    from gsmooth_core.job.job import load_job as load_job
    from gsmooth_core.job.result import DubResult as DubResult
    from gsmooth_core.job.settings import AnimateSettings as AnimateSettings
    from gsmooth_core.job.settings import DubSettings as DubSettings
    from gsmooth_core.media import probe as probe
    from gsmooth_core.media import read_audio as read_audio
    from gsmooth_core.media import read_frames as read_frames
    from gsmooth_core.run import run_job as dub_job
    from gsmooth_core.storage.arrays import load_expression as load_expression
    from gsmooth_core.storage.arrays import load_track as load_track
    from gsmooth_core.storage.arrays import save_expression as save_expression
    from gsmooth_core.storage.arrays import save_track as save_track
    from gsmooth_core.tracking import track_face as track_face
    from gsmooth_core.types import Clip as Clip
    from gsmooth_core.types import Expression as Expression
    from gsmooth_core.types import FaceTrack as FaceTrack

__version__ = "0.1.0"

# ONNX Runtime reports each start to its maker, under a number that it keeps in the user's home,
# unless it is told before it is imported. Who dubs is nobody's business.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = [
    "AnimateSettings",
    "CancelledError",
    "Clip",
    "DubPipeline",
    "DubResult",
    "DubSettings",
    "Event",
    "Expression",
    "FaceTrack",
    "GSmoothError",
    "Job",
    "Message",
    "MorphableModel",
    "PredictSettings",
    "Progress",
    "__version__",
    "check_sync",
    "dub_job",
    "load_expression",
    "load_face_model",
    "load_job",
    "load_track",
    "merge_expression",
    "predict_expression",
    "probe",
    "read_audio",
    "read_frames",
    "report_job",
    "save_expression",
    "save_track",
    "track_face",
    "write_mesh",
]

_PLACES = {
    "AnimateSettings": ("job.settings", "AnimateSettings"),
    "CancelledError": ("errors", "CancelledError"),
    "Clip": ("types", "Clip"),
    "DubPipeline": ("dub", "DubPipeline"),
    "DubResult": ("job.result", "DubResult"),
    "DubSettings": ("job.settings", "DubSettings"),
    "Event": ("job.events", "Event"),
    "Expression": ("types", "Expression"),
    "FaceTrack": ("types", "FaceTrack"),
    "GSmoothError": ("errors", "GSmoothError"),
    "Job": ("job.job", "Job"),
    "Message": ("job.events", "Message"),
    "MorphableModel": ("face.morphable", "MorphableModel"),
    "PredictSettings": ("a2ep", "PredictSettings"),
    "Progress": ("job.events", "Progress"),
    "check_sync": ("evaluation.sync.check", "check_video"),
    "dub_job": ("run", "run_job"),
    "load_expression": ("storage.arrays", "load_expression"),
    "load_face_model": ("face.load", "load_face_model"),
    "load_job": ("job.job", "load_job"),
    "load_track": ("storage.arrays", "load_track"),
    "merge_expression": ("a2ep", "merge_expression"),
    "predict_expression": ("a2ep", "predict_expression"),
    "probe": ("media", "probe"),
    "read_audio": ("media", "read_audio"),
    "read_frames": ("media", "read_frames"),
    "report_job": ("evaluation.report.shot_report", "report"),
    "save_expression": ("storage.arrays", "save_expression"),
    "save_track": ("storage.arrays", "save_track"),
    "track_face": ("tracking", "track_face"),
    "write_mesh": ("face.mesh", "write_mesh"),
}
"""Public name -> module and name there."""


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'gsmooth_core' has no attribute '{name}'")
    module, own_name = _PLACES[name]
    value = getattr(import_module(f"gsmooth_core.{module}"), own_name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
