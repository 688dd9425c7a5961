"""Words for a place in which a file cannot be written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from gsmooth_core.storage.files import cannot_write

WORDS = {
    errno.ENOSPC: ("disk is full", "Free some space"),
    errno.EDQUOT: ("disk is full", "Free some space"),
    errno.EACCES: ("no permission", "another place"),
    errno.EFBIG: ("larger than a file may be", "another disk"),
    errno.ENAMETOOLONG: ("too long a name", "shorter"),
    errno.EIO: (os.strerror(errno.EIO), "its disk"),
}


@pytest.mark.parametrize("number", WORDS, ids=errno.errorcode.get)
def test_each_reason_has_its_own_way_out(number):
    said = cannot_write(Path("film.mp4"), OSError(number, os.strerror(number)))
    what, way_out = WORDS[number]
    assert what in said.message
    assert "film.mp4" in said.message
    assert way_out in said.hint
