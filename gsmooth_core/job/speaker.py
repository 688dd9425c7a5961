"""Who speaks in a clip's own sound, and which of its people that makes the chosen one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gsmooth_core.a2ep.mel import SAMPLE_RATE
from gsmooth_core.errors import NoSpeechError
from gsmooth_core.media import read_audio, require_speech
from gsmooth_core.sync import SyncResult
from gsmooth_core.sync.speaker import fits, turns
from gsmooth_core.tracking.people.people import LARGEST, SPEAKER, People, Person
from gsmooth_core.types import Bool, Clip, Float

_NOBODY = (
    "The video's own sound does not tell who of the {} people speaks: the largest face is taken. "
    "`gsmooth faces` lists them; choose one by number."
)


def own_sound(clip: Clip, start: int, count: int) -> Float | None:
    """(S,) 16 kHz: what is heard in `count` frames from `start` on; None without any sound."""
    if clip.still or not clip.has_audio:
        return None
    begin, seconds = float(start / clip.fps), float(count / clip.fps)
    try:
        heard = read_audio(clip.path, SAMPLE_RATE, begin, seconds, clip.sound_track)
        return require_speech(heard, f"'{clip.path.name}'")
    except NoSpeechError:
        return None


def voices(people: People, clip: Clip, start: int) -> list[SyncResult | None]:
    """How well the clip's own sound fits the lips of each person, in their order.

    Args:
        people: who is seen in the clip's frames from `start` on.
        clip: the video.
        start: first of the frames.

    Returns:
        None for each where nothing is heard, or who is seen too shortly.
    """
    sound = own_sound(clip, start, len(people.shot))
    if sound is None:
        return [None] * len(people.people)
    return fits((_points(people, person) for person in people.people), clip.fps, sound)


def turns_of(people: People, clip: Clip, start: int) -> dict[str, Bool]:
    """Who of several people speaks when, in the clip's own sound.

    Args:
        people: who is seen in the clip's frames from `start` on.
        clip: the video.
        start: first of the frames.

    Returns:
        (T,) for the number of each person who speaks somewhere: every frame is somebody's.
        Nothing where it cannot be told.
    """
    sound = own_sound(clip, start, len(people.shot)) if len(people.people) > 1 else None
    if sound is None:
        return {}
    faces = (_points(people, person) for person in people.people)
    whose = turns(faces, clip.fps, sound, len(people.shot))
    if whose is None:
        return {}
    return {str(people.people[n].number): whose == n for n in np.unique(whose)}


def _points(people: People, person: Person) -> Float:
    return people.track(person)[0].flat()


def choose(
    people: People, face: str, clip: Clip, start: int, warn: Callable[[str], None]
) -> Person | None:
    """The person that a setting names: "largest", "speaker" or a number.

    The speaker is who speaks for most of the frames; who is alone is it without being listened to.
    Where nobody's lips fit the sound clearly, as under music, or where nothing is heard, it is the
    largest, and a warning says so.

    Args:
        people: who is seen in the clip's frames from `start` on.
        face: as `DubSettings.face`.
        clip: the video.
        start: first of the frames.
        warn: told what a person should know.

    Returns:
        None where nobody is seen at all.

    Raises:
        InputError: there is no person of that number.
    """
    if face != SPEAKER:
        return people.choose(face)
    if len(people.people) < 2:
        return people.choose(LARGEST)
    speaking = turns_of(people, clip, start)
    if speaking:
        most = max(speaking, key=lambda number: int(speaking[number].sum()))
        return people.choose(most)
    warn(_NOBODY.format(len(people.people)))
    return people.choose(LARGEST)
