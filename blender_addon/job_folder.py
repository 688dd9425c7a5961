"""Job folders: where a job's files lie, and its job.json."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import bpy

from .errors import UserError


def base(preferred: str, fallback: str) -> Path:
    """Where job folders are made: the preference, but never beside an unsaved file."""
    if not preferred or (preferred.startswith("//") and not bpy.data.filepath):
        return Path(fallback)
    return Path(bpy.path.abspath(preferred))


def reference(path: Path) -> str:
    """Relative to the blend file when there is one on the same drive, else absolute."""
    if not bpy.data.filepath:
        return str(path)
    try:
        return str(bpy.path.relpath(str(path)))
    except ValueError:
        return str(path)


def resolve(noted: str) -> Path:
    """The folder or file that `reference` noted."""
    return Path(bpy.path.abspath(noted)).absolute()


def make(parent: Path, job: dict[str, Any], plan: dict[str, Any]) -> Path:
    """Write a job file into a folder of its own, and beside it where the result belongs.

    The same job always gets the same folder, so that a job which was stopped goes on there.

    Raises:
        UserError: the folder cannot be written.
    """
    digest = hashlib.sha256(f"{_stamp(job)}{json.dumps(job, sort_keys=True)}".encode()).hexdigest()[
        :8
    ]
    stem = Path(job["video"]).stem
    words = [stem, Path(job["audio"]).stem if job["audio"] else "", digest]
    folder = parent / "-".join(bpy.path.clean_name(word)[:40] for word in words if word)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "expression.json").unlink(missing_ok=True)  # edits of an earlier run
        write(folder, job | {"output": str(folder / f"{stem}_dubbed.mp4")})
        (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"The folder '{folder}' cannot be written ({error.strerror}). "
            "Choose another one in Preferences > Add-ons > GSmooth."
        ) from error
    return folder


def _stamp(job: dict[str, Any]) -> list[tuple[int, int]]:
    """Sizes and times of the job's sources: a file that was replaced is another job."""
    sources = (Path(job[key]).stat() for key in ("video", "audio") if job[key])
    return [(source.st_size, source.st_mtime_ns) for source in sources]


def write(folder: Path, job: dict[str, Any]) -> None:
    """Write job.json so that it is never half there."""
    partial = folder / "job.json.partial"
    partial.write_text(json.dumps(job, indent=1), encoding="utf-8")
    partial.replace(folder / "job.json")


def read(folder: Path) -> dict[str, Any]:
    """Read job.json; when the folder was moved since, with the places of now.

    Raises:
        UserError: it is gone or damaged.
    """
    job = _read(folder, "job.json")
    old = Path(job["output"]).parent
    if old != folder:
        places = {key: _moved(job.get(key), old, folder) for key in ("video", "audio")}
        job |= places | {"output": str(folder / Path(job["output"]).name)}
        write(folder, job)
    return job


def _moved(path: str | None, old: Path, new: Path) -> str | None:
    """Where a file is that lay somewhere relative to `old`, which is now `new`."""
    if path is None or Path(path).is_file():
        return path
    try:
        candidate = (new / os.path.relpath(path, old)).resolve()
    except ValueError:  # on another drive
        return path
    return str(candidate) if candidate.is_file() else path


def read_plan(folder: Path) -> dict[str, Any]:
    """Read plan.json: from which strips the job was made.

    Raises:
        UserError: it is gone or damaged.
    """
    return _read(folder, "plan.json")


def _read(folder: Path, name: str) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / name).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise UserError(f"There is no usable job in '{folder}': dub the strip again.") from error


def write_curves(
    folder: Path, names: list[str], values: list[list[float]], rate: str
) -> dict[str, Any]:
    """Write edited curves, and a job that uses them and makes a new file beside the old one.

    Returns:
        the job.
    """
    content = {"kind": "gsmooth-curves", "version": 1, "names": names, "fps": rate}
    target = folder / "expression.json"
    target.write_text(json.dumps(content | {"values": values}), encoding="utf-8")
    job = read(folder)
    job |= {"expression": str(target), "output": str(_next_version(Path(job["output"])))}
    write(folder, job)
    return job


def _next_version(path: Path) -> Path:
    # A new name each time: the strip may hold the old file open, and undo needs it.
    stem = path.stem.rsplit("_v", 1)[0]
    numbers = (path.with_name(f"{stem}_v{i}{path.suffix}") for i in range(2, 10_000))
    return next(candidate for candidate in numbers if not candidate.exists())
