"""Who of several people speaks: the sync expert against each face, with one and the same sound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np

from gsmooth_core.errors import NoFaceError, NoSpeechError
from gsmooth_core.sync.expert import LipSound
from gsmooth_core.sync.face import Face
from gsmooth_core.sync.measure import compare, load_sync_expert
from gsmooth_core.sync.offset import MOST_SHIFT, SHIFTS, SyncResult, shifted_distances
from gsmooth_core.sync.windows import FPS, present
from gsmooth_core.types import Bool, Float, Int

_Lips = tuple[Float, Bool]

LEAD = 0.4
"""By how many thresholds the speaker's confidence must lead the next one's. Among two or three
people side by side for 4-6 s the right one did in 55 of 56 clips; where a stranger is heard over
them, somebody does in 31 %."""
_SWITCH = 8.0
"""Evidence that a change of speaker costs, in distances summed over frames at 25 a second: a voice
that fits leads by about .4 a frame, so that a turn of less than a second is not believed."""
_PART = 0.7  # of the threshold, which the lips of one who speaks for a part of the clip must reach
_SHORTEST = 25  # frames: of less nothing can be said


def fits(
    faces: Iterable[Float], fps: Fraction | float, audio: Float, expert: LipSound | None = None
) -> list[SyncResult | None]:
    """How well one sound fits the lips of each of several people.

    Args:
        faces: (N, 478, 2) pixels for each person, NaN where the person is not seen; taken one by
            one, and none is kept.
        fps: rate of the pictures.
        audio: (S,) samples at 16 kHz; sample 0 is heard at the first picture.
        expert: None is the shipped one; it may not want pictures.

    Returns:
        a measurement for each person; None for one who is seen or heard too shortly.
    """
    expert = expert or load_sync_expert()
    sound = expert.embed_sound(audio)
    return [_fit(expert, _lips(expert, face, float(fps)), sound) for face in faces]


def _lips(expert: LipSound, face: Float, fps: float) -> _Lips | None:
    """Vectors of someone's lips, and where they were seen; None where that is nowhere."""
    return expert.embed_face(Face(face, fps)) if present(face).any() else None


def _fit(expert: LipSound, lips: _Lips | None, sound: Float) -> SyncResult | None:
    if lips is None:
        return None
    try:
        return compare(expert, *lips, sound)
    except (NoFaceError, NoSpeechError):
        return None


def speaker(found: Sequence[SyncResult | None]) -> int | None:
    """Whose lips fit the sound.

    Args:
        found: of `fits`.

    Returns:
        the place of the one who leads all others clearly; None where nobody does.
    """
    sure = [_sureness(f) for f in found]
    order = np.argsort(sure)[::-1]
    next_best = max(sure[order[1]], 0.0) if len(sure) > 1 else 1 - LEAD
    clear = len(sure) > 0 and sure[order[0]] - next_best > LEAD
    return int(order[0]) if clear else None


def turns(
    faces: Iterable[Float],
    fps: Fraction | float,
    audio: Float,
    count: int,
    expert: LipSound | None = None,
) -> Int | None:
    """Who of several people speaks when.

    The distances of all people are compared frame by frame, each at the offset at which the lips
    fit the sound, and for those who hardly fit at the offset of who fits best: chance would find
    them a better one. A change of speaker must pay, and only those take turns whose lips fit the
    whole sound more than by chance.

    Args:
        faces: as in `fits`.
        fps: rate of the pictures.
        audio: as in `fits`.
        count: N, frames of the pictures.
        expert: as in `fits`.

    Returns:
        (N,) place of the speaker in each frame of the pictures; None where nobody fits clearly.
    """
    expert = expert or load_sync_expert()
    sound = expert.embed_sound(audio)
    lips = [_lips(expert, face, float(fps)) for face in faces]
    found = [_fit(expert, one, sound) for one in lips]
    best = max(range(len(found)), key=lambda n: _sureness(found[n]))
    clip = found[best]
    if clip is None:
        return None
    offsets = [f.offset_frames if f is not None and f.sure else clip.offset_frames for f in found]
    windows = max(1, round(count / float(fps) * FPS))
    pairs = zip(lips, offsets, strict=True)
    scores = np.stack([_scores(one, sound, offset, windows) for one, offset in pairs], axis=1)
    known = [n for n, f in enumerate(found) if n == best or _sureness(f) > _PART]
    whose = _taken(scores, known, best, expert)
    if speaker(found) is None and (whose == whose[0]).all():
        return None
    at = ((np.arange(count) + 0.5) / float(fps) * FPS).astype(int)
    return np.asarray(whose[np.clip(at, 0, len(whose) - 1)], np.int32)


def _taken(scores: Float, known: Sequence[int], best: int, expert: LipSound) -> Int:
    """(T, P) scores -> (T,) turns of those of `known` whose turns can be believed, else `best`."""
    people = np.array(known)
    while True:
        whose = people[_cheapest(scores[:, people])]
        believed = [n for n in people if _believed(scores[whose == n, n], expert)]
        if len(believed) == len(people) or len(people) == 1:
            return whose.astype(np.int32)
        people = np.array(believed or [best])


def _sureness(found: SyncResult | None) -> float:
    return found.confidence / max(found.threshold, 1e-9) if found is not None else 0.0


def _scores(lips: _Lips | None, sound: Float, offset: int, windows: int) -> Float:
    """(T,) how much nearer lips and sound are at `offset` than at other shifts; 0 where unseen."""
    score = np.zeros(windows, np.float32)
    if lips is None:
        return score
    distances = shifted_distances(lips[0], sound, lips[1], SHIFTS + offset)[:windows]
    known = np.flatnonzero(np.isfinite(distances).any(axis=1))
    usual, here = np.nanmedian(distances[known], axis=1), distances[known, MOST_SHIFT]
    score[known] = np.nan_to_num(usual - here)
    return score


def _believed(scores: Float, expert: LipSound) -> bool:
    """Whether someone's turns are long enough, and fit the sound as strangers' lips do not."""
    return len(scores) >= _SHORTEST and scores.mean() > expert.threshold(len(scores))


def _cheapest(scores: Float) -> Int:
    """(T, P) scores -> (T,) the sequence of people with the most of them, less the changes."""
    count, people = scores.shape
    came = np.zeros((count, people), np.int32)
    total = scores[0].astype(np.float64)
    for t in range(1, count):
        before = int(total.argmax())
        change = total[before] - _SWITCH > total
        came[t] = np.where(change, before, np.arange(people))
        total = np.where(change, total[before] - _SWITCH, total) + scores[t]
    whose = np.zeros(count, np.int32)
    whose[-1] = total.argmax()
    for t in range(count - 1, 0, -1):
        whose[t - 1] = came[t, whose[t]]
    return whose
