"""Which clips a footage folder has, and what is written beside them.

Clips lie in the folder itself, or in `clips/` and `words/` in it (`words/` for clips of a word,
which teach but do not judge). A `manifest.tsv` beside them is optional: a head line and a line a
clip, with columns `file`, and perhaps `fps`, `speaker`, `sync_offset` (frames at 25 fps by which
the sound is late), `sync_C` and `null_C95` (how sure that is, and what wrong sound reaches).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gsmooth_core.errors import InputError

VIDEOS = frozenset((".mp4", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m4v"))


def manifest_rows(folder: Path) -> list[dict[str, str]]:
    """Rows of a folder's `manifest.tsv`; none when there is no such file."""
    path = folder / "manifest.tsv"
    if not path.is_file():
        return []
    head, *lines = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    rows = (dict(zip(head, line, strict=False)) for line in lines)
    return [row for row in rows if row.get("file")]


def clip_rows(footage: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """Each clip's file, and what the manifest knows about it.

    Where there is a manifest, its rows are the clips; else they are the videos of the folder.

    Raises:
        InputError: there is no clip.
    """
    empty = True
    for folder in (footage, footage / "clips", footage / "words"):
        rows = manifest_rows(folder)
        if not rows and folder.is_dir():
            names = sorted(p.name for p in folder.iterdir() if p.suffix.lower() in VIDEOS)
            rows = [{"file": name} for name in names]
        for row in rows:
            empty = False
            yield folder / row["file"], row
    if empty:
        raise InputError(f"'{footage}' holds no clips.", "Name the folder with your videos.")
