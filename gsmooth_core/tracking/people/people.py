"""The people of a clip: what was seen of each in all shots, joined by who it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from gsmooth_core.behind import Behind
from gsmooth_core.errors import InputError
from gsmooth_core.tracking.following.follow import FollowSettings, LandmarkTrack
from gsmooth_core.tracking.following.found import FoundFaces, FoundPoints, Row, gathered
from gsmooth_core.tracking.following.landmarks import Crop
from gsmooth_core.tracking.people.join import join
from gsmooth_core.tracking.people.sightings import Observe, PeopleFollower, Sighting
from gsmooth_core.tracking.shots.cuts import find_shots
from gsmooth_core.types import Bool, Image, Int

_FRAMES_BEHIND = 3  # that are held until they are looked at once more

LARGEST = "largest"
"""The choice of whoever takes up most of the picture over the whole clip."""
SPEAKER = "speaker"
"""The choice of whoever speaks in the clip's own sound, see `job.speaker`."""


@dataclass(frozen=True)
class Person:
    """One person of a clip.

    Attributes:
        number: from 1, by the number of frames in which the person is seen.
        sightings: what was seen, in the order of time.
    """

    number: int
    sightings: tuple[Sighting, ...]

    @property
    def frames(self) -> Int:
        """(N,) numbers of the frames that show the person, ascending."""
        return np.unique([n for s in self.sightings for n in s.frames]).astype(np.int32)

    @property
    def widths(self) -> list[float]:
        """Width of the face in pixels, wherever it was seen."""
        return [Crop.of_points(points).face for s in self.sightings for points in s.points()]

    @property
    def area(self) -> float:
        """Pixels of the face, added up over the frames."""
        return float(np.square(self.widths).sum())


@dataclass(frozen=True)
class People:
    """Who is seen in a clip, and its shots.

    Attributes:
        people: by number, from 1.
        shot: (T,) number of the shot of each frame; below 0 in a dissolve.
        repeated: (T,) frames that show the picture of the one before once more; None where that
            is not known.
        area: (T, 4) x0, y0, x1, y1 of the picture between its bars; None where there are none.
    """

    people: tuple[Person, ...]
    shot: Int
    repeated: Bool | None = None
    area: Int | None = None

    @property
    def seen(self) -> Bool:
        """(T, P) who is seen in which frame."""
        out = np.zeros((len(self.shot), len(self.people)), bool)
        for person in self.people:
            out[person.frames, person.number - 1] = True
        return out

    @property
    def pictures(self) -> Int | None:
        """(T,) number of the frame that shows each frame's picture first; None where all do."""
        if self.repeated is None or not self.repeated.any():
            return None
        first = np.where(self.repeated, 0, np.arange(len(self.repeated)))
        return np.asarray(np.maximum.accumulate(first), np.int32)

    def choose(self, face: str) -> Person | None:
        """The person that a setting names: "largest", or a number.

        Returns:
            None where nobody is seen at all.

        Raises:
            InputError: there is no person of that number.
        """
        if face == LARGEST or not self.people:
            return max(self.people, key=lambda p: p.area, default=None)
        if int(face) > len(self.people):
            count = len(self.people)
            who = "one person is" if count == 1 else f"{count} people are"
            raise InputError(
                f"There is no face {face}: {who} seen.",
                "List them: `gsmooth faces`, of the same frames.",
            )
        return self.people[int(face) - 1]

    def track(self, person: Person | None) -> tuple[LandmarkTrack, Row | None]:
        """The landmarks of one person, and what the observer made of each frame's face.

        Returns:
            the landmarks, which are read when they are asked for, and (T, ...) 0 where there is
            no face; None where the observer makes nothing, or there is nobody.
        """
        numbers = np.full(len(self.shot), -1, np.int64)
        sightings = person.sightings if person else ()
        for sighting in sightings:
            numbers[sighting.frames] = sighting.numbers
        found = sightings[0].found if sightings else FoundFaces()
        landmarks = LandmarkTrack(
            FoundPoints(found, numbers),
            gathered(found.scores, numbers),
            gathered(found.presence, numbers),
            self.shot,
        )
        return landmarks, None if found.seen is None else gathered(found.seen, numbers)


def follow_people(
    frames: Iterable[Image],
    observe: Observe,
    settings: FollowSettings | None = None,
    on_progress: Callable[[int], None] | None = None,
    folder: Path | None = None,
) -> People:
    """Follow everybody through all frames.

    Args:
        frames: (H, W, 3) RGB each; read once, a few at a time.
        observe: asked about every face while its frame is there, on another thread; what it
            answers is kept.
        settings: how each face is followed.
        on_progress: called with the number of frames done.
        folder: where what is kept lies, see `Spool`.

    Raises:
        ModelError: the network that tells people apart is needed, and cannot be used.
    """
    with Behind("looks", _FRAMES_BEHIND) as behind:
        follower = PeopleFollower(settings or FollowSettings(), observe, behind, folder)
        for index, frame in enumerate(frames):
            follower.step(frame)
            if on_progress:
                on_progress(index + 1)
        follower.finish()
    shot = find_shots(follower.cuts.thumbnails, folder=folder)
    groups = join(_rejoined(_within_shots(follower.sightings, shot), shot))
    ranked = sorted(groups, key=lambda group: -sum(len(s.frames) for s in group))
    people = (Person(number, tuple(group)) for number, group in enumerate(ranked, 1))
    seen = follower.repeats.repeated(), follower.bars.areas(shot)
    return People(tuple(people), shot, *seen)


def _within_shots(sightings: Sequence[Sighting], shot: Int) -> list[Sighting]:
    """Sightings cut where shots end, without the frames in which two pictures are mixed."""
    edges = [0, *(int(t) + 1 for t in np.flatnonzero(np.diff(shot))), len(shot)]
    if len(edges) == 2:
        return list(sightings)
    parts = [
        sighting.part(first, end)
        for sighting in sightings
        for first, end in pairwise(edges)
        if shot[first] >= 0 and sighting.frames[0] < end and sighting.frames[-1] >= first
    ]
    return [part for part in parts if part.frames]


def _rejoined(sightings: Sequence[Sighting], shot: Int) -> list[Sighting]:
    """Sightings that go on in the same place of the same shot, as behind a flash, made one."""
    whole: list[Sighting] = []
    for sighting in sorted(sightings, key=lambda s: s.frames[0]):
        first, crop = sighting.frames[0], sighting.crop(0)
        before = [s for s in whole if shot[s.frames[-1]] == shot[first] and s.goes_on(first, crop)]
        if len(before) == 1 and not sighting.doubtful:
            before[0].extend(sighting)
        else:
            whole.append(sighting)
    return whole
