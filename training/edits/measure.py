"""A finished dub of an edit, held against what is true of the edit."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from gsmooth_core.dub import DubPipeline
from gsmooth_core.evaluation.metrics.compare import Comparison
from gsmooth_core.evaluation.metrics.shot import Shot, open_shot
from gsmooth_core.evaluation.metrics.tone import tone_error
from gsmooth_core.face.load import load_face_model
from gsmooth_core.types import FaceTrack, Float
from training.edits.make import Edit
from training.edits.shots import compare

Members = Sequence[tuple[int, ...]]
"""Frame numbers of each frame's references; none where a frame stays as it is."""


@dataclass(frozen=True)
class Measured:
    """One dubbed edit.

    Attributes:
        name: of the edit.
        frames: of the edit.
        dubbed: frames that were dubbed.
        own: frames that show the dubbed person alone.
        tone: mean tone error in levels.
        worst: the largest of a frame.
        worst_frame: which.
        skin: mean tone error of the skin alone, without the mouths, which say other words.
        worst_skin: the largest of a frame.
        foreign: dubbed frames with a reference that shows another person, or two.
        strangers: dubbed frames that show another person, or two.
        shots: what `shots.compare` counts.
    """

    name: str
    frames: int
    dubbed: int
    own: int
    tone: float
    worst: float
    worst_frame: int
    skin: float
    worst_skin: float
    foreign: int
    strangers: int
    shots: dict[str, int]


def measure_dub(name: str, folder: Path, edit: Edit | None = None) -> tuple[Measured, Float]:
    """Measure the finished job in `folder`; without a truth, its tone alone.

    Returns:
        the figures, and (T,) the tone error of each frame, NaN where it was not dubbed.
    """
    shot = open_shot(folder)
    (tone, skin), members = tones_of(shot), references_of(shot)
    usable, whose = shot.track.usable, _dubbed_person(shot.track, edit)
    known = np.isfinite(tone)
    worst = int(np.nanargmax(tone)) if known.any() else -1
    return Measured(
        name,
        len(shot.track),
        int(usable.sum()),
        sum(person == whose for person in edit.person) if edit else 0,
        float(tone[known].mean()) if known.any() else float("nan"),
        float(tone[worst]),
        worst,
        float(skin[known].mean()) if known.any() else float("nan"),
        float(skin[known].max()) if known.any() else float("nan"),
        foreign(members, edit.person) if edit else 0,
        sum(edit.person[t] != whose for t in np.flatnonzero(usable)) if edit else 0,
        dict(compare(edit, shot.track.shot)) if edit and shot.track.shot is not None else {},
    ), tone


def tones_of(shot: Shot) -> tuple[Float, Float]:
    """(T,) tone error of a dub's frames, and the same of the skin without the mouths."""
    comparison = Comparison(shot.track, load_face_model(), masks := shot.masks(), slow=())
    tones = np.full((2, len(shot.track)), np.nan, np.float32)
    pictures = zip(shot.source.read(0, shot.source.count), shot.made(), strict=True)
    for frame, (source, made) in enumerate(pictures):
        pair = comparison.pair(frame, source, made)
        if pair is not None:
            crops = pair.truth, pair.made, pair.mask
            tones[:, frame] = tone_error(*crops), tone_error(*crops, masks.mouth(frame))
    return tones[0], tones[1]


def references_of(shot: Shot) -> Members:
    """Whose pixels each frame was given: the translator's own choice, made once more."""
    pipeline = DubPipeline(shot.job, shot.folder)
    with closing(pipeline.source.frames()) as frames:
        translator = pipeline.translator(shot.track, shot.target, frames)
    usable = shot.track.usable
    return [translator.composer.members(t) if usable[t] else () for t in range(len(shot.track))]


def foreign(members: Members, person: Sequence[str]) -> int:
    """Frames that borrow from a frame of anybody else, or of two people."""
    return sum(any(person[m] != person[t] for m in taken) for t, taken in enumerate(members))


def _dubbed_person(track: FaceTrack, edit: Edit | None) -> str:
    """Who is in most of the frames that were dubbed."""
    people = edit.person if edit else [""] * len(track)
    counts = Counter(people[t] for t in np.flatnonzero(track.usable))
    return counts.most_common(1)[0][0] if counts else ""


def totals(measured: Sequence[Measured]) -> dict[str, float]:
    """All clips together: means over clips, worst of all, and sums."""
    shots: Counter[str] = Counter()
    for each in measured:
        shots.update(each.shots)
    found, wrong = shots["cuts found"], shots["false cuts"]
    missed = shots["cuts"] - found
    return {
        "tone": float(np.mean([m.tone for m in measured])),
        "worst tone": max(m.worst for m in measured),
        "skin tone": float(np.mean([m.skin for m in measured])),
        "worst skin tone": max(m.worst_skin for m in measured),
        "foreign": sum(m.foreign for m in measured),
        "strangers": sum(m.strangers for m in measured),
        "cut precision": found / max(found + wrong, 1),
        "cut recall": found / max(shots["cuts"], 1),
        "cut F1": 2 * found / max(2 * found + wrong + missed, 1),
        **shots,
    }


def save_measured(path: Path, measured: Sequence[Measured]) -> None:
    """Write the figures of all clips as JSON."""
    content = {"totals": totals(measured), "clips": [asdict(m) for m in measured]}
    path.write_text(json.dumps(content, indent=1) + "\n")
