"""Job folders: where a job's files lie, and its job.json.

A folder that a blend file names may come from anybody: it is used when it is a folder and no link,
its job.json holds a job, and nothing is ever written through a link or outside of it.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath
from typing import Any

import bpy

from ..errors import UserError
from . import files
from .checks import (
    COUNT,
    FILE_FRAME,
    FLAG,
    FRAME,
    PATH,
    RATE,
    SECONDS,
    TEXT,
    Kind,
    check,
    optional,
    record,
    rows,
)

_LARGEST = 1 << 20  # bytes of a job.json or plan.json
_VIDEOS = (".mp4", ".mov", ".mkv", ".webm")
_LONGEST_STEM = 200  # bytes; most disks take 255 for a whole name
_PERSON = re.compile(r"person_[1-9][0-9]?")
IN_MOV, IN_MKV = ("prores", "dnxhr", "mjpeg", "qtrle"), ("ffv1",)
"""Codecs that an .mp4 does not hold, by what is written instead."""

_SPEECH = Kind(
    lambda value: isinstance(value, dict) and all(map(PATH.fits, value.values())),
    "a path for each person",
)
_JOB = {
    "kind": Kind(lambda value: value == "gsmooth-job", "that of a GSmooth job"),
    "version": Kind(lambda value: type(value) is int and value == 1, "one that this GSmooth knows"),
    "video": PATH,
    "output": PATH,
    "audio": optional(PATH),
    "speech": optional(_SPEECH),
    "fps": optional(RATE),
    "start_frame": FILE_FRAME,
    "frame_count": optional(COUNT),
}
"""What the add-on uses of a job; the worker looks at all of it."""

_SPAN = {"first": FRAME, "count": FRAME, "source": FRAME}
_CUT = {"delay": SECONDS, "start": SECONDS, "duration": SECONDS}
_PLAN = {
    "scene": TEXT,
    "picture": TEXT,
    "speech": TEXT,
    "source": PATH,
    "sound": Kind(lambda value: value == "" or PATH.fits(value), "a path or an empty text"),
    "left": FRAME,
    "right": FRAME,
    "span": record(_SPAN, "a span of frames"),
    "to_end": FLAG,
    "cut": optional(record(_CUT, "a cut of a sound")),
    "rate": TEXT,
    "anchor": optional(FRAME),
    "tag": optional(TEXT),
    "files": optional(rows(PATH, "a list of paths")),
    "rendered": optional(FLAG),
    "mixed": optional(FLAG),
    "still": optional(FLAG),
    "speeches": optional(
        rows(record({"number": COUNT, "strip": TEXT, "sound": TEXT}, "a speech"), "speeches")
    ),
}


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


def make(
    parent: Path,
    job: dict[str, Any],
    plan: dict[str, Any],
    is_taken: Callable[[Path], bool] = lambda folder: False,
    *,
    shared: bool = False,
) -> Path:
    """Write a job file into a folder of its own, and beside it where the result belongs.

    The same job always gets the same folder, so that a job which was stopped goes on there.

    Args:
        parent: where job folders are.
        job: content of the job file.
        plan: where the result belongs.
        is_taken: whether another strip has the folder's result: then this one gets a folder of
            its own, or edits of one would change the other.
        shared: whether jobs that differ in their settings alone have one folder, and with it what
            was found out about the clip; their results have names of their own.

    Raises:
        UserError: the folder cannot be written, or is a link.
    """
    told = {name: value for name, value in job.items() if not shared or name != "settings"}
    stem = Path(job["video"]).stem
    said = Path(job["audio"]).stem if job["audio"] else ""
    words = [stem, said or ("people" if job.get("speech") else ""), _digest([_stamp(job), told])]
    name = "-".join(bpy.path.clean_name(word)[:40] for word in words if word)
    folder = next(
        path
        for number in itertools.count(1)
        if not is_taken(path := parent / (name if number == 1 else f"{name}-{number}"))
    )
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_link(folder)
        for edits in folder.glob("**/expression.json"):  # of an earlier run
            edits.unlink()
        kind = f"draft_{_digest(job['settings'])}" if shared else "dubbed"
        output = folder / f"{_clean(stem)}_{kind}{_suffix(job)}"
        write(folder, job | {"output": str(output)})
        files.write_json(folder / "plan.json", plan)
    return folder


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]


def _suffix(job: dict[str, Any]) -> str:
    """Kind of file that holds what the job's settings ask for."""
    codec = job.get("settings", {}).get("codec", "auto")
    if codec == "auto":
        like = Path(job.get("copy_look_of") or job["video"]).suffix.lower()
        return like if like in _VIDEOS else ".mp4"
    return ".mov" if codec in IN_MOV else ".mkv" if codec in IN_MKV else ".mp4"


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Say it in words when the folder cannot be written."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"The folder '{folder}' cannot be written ({error.strerror}). "
            "Choose another one in Preferences > Add-ons > GSmooth."
        ) from error


def _refuse_link(folder: Path) -> None:
    if folder.is_symlink():
        raise UserError(
            f"The job folder '{folder}' is a link to another place, where nothing is written: "
            "delete the link and dub the strip again."
        )


def _stamp(job: dict[str, Any]) -> list[tuple[int, int]]:
    """Sizes and times of the job's sources: a file that was replaced is another job."""
    named = [job["video"], job["audio"], job.get("copy_look_of"), *job.get("speech", {}).values()]
    sources = (Path(name).stat() for name in named if name)
    return [(source.st_size, source.st_mtime_ns) for source in sources]


def make_person(folder: Path, number: int) -> Path:
    """A job of its own for one of several people, in the folder that the worker has for them.

    Args:
        folder: of a job that dubs several people.
        number: of the person; another than those who are dubbed means the first of them.

    Raises:
        UserError: the folder holds no such job, or cannot be written.
    """
    job = read(folder)
    said = job.pop("speech")
    who = str(number) if str(number) in said else next(iter(said))
    own = folder / f"person_{who}"
    with _writing(own):
        _refuse_link(own)
        own.mkdir(exist_ok=True)
    given = job.get("settings")
    settings = (given if isinstance(given, dict) else {}) | {"face": who}
    output = str(own / Path(job["output"]).name)
    write(own, job | {"audio": said[who], "output": output, "settings": settings})
    return own


def people(folder: Path) -> list[int]:
    """The numbers of the several people whom a job dubs; none where it is one alone.

    Raises:
        UserError: the folder holds no job.
    """
    return sorted(int(who) for who in read(folder).get("speech") or {} if who.isdigit())


def person_of(folder: Path) -> int:
    """The number of the person whose job this is within a dub of several; 0 where it is none."""
    return 0 if dub_of(folder) == folder else int(folder.name.removeprefix("person_"))


def dub_of(folder: Path) -> Path:
    """The folder of the dub in which a job is one person's; its own where it is the whole."""
    if not _PERSON.fullmatch(folder.name):
        return folder
    try:
        return folder.parent if read(folder.parent).get("speech") else folder
    except UserError:
        return folder


def write(folder: Path, job: dict[str, Any]) -> None:
    """Write job.json so that it is never half there.

    Raises:
        UserError: the folder cannot be written.
    """
    with _writing(folder):
        files.write_json(folder / "job.json", job, indent=1)


def read(folder: Path) -> dict[str, Any]:
    """Read job.json; when the folder was moved since, with the places of now.

    Raises:
        UserError: it is gone, damaged or no job, or the folder is a link.
    """
    job = _read(folder, "job.json", _JOB)
    output = _place(folder, job["output"])
    if job["output"] != str(output):
        old = Path(job["output"]).parent
        places = {key: _moved(job.get(key), old, folder) for key in ("video", "audio")}
        job |= places | {"output": str(output)}
        if job.get("speech"):
            job["speech"] = {who: _moved(said, old, folder) for who, said in job["speech"].items()}
        write(folder, job)
    return job


def _place(folder: Path, noted: str) -> Path:
    """Where in the job's own folder the result goes, whatever place its job file names."""
    stem, suffix = os.path.splitext(PureWindowsPath(noted).name)  # noqa: PTH122 - of any system
    return folder / f"{_clean(stem)}{suffix if suffix in _VIDEOS else '.mp4'}"


def _clean(stem: str) -> str:
    """A stem that is a file name everywhere: no dots before it, letters that Blender can take."""
    short = os.fsencode(stem)[:_LONGEST_STEM].decode("utf-8", "ignore")
    return short.strip(". ") or "clip"


def _moved(path: str | None, old: Path, new: Path) -> str | None:
    """Where a file is that lay somewhere relative to `old`, which is now `new`."""
    # These functions of os.path say no to any name; those of Path raise for some.
    if path is None or os.path.isfile(path):  # noqa: PTH113
        return path
    try:
        candidate = os.path.realpath(new / os.path.relpath(path, old))
    except ValueError:  # on another drive
        return path
    return candidate if os.path.isfile(candidate) else path  # noqa: PTH113


def read_plan(folder: Path) -> dict[str, Any]:
    """Read plan.json: from which strips the job was made.

    Raises:
        UserError: it is gone or damaged.
    """
    plan = _only(_read(folder, "plan.json", _PLAN), _PLAN)
    cut = _only(plan["cut"], _CUT) if plan["cut"] is not None else None
    return plan | {"span": _only(plan["span"], _SPAN), "cut": cut}


def _only(values: Mapping[str, Any], kinds: Mapping[str, Kind]) -> dict[str, Any]:
    return {name: values.get(name) for name in kinds}


def _read(folder: Path, name: str, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    try:
        _refuse_link(folder)
        content = files.read_object(folder / name, _LARGEST)
    except files.UNREADABLE as error:
        raise UserError(
            f"There is no usable job in '{folder}' ({name}: {files.reason(error)}): "
            "dub the strip again."
        ) from error
    check(content, kinds, f"'{folder / name}'", "dub the strip again.")
    return content


def write_curves(
    folder: Path, names: list[str], values: list[list[float]], rate: str
) -> dict[str, Any]:
    """Write edited curves, and a job that uses them and makes a new file beside the old one.

    Returns:
        the job.

    Raises:
        UserError: the folder holds no usable job, or cannot be written.
    """
    whole = dub_of(folder)
    job = read(whole)  # first of all: nothing is written where no job is
    target = folder / "expression.json"
    write_curve_file(target, names, values, rate)
    job |= {"output": str(_next_version(Path(job["output"])))}
    job |= {"expression": str(target)} if whole == folder else {}  # one person's is found there
    write(whole, job)
    return job


def write_curve_file(path: Path, names: list[str], values: list[list[float]], rate: str) -> None:
    """Write curves as GSmooth reads them.

    Raises:
        UserError: the file cannot be written.
    """
    content = {"kind": "gsmooth-curves", "version": 1, "names": names, "fps": rate}
    with _writing(path.parent):
        files.write_json(path, content | {"values": values})


def _next_version(path: Path) -> Path:
    # A new name each time: the strip may hold the old file open, and undo needs it. A link that
    # points nowhere is a name that is taken, too.
    stem = re.sub(r"_v[0-9]+$", "", path.stem)
    for number in range(2, 10_000):
        candidate = path.with_name(f"{stem}_v{number}{path.suffix}")
        if not os.path.lexists(candidate):
            return candidate
    raise UserError(f"'{path.parent}' is full of versions of '{path.name}': delete some of them.")
