"""Quality of a dub frame by frame, as a curve that the graph editor shows: 1 is good, 0 is poor.

The dubbed strip has it, and its head where there is one, as a custom property of that name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import actions, strips

NAME = "GSmooth Quality"
_WORST = 2.0  # score of a frame that is poor; half of it deserves a look
_PATH = f'["{NAME}"]'


def put(strip: Any, scores: Sequence[float | None]) -> None:
    """Give a dubbed strip the curve of a report's scores; frames without one have no key."""
    begin = strips.first_source_frame(strip)
    points = [
        (begin + at, min(1.0, max(0.0, 1.0 - score / _WORST)))
        for at, score in enumerate(scores)
        if score is not None
    ]
    _put(strip, strip.id_data, "SCENE", _path(strip), points)


def take(strip: Any) -> None:
    """Take it away: what was found is no more true."""
    _put(strip, strip.id_data, "SCENE", _path(strip), ())


def give(head: Any, strip: Any) -> None:
    """Give a head the curve that a strip of its job has."""
    _put(head, head, "OBJECT", _PATH, actions.points_of(strip.id_data, _path(strip)))


def _put(
    owner: Any, data: Any, id_type: str, path: str, points: Sequence[tuple[int, float]]
) -> None:
    actions.put_curve(data, id_type, path, points)
    if not points:
        owner.pop(NAME, None)
        return
    owner[NAME] = points[0][1]
    owner.id_properties_ui(NAME).update(min=0.0, max=1.0, description="1 is good, 0 is poor")
    data.update_tag()  # what Blender evaluates knows nothing of a new property


def _path(strip: Any) -> str:
    return str(strip.path_from_id()) + _PATH
