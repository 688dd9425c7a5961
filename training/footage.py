"""The clips of a footage folder, each with its person and the lateness of its sound."""

from __future__ import annotations

import argparse
import logging
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from gsmooth_core.a2ep.mel import SAMPLE_RATE
from gsmooth_core.errors import InputError
from gsmooth_core.media import read_audio
from gsmooth_core.types import Float
from training.manifest import clip_rows
from training.split import OWN, Part, Split, read_split

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sample:
    """One clip of the footage.

    Attributes:
        path: the video file.
        speaker: who is seen in it.
        sync_offset: frames at 25 fps by which the sound is late, counted from the first picture.
        trusted: whether the manifest's offset was measured with confidence.
        part: training or validation.
        many: whether its speaker's name stands for several people.
    """

    path: Path
    speaker: str
    sync_offset: float
    trusted: bool
    part: Part = Part.TRAIN
    many: bool = False

    @property
    def stem(self) -> str:
        """Name under which the cache knows the clip."""
        return self.path.stem

    def aligned_audio(self) -> Float:
        """Its sound, (S,) at 16 kHz; time zero is what is heard at the first picture."""
        return read_audio(self.path, SAMPLE_RATE, start=self.sync_offset / 25.0)


@dataclass(frozen=True)
class Footage:
    """A folder of clips, and who is in them.

    Attributes:
        folder: see the head of `training/manifest.py`.
        split_file: by default `split.toml` in the folder. Where there is none, and the split of
            the shipped models names every clip that the folder has, it is that one: this footage
            cannot be written to, and the figures of the cards depend on its split.
    """

    folder: Path
    split_file: Path | None = None

    def split(self) -> Split:
        """Who is who.

        Raises:
            InputError: no split is there, or it is no good one.
        """
        beside = self.folder / "split.toml"
        if self.split_file or beside.is_file():
            return read_split(self.split_file or beside)
        own = read_split(OWN)
        if all(own.speaker_of(path) for path, _ in clip_rows(self.folder)):
            return own
        raise InputError(
            f"'{self.folder}' has no split.toml, which says who is in its clips.",
            f"Run `python -m training.split --footage {self.folder}`.",
        )

    def samples(self) -> list[Sample]:
        """All clips that the split names, in the order of the manifest or of their names.

        Raises:
            InputError: there is no clip, or two have the same name.
        """
        split, found, unnamed = self.split(), [], []
        for path, row in clip_rows(self.folder):
            sample = _sample(path, row, split)
            if sample:
                found.append(sample)
            else:
                unnamed.append(path.name)
        if unnamed:
            log.warning("%s names nobody in: %s", split.path, ", ".join(unnamed))
        stem, count = Counter(s.stem for s in found).most_common(1)[0] if found else ("", 0)
        if count > 1:
            raise InputError(f"Two clips are called '{stem}'.", "Rename one.")
        return found


def _sample(path: Path, row: dict[str, str], split: Split) -> Sample | None:
    speaker = split.speaker_of(path)
    if speaker is None:
        return None
    measured = row.get("sync_C")
    trusted = measured is None or float(measured) > float(row["null_C95"])
    offset = split.offset_of(path, float(row.get("fps") or 25), float(row.get("sync_offset") or 0))
    return Sample(path, speaker.name, offset, trusted, speaker.part, speaker.many)


def add_footage(parser: argparse.ArgumentParser) -> None:
    """Add `--footage` and `--split` to a command."""
    parser.add_argument("--footage", type=Path, required=True, help="folder with the clips")
    parser.add_argument("--split", type=Path, help="who is in them; by default its split.toml")


def chosen_footage(options: argparse.Namespace) -> Footage:
    """What `--footage` and `--split` say."""
    return Footage(options.footage, options.split)
