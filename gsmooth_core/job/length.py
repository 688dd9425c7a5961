"""How long an output is: which picture of the source stands in each of its frames.

Everything that a clip teaches (track, occluders, correctives) is found once, on its pictures as
they were filmed, and then gathered by that map. Pictures are repeated or left out, never mixed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

import numpy as np

from gsmooth_core.errors import InputError
from gsmooth_core.job.settings import LENGTHS
from gsmooth_core.mafb.occlusion.occluders import Occluders
from gsmooth_core.media.pictures.planes import Planes
from gsmooth_core.taft.correctives import Personal
from gsmooth_core.types import Bool, Clip, FaceTrack, Image, Int

P = TypeVar("P", Image, Planes)
Read = Callable[[Clip, int, int], Iterator[P]]
"""Reads a number of pictures of a clip from one on, as `read_frames` does."""

STRETCH = 0.9, 1.1
"""How short and how long a picture may be stretched, in parts of its own length."""

_SKIP = 2  # pictures from one frame to the next that are still read in passing
_HELD = 1 << 28  # bytes of pictures that are held to be read backwards
_FEWEST_HELD = 8


def pictures_of(length: str, count: int, wanted: int) -> Int:
    """Which picture each frame of the output shows.

    Args:
        length: one of `settings.LENGTHS`.
        count: pictures that there are, at least 1.
        wanted: frames that the speech lasts.

    Returns:
        (T,) numbers of pictures. Only "stretch" makes a picture shorter.

    Raises:
        InputError: the picture would have to be stretched too far.
    """
    return _MAPS[length](count, wanted)


def _trim(count: int, _wanted: int) -> Int:
    return np.arange(count, dtype=np.int32)


def _hold(count: int, wanted: int) -> Int:
    return np.minimum(_frames(count, wanted), count - 1)


def _loop(count: int, wanted: int) -> Int:
    return _frames(count, wanted) % count


def _ping_pong(count: int, wanted: int) -> Int:
    """0 1 2 3 2 1 0 1 ...: the pictures at which it turns are shown once."""
    last = count - 1
    there_and_back: Int = last - np.abs(last - _frames(count, wanted) % max(2 * last, 1))
    return there_and_back


def _stretch(count: int, wanted: int) -> Int:
    """The picture that stands at the middle of each frame."""
    share, (low, high) = wanted / count, STRETCH
    if not low <= share <= high:
        raise InputError(
            f"The speech is {share:.2f} times as long as the picture; a picture can be stretched "
            f"to {low} to {high} times its length.",
            "Choose another length (hold, loop, ping-pong), or dub other frames.",
        )
    middle = (2 * np.arange(wanted, dtype=np.int64) + 1) * count // (2 * wanted)
    return middle.astype(np.int32)


_MAPS: dict[str, Callable[[int, int], Int]] = dict(
    zip(LENGTHS, (_trim, _hold, _loop, _ping_pong, _stretch), strict=True)
)


def _frames(count: int, wanted: int) -> Int:
    return np.arange(max(count, wanted), dtype=np.int32)


def is_plain(pictures: Int) -> bool:
    """Whether each picture is shown once, in its order."""
    return bool((pictures == np.arange(len(pictures))).all())


def shown(track: FaceTrack, filmed: FaceTrack) -> Bool:
    """(N,) which frames of a track show what appears in usable frames of one gathered from it."""
    return np.isin(filmed.pictures, track.pictures[track.usable])


def repeat_track(track: FaceTrack, count: int) -> FaceTrack:
    """The track of a still picture, shown `count` times: each counts as a picture of its own."""
    return replace(track.gathered(np.zeros(count, np.int32)), picture=None)


def gather_occluders(found: Occluders, pictures: Int) -> Occluders:
    """The occluders of frames that show `pictures` (T,)."""
    place = np.searchsorted(found.frames, pictures)
    there = np.append(found.frames, -1)[place] == pictures
    frames = np.flatnonzero(there).astype(np.int32)
    return replace(found, frames=frames, packed=found.packed[place[there]])


def gather_personal(learned: Personal, pictures: Int) -> Personal:
    """The correctives of frames that show `pictures` (T,)."""
    return replace(learned, shares=learned.shares[pictures])


def read_pictures(clip: Clip, start: int, pictures: Int, read: Read[P]) -> Iterator[P]:
    """Decode pictures in whatever order.

    Args:
        clip: the clip.
        start: the clip's frame that is number 0 here.
        pictures: (T,) numbers; those that follow each other up or down are read together.
        read: how they are read: as RGB, or as they are stored.
    """
    held = max(_FEWEST_HELD, _HELD // (3 * clip.width * clip.height))
    for run in runs_of(pictures):
        if run[-1] >= run[0]:
            yield from _upwards(clip, start, run, read)
            continue
        for k in range(0, len(run), held):
            part = run[k : k + held]
            yield from reversed(list(_upwards(clip, start, part[::-1], read)))


def runs_of(pictures: Int) -> Iterator[Int]:
    """Stretches that only rise, or only fall, and leap over no more than one picture."""
    begin, direction = 0, 0
    for k, step in enumerate(np.diff(pictures).tolist(), 1):
        now = -1 if step < 0 else 1
        if abs(step) > _SKIP or now * direction < 0:
            yield pictures[begin:k]
            begin, direction = k, 0
        else:
            direction = now
    if len(pictures):
        yield pictures[begin:]


def _upwards(clip: Clip, start: int, run: Int, read: Read[P]) -> Iterator[P]:
    at, last = int(run[0]), int(run[-1])
    frames = read(clip, start + at, last - at + 1)
    picture = next(frames)
    for number in run:
        while at < number:
            picture, at = next(frames), at + 1
        yield picture.copy()
