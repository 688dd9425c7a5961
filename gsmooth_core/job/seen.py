"""Who and what a clip shows, out of its track: shots, people, and why frames stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gsmooth_core.job.source import Source
from gsmooth_core.mafb.occlusion.occluders import Occluders
from gsmooth_core.ranges import Ranges, describe_ranges, ranges_of
from gsmooth_core.tracking.people import LARGEST
from gsmooth_core.types import FaceTrack

_WORDS = {
    "unusable": "No usable face in {}; left as they are.",
    "no face": "No face in {}; left as they are.",
    "someone else": "Someone else is seen in {}; left as they are.",
    "dissolve": "Two pictures are mixed in {}; left as they are.",
}
"""Why frames stay as they are: the reason, and what is said of it."""


@dataclass(frozen=True)
class Untouched:
    """Frames that stay as they are.

    Attributes:
        first: their first.
        last: and their last.
        why: "no face", "unusable" (turned away, hidden, too small), "someone else" (the chosen
            person is not seen, another is) or "dissolve" (two pictures are mixed).
    """

    first: int
    last: int
    why: str


@dataclass(frozen=True)
class Seen:
    """A person of the clip.

    Attributes:
        number: as `--face` takes it.
        frames: [first, last] ranges in which the person is seen.
        chosen: whether it is the one whose face is dubbed.
    """

    number: int
    frames: Ranges
    chosen: bool


def untouched(track: FaceTrack) -> list[Untouched]:
    """All frames without a usable face of the chosen person, in their order."""
    why = np.full(len(track), "no face", object)
    why[np.isfinite(track.landmarks).all((1, 2))] = "unusable"
    if track.people is not None:
        mine = track.people[:, track.person - 1] if track.person else np.zeros(len(track), bool)
        why[track.people.any(1) & ~mine] = "someone else"
    if track.shot is not None:
        why[track.shot < 0] = "dissolve"
    why[track.usable] = ""
    found = [Untouched(a, b, w) for w in _WORDS for a, b in ranges_of(why == w)]
    return sorted(found, key=lambda stretch: stretch.first)


def in_words(track: FaceTrack, first: int) -> str:
    """What stays as it is and why; `first` is the number of frame 0 for the reader."""
    sentences, stretches = [], untouched(track)
    for why, words in _WORDS.items():
        ranges = [(s.first, s.last) for s in stretches if s.why == why]
        sentences += [words.format(describe_ranges(ranges, first))] if ranges else []
    return " ".join(sentences)


def warnings(track: FaceTrack, source: Source) -> list[str]:
    """What a person should know of the track of a job, in sentences."""
    said, face = [], source.job.settings.face
    if track.people is None and not source.clip.still:
        said.append(
            "The track in the job's folder is from an older GSmooth, which told neither cuts nor "
            "people apart; remove its track.safetensors to follow the face anew."
        )
    if face != LARGEST and source.count < source.clip.frame_count and not source.clip.still:
        said.append(
            f"Face {face} is number {face} of the dubbed frames, which `gsmooth faces` lists with "
            "the same --start-frame and --frame-count."
        )
    if not track.usable.all():
        said.append(in_words(track, source.job.start_frame))
    return said


def captions_in_words(captions: Occluders, first: int) -> str:
    """Where captions lie over the mouth; `first` is the number of frame 0 for the reader."""
    where = describe_ranges(captions.ranges(), first)
    return f"Letters or graphics lie over or near the mouth in {where}; they stay as they are."


def shots_of(track: FaceTrack) -> Ranges:
    """[first, last] of each shot, without dissolves; one where shots are not known."""
    shot = np.zeros(len(track), np.int32) if track.shot is None else track.shot
    return [ranges_of(shot == number)[0] for number in np.unique(shot[shot >= 0])]


def people_of(track: FaceTrack) -> list[Seen]:
    """Everybody in the clip by number; nobody where that is not known."""
    columns = track.people.T if track.people is not None else ()
    return [
        Seen(number, ranges_of(column), number == track.person)
        for number, column in enumerate(columns, 1)
    ]


def told(track: FaceTrack) -> dict[str, Any]:
    """The three entries of a result: `untouched`, `shots`, `people`."""
    return {
        "untouched": untouched(track),
        "shots": shots_of(track),
        "people": people_of(track),
    }
