"""Who and what a shot shows, and which frames stayed as they were, as elements of a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from gsmooth_core.evaluation.report import page as html
from gsmooth_core.job.seen import Refused, Seen, Untouched, why_in_words
from gsmooth_core.ranges import Ranges, describe_ranges


def seen_elements(
    people: Sequence[Seen],
    shots: Ranges,
    untouched: Sequence[Untouched],
    refused: Sequence[Refused],
    first: int,
) -> list[Markup]:
    """People, shots, untouched frames and those that were no references.

    Args:
        people: everybody in the clip.
        shots: [first, last] of each shot.
        untouched: frames in which nobody was dubbed.
        refused: frames that were no references.
        first: number of frame 0 for the reader.
    """
    count = f"{len(shots)} shots" if len(shots) != 1 else "One shot"
    table = html.table(
        ["person", "seen", "dubbed", "says"], [_row(person, first) for person in people]
    )
    left = why_in_words(untouched, first) or "Every frame was dubbed."
    return [
        table if people else html.text("p", "People were not told apart.", "soft"),
        html.text("p", f"{count}: {_frames(shots, first)}."),
        html.text("p", left),
        *(html.text("p", sentence, "soft") for sentence in _refused(refused, first)),
    ]


def _refused(refused: Sequence[Refused], first: int) -> list[str]:
    sentences = []
    for why in dict.fromkeys(stretch.why for stretch in refused):
        ranges = [(s.first, s.last) for s in refused if s.why == why]
        sentences.append(f"No reference ({why}): {describe_ranges(ranges, first)}.")
    return sentences


def _row(person: Seen, first: int) -> list[str]:
    says = Path(person.speech).name if person.speech else ""
    return [str(person.number), _frames(person.frames, first), _frames(person.dubbed, first), says]


def _frames(ranges: Ranges, first: int) -> str:
    return describe_ranges(ranges, first) if ranges else "no frame"
