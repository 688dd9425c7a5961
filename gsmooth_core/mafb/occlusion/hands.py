"""Hands before the lower face, known by what a hand looks like.

What `find` sees is another colour than usual, which a hand hardly has beside its owner's face, and
a hand that never leaves cannot have. So frames are also searched for hands: one in some, and all
that are near one that shows a hand. A hand covers what lies within a finger's breadth of its bones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from gsmooth_core.face.morphable import MorphableModel, Region
from gsmooth_core.face.render import face_surface, pose_face
from gsmooth_core.mafb.blend import dilate
from gsmooth_core.mafb.crop import crop_transforms, in_frame
from gsmooth_core.mafb.occlusion.hand_finder import (
    INDEX,
    LITTLE,
    MIDDLE,
    RING,
    WRIST,
    Hand,
    HandFinder,
    apart,
)
from gsmooth_core.mafb.occlusion.kin import hull_of
from gsmooth_core.mafb.occlusion.occluders import Occluders, packed
from gsmooth_core.mafb.occlusion.outline import SIZE
from gsmooth_core.mafb.occlusion.patches import parts
from gsmooth_core.mafb.occlusion.watching import watched
from gsmooth_core.networks.blaze import Tile
from gsmooth_core.ranges import ranges_of
from gsmooth_core.types import Bool, FaceTrack, Float, FrameSource, Image, Int, Opened

_AROUND = 1.6  # sides of a crop that are searched: a hand whose fingers reach a mouth lies in it
_THUMB = 1  # landmark of its root
_FINGERS = (_THUMB, INDEX, MIDDLE, RING, LITTLE)
_PALM = (WRIST, _THUMB, 2, INDEX, MIDDLE, RING, LITTLE)
_BREADTHS = (0.18, 0.171, 0.158, 0.13)  # of a finger from root to tip: half of it, in palm widths
_STOUT, _SLIGHT = 1.2, 0.88  # breadths of the thumb and the little finger over the others'
_FLESH = 0.24  # around the outline of the palm, in palm widths
_FINE = 4  # bits of a pixel's fraction in which shapes are drawn
_NEAR = 25  # pixels of a crop: diameter by which the lower face is grown, which may open wider
_BESIDE = 31  # pixels of a crop: twice the width of what looks unlike the face beside a hand
_LARGE = 2500  # pixels beyond that: a cup; lips and teeth that a hand half covers have less
_LEAST = 60  # pixels: less of a hand before the face is none
_BRIDGED = 4  # frames in a row in which a hand may be missed
_CARRIED = 2  # frames by which a hand that comes or goes is carried on
_AGAIN = 4  # frames between looks for a second hand


@dataclass(frozen=True)
class HandSearch:
    """How often hands are looked for. The fields' names are part of a job's fingerprints.

    Attributes:
        every: frames from one look to the next, where no hand is near.
    """

    every: int = 6


class HandWatch:
    """Looks for hands beside a face, in frames that are read for something else, too.

    Args:
        track: the track of the clip.
        model: the face model that the track was fitted with.
        settings: how often; the defaults by default.
    """

    def __init__(
        self, track: FaceTrack, model: MorphableModel, settings: HandSearch | None = None
    ) -> None:
        self.track, self.settings = track, settings or HandSearch()
        self.transforms = crop_transforms(track, model, SIZE)
        self.finder = HandFinder()
        self._seen: dict[int, float] = {}
        at = np.arange(len(track))
        self._looks = track.usable & ((at % self.settings.every == 0) | (at == len(track) - 1))

    def watched(self, opened: Opened) -> Opened:
        """The clip; of what is read of it, some is looked at."""

        def look(frame: int, picture: Image) -> None:
            if self._looks[frame]:
                hands = self.hands(frame, picture)
                self._seen[frame] = max((hand.presence for hand in hands), default=0)

        return watched(opened, look)

    def near(self, opened: Opened) -> Bool:
        """(T,) frames that may show a hand; what was not looked at yet is read."""
        every, usable = self.settings.every, self.track.usable
        left = [n for n in np.flatnonzero(self._looks).tolist() if n not in self._seen]
        if left:
            with self.watched(opened)() as source:
                for frame in left:
                    source(frame)
        near = np.zeros(len(usable), bool)
        for frame in self._certain():
            near[max(frame - every, 0) : frame + every + 1] = True
        return near & usable

    def _certain(self) -> list[int]:
        """Frames with a hand: certain ones, and from one look to the next what may be its."""
        settings, looks = self.finder.settings, sorted(self._seen)
        seen = np.array([self._seen[n] for n in looks])
        runs = ranges_of(seen >= settings.kept)
        sure = [(a, b) for a, b in runs if seen[a : b + 1].max() >= settings.presence]
        return [looks[n] for a, b in sure for n in range(a, b + 1)]

    def hands(self, frame: int, picture: Image) -> list[Hand]:
        """What may be hands around the face of a frame (H, W, 3)."""
        return self.finder.find(picture, _tile(self.transforms[frame]))


def find_hands(
    opened: Opened,
    track: FaceTrack,
    model: MorphableModel,
    watch: HandWatch | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Occluders:
    """Find the hands before the lower face, in the frames with a usable face.

    Args:
        opened: opens the clip.
        track: the track of the clip, T frames.
        model: the face model that the track was fitted with.
        watch: of the same track, what was seen while frames were read for something else.
        on_progress: called with the number of frames done, where hands are followed.

    Returns:
        the masks of the frames in which a hand covers some of it.

    Raises:
        ModelError: a network is missing or damaged.
    """
    watch = watch or HandWatch(track, model)
    found: dict[int, list[Hand]] = {}
    runs = ranges_of(watch.near(opened))
    if not runs:
        return packed([], SIZE)
    with opened() as source:
        for first, last in runs:
            run = bridged(_followed(watch, source, range(first, last + 1), on_progress))
            found |= {n: hands for n, hands in run.items() if 0 <= n < len(track)}
    found = {n: found[n] for n in sorted(found) if track.usable[n]}
    surface = face_surface(model, track.identity)
    lower = np.isin(surface.regions, (Region.LOWER_FACE, Region.LIPS))

    def masks() -> Iterator[tuple[int, Bool]]:
        for frame, hands in found.items():
            transform = watch.transforms[frame]
            mask = np.any([hand_mask(_moved(h.landmarks, transform), SIZE) for h in hands], 0)
            posed = pose_face(surface, track, frame, track.expression[frame], transform)
            face = dilate(hull_of(posed.seen[lower, :2], mask.shape), _NEAR, _NEAR)
            if (mask & face).sum() >= _LEAST:
                yield frame, mask

    return packed(masks(), SIZE)


def find_held(
    opened: Opened,
    track: FaceTrack,
    model: MorphableModel,
    on_progress: Callable[[int], None] | None = None,
) -> Occluders:
    """The same of a photo, which may move: its first frame tells whether there are any.

    Args and errors are those of `find_hands`.
    """
    first = find_hands(opened, track.only(np.arange(len(track)) == 0), model)
    if not len(first):
        return first
    once = HandWatch(track, model, HandSearch(every=len(track)))
    return find_hands(opened, track, model, once, on_progress)


def united(found: Occluders, hands: Occluders) -> Occluders:
    """What is before the face, hands by their own outline.

    Args:
        found: what looks unlike the face, in crops of the same size (`find.find_occluders`): it
            reaches beyond a hand, and into what is dark between its fingers.
        hands: what `find_hands` found.

    Returns:
        the hands, and of what was found what is not just beside one.
    """
    frames = np.union1d(found.frames, hands.frames).tolist()
    masks = ((n, found.mask(n, SIZE), hands.mask(n, SIZE)) for n in frames)
    return packed(((n, hand | _other(mask, hand)) for n, mask, hand in masks), SIZE)


def _other(found: Bool, hand: Bool) -> Bool:
    """(SIZE, SIZE) what is no part of a hand: apart from it, or as large as a cup in it."""
    if not hand.any():
        return found
    beside = dilate(hand, _BESIDE, _BESIDE)
    others = [
        part for part in parts(found) if not (part & hand).any() or (part & ~beside).sum() >= _LARGE
    ]
    return np.asarray(np.any(others, 0), bool) if others else found & False


def hand_mask(landmarks: Float, size: int) -> Bool:
    """(size, size) what a hand covers.

    Args:
        landmarks: (21, 2) pixels.
        size: of the picture.
    """
    width, mask = Hand(landmarks, 1).width, np.zeros((size, size), np.uint8)
    points = landmarks - 0.5  # OpenCV puts (0, 0) on the centre of the first pixel
    palm = [points[n] for n in _PALM]
    cv2.fillConvexPoly(mask, cv2.convexHull(_fine(np.array(palm))), 1, shift=_FINE)
    for one, other in zip(palm, palm[1:] + palm[:1], strict=True):
        _limb(mask, one, other, _FLESH * width, _FLESH * width)
    for root in _FINGERS:
        stout = {_THUMB: _STOUT, LITTLE: _SLIGHT}.get(root, 1.0)
        breadths = [stout * width * share for share in _BREADTHS]
        for n in range(3):
            _limb(mask, points[root + n], points[root + n + 1], breadths[n], breadths[n + 1])
    return mask > 0


def bridged(found: dict[int, list[Hand]]) -> dict[int, list[Hand]]:
    """Hands frame by frame, with those that are missed for a moment where they must have been.

    A hand that comes or goes is seen when much of it is: it is carried on for two frames.

    Args:
        found: hands by ascending frame numbers; frames that have none are not in it.
    """
    whole, frames = dict(found), sorted(found)
    for end, inner in _ends(frames):
        pairs = _same(found[inner], found[end])
        for n in range(1, _CARRIED + 1) if pairs else ():
            share, way = 1 + n / abs(end - inner), 1 if end > inner else -1
            whole[end + way * n] = [_between(a, b, share) for a, b in pairs]
    for before, after in pairwise(frames):
        if not 1 < after - before <= _BRIDGED + 1:
            continue
        if pairs := _same(found[before], found[after]):
            for frame in range(before + 1, after):
                share = (frame - before) / (after - before)
                whole[frame] = [_between(a, b, share) for a, b in pairs]
    return dict(sorted(whole.items()))


def _same(some: list[Hand], others: list[Hand]) -> list[tuple[Hand, Hand]]:
    """Hands of one frame, each with what it is in another."""
    return [(a, b) for a in some for b in others if len(apart([a, b])) == 1]


def _ends(frames: list[int]) -> Iterator[tuple[int, int]]:
    """Where hands come or go: the frame, and one inside of its stretch."""
    gaps = np.flatnonzero(np.diff(frames) > _BRIDGED + 1) + 1
    for stretch in np.split(np.array(frames, int), gaps):
        if len(stretch) > _CARRIED:
            yield int(stretch[0]), int(stretch[_CARRIED])
            yield int(stretch[-1]), int(stretch[-1 - _CARRIED])


def _between(one: Hand, other: Hand, share: float) -> Hand:
    landmarks = one.landmarks + np.float32(share) * (other.landmarks - one.landmarks)
    return Hand(landmarks, min(one.presence, other.presence))


def _followed(
    watch: HandWatch, source: FrameSource, frames: range, on_progress: Callable[[int], None] | None
) -> dict[int, list[Hand]]:
    """The hands of successive frames; those without one are left out."""
    hands, found = list[Hand](), dict[int, list[Hand]]()
    for frame in frames:
        picture = source(frame)
        followed = [watch.finder.follow(picture, hand) for hand in hands]
        hands = [hand for hand in followed if hand is not None]
        if not hands or frame % _AGAIN == 0:
            hands = apart(hands + watch.hands(frame, picture))
        if hands:
            found[frame] = hands
        if on_progress:
            on_progress(frame + 1)
    return found


def _tile(transform: Float) -> Tile:
    """The square of a frame around the crop that `transform` (2, 3) cuts at `SIZE`."""
    x, y = in_frame(transform[None], np.full((1, 2), SIZE / 2))[0, 0].tolist()
    side = _AROUND * SIZE / float(np.hypot(*transform[:, 0]))
    return x - side / 2, y - side / 2, side


def _moved(points: Float, transform: Float) -> Float:
    """(N, 2) crop pixels of points of the frame."""
    return np.asarray(points @ transform[:, :2].T + transform[:, 2], np.float32)


def _limb(mask: Image, one: Float, other: Float, breadth: float, ending: float) -> None:
    """Draw what lies within a breadth of a bone, which may be another at its end, in place."""
    way = other - one
    across = np.array([-way[1], way[0]]) / max(float(np.hypot(*way)), 1e-6)
    sides = [one + across * breadth, other + across * ending]
    sides += [other - across * ending, one - across * breadth]
    cv2.fillConvexPoly(mask, _fine(np.array(sides)), 1, shift=_FINE)
    for place, reach in ((one, breadth), (other, ending)):
        at, radius = _fine(place).tolist(), int(reach * 2**_FINE)
        cv2.circle(mask, at, radius, (1,), cv2.FILLED, shift=_FINE)


def _fine(points: Float) -> Int:
    return np.asarray(np.rint(points * 2**_FINE), np.int32)
