"""Who and what a clip shows, out of its track: shots, people, and why frames stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.job.source import Source
from gsmooth_core.mafb.occlusion.occluders import Occluders
from gsmooth_core.ranges import Ranges, describe_ranges, ranges_of, shots_of
from gsmooth_core.storage.layout import parts_of
from gsmooth_core.types import Bool, Expression, FaceTrack

_WORDS = {
    "unusable": "No usable face in {}; left as they are.",
    "no face": "No face in {}; left as they are.",
    "someone else": "Someone else is seen in {}; left as they are.",
    "another's turn": "Who speaks is not seen in {}; left as they are.",
    "dissolve": "Two pictures are mixed in {}; left as they are.",
    "covered": "Letters cover the mouth in {}, or wherever else it looks alike; left as they are.",
}
"""Why frames stay as they are: the reason, and what is said of it."""

HELD_PHOTO = (
    "A hand is before the mouth of the photo: what it hides has to be made up. "
    "Take a photo that shows the whole mouth."
)
INTERLACED, OTHERWISE = "interlaced", "looks otherwise"
"""Why frames were no references."""


_EDITED = 0.01  # of a shape: what curves differ by less nobody meant
_NAMED = 3


@dataclass(frozen=True)
class Untouched:
    """Frames that stay as they are.

    Attributes:
        first: their first.
        last: and their last.
        why: "no face", "unusable" (turned away, hidden, too small), "someone else" (the chosen
            person is not seen, another is), "another's turn" (who speaks there is not seen),
            "dissolve" (two pictures are mixed) or "covered" (letters cover the mouth in all frames
            that could lend one).
    """

    first: int
    last: int
    why: str


@dataclass(frozen=True)
class Refused:
    """Frames that were not used as references.

    Attributes:
        first: their first.
        last: and their last.
        why: "interlaced" (they mix two moments line by line, and lend nothing) or "looks otherwise"
            (glasses, make-up, a mixed picture, or somebody else: for one frame at least).
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
        chosen: whether it is one whose face is dubbed.
        speech: the file that this person of several says.
        dubbed: [first, last] ranges in which the face is dubbed.
    """

    number: int
    frames: Ranges
    chosen: bool
    speech: str | None = None
    dubbed: Ranges = field(default_factory=list)


@dataclass(frozen=True)
class Dubbed:
    """A person who was dubbed.

    Attributes:
        track: the face.
        turns: (T,) the frames in which it was to be dubbed; None for all.
        speech: the file that this person of several says; None for one who is dubbed alone.
        covered: (T,) the frames that stay since letters cover the mouth; None for none.
        combed: numbers of the frames that lend nothing, since they are interlaced.
        refused: numbers of those that looked otherwise than one that they were to lend to.
    """

    track: FaceTrack
    turns: Bool | None = None
    speech: Path | None = None
    covered: Bool | None = None
    combed: Sequence[int] = ()
    refused: Sequence[int] = ()

    @property
    def frames(self) -> Bool:
        """(T,) the frames in which it was dubbed."""
        frames = self.track.usable if self.turns is None else self.track.usable & self.turns
        return frames if self.covered is None else frames & ~self.covered


def untouched(track: FaceTrack) -> list[Untouched]:
    """All frames without a usable face of the chosen person, in their order."""
    return _stretches(_reasons(track))


def _stretches(why: NDArray[np.object_]) -> list[Untouched]:
    found = [Untouched(a, b, w) for w in _WORDS for a, b in ranges_of(why == w)]
    return sorted(found, key=lambda stretch: stretch.first)


def _reasons(track: FaceTrack) -> NDArray[np.object_]:
    """(T,) why each frame stays as it is; "" where it is dubbed."""
    why = np.full(len(track), "no face", object)
    for some in parts_of(track.landmarks):
        why[some][np.isfinite(track.landmarks[some]).all((1, 2))] = "unusable"
    if track.people is not None:
        mine = track.people[:, track.person - 1] if track.person else np.zeros(len(track), bool)
        why[track.people.any(1) & ~mine] = "someone else"
    if track.shot is not None:
        why[track.shot < 0] = "dissolve"
    why[track.usable] = ""
    return why


def in_words(track: FaceTrack, first: int) -> str:
    """What stays as it is and why; `first` is the number of frame 0 for the reader."""
    return why_in_words(untouched(track), first)


def why_in_words(stretches: Sequence[Untouched], first: int) -> str:
    """The same of stretches that are known; "" where there is none."""
    sentences = []
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
    if face.isdigit() and source.taken < source.clip.frame_count and not source.clip.still:
        said.append(
            f"Face {face} is counted among the people of the dubbed frames, not of the whole clip; "
            "list the people of the same frames to be sure who that is."
        )
    if not track.usable.all():
        said.append(in_words(track, source.job.start_frame))
    return said


def before_anybody(found: Sequence[Occluders | None]) -> Ranges:
    """[first, last] of the frames in which captions, or occluders, lie over anybody's mouth."""
    frames = {int(frame) for masks in found if masks for frame in masks.frames}
    shown = np.zeros(max(frames, default=-1) + 1, bool)
    shown[list(frames)] = True
    return ranges_of(shown)


def captions_in_words(captions: Occluders, first: int) -> str:
    """Where captions lie over the mouth; `first` is the number of frame 0 for the reader."""
    where = describe_ranges(captions.ranges(), first)
    return f"Letters or graphics lie over or near the mouth in {where}; they stay as they are."


def occluded_in_words(ranges: Ranges, first: int) -> str:
    """Where something is left before the mouth; `first` is the number of frame 0 for the reader."""
    return (
        f"Something seems to be before the mouth in {describe_ranges(ranges, first)} and was left "
        "as filmed. If nothing is there, switch off 'Keep What Passes Before' in the settings "
        "(--no-occluders) and dub again."
    )


def covered_in_words(covered: Bool, first: int) -> str:
    """Where letters leave no mouth to lend; `first` is the number of frame 0 for the reader."""
    return _WORDS["covered"].format(describe_ranges(ranges_of(covered), first))


def combs_in_words(frames: Sequence[int], first: int) -> str:
    """Which frames lend nothing since they are interlaced; `first` is as above."""
    lines = np.isin(np.arange(max(frames) + 1), frames)
    where = describe_ranges(ranges_of(lines), first)
    return (
        f"The video is interlaced: moving lines alternate in {where} and others, so these lend no "
        "mouth; deinterlace the video for a better picture."
    )


def people_of(dubbed: Sequence[Dubbed]) -> list[Seen]:
    """Everybody in the clip by number; nobody where that is not known."""
    people, chosen = dubbed[0].track.people, {d.track.person: d for d in dubbed}
    columns = people.T if people is not None else ()
    return [_seen(n, ranges_of(column), chosen.get(n)) for n, column in enumerate(columns, 1)]


def _seen(number: int, frames: Ranges, dubbed: Dubbed | None) -> Seen:
    if dubbed is None:
        return Seen(number, frames, chosen=False)
    speech = str(dubbed.speech) if dubbed.speech is not None else None
    return Seen(number, frames, chosen=True, speech=speech, dubbed=ranges_of(dubbed.frames))


def untouched_by_all(dubbed: Sequence[Dubbed]) -> list[Untouched]:
    """All frames in which nobody is dubbed, in their order, with the first person's reason."""
    why = _reasons(dubbed[0].track)
    first = dubbed[0]
    if first.turns is not None:
        why[first.track.usable & ~first.turns] = "another's turn"
    if first.covered is not None:
        why[first.covered & (why == "")] = "covered"
    for other in dubbed:
        why[other.frames] = ""
    return _stretches(why)


def refused_by(dubbed: Sequence[Dubbed]) -> list[Refused]:
    """All frames that were refused as references, in their order, each reason by itself."""
    combed = [frame for d in dubbed for frame in d.combed]
    otherwise = [frame for d in dubbed for frame in d.refused]
    reasons = ((INTERLACED, combed), (OTHERWISE, otherwise))
    return [
        Refused(first, last, why)
        for why, frames in reasons
        for first, last in ranges_of(np.isin(np.arange(max(frames, default=-1) + 1), frames))
    ]


def told(dubbed: Sequence[Dubbed]) -> dict[str, Any]:
    """The entries of a result: `untouched_frames`, `untouched`, `refused`, `shots`, `people`."""
    left = untouched_by_all(dubbed)
    return {
        "untouched_frames": ranges_of(~np.logical_or.reduce([d.frames for d in dubbed])),
        "untouched": left,
        "refused": refused_by(dubbed),
        "shots": shots_of(dubbed[0].track),
        "people": people_of(dubbed),
    }


def unseen_in_words(track: FaceTrack, target: Expression, *, blinks: bool) -> str | None:
    """What of curves is seen on the mesh alone; None where nothing is.

    Args:
        track: T frames.
        target: the T frames of curves that are to be shown.
        blinks: whether lids are drawn, as in a photo that moves.
    """
    edited = (np.abs(target.values - track.expression) > _EDITED).any(0)
    lids = ("eyeBlink",) if blinks else ()
    pairs = zip(target.names, edited.tolist(), strict=True)
    names = [n for n, away in pairs if away and n.startswith("eye") and not n.startswith(lids)]
    if not names:
        return None
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"Seen on the mesh, not in the picture: {', '.join(names[:_NAMED])}{more}."
