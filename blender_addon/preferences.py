"""The add-on's preferences, and the folders that follow from them."""

import sys
from pathlib import Path

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from .errors import UserError
from .storage import job_folder
from .worker import interpreter, runtime

# What the last look for a Python gave; drawing code shows it and never looks itself.
_found: list[str] = []


def look_again(_self: object = None, _context: object = None) -> None:
    """Look for the worker's Python once more."""
    try:
        origin, python = find_python()
        _found[:] = ["", f"{python} ({origin})"]
    except UserError as error:
        _found[:] = [str(error), ""]


def runtime_problem() -> str:
    """Why no worker can be started, "" if one can (as far as is known without starting it)."""
    if not _found:
        look_again()
    return _found[0]


def runtime_text() -> str:
    """Which Python the worker uses, for people."""
    if not _found:
        look_again()
    return _found[1]


class GSmoothPreferences(bpy.types.AddonPreferences):
    """What holds for all files: where the worker's Python is, where jobs are kept."""

    bl_idname = __package__

    python: StringProperty(
        name="Python",
        description="Python (or folder of an environment) with GSmooth's packages; "
        "empty: the environment variable GSMOOTH_PYTHON, or what Install made",
        subtype="FILE_PATH",
        update=look_again,
    )
    runtime: EnumProperty(
        name="Runs on",
        description="What the worker computes with",
        items=(
            ("cpu", "Processor Only", "Works everywhere; a minute of film takes long"),
            ("cuda", "NVIDIA", "For a graphics card of NVIDIA with a driver of 2024 or later"),
            ("own", "Existing Python", "A Python of yours that has the packages"),
        ),
        default="cpu",
    )
    words: BoolProperty(
        name="Words",
        description="Install what hears words, too, for Show Words and for Check Quality",
    )
    jobs: StringProperty(
        name="Job Folder",
        description="Where dubbed clips and their working files are kept; // is the blend file's "
        "folder. Files that were never saved use a folder of Blender's user data",
        subtype="DIR_PATH",
        default="//gsmooth",
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Show the worker's state first: it is what stops people."""
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "jobs")
        layout.row().prop(self, "runtime", expand=True)
        if self.runtime == "own" or self.python:
            layout.prop(self, "python")
        box = layout.box()
        problem = runtime_problem()
        text = problem or f"Worker: {runtime_text()}"
        box.label(text=text, icon="ERROR" if problem else "CHECKMARK")
        task = runtime.active()
        if task is not None:
            row = box.row()
            row.progress(factor=task.fraction, text=f"{task.title}: {task.text}")
            row.operator("gsmooth.cancel", text="", icon="X")
            if task.detail:
                box.label(text=task.detail)
        if self.runtime != "own":
            box.prop(self, "words")
        row = box.row()
        row.operator("gsmooth.check_worker", icon="VIEWZOOM")
        if self.runtime != "own":
            row.operator("gsmooth.install_worker", icon="IMPORT")
            box.label(text=size_text(self.runtime), icon="INFO")
            if not bpy.app.online_access:
                box.operator("gsmooth.show_online_access", icon="INTERNET_OFFLINE")
        column = box.column(align=True)
        for ok, line in last_check():
            column.label(text=line, icon="CHECKMARK" if ok else "ERROR")


_check: list[tuple[bool, str]] = []


def last_check() -> list[tuple[bool, str]]:
    """Lines of the last check of the worker, and whether each is good news."""
    return list(_check)


def note_check(lines: list[tuple[bool, str]]) -> None:
    """Keep the lines of a check for the preferences panel."""
    _check[:] = lines


SIZES = {
    "linux": {"cpu": (350, 1130), "cuda": (3200, 6500)},
    "win32": {"cpu": (250, 810), "cuda": (2900, 5600)},
    "darwin": {"cpu": (200, 700), "cuda": (3200, 6500)},
}
"""Megabytes of the download and of the environment. Those of Linux are of real installations
(350 and 1129; 3127 and 6296 with CUDA 13), the others' of the packages' files; what NVIDIA takes on
Windows is an estimate. Install looks before it downloads, and stops where it would be more."""
_WORDS = 204, 350  # the same of what hears words
_found_sizes: dict[tuple[str, bool], int] = {}  # megabytes that Install found


def sizes(kind: str) -> tuple[int, int]:
    """Megabytes that Install downloads, and that the environment takes."""
    down, disk = SIZES.get(sys.platform, SIZES["linux"])[kind]
    if with_words():
        down, disk = down + _WORDS[0], disk + _WORDS[1]
    found = _found_sizes.get((kind, with_words())) or down
    return found, round(disk * found / down)


def note_size(kind: str, down: int) -> None:
    """Keep how many megabytes Install found."""
    _found_sizes[kind, with_words()] = down


def size_text(kind: str) -> str:
    """What Install takes, before anybody presses it."""
    down, disk = sizes(kind)
    return (
        f"Install downloads about {down} MB and takes {disk} MB of the disk "
        f"({down + disk} MB while it works)."
    )


def install_kind() -> str:
    """What the worker is to compute with: "cpu", "cuda" or "own"."""
    settings = _settings()
    return settings.runtime if settings else "cpu"


def with_words() -> bool:
    """Whether Install takes what hears words, too."""
    settings = _settings()
    return bool(settings and settings.words)


def _settings() -> GSmoothPreferences | None:
    addon = bpy.context.preferences.addons.get(__package__)
    return addon.preferences if addon else None


def python_setting() -> str:
    """The user's choice of Python, or ""."""
    settings = _settings()
    return bpy.path.abspath(settings.python) if settings else ""


def find_python() -> tuple[str, Path]:
    """The worker's Python and where it was found.

    Raises:
        UserError: there is none.
    """
    return interpreter.find_python(python_setting(), own_runtime())


def own_runtime() -> Path:
    """Where Install puts the worker's environment; it goes when the extension is removed."""
    try:
        return Path(bpy.utils.extension_path_user(__package__, path="runtime"))
    except ValueError:  # not installed as an extension
        return Path(bpy.utils.user_resource("DATAFILES", path="gsmooth")) / "runtime"


def user_folder() -> Path:
    """A folder of Blender's user data for files of blend files that were never saved."""
    return Path(bpy.utils.user_resource("DATAFILES", path="gsmooth"))


def jobs_folder() -> Path:
    """Where new job folders go."""
    settings = _settings()
    return job_folder.base(settings.jobs if settings else "//gsmooth", str(user_folder() / "jobs"))


CLASSES = (GSmoothPreferences,)
