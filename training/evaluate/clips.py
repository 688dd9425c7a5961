"""Which clips are evaluated: those of people whom no model has learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gsmooth_core.errors import InputError
from training.manifest import VIDEOS, manifest_rows
from training.split import OWN, Part, Split, read_split


@dataclass(frozen=True)
class EvalClip:
    """One clip to evaluate.

    Attributes:
        path: the video.
        speaker: who is seen.
        offset: frames at 25 fps by which its sound is late; taken out before anything is judged.
        trusted: whether that offset was measured with confidence.
    """

    path: Path
    speaker: str
    offset: float
    trusted: bool

    @property
    def stem(self) -> str:
        """Its name in the report."""
        return self.path.stem


def chosen_clips(footage: Path, names: Sequence[str] = ()) -> list[EvalClip]:
    """Clips of a footage folder.

    Args:
        footage: folder with `clips/` (or with the clips themselves), and perhaps a manifest.
        names: file names; by default every clip whose speaker no model was trained on.

    Raises:
        InputError: there is no such clip, or none at all; or the split beside them is no good.
    """
    folder = footage / "clips" if (footage / "clips").is_dir() else footage
    if not folder.is_dir():
        raise InputError(f"There is no folder '{folder}'.", "Name the folder with the clips.")
    found = {path.name: path for path in sorted(folder.iterdir()) if path.suffix.lower() in VIDEOS}
    missing = [name for name in names if name not in found]
    if missing:
        raise InputError(f"There is no clip '{missing[0]}' in '{folder}'.", "Check its name.")
    split, known = _split(footage), {row["file"]: row for row in manifest_rows(folder)}
    clips = [_clip(path, known.get(path.name, {}), split) for path in found.values()]
    splits = (split, read_split(OWN))
    chosen = [
        clip
        for clip in clips
        if (clip.path.name in names if names else not _trained(clip.path, splits))
    ]
    if not chosen:
        raise InputError(f"'{folder}' holds no clip of an unknown person.", "Name some (--clips).")
    return chosen


def _split(footage: Path) -> Split:
    """The footage's own split, or that of the shipped models."""
    beside = footage / "split.toml"
    return read_split(beside if beside.is_file() else OWN)


def _trained(clip: Path, splits: Sequence[Split]) -> bool:
    """Whether a model, the user's own or a shipped one, may have learned from this person."""
    speakers = (split.speaker_of(clip) for split in splits)
    return any(speaker and speaker.part is Part.TRAIN for speaker in speakers)


def _clip(path: Path, row: dict[str, str], split: Split) -> EvalClip:
    speaker = split.speaker_of(path)
    name = speaker.name if speaker else row.get("speaker") or path.stem
    offset = split.offset_of(path, float(row.get("fps") or 25), float(row.get("sync_offset") or 0))
    measured = row.get("sync_C")
    trusted = bool(measured) and float(measured or 0) > float(row.get("null_C95") or 0)
    return EvalClip(path, name, offset, trusted)
