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

from gsmooth_core.errors import CancelledError, JobError, NoFaceError
from gsmooth_core.job.job import KIND
from gsmooth_core.job.names import NAMES, JobFile
from gsmooth_core.storage.files import (
    PARTIAL,
    cannot_write,
    make_folder,
    same_file,
    shown,
    write_text,
)
from gsmooth_core.storage.locks import locked, output_locked

MARK = "temporary"
_KEPT = "What is finished is kept: run it again to go on."
_ANEW = "Nothing was finished: run again, it begins anew."
_OWN = "|".join(map(re.escape, NAMES))
_OURS = re.compile(
    rf"{MARK}|lock|lock\.pid|{_OWN}|person_[1-9]\d?"
    r"|(segment_\d{5}|patch(_\d{5})?|rest_\d{7})(\.mp4)?|woven\.json|sequence_\d+\.mov"
    rf"|[\w.]+{re.escape(PARTIAL)}(\.\w+)?|tmp\w+\.ffconcat"
)
_BEFORE = re.compile(rf"{MARK}|lock|lock\.pid|[\w.]+{re.escape(PARTIAL)}(\.\w+)?")  # job.json
_SEGMENT = re.compile(r"segment_\d{5}|patch(_\d{5})?|rest_\d{7}")
_FRAME = re.compile(r"\d{5}\.(png|tiff?|exr|jpe?g)")


@contextmanager
def workplace(folder: Path, output: Path, *, temporary: bool = False) -> Iterator[None]:
    """Work in `folder` on `output`, alone.

    Args:
        folder: the job's folder; it is made when it is not there.
        output: what is made.
        temporary: whether the folder is only there for this output: it goes when the block has
            ended well, or when it has failed before anything was finished or for want of a face,
            or been stopped before anything was begun. A folder that was kept once stays.

    Raises:
        JobError: another process works there, the output would be one of its own files, or
            somebody else's files lie there under the names of a job's.
        MediaError: the folder cannot be made.
        CancelledError: the user stopped what is done in it; the hint says what is left of it.
    """
    _check_apart(folder, output)
    with output_locked(output):
        new = make_folder(folder)
        if not new:
            _check_free(folder)
        done = held = stopped = False  # done with it, for good or bad
        try:
            with locked(folder):
                held = True
                _mark(folder, new=new, temporary=temporary)
                yield
                done = True
        except CancelledError as error:
            stopped = True
            kept = _goes_on(folder, stopped=True)
            raise CancelledError(error.message, _KEPT if kept else _ANEW) from error
        except NoFaceError:
            done = not _followed(folder)  # what is seen stays as it is: no other run goes on
            raise
        finally:
            # On a full disk a new folder may have got no mark.
            ours = held and ((new and temporary) or (folder / MARK).is_file())
            if ours and (done or not _goes_on(folder, stopped=stopped)):
                clear(folder)


def _goes_on(folder: Path, *, stopped: bool) -> bool:
    """Whether a folder holds work that another run needs not do again."""
    if (folder / JobFile.JOURNAL).exists():
        return True
    answers = folder / JobFile.ANSWERS
    return stopped and answers.is_file() and answers.stat().st_size > 0


def _followed(folder: Path) -> bool:
    """Whether faces of the clip itself were found: then it is another file that shows none."""
    return any(folder.rglob(JobFile.TRACK))


def person_folder(folder: Path, number: str) -> Path:
    """The folder, in a job's own, of one of several people; it is made when it is not there.

    Raises:
        JobError: a link is in its place, which is not followed.
        MediaError: it cannot be made.
    """
    path = folder / f"person_{number}"
    if path.is_symlink():
        raise JobError(f"The folder '{shown(path)}' is a link.", "Remove it.")
    make_folder(path)
    return path


def _check_apart(folder: Path, output: Path) -> None:
    among = same_file(output.parent, folder) and _OURS.fullmatch(output.name)
    if among or same_file(output, folder):
        raise JobError(
            f"The output '{shown(output)}' would be one of the job's own files.",
            "Choose another name for it, or another folder for the job.",
        )


def _check_free(folder: Path) -> None:
    """Refuse a folder that is no job's, in which a job would write over what lies there."""
    own = folder / JobFile.JOB
    try:
        if own.is_file() and KIND.encode() in own.read_bytes():
            return
        files = [child for child in folder.iterdir() if child.is_file() and not child.is_symlink()]
    except OSError as error:
        raise cannot_write(folder, error) from error
    names = sorted(file.name for file in files)  # of links and folders nothing is written over
    lost = [name for name in names if _OURS.fullmatch(name) and not _BEFORE.fullmatch(name)]
    if lost:
        raise JobError(
            f"The folder '{shown(folder)}' is no job's, and its '{lost[0]}' would be lost.",
            "Choose an empty or a new folder for the job.",
        )


def _mark(folder: Path, *, new: bool, temporary: bool) -> None:
    if new and temporary:
        write_text(folder / MARK, "GSmooth made this folder, and removes it with the job's end.\n")
    elif not temporary:
        (folder / MARK).unlink(missing_ok=True)  # from now on it is wanted


def clear(folder: Path) -> None:
    """Remove what GSmooth wrote into a job's folder, and the folder if that was all.

    Links go as links; what they point to stays.
    """
    _clear(folder, _OURS)


def _clear(folder: Path, ours: re.Pattern[str]) -> None:
    for child in folder.iterdir():
        if not ours.fullmatch(child.name):
            continue
        if child.is_dir() and not child.is_symlink():
            _clear(child, _FRAME if _SEGMENT.fullmatch(child.name) else _OURS)
        else:
            child.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()
