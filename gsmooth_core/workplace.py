"""The folder in which a job works: made when it is needed, removed only by who made it.

A folder that GSmooth made for one output alone carries a mark; when the output is whole, what
GSmooth wrote there goes, and the folder with it unless somebody else put something in it. A folder
that was there before, that the user named or asked to keep, stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gsmooth_core.errors import JobError
from gsmooth_core.files import make_folder, remove_folder, shown, write_text
from gsmooth_core.journal import JOURNAL_FILE
from gsmooth_core.locks import locked, output_locked

MARK = "temporary"
_OURS = re.compile(
    rf"{MARK}|lock|lock\.pid|job\.json|{JOURNAL_FILE}|report\.(json|html)|quality\.json|sync\.svg"
    r"|(track|predicted|target|occluders|personal|mesh|found)\.safetensors|texture\.png"
    r"|segment_\d{5}(\.mp4)?|[\w.]+\.partial(\.\w+)?|tmp\w+\.ffconcat"
)


@contextmanager
def workplace(folder: Path, output: Path, *, temporary: bool = False) -> Iterator[None]:
    """Work in `folder` on `output`, alone.

    Args:
        folder: the job's folder; it is made when it is not there.
        output: what is made.
        temporary: whether the folder is only there for this output: it goes when the block has
            ended well, or when it has failed before anything was finished. A folder that was
            kept once stays.

    Raises:
        JobError: another process works there, or the folder is a link that nobody named.
        MediaError: the folder cannot be made.
    """
    if temporary and folder.is_symlink():
        raise JobError(
            f"The job's folder '{shown(folder)}' is a link.", "Remove it, or name a folder (--job)."
        )
    with output_locked(output):
        new = make_folder(folder)
        done = held = False
        try:
            with locked(folder):
                held = True
                _mark(folder, new=new, temporary=temporary)
                yield
                done = True
        finally:
            marked = held and (folder / MARK).is_file()
            if marked and (done or not (folder / JOURNAL_FILE).exists()):
                clear(folder)


def _mark(folder: Path, *, new: bool, temporary: bool) -> None:
    if new and temporary:
        write_text(folder / MARK, "GSmooth made this folder, and removes it with the job's end.\n")
    elif not temporary:
        (folder / MARK).unlink(missing_ok=True)  # from now on it is wanted


def clear(folder: Path) -> None:
    """Remove what GSmooth wrote into a job's folder, and the folder if that was all.

    Links go as links; what they point to stays.
    """
    for child in folder.iterdir():
        if _OURS.fullmatch(child.name):
            if child.is_dir() and not child.is_symlink():
                remove_folder(child)
            else:
                child.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()
