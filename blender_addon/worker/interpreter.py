"""Which Python runs the worker, and with what around it."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ..errors import UserError
from .installer import COMPLETE


def core_folder() -> Path:
    """Folder that holds `gsmooth_core`: in the installed extension, or beside it in a checkout."""
    addon = Path(__file__).resolve().parents[1]
    return addon if (addon / "gsmooth_core").is_dir() else addon.parent


def python_in(environment: Path) -> Path:
    """The interpreter of a virtual environment."""
    if sys.platform == "win32":
        return environment / "Scripts" / "python.exe"
    return environment / "bin" / "python"


def _candidates(preferred: str, own: Path | None) -> Iterator[tuple[str, Path]]:
    if preferred:
        yield "preferences", Path(preferred).expanduser()
        return  # a wrong choice is an error to show, not to paper over
    if os.environ.get("GSMOOTH_PYTHON"):
        yield "GSMOOTH_PYTHON", Path(os.environ["GSMOOTH_PYTHON"])
    if own is not None and (own / COMPLETE).is_file():
        yield "installed by GSmooth", python_in(own)
    for name in (".venv", "venv"):
        yield "beside the add-on", python_in(core_folder() / name)
    if sys.executable and importlib.util.find_spec("onnxruntime"):
        yield "Blender's own", Path(sys.executable)


def find_python(preferred: str = "", own: Path | None = None) -> tuple[str, Path]:
    """The Python that runs the worker.

    Args:
        preferred: the user's choice (an interpreter or the folder of an environment), or "".
        own: folder of the environment that the add-on makes, whether it exists or not.

    Returns:
        where it was found, and the interpreter.

    Raises:
        UserError: nothing usable, with words that say what to do.
    """
    for origin, path in _candidates(preferred, own):
        # These functions of os.path say no to any name; those of Path raise for some.
        interpreter = python_in(path) if os.path.isdir(path) else path  # noqa: PTH112
        if os.path.isfile(interpreter):  # noqa: PTH113
            return origin, interpreter
        if origin in ("preferences", "GSMOOTH_PYTHON"):
            raise UserError(
                f"There is no Python at '{path}' ({origin}). "
                "Choose another one in Preferences > Add-ons > GSmooth."
            )
    raise UserError(
        "GSmooth has no Python to work with yet. Open Preferences > Add-ons > GSmooth and choose "
        "a Python that has its packages, or press Install there."
    )


def file_stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file is replaced; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ino


def core_stamp() -> tuple[int, int]:
    """What changes when `gsmooth_core` is edited or updated: its files' number and latest time."""
    sources = (core_folder() / "gsmooth_core").rglob("*.py")
    times = [stamp[1] for stamp in map(file_stamp, sources) if stamp]
    return len(times), max(times, default=0)


def worker_environment() -> dict[str, str]:
    """Environment of the worker: the bundled core first, nothing of Blender's own Python."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PYTHONPATH")}
    environment["PYTHONPATH"] = str(core_folder())
    environment["PYTHONUTF8"] = "1"
    environment["PYTHONUNBUFFERED"] = "1"
    return environment
