"""The errors a person can meet: what happened, and what to do about it."""

from __future__ import annotations


class GSmoothError(Exception):
    """Base of all errors shown to people.

    Args:
        message: what happened, in a person's words.
        hint: what they can do about it.

    Attributes:
        code: stable name for programs (in JSON events).
        exit_code: the process's exit status when this error ends it.
    """

    code = "error"
    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InputError(GSmoothError):
    """A setting, path or file given by the user cannot be used as it is."""

    code = "bad_input"
    exit_code = 3


class MediaError(GSmoothError):
    """A video, image or sound file cannot be read or written."""

    code = "bad_media"
    exit_code = 4


class NoFaceError(GSmoothError):
    """No frame of the clip shows a face that can be tracked."""

    code = "no_face"
    exit_code = 5


class NoSpeechError(GSmoothError):
    """The sound holds nothing that could be spoken: absent, empty or silent."""

    code = "no_speech"
    exit_code = 6


class ModelError(GSmoothError):
    """A model file is missing, damaged or of the wrong kind."""

    code = "bad_model"
    exit_code = 7


class JobError(GSmoothError):
    """A job folder or job file cannot be used (damaged, newer, in use by another process)."""

    code = "bad_job"
    exit_code = 8


class LeakError(GSmoothError):
    """A generator was shown what it should have made; its figures would mean nothing."""

    code = "leak"
    exit_code = 10


class CancelledError(GSmoothError):
    """The user stopped the job; what is finished is kept in the job's folder."""

    code = "cancelled"
    exit_code = 130
