"""A job: what is to be dubbed with what, as one versioned JSON file in a folder of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

from gsmooth_core.errors import InputError, JobError
from gsmooth_core.job.names import JobFile
from gsmooth_core.job.settings import FACE_NUMBER, AnimateSettings, DubSettings
from gsmooth_core.storage.files import beside, is_there, make_folder, read_json, shown, write_text
from gsmooth_core.storage.layout import as_rate

KIND = "gsmooth-job"
VERSION = 1
MOST_TEACHERS = 20
MOST_SECONDS = 24 * 3600.0
MOST_FRAMES = 24 * 3600 * 240
"""A day at the highest rate; nobody means more, and what is longer is a slip or an attack."""

_NTSC = tuple(Fraction(1000 * n, 1001) for n in (24, 30, 48, 60, 120, 240))
_MEANT = Fraction(1, 200)  # frames a second: who says 23.976, 23.98 or 29.97 means one of these

# version -> function that turns a job of that version into one of the next
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}


@dataclass(frozen=True)
class Job:
    """What to do. Times are in seconds, frames count from 0 in the source.

    Attributes:
        video: the source, a video or a still image.
        output: file (or PNG folder) to write.
        audio: any file with the new speech.
        speech: instead of `audio`, a file for each of several people, by their numbers; each
            begins with the picture.
        expression: curves to use instead of predicted ones.
        start_frame: first frame to dub.
        frame_count: how many; None means to the end (for a still image: while the speech lasts).
        fps: rate at which the frames are shown; None means the source's own.
        audio_start: where in the sound the used part begins.
        audio_duration: how long the used part is; None means to the end.
        audio_delay: time of the picture before the used part is heard.
        settings: how to do it.
        animate: how the source, a photo, is to move; None leaves it as it is.
        teach: clips in which the same person speaks, which show how, beside the source.
        speaks_like: a way of speaking that was written by `gsmooth style`, instead.
        mix: music and effects of the whole video, which are heard together with the speech.
        copy_look_of: a video as which the output is to be coded, instead of as the source.
    """

    video: Path
    output: Path
    audio: Path | None = None
    expression: Path | None = None
    start_frame: int = 0
    frame_count: int | None = None
    fps: Fraction | None = None
    audio_start: float = 0.0
    audio_duration: float | None = None
    audio_delay: float = 0.0
    settings: DubSettings = field(default_factory=DubSettings)
    speech: Mapping[str, Path] = field(default_factory=dict)
    animate: AnimateSettings | None = None
    teach: tuple[Path, ...] = ()
    speaks_like: Path | None = None
    mix: Path | None = None
    copy_look_of: Path | None = None

    def to_json(self) -> dict[str, Any]:
        """The job file's content."""
        values = {f.name: _plain(getattr(self, f.name)) for f in fields(self)}
        for name in ("speech", "animate", "teach", "speaks_like", "mix", "copy_look_of"):
            if not values[name]:
                del values[name]  # an older GSmooth opens the job
        return {"kind": KIND, "version": VERSION, **values}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Job:
        """A job out of a job file's content, of this or an older version.

        Raises:
            JobError: no job, or one of a newer version.
            InputError: a value of the wrong kind.
        """
        values = _migrated(content)
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise JobError(f"The job has an unknown entry '{unknown[0]}'.", "Make it again.")
        for name in ("video", "output"):
            if not values.get(name):
                raise JobError(f"The job names no {name}.", "Make it again.")
        return cls(**{name: _READERS[name](name, value) for name, value in values.items()})

    def save(self, folder: Path) -> Path:
        """Write the job file into `folder`, which is made when it is not there.

        Raises:
            MediaError: it cannot be written.
        """
        make_folder(folder)
        path = folder / JobFile.JOB
        write_text(path, json.dumps(self.to_json(), indent=1) + "\n")
        return path


def load_job(folder: Path) -> Job:
    """Read the job of a job folder.

    Raises:
        JobError: there is none, or it is damaged or newer.
        InputError: a value of the wrong kind.
    """
    path = folder / JobFile.JOB
    if not is_there(path):
        raise JobError(
            f"There is no job in '{shown(folder)}'.",
            "Start it with `gsmooth dub`; `--keep-job` keeps its folder when it is done.",
        )
    return Job.from_json(read_json(path, JobError))


def default_folder(output: Path) -> Path:
    """The folder in which a job lives when the user names none: `<output>.gsmooth`.

    Raises:
        InputError: the output has no name of its own ("/").
    """
    if not output.name:
        raise InputError(f"'{output}' is no name for an output.", "Name a file.")
    return beside(output, ".gsmooth")


def _migrated(content: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(content, dict) or content.get("kind") != KIND:
        raise JobError("This is no GSmooth job.", "Choose the folder of a job.")
    version = content.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise JobError("The job comes from a newer GSmooth.", "Update GSmooth.")
    values = dict(content)
    while version < VERSION:
        if version not in MIGRATIONS:
            raise JobError("The job comes from a GSmooth that is too old.", "Make it again.")
        values = MIGRATIONS[version](values)
        version += 1
    return {name: value for name, value in values.items() if name not in ("kind", "version")}


def _plain(value: Any) -> Any:
    if isinstance(value, DubSettings | AnimateSettings):
        return value.to_json()
    if isinstance(value, Mapping):
        return {name: str(path) for name, path in value.items()}
    if isinstance(value, tuple):
        return [str(path) for path in value]
    return str(value) if isinstance(value, Path | Fraction) else value


def _wrong(name: str, value: Any, kind: str) -> InputError:
    return InputError(f"{name} is '{str(value)[:200]}'.", f"It must be {kind}.")


def _path(name: str, value: Any) -> Path | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value or "\0" in value:
        raise _wrong(name, value, "a path")
    return Path(value)


def _speech(name: str, value: Any) -> dict[str, Path]:
    if not isinstance(value, dict) or not all(re.fullmatch(FACE_NUMBER, key) for key in value):
        raise _wrong(name, value, "an object of numbers of people, 1 to 99, and sound files")
    paths = {key: _path(name, path) for key, path in value.items()}
    missing = [key for key, path in paths.items() if path is None]
    if missing:
        raise _wrong(name, value, f"an object that names a file for person {missing[0]}")
    return {key: path for key, path in sorted(paths.items(), key=_by_number) if path is not None}


def _paths(name: str, value: Any) -> tuple[Path, ...]:
    if not isinstance(value, list) or len(value) > MOST_TEACHERS:
        raise _wrong(name, value, f"a list of up to {MOST_TEACHERS} files")
    return tuple(path for path in (_path(name, entry) for entry in value) if path is not None)


def _by_number(item: tuple[str, Any]) -> int:
    return int(item[0])


def _count(name: str, value: Any) -> int | None:
    if value is None and name == "frame_count":
        return None
    least = 1 if name == "frame_count" else 0
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not least <= value <= MOST_FRAMES:
        raise _wrong(name, value, f"a whole number from {least} to {MOST_FRAMES}")
    return int(value)


def _seconds(name: str, value: Any) -> float | None:
    if value is None and name == "audio_duration":
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    least = -MOST_SECONDS if name == "audio_start" else 0.0
    if not number or not least <= value <= MOST_SECONDS:
        raise _wrong(name, value, f"a number of seconds from {least:g} to {MOST_SECONDS:g}")
    return float(value)


def read_rate(name: str, value: Any) -> Fraction | None:
    """A frame rate such as "30000/1001", "25" or 29.97.

    Raises:
        InputError: no rate between 1 and 240.
    """
    if value is None:
        return None
    rate = as_rate(value)
    if rate is None:
        raise _wrong(name, value, "a rate such as 25 or 30000/1001")
    rate = rate.limit_denominator(1_000_000)
    if not 1 <= rate <= 240:
        raise _wrong(name, value, "a rate from 1 to 240")
    if "." not in str(value):
        return rate
    return next((exact for exact in _NTSC if abs(rate - exact) < _MEANT), rate)


def _settings(name: str, value: Any) -> DubSettings:
    if not isinstance(value, dict):
        raise _wrong(name, value, "an object of settings")
    return DubSettings.from_json(value)


def _animate(name: str, value: Any) -> AnimateSettings | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise _wrong(name, value, "an object of settings")
    return AnimateSettings.from_json(value)


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "video": _path,
    "output": _path,
    "audio": _path,
    "speech": _speech,
    "expression": _path,
    "start_frame": _count,
    "frame_count": _count,
    "fps": read_rate,
    "audio_start": _seconds,
    "audio_duration": _seconds,
    "audio_delay": _seconds,
    "settings": _settings,
    "animate": _animate,
    "teach": _paths,
    "speaks_like": _path,
    "mix": _path,
    "copy_look_of": _path,
}
