"""Who is seen in a strip, as the worker found them, with pictures; kept while Blender runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy.utils.previews

from ..timeline import pictures, strips


@dataclass(frozen=True)
class Person:
    """Somebody whom a strip shows.

    Attributes:
        number: by which a job names them.
        picture: file of their picture, or "".
        text: about them, for people.
    """

    number: int
    picture: str
    text: str


_found: dict[tuple[Any, ...], tuple[Person, ...]] = {}
_icons: list[Any] = []  # the collection of previews, while the add-on is on


def frames_of(strip: Any) -> tuple[Any, ...]:
    """What tells the frames that a strip shows: of other frames the numbers are others."""
    start = strips.left(strip) - strips.first_source_frame(strip)
    kind = strip.type, pictures.why_rendered(strip)
    return strip.name, pictures.files(strip), *kind, start, strips.right(strip) - strips.left(strip)


def note(frames: tuple[Any, ...], people: Sequence[Person]) -> None:
    """Keep who is seen in these frames; of others found before it is forgotten."""
    _found.clear()
    _found[frames] = tuple(people)
    for icons in _icons:
        icons.clear()
        for person in people:
            if person.picture:
                icons.load(str(person.number), person.picture, "IMAGE")


def seen_in(strip: Any) -> tuple[Person, ...]:
    """Who was found in the strip as it is now; nobody where nobody has looked."""
    return _found.get(frames_of(strip), ()) if _found else ()


def about(number: int) -> str:
    """What is known of a person of the last list; "" for nothing."""
    return next((p.text for people in _found.values() for p in people if p.number == number), "")


def icon(person: Person) -> int:
    """Number of the icon that is a person's picture; 0 for none."""
    found = [icons[str(person.number)] for icons in _icons if str(person.number) in icons]
    return int(found[0].icon_id) if found else 0


def register() -> None:
    """Make room for pictures."""
    _icons.append(bpy.utils.previews.new())


def unregister() -> None:
    """Forget all."""
    _found.clear()
    while _icons:
        bpy.utils.previews.remove(_icons.pop())
