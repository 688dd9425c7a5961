"""Quality of a dub frame by frame, as a curve that the graph editor shows: 1 is good, 0 is poor.

The dubbed strip has it, and its head where there is one, as a custom property of that name. Where
several people were dubbed, the strip has a curve of each, too, and each head that of its person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from ..head import actions
from ..timeline import strips

NAME = "GSmooth Quality"
_WORST = 2.0  # score of a frame that is poor; half of it deserves a look

Scores = Sequence[float | None]


def put(strip: Any, scores: Mapping[int, Scores]) -> None:
    """Give a dubbed strip the curve of its reports' scores; frames without one have no key.

    Args:
        strip: the dubbed strip.
        scores: by the numbers of the people; 0 for one alone.
    """
    take(strip)
    people = {number: row for number, row in scores.items() if number}
    for number, row in (people | {0: _least(list(scores.values()))}).items():
        _put(strip, strip.id_data, "SCENE", _name(number), _points(strip, row))


def _least(rows: Sequence[Scores]) -> Scores:
    """Of each frame the score of whoever is least good there."""
    frames = zip_longest(*rows)
    return [max((s for s in frame if s is not None), default=None) for frame in frames]


def _points(strip: Any, scores: Scores) -> list[tuple[int, float]]:
    begin = strips.first_source_frame(strip)
    return [
        (begin + at, min(1.0, max(0.0, 1.0 - score / _WORST)))
        for at, score in enumerate(scores)
        if score is not None
    ]


def take(strip: Any) -> None:
    """Take all of them away: what was found is no more true."""
    for name in [name for name in strip.keys() if name.startswith(NAME)]:  # noqa: SIM118 - no dict
        _put(strip, strip.id_data, "SCENE", name, ())


def give(head: Any, strip: Any, number: int = 0) -> None:
    """Give a head the curve that a strip of its job has.

    Args:
        head: the head.
        strip: the dubbed strip.
        number: of the person whose head it is; 0 where one alone was dubbed.
    """
    points = actions.points_of(strip.id_data, _path(strip, _name(number)))
    _put(head, head, "OBJECT", NAME, points)


def _put(
    owner: Any, data: Any, id_type: str, name: str, points: Sequence[tuple[int, float]]
) -> None:
    path = _path(owner, name) if owner != data else f'["{name}"]'
    actions.put_curve(data, id_type, path, points)
    if not points:
        owner.pop(name, None)
        return
    owner[name] = points[0][1]
    owner.id_properties_ui(name).update(min=0.0, max=1.0, description="1 is good, 0 is poor")
    data.update_tag()  # what Blender evaluates knows nothing of a new property


def _name(number: int) -> str:
    return f"{NAME} of Person {number}" if number else NAME


def _path(strip: Any, name: str) -> str:
    return f'{strip.path_from_id()}["{name}"]'
