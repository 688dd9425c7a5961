"""What would stop a dub, or make it one that nobody sees or hears, told before it begins.

Drawing code asks all of this, so no file is opened here.
"""

from __future__ import annotations

import os
from typing import Any, Protocol

from ..errors import UserError
from . import pictures, strips

NO_OVERLAP = "The speech does not overlap the clip: move the sound strip over it."
NO_SPEECH_OVERLAPS = "No speech overlaps the clip: move the sound strips over it."


class Chosen(Protocol):
    """What is selected, see `selection.Selection`."""

    @property
    def picture(self) -> Any:
        """The picture strip."""

    @property
    def speech(self) -> Any:
        """The sound strip, or None."""

    @property
    def speeches(self) -> tuple[tuple[int, Any], ...]:
        """Those of several people, by their numbers."""


def check_files(chosen: Chosen) -> None:
    """See that every file is there that the dub is made from.

    Raises:
        UserError: one is missing; it is named.
    """
    missing = pictures.missing_file(chosen.picture)
    if missing:
        raise _missing(chosen.picture, missing)
    for voice in voices_of(chosen):
        if voice.sound.packed_file:
            continue
        # Path.is_file raises for a name that no disk takes.
        if not os.path.isfile(strips.source_path(voice)):  # noqa: PTH113
            raise _missing(voice, str(strips.source_path(voice)))


def _missing(strip: Any, file: str) -> UserError:
    return UserError(
        f"The file of '{strip.name}' is missing: '{file}'. "
        "Find it with File > External Data, or relink the strip."
    )


def check_overlap(chosen: Chosen) -> None:
    """See that something is said while the clip is seen.

    Raises:
        UserError: no speech lies over it.
    """
    heard = voices_of(chosen)
    if heard and not any(strips.overlap(voice, chosen.picture) for voice in heard):
        raise UserError(NO_SPEECH_OVERLAPS if chosen.speeches else NO_OVERLAP)


def voices_of(chosen: Chosen) -> list[Any]:
    """The sound strips that are spoken."""
    found = [strip for _number, strip in chosen.speeches] or [chosen.speech]
    return [strip for strip in found if strip is not None]


def unnoticed(chosen: Chosen, scene: Any) -> list[str]:
    """What of the dub nobody would see or hear, and that its speech is none but the clip's own."""
    picture, told = chosen.picture, []
    if _channel(scene, picture).mute:
        told.append(f"Channel {picture.channel} is muted: switch it on to see the dub.")
    for voice in voices_of(chosen):
        if voice.mute or _channel(scene, voice).mute:
            told.append(f"'{voice.name}' is muted: it will be spoken, but not heard.")
    if chosen.speech is not None and _is_own(chosen):
        told.append(
            f"'{chosen.speech.name}' is the clip's own sound: for new words select the sound "
            "strip that has them."
        )
    return told


def _channel(scene: Any, strip: Any) -> Any:
    return strips.owner_of(scene, strip).channels[strip.channel]


def _is_own(chosen: Chosen) -> bool:
    """Whether the speech is what the clip's file says; another of its tracks may be meant."""
    own = pictures.files(chosen.picture)
    other_track = getattr(chosen.speech, "stream_index", 0)
    return str(strips.source_path(chosen.speech)) in own and not other_track
