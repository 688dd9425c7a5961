"""Make an environment for the worker, when the user asks for it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import bpy

from .. import preferences
from ..errors import UserError
from ..worker import installer, runtime
from ..worker.events import count_in
from ..worker.process import Process
from ..worker.task import Task
from .worker_operator import WorkerOperator

_PATIENCE = 20.0  # seconds
_NO_PYTHON = (
    "No Python here can make an environment: install Python 3.11, 3.12 or 3.13 from python.org "
    "(on Debian and Ubuntu with the package python3-venv) first."
)
_NAMES = ("python3.12", "python3.11", "python3.13", "python3", "python")


def base_pythons() -> list[Path]:
    """Pythons that may make an environment: those of the system, then Blender's own."""
    found = [shutil.which(name) for name in _NAMES]
    own = sys.executable if "python" in Path(sys.executable).name.lower() else ""
    return [Path(path) for path in dict.fromkeys((*found, own)) if path]


def suits(python: Path) -> bool:
    """Whether this Python runs, has a version that does, and can make environments."""
    command = [str(python), "-I", installer.__file__, "--try"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


class InstallTask(Task):
    """Notes how much would be downloaded, which the next Install says before."""

    def _handlers(self) -> dict[str, Callable[[Mapping[str, Any]], None]]:
        return super()._handlers() | {"found": self._on_found}

    def _on_found(self, event: Mapping[str, Any]) -> None:
        down = count_in(event, "megabytes")
        if down:
            preferences.note_size(str(self.arguments["kind"]), down)


class GSMOOTH_OT_install_worker(WorkerOperator, bpy.types.Operator):
    """Make a Python environment for GSmooth's worker and download its packages"""

    bl_idname = "gsmooth.install_worker"
    bl_label = "Install"
    title = "Install"
    about_file = False

    @classmethod
    def why_not(cls, _context: bpy.types.Context) -> str:
        if not bpy.app.online_access:
            return "Switch on Preferences > System > Network > Allow Online Access first."
        if preferences.install_kind() == "own":
            return "Your own Python is chosen: choose Processor Only or NVIDIA to install one."
        return "" if base_pythons() else _NO_PYTHON

    def start(self, _context: bpy.types.Context) -> Task:
        folder = preferences.own_runtime()
        kind = preferences.install_kind()
        arguments = {
            "folder": str(folder),
            "requirements": installer.requirements(kind, preferences.with_words()),
            "kind": kind,
            "said": list(preferences.sizes(kind)),
        }
        python = next(filter(suits, base_pythons()), None)
        if python is None:
            raise UserError(_NO_PYTHON)
        program = [str(python), "-I", installer.__file__]
        log_path = preferences.user_folder() / "install.log"
        runtime.stop_worker()  # it may run in the environment that is made anew
        return InstallTask(self.title, "install", arguments, Process(program, log_path))

    @classmethod
    def description(cls, _context: bpy.types.Context, _properties: Any) -> str:
        """With what it takes."""
        kind = preferences.install_kind()
        text = str(cls.__doc__)
        return text if kind == "own" else f"{text}. {preferences.size_text(kind)}"

    def finish(self, _context: bpy.types.Context, _result: dict[str, Any]) -> str:
        preferences.look_again()
        return "The worker is installed."


CLASSES = (GSMOOTH_OT_install_worker,)
