"""Make an environment for the worker, when the user asks for it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import bpy

from .. import installer, preferences, runtime
from ..process import Process
from ..task import Task
from .worker_operator import WorkerOperator

_NAMES = ("python3.12", "python3.11", "python3.13", "python3", "python")


def base_python() -> Path | None:
    """A Python to make an environment with: one of the system, else Blender's own."""
    found = (shutil.which(name) for name in _NAMES)
    own = sys.executable if "python" in Path(sys.executable).name.lower() else ""
    return next((Path(path) for path in (*found, own) if path), None)


class GSMOOTH_OT_install_worker(WorkerOperator, bpy.types.Operator):
    """Make a Python environment for GSmooth's worker and download its packages (about 1 GB)"""

    bl_idname = "gsmooth.install_worker"
    bl_label = "Install"
    title = "Install"

    @classmethod
    def why_not(cls, _context: bpy.types.Context) -> str:
        if not bpy.app.online_access:
            return "Switch on Preferences > System > Network > Allow Online Access first."
        if base_python() is None:
            return "Install Python 3.11, 3.12 or 3.13 from python.org first."
        return ""

    def start(self, _context: bpy.types.Context) -> Task:
        folder = preferences.own_runtime()
        arguments = {"folder": str(folder), "requirements": installer.requirements()}
        program = [str(base_python()), "-I", installer.__file__]
        log_path = preferences.user_folder() / "install.log"
        runtime.stop_worker()  # it may run in the environment that is made anew
        return Task(self.title, "install", arguments, Process(program, log_path))

    def finish(self, _context: bpy.types.Context, _result: dict[str, Any]) -> str:
        preferences.look_again()
        return "The worker is installed."


CLASSES = (GSMOOTH_OT_install_worker,)
