"""One speech strip a person: which sound strip says the words of whom, noted with the picture."""

from __future__ import annotations

import json
from typing import Any

from ..storage.checks import TEXT, Kind
from ..storage.files import noted_object
from . import stacking, strips

GIVEN = "gsmooth_speeches"
"""Custom property of a picture strip: by a person's number the name and mark of a sound strip."""
SAID = "gsmooth_said"
"""Custom property of a dubbed strip: name and mark of the sound strip whose words it says."""
MOST = 99  # the highest number of a person
_STRIP = Kind(
    lambda value: isinstance(value, list) and len(value) == 2 and all(map(TEXT.fits, value)),
    "the name and mark of a strip",
)


def given(picture: Any) -> tuple[tuple[int, Any], ...]:
    """The people of a picture strip who were given a speech, and these sound strips."""
    scene = picture.id_data
    found = (
        (number, stacking.find(scene, name, known, ("SOUND",)))
        for number, (name, known) in sorted(_noted(picture).items())
    )
    return tuple((number, strip) for number, strip in found if strip is not None)


def numbers(picture: Any) -> list[int]:
    """The people who were given a speech, also one that is gone by now."""
    return sorted(_noted(picture))


def give(picture: Any, number: int, sound: Any) -> None:
    """Have a person say the words of a sound strip; None takes theirs away.

    A strip is one person's: who said it before is silent from now on.
    """
    noted = _noted(picture)
    noted.pop(number, None)
    if sound is not None:
        entry = [sound.name, stacking.identify(sound)]
        noted = {other: strip for other, strip in noted.items() if strip[1] != entry[1]}
        noted[number] = entry
    if noted:
        picture[GIVEN] = json.dumps(noted)
    else:
        picture.pop(GIVEN, None)


def note_said(dub: Any, name: str, known: str) -> None:
    """Note with a dub the one speech that it says, by the sound strip's name and mark."""
    if name:
        dub[SAID] = json.dumps({"strip": [name, known]})


def said(dub: Any) -> Any:
    """The sound strip whose words a dub says; None where it is gone, or the dub says several."""
    noted = noted_object(dub, SAID).get("strip")
    if not _STRIP.fits(noted):
        return None
    name, known = noted
    return stacking.find(dub.id_data, name, known, ("SOUND",))


def sounds(picture: Any) -> list[Any]:
    """The sound strips that lie over a picture strip."""
    owner = strips.owner_of(picture.id_data, picture)
    return [s for s in strips.children(owner) if s.type == "SOUND" and strips.overlap(s, picture)]


def _noted(picture: Any) -> dict[int, list[str]]:
    """What is noted; nothing where a stranger's file holds something else."""
    content = noted_object(picture, GIVEN)
    people = {str(number): number for number in range(1, MOST + 1)}
    return {
        people[key]: value for key, value in content.items() if key in people and _STRIP.fits(value)
    }
