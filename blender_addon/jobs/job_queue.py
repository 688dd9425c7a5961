"""The queue: strips that are dubbed one after another, whatever becomes of each.

It belongs to the blend file and not to its scenes, so an undo or another scene changes nothing.
What is not finished is noted beside the file's jobs, and offered when the file is opened again.
"""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent

from .. import preferences
from ..errors import UserError
from ..settings.options import JOB, MOVES, STRIPS, Options
from ..storage import files
from ..storage.checks import FLAG, TEXT, Kind, check, optional, record, rows
from ..timeline.target import Target
from .dubbing import Dub
from .job import Job

_LARGEST = 1 << 20  # bytes of a noted queue
_TARGET = dict.fromkeys(("scene", "picture", "picture_id", "speech", "speech_id"), TEXT)


def _is_speech(value: Any) -> bool:
    right = isinstance(value, list) and len(value) == 3 and type(value[0]) is int
    return right and all(map(TEXT.fits, value[1:]))


_SPEECHES = rows(Kind(_is_speech, "a person's speech"), "a list of speeches")
_PLAIN = Kind(lambda value: isinstance(value, str | bool | int | float), "a word or a number")
_OPTIONS = {
    # Those of earlier versions have fewer.
    "settings": record(dict.fromkeys((*JOB, "face"), optional(_PLAIN)), "settings of a dub"),
    "moves": optional(record(dict.fromkeys(MOVES, optional(_PLAIN)), "how a photo moves")),
    "replace": FLAG,
    "mute_own_sound": FLAG,
    "check": FLAG,
    "like": optional(TEXT),
}
_ENTRY = {
    "target": record(_TARGET | {"speeches": optional(_SPEECHES)}, "a pair of strips"),
    "options": record(_OPTIONS, "options of a dub"),
    "state": TEXT,
}
_NOTED = {"entries": rows(record(_ENTRY, "a dub"), "a list of dubs")}


@dataclass
class Entry:
    """One dub of the queue.

    Attributes:
        target: which strips.
        options: how.
        state: "waiting", "running", "done", "failed" or "cancelled".
        text: what came of it.
        strips: names of the dubbed strips.
    """

    target: Target
    options: Options
    state: str = "waiting"
    text: str = ""
    strips: tuple[str, ...] = ()


_entries: list[Entry] = []
_runs: list[Run] = []
_beside: list[Dub] = []  # the last dub that is, or was, made without the queue


def entries() -> list[Entry]:
    """The queue, in its order."""
    _look()
    return list(_entries)


def add(target: Target, options: Options) -> Entry:
    """Put a dub at its end."""
    _look()
    entry = Entry(target, options)
    _entries.append(entry)
    note()
    return entry


def watch(job: Dub) -> Dub:
    """Offer this dub, too, when the file is opened again and it is not finished."""
    _look()
    _beside[:] = [job]
    job.on_end = note
    note()
    return job


def move(index: int, places: int) -> None:
    """Move an entry; those that are done count, too."""
    if 0 <= index < len(_entries):
        entry = _entries.pop(index)
        _entries.insert(min(max(index + places, 0), len(_entries)), entry)
        note()


def remove(index: int) -> None:
    """Take an entry out, unless it runs."""
    if 0 <= index < len(_entries) and _entries[index].state != "running":
        del _entries[index]
        note()


def again(index: int) -> None:
    """Have an entry wait once more that failed or was cancelled."""
    if 0 <= index < len(_entries) and _entries[index].state in ("failed", "cancelled"):
        _entries[index].state, _entries[index].text = "waiting", ""
        note()


def clear() -> None:
    """Take out what is done."""
    _entries[:] = [entry for entry in _entries if entry.state != "done"]
    note()


def waiting() -> list[Entry]:
    """The entries whose turn will come."""
    _look()
    return [entry for entry in _entries if entry.state == "waiting"]


def running() -> Run | None:
    """The queue's run, while there is one."""
    return _runs[0] if _runs else None


def keeps_running() -> bool:
    """Whether what runs now is offered again by a file that is opened before it has ended."""
    return running() is not None or any(job.state == "running" for job in _beside)


class Run(Job):
    """Does what waits in the queue, one after another; one that fails stops no other."""

    def __init__(self) -> None:
        super().__init__("Queue")
        self.paused = False
        self._entry: Entry
        self._job: Job

    def begin(self) -> Run:
        self.state = "running"
        _runs[:] = [self]
        self._next()
        return self

    def update(self) -> bool:
        if self.state != "running":
            return False
        if self._job.update():
            self.task = self._job.task
            return True
        self._settle()
        return self._next()

    def cancel(self) -> None:
        self.pause()

    def pause(self) -> None:
        """Stop the one that runs and begin no other; the next run goes on with it."""
        self.paused = True
        self._job.cancel()

    def leave(self) -> None:
        self.paused = True
        self._job.leave()
        self._settle()
        self._next()

    def _next(self) -> bool:
        """Begin the next one; returns whether there is one."""
        while not self.paused and waiting():
            self._entry = waiting()[0]
            self._entry.state = "running"
            note()
            self._job = Dub(self._entry.target, self._entry.options).begin()
            self.title = f"Queue: {self._job.title}"
            self.task = self._job.task
            if self._job.state == "running":
                return True
            self._settle()
        _runs.clear()
        self.title = "Queue"
        self.end("cancelled" if self.paused else "done", _summary())
        return False

    def _settle(self) -> None:
        """Note what came of the one that has ended."""
        entry, job = self._entry, self._job
        stopped = self.paused and job.state == "cancelled"
        entry.state = "waiting" if stopped else job.state
        entry.text = "" if stopped else job.text
        entry.strips = tuple(job.strips) if isinstance(job, Dub) else ()
        self.notes += job.notes
        note()
        push: Any = bpy.ops.ed.undo_push
        if entry.state == "done" and not bpy.app.background and push.poll():
            push(message=job.title)  # each dub is a step of its own


def _summary() -> str:
    counts = dict.fromkeys(("done", "failed", "cancelled", "waiting"), 0)
    for entry in _entries:
        counts[entry.state] = counts.get(entry.state, 0) + 1
    told = [f"{count} {state}" for state, count in counts.items() if count]
    return f"{', '.join(told)}." if told else "Nothing was to be done."


# -- beside the file -----------------------------------------------------------------------------

_noted_in: list[Path] = []
_read_once: list[bool] = []


def _place() -> Path | None:
    """Where the queue of this blend file is noted; None for a file that was never saved."""
    path = bpy.data.filepath
    return preferences.jobs_folder() / f"queue-{Path(path).stem}.json" if path else None


def note() -> None:
    """Write down what is not finished."""
    for path in _noted_in:
        beside = [job for job in _beside if job.state not in ("done", "failed")]
        unfinished = [entry for entry in _entries if entry.state != "done"]
        unfinished += [Entry(job.target, job.options) for job in beside]
        open_ = [asdict(entry) for entry in unfinished]
        with contextlib.suppress(OSError):  # the queue works without
            if open_:
                path.parent.mkdir(parents=True, exist_ok=True)
                files.write_json(path, {"entries": open_})
            else:
                path.unlink(missing_ok=True)


def _read(path: Path) -> list[Entry]:
    try:
        content = files.read_object(path, _LARGEST)
        check(content, _NOTED, f"'{path}'", "add the strips to the queue again.")
    except (*files.UNREADABLE, UserError):
        return []
    return [_entry(noted) for noted in content["entries"]]


def _entry(noted: dict[str, Any]) -> Entry:
    speeches = tuple(tuple(said) for said in noted["target"].get("speeches") or ())
    target = Target(**{name: noted["target"][name] for name in _TARGET}, speeches=speeches)
    given = noted["options"]
    known = given["settings"]
    settings = {name: known[name] for name in (*JOB, "face") if known.get(name) is not None}
    moved = given["moves"]
    moves = moved and {name: moved[name] for name in MOVES if moved.get(name) is not None}
    how = {name: given[name] for name in STRIPS}
    options = Options(settings, moves, **how, like=given.get("like") or "")
    return Entry(target, options, text="Unfinished when the file was closed.")


def _look() -> None:
    """Read what is noted when it is first needed: while add-ons are registered, it cannot be."""
    if not _read_once:
        _opened()


def _opened(*_arguments: object) -> None:
    """Another file: its own queue."""
    _read_once[:] = [True]
    place = _place()
    _noted_in[:] = [place] if place else []
    _entries[:] = _read(place) if place else []
    _beside.clear()


def _saved(*_arguments: object) -> None:
    place = _place()
    _noted_in[:] = [place] if place else []
    note()


def register() -> None:
    """Follow the files that are opened and saved."""
    for handler in (_opened, _saved):
        persistent(handler)  # else Blender drops it with the file
    bpy.app.handlers.load_post.append(_opened)
    bpy.app.handlers.save_post.append(_saved)


def unregister() -> None:
    """Forget the queue; what is noted stays."""
    bpy.app.handlers.load_post.remove(_opened)
    bpy.app.handlers.save_post.remove(_saved)
    for each in (_entries, _runs, _beside, _noted_in, _read_once):
        each.clear()
