"""Which clips are evaluated: those of people whom no model has learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gsmooth_core.errors import InputError
from training.split import SPEAKERS, VALIDATION_SPEAKERS, best_offset

VIDEOS = frozenset((".mp4", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m4v"))


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
        InputError: there is no such clip, or none at all.
    """
    folder = footage / "clips" if (footage / "clips").is_dir() else footage
    if not folder.is_dir():
        raise InputError(f"There is no folder '{folder}'.", "Name the folder with the clips.")
    found = {path.name: path for path in sorted(folder.iterdir()) if path.suffix in VIDEOS}
    missing = [name for name in names if name not in found]
    if missing:
        raise InputError(f"There is no clip '{missing[0]}' in '{folder}'.", "Check its name.")
    known = _known(folder)
    clips = [_clip(path, known.get(path.name, {})) for path in found.values()]
    chosen = [c for c in clips if (c.path.name in names if names else not _trained(c))]
    if not chosen:
        raise InputError(f"'{folder}' holds no clip of an unknown person.", "Name some (--clips).")
    return chosen


def _trained(clip: EvalClip) -> bool:
    """Whether a model may have learned from this person."""
    if clip.stem.startswith(("ar__", "osalinasv__")):
        return True
    return clip.stem in SPEAKERS and SPEAKERS[clip.stem] not in VALIDATION_SPEAKERS


def _clip(path: Path, row: dict[str, str]) -> EvalClip:
    speaker = SPEAKERS.get(path.stem) or row.get("speaker") or path.stem
    manifest = int(row.get("sync_offset") or 0)
    offset = best_offset(path.stem, float(row.get("fps") or 25), manifest)
    measured = row.get("sync_C")
    trusted = bool(measured) and float(measured or 0) > float(row.get("null_C95") or 0)
    return EvalClip(path, speaker, offset, trusted)


def _known(folder: Path) -> dict[str, dict[str, str]]:
    """Rows of the folder's manifest by file name."""
    path = folder / "manifest.tsv"
    if not path.is_file():
        return {}
    head, *lines = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    rows = (dict(zip(head, line, strict=False)) for line in lines)
    return {row["file"]: row for row in rows if row.get("file")}
