"""Errors that nobody foresaw, as words; their traceback is for the log."""

from __future__ import annotations

import errno
import logging

import pytest

from gsmooth_core.job.events import Failure, outcome_of

UNFORESEEN = {
    "a full disk": (OSError(errno.ENOSPC, "No space left", "/d/f"), "bad_media", logging.WARNING),
    "a bad disk": (OSError(errno.EIO, "Input/output error", "/d/f"), "bad_media", logging.WARNING),
    "memory": (MemoryError(), "out_of_memory", logging.WARNING),
    "a fault": (ValueError("of ours"), "internal", logging.ERROR),
}


@pytest.mark.parametrize("kind", UNFORESEEN)
def test_a_traceback_is_shown_of_faults_of_ours_alone(kind, caplog):
    """The command line shows errors of the log, and no warnings."""
    error, code, level = UNFORESEEN[kind]

    def fail():
        raise error

    failure = outcome_of(fail)
    assert isinstance(failure, Failure)
    assert failure.code == code
    assert failure.hint
    [record] = caplog.records
    assert record.levelno == level
    assert record.exc_info[1] is error
