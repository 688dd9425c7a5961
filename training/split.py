"""Who is in which clip, and whom no model may learn from: `split.toml`, beside the footage.

    [speakers.anna]              # a name of your choice; it is seen in figures only
    part = "train"               # or "validation"; a person is one or the other, never both
    clips = ["anna_*", "talk"]   # file names with or without suffix; * and ? stand for anything

    [speakers.crowd]
    part = "train"
    clips = ["street_*"]
    many = true                  # several people whom nobody has told apart

    [sync.clips]                 # frames at 25 fps by which a clip's sound is late (0)
    talk = 2.4

A clip belongs to the speaker who names it; a name without * and ? goes before one with. Clips
that nobody names are left out. Three people are the least: two to learn from (one of them is
held out to choose the best step) and one for validation.

`python -m training.split --footage DIR` proposes such a file. There a clip's person is what the
folder's `manifest.tsv` has in its column `speaker`; else files whose names differ in a number at
their end alone (anna_01, anna_02) show one person, and every other file shows its own. About a
fifth of the people validate, chosen by a hash of their names: the same ones again when others
come. Look it through: only you know who is who.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from gsmooth_core.errors import InputError
from training.command import finish
from training.manifest import clip_rows

OWN = Path(__file__).parent / "splits" / "own.toml"
"""The split of the footage that the shipped models were trained on."""

FEWEST = 3  # people
SHARE = 0.2  # of the people, who validate
_KEYS = {"part": str, "clips": list, "many": bool, "sync": dict}

log = logging.getLogger(__name__)

_HINT = "The head of training/split.py describes the file."


class Part(Enum):
    """What a clip is for."""

    TRAIN = "train"
    VALIDATION = "validation"


@dataclass(frozen=True)
class Speaker:
    """A person, or many who go under one name.

    Attributes:
        name: theirs.
        part: training or validation.
        clips: names and patterns of their clips.
        many: whether they are several people whom nobody has told apart.
        sync: frames at 25 fps by which the sound of their clips is late, by the clips' rate in
            frames a second, rounded to fives; it goes before a manifest's.
    """

    name: str
    part: Part
    clips: tuple[str, ...]
    many: bool = False
    sync: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Split:
    """A whole `split.toml`.

    Attributes:
        path: where it was read.
        speakers: all of them.
        offsets: frames at 25 fps by which the sound of single clips is late.
        above_29_fps: frames at 25 fps to be added to a manifest's offset of faster clips.
    """

    path: Path
    speakers: tuple[Speaker, ...]
    offsets: Mapping[str, float]
    above_29_fps: float = 0.0

    def speaker_of(self, clip: Path) -> Speaker | None:
        """Who is in a clip, or None when nobody names it.

        Raises:
            InputError: two speakers name it.
        """
        names = {clip.name, clip.stem}
        found = [s for s in self.speakers if names & set(s.clips)]
        found = found or [
            s for s in self.speakers if any(fnmatchcase(n, p) for p in s.clips for n in names)
        ]
        if len(found) > 1:
            both = " and ".join(f"'{speaker.name}'" for speaker in found)
            raise InputError(f"'{self.path}' gives '{clip.name}' to {both}.", "Give it to one.")
        return found[0] if found else None

    def offset_of(self, clip: Path, rate: float, manifest: float) -> float:
        """Frames at 25 fps by which a clip's sound is late, by the best that is known."""
        for name in (clip.stem, clip.name):
            if name in self.offsets:
                return self.offsets[name]
        speaker = self.speaker_of(clip)
        rounded = round(rate / 5) * 5
        if speaker and rounded in speaker.sync:
            return speaker.sync[rounded]
        return manifest + (self.above_29_fps if rate > 29 else 0.0)


def read_split(path: Path) -> Split:
    """Read a `split.toml`.

    Raises:
        InputError: there is no such file, it is no TOML, or it does not say what it should.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"There is no split '{path}'.", _HINT) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"'{path}' cannot be read: {error}.", _HINT) from error
    _known(path, content, {"speakers": dict, "sync": dict}, "")
    named = content.get("speakers", {})
    speakers = tuple(_speaker(path, name, about) for name, about in named.items())
    sync = content.get("sync", {})
    _known(path, sync, {"clips": dict, "above_29_fps": (int, float)}, "sync")
    offsets = {n: _frames(path, f"sync.clips.{n}", v) for n, v in sync.get("clips", {}).items()}
    return _whole(Split(path, speakers, offsets, float(sync.get("above_29_fps", 0.0))))


def _known(path: Path, table: Any, kinds: Mapping[str, Any], where: str) -> None:
    """See that a table has known keys of the right types and no other."""
    if not isinstance(table, dict):
        raise InputError(f"'{where}' in '{path}' is no table.", _HINT)
    for key, value in table.items():
        place = f"{where}.{key}" if where else key
        if key not in kinds:
            known = ", ".join(kinds)
            raise InputError(f"'{place}' in '{path}' means nothing.", f"Known are {known}.")
        if not isinstance(value, kinds[key]):
            raise InputError(f"'{place}' in '{path}' is of the wrong type.", _HINT)


def _frames(path: Path, place: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1000:
        raise InputError(f"'{place}' in '{path}' is no number of frames.", _HINT)
    return float(value)


def _speaker(path: Path, name: str, about: Any) -> Speaker:
    where = f"speakers.{name}"
    _known(path, about, _KEYS, where)
    parts = {part.value: part for part in Part}
    if about.get("part") not in parts:
        raise InputError(f"'{where}.part' in '{path}' is neither {' nor '.join(parts)}.", _HINT)
    clips = about.get("clips", [])
    if not clips or not all(isinstance(clip, str) and clip for clip in clips):
        raise InputError(f"'{where}.clips' in '{path}' is no list of file names.", _HINT)
    rates = about.get("sync", {})
    if not all(rate.isdecimal() for rate in rates):
        raise InputError(f"'{where}.sync' in '{path}' is not by frames a second.", _HINT)
    sync = {int(rate): _frames(path, f"{where}.sync.{rate}", v) for rate, v in rates.items()}
    return Speaker(name, parts[about["part"]], tuple(clips), about.get("many", False), sync)


def _whole(split: Split) -> Split:
    """The split, if it has people of both parts, and no name twice."""
    for part in Part:
        if not any(speaker.part is part for speaker in split.speakers):
            raise InputError(f"'{split.path}' has nobody for {part.value}.", _HINT)
    owners: dict[str, str] = {}
    for speaker in split.speakers:
        for clip in speaker.clips:
            if owners.setdefault(clip, speaker.name) != speaker.name:
                both = f"'{owners[clip]}' and '{speaker.name}'"
                raise InputError(f"'{split.path}' gives '{clip}' to {both}.", "Give it to one.")
    return split


def person_of(stem: str) -> str:
    """Who a file shows by its name: all of it but a number at its end (anna_01 -> anna)."""
    return re.sub(r"[-_. ]+[0-9]+$", "", stem) or stem


def propose(clips: Iterable[tuple[str, str]]) -> str:
    """The text of a `split.toml`.

    Args:
        clips: file name and person of each clip.

    Raises:
        InputError: they show fewer than three people.
    """
    people: dict[str, list[str]] = {}
    for name, person in clips:
        people.setdefault(person, []).append(name)
    if len(people) < FEWEST:
        raise InputError(
            f"The clips show {len(people)} people, by their names; training takes {FEWEST}.",
            "Add clips of others, or write split.toml by hand.",
        )
    count = min(len(people) - 2, max(1, round(SHARE * len(people))))
    by_hash = sorted(people, key=lambda name: hashlib.sha256(name.encode()).digest())
    judges = set(by_hash[:count])
    tables = ["# Who is in which clip; see training/split.py. Look it through before training."]
    for person in sorted(people):
        part = Part.VALIDATION if person in judges else Part.TRAIN
        names = ", ".join(json.dumps(name, ensure_ascii=False) for name in sorted(people[person]))
        key = json.dumps(person, ensure_ascii=False)
        tables.append(f'[speakers.{key}]\npart = "{part.value}"\nclips = [{names}]')
    return "\n\n".join(tables) + "\n"


def make(footage: Path, output: Path | None = None) -> Path:
    """Write a proposal beside the footage; returns its path.

    Raises:
        InputError: the file is there already, cannot be written, or the clips show too few.
    """
    target = output or footage / "split.toml"
    rows = [(path, row) for path, row in clip_rows(footage)]
    text = propose((path.name, row.get("speaker") or person_of(path.stem)) for path, row in rows)
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise InputError(f"'{target}' is there already.", "Edit it, or remove it.") from error
    except OSError as error:
        raise InputError(f"'{target}' cannot be written: {error}.", "Name --output.") from error
    return target


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(
        prog="python -m training.split", description="Propose a split.toml for your footage."
    )
    parser.add_argument("--footage", type=Path, required=True, help="folder with the clips")
    parser.add_argument("--output", type=Path, help="the file; by default split.toml beside them")
    options = parser.parse_args()
    made = make(options.footage, options.output)
    split = read_split(made)
    for part in Part:
        names = ", ".join(s.name for s in split.speakers if s.part is part)
        log.info("%s: %s", part.value, names)


if __name__ == "__main__":
    finish(main)
