"""All faces of a clip, followed frame by frame; who they are is settled afterwards.

One face of a shot leads: it is found, followed and looked for as `FaceFollower` does it alone. The
others are looked for now and then, a part of the frame at a time, and followed while they are
seen. What is followed without doubt that it is one person is a `Sighting`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from gsmooth_core.behind import Behind
from gsmooth_core.face.landmarks import NOSE_TIP, OUTER_EYE_CORNERS
from gsmooth_core.networks.blaze import Detection, Tile
from gsmooth_core.tracking.blocks import blocks
from gsmooth_core.tracking.following.detector import FaceDetector
from gsmooth_core.tracking.following.follow import FaceFollower, Finders, FollowSettings, followed
from gsmooth_core.tracking.following.found import FollowedFace, FoundFaces, Row
from gsmooth_core.tracking.following.landmarks import Crop, FaceLandmarks, FaceMesh
from gsmooth_core.tracking.following.looks import Looks
from gsmooth_core.tracking.people.chip import face_chip
from gsmooth_core.tracking.shots.bars import BarFinder
from gsmooth_core.tracking.shots.cuts import CutFinder
from gsmooth_core.tracking.shots.repeats import RepeatFinder
from gsmooth_core.types import Float, Image

Observe = Callable[[Image, FollowedFace], Row | None]

_MOST = 6  # faces followed at once
_EVERY = 12  # frames between two looks for further faces
_FORGET = 4  # looks after which what was no face is looked at again
_FEWEST_PIXELS = 20.0  # width of a face that can be of use
_GAP = 24  # frames after which a face that is found again may be someone else
_NEAR = 0.35  # of the crop's side that a face moves at most from one frame to the next
_SAME_PLACE, _CROSSING = 0.15, 0.5  # distance of two faces, in sides of their crops
_CHIPS = 8  # pictures of a face that are kept to tell who it is


@dataclass
class Sighting:
    """A face of one person, in some frames of one shot.

    Attributes:
        frames: their numbers, ascending.
        numbers: of the face in each, among `found`.
        found: the faces of all sightings.
        chips: (frame, how far from frontal, picture) for telling who it is.
        doubtful: whether it may be someone else than who was in its place before.
    """

    frames: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    found: FoundFaces = field(default_factory=FoundFaces, repr=False)
    chips: list[tuple[int, float, Image]] = field(default_factory=list)
    doubtful: bool = False
    _stride: int = 8
    _last: Crop | None = None

    def reach(self, number: int, crop: Crop) -> None:
        """Go on to the face in the crop of another frame, which is to be added."""
        self.frames.append(number)
        self._last = crop

    def add(self, number: int, frame: Image, face: FollowedFace, seen: Row | None) -> None:
        """Take the face of the next frame that was reached, whose number this is."""
        if len(self.numbers) % self._stride == 0:
            self.chips.append((number, _turned(face.points), face_chip(frame, face.points)))
        if len(self.chips) > _CHIPS:
            self.chips, self._stride = self.chips[::2], 2 * self._stride
        self.numbers.append(self.found.add(face, seen))

    def keep(self, number: int, face: FollowedFace, seen: Row | None) -> None:
        """Take the face of another frame, without a picture of it."""
        self.reach(number, Crop.of_points(face.points))
        self.numbers.append(self.found.add(face, seen))

    def points(self) -> Iterator[Float]:
        """(478, 3) of each face, in the order of the frames."""
        for some in blocks(len(self.numbers)):
            yield from self.found.points[np.array(self.numbers[some])]

    def crop(self, index: int) -> Crop:
        """Of the face in the frame of this index, which may be negative."""
        return Crop.of_points(self.found.points[np.array([self.numbers[index]])][0])

    def goes_on(self, number: int, crop: Crop) -> bool:
        """Whether the face in `crop` of a later frame of the shot must be the same one."""
        gap, before = number - self.frames[-1], self._last or self.crop(-1)
        moved = _length(crop.centre - before.centre) / before.side
        near = _NEAR if gap == 1 else 1.0  # what is found by searching may be another's face
        return 0 < gap <= _GAP and moved < near and 0.6 < crop.side / before.side < 1.6

    def extend(self, later: Sighting) -> None:
        """Take all that was seen later."""
        self.frames += later.frames
        self.numbers += later.numbers
        self.chips += later.chips
        self._last = later._last

    def part(self, first: int, end: int) -> Sighting:
        """What of it lies in frames `first` to `end` - 1."""
        rows = [k for k, number in enumerate(self.frames) if first <= number < end]
        chips = [chip for chip in self.chips if first <= chip[0] < end]
        return Sighting(
            [self.frames[k] for k in rows],
            [self.numbers[k] for k in rows],
            self.found,
            chips or self.chips[:1],
            self.doubtful,
        )


def _turned(points: Float) -> float:
    """How far the nose is from the middle of the eyes, in distances of the eyes."""
    left, right, nose = points[[*OUTER_EYE_CORNERS, NOSE_TIP], :2]
    across = right - left
    return abs(float((nose - (left + right) / 2) @ across) / max(float(across @ across), 1e-6))


@dataclass
class _Active:
    """A face that is followed now."""

    follower: FaceFollower
    looks: Looks
    sighting: Sighting | None = None
    crop: Crop | None = None  # in this frame; None while it is lost
    crossing: bool = False
    doubtful: bool = False  # it may be someone else since the last frame


class PeopleFollower:
    """Follows the faces of a clip; give it the frames in order.

    Args:
        settings: how each face is followed.
        observe: asked about every face while its frame is there; what it answers is kept.
        behind: does what need not be waited for.
        folder: where what is kept lies, see `Spool`.

    A face is followed by the first look at it. What is left to do for a frame (further looks, the
    scores, what is observed) is done behind while the next frame is followed.

    Attributes:
        sightings: all that was seen so far.
        cuts: where pictures change, with thumbnails of the frames.
        repeats: which pictures are shown twice.
        bars: what lies around pictures.
    """

    def __init__(
        self,
        settings: FollowSettings,
        observe: Observe,
        behind: Behind,
        folder: Path | None = None,
    ) -> None:
        self.sightings: list[Sighting] = []
        self.cuts, self.repeats = CutFinder(settings.cuts, folder), RepeatFinder()
        self.bars = BarFinder()
        self._found = FoundFaces(folder)
        self._settings, self._observe = settings, observe
        self._finders = Finders(FaceDetector(settings.detector), FaceMesh())
        self._mesh = FaceMesh()  # a network answers one thread at a time
        self._behind = behind
        self._active: list[_Active] = []
        self._refused: list[Detection] = []
        self._number, self._begun = -1, 0

    def step(self, frame: Image) -> None:
        """Find the faces of the next frame (H, W, 3) RGB."""
        self._number += 1
        if self.cuts.begins_shot(frame):
            self._end(self._active)
            self._active = [self._new()]
            self._refused, self._begun = [], self._number
        self.bars.see(frame)
        for active in self._active:
            leads = active is self._active[0]
            self._take(active, active.follower.advance(frame, search=leads), frame)
        self._drop_lost()
        self._settle()
        self.repeats.see(frame, [a.crop.box for a in self._active if a.crop is not None])
        if (self._number - self._begun) % _EVERY == 0:
            self._look(frame)

    def finish(self) -> None:
        """There are no more frames."""
        self._end(self._active)

    def _new(self) -> _Active:
        follower = FaceFollower(self._settings, self._finders)
        return _Active(follower, Looks(self._mesh, self._settings.looks))

    def _end(self, actives: list[_Active]) -> None:
        for active in actives:
            self._behind.do(active.looks.end)

    def _drop_lost(self) -> None:
        """Follow no further whom only the leading face may look for."""
        self._end([a for a in self._active[1:] if a.crop is None])
        self._active[1:] = [a for a in self._active[1:] if a.crop is not None]

    def _take(self, active: _Active, face: FaceLandmarks | None, frame: Image) -> None:
        active.crop = Crop.of_points(face.points) if face else None
        if face is None or active.crop is None:
            self._end([active])
            return
        last = active.sighting
        if last is None or active.doubtful or not last.goes_on(self._number, active.crop):
            active.sighting = last = Sighting(found=self._found, doubtful=active.doubtful)
            active.doubtful = False
            self.sightings.append(last)
        last.reach(self._number, active.crop)
        settled = partial(self._settled, last, self._number, frame)
        self._behind.do(partial(active.looks.see, frame, face, settled))

    def _settled(self, sighting: Sighting, number: int, frame: Image, face: FaceLandmarks) -> None:
        own = followed(self._mesh, face)
        sighting.add(number, frame, own, self._observe(frame, own))

    def _settle(self) -> None:
        """Of two followers on one face keep one; where two faces crossed, doubt who is who."""
        crossing: set[int] = set()
        for i, one in enumerate(self._active):
            for other in self._active[i + 1 :]:
                apart = _apart(one.crop, other.crop)
                if apart < _SAME_PLACE:
                    other.crop, one.doubtful = None, True
                elif apart < _CROSSING:
                    crossing |= {id(one), id(other)}
        self._drop_lost()
        for active in self._active:
            active.doubtful |= active.crossing and id(active) not in crossing
            active.crossing = id(active) in crossing

    # -- looking for further faces ---------------------------------------------------------------

    def _look(self, frame: Image) -> None:
        turn = (self._number - self._begun) // _EVERY
        if turn % _FORGET == 0:
            self._refused.clear()
        # Where the leading follower finds nobody, the first face that is found stands for it.
        seen = [a.follower.last for a in self._active if a.follower.last is not None]
        place = seen[0] if seen else None
        tiles = _tiles(frame, place, turn) if place else _first_tiles(frame, turn)
        found = [d for tile in tiles for d in self._detect(frame, tile)]
        for detection in sorted(found, key=lambda d: -d.width):
            if len(self._active) < _MOST and not self._known(detection, place):
                self._begin(frame, detection)

    def _detect(self, frame: Image, tile: Tile) -> list[Detection]:
        return self._finders.detector.detect_in(frame, tile)

    def _begin(self, frame: Image, detection: Detection) -> None:
        active = self._new()
        face = active.follower.begin(frame, detection)
        crop = Crop.of_points(face.points) if face else None
        if crop is None or any(_apart(crop, a.crop) < _CROSSING for a in self._active):
            self._refused.append(detection)
            return
        self._active.append(active)
        self._take(active, face, frame)

    def _known(self, detection: Detection, place: Crop | None) -> bool:
        """Whether a face is followed already, or left to the leading follower, or was none."""
        if detection.width < max(_FEWEST_PIXELS, place.face / 4 if place else 0):
            return True
        centres = [a.crop.centre for a in self._active if a.crop is not None]
        centres += [d.centre for d in self._refused]
        if any(_length(detection.centre - centre) < 0.6 * detection.width for centre in centres):
            return True
        last = self._active[0].follower.last
        if last is None or self._active[0].crop is not None:
            return False
        return _length(detection.centre - last.centre) < self._settings.reach * last.side


def _tiles(frame: Image, place: Crop, turn: int) -> list[Tile]:
    """Where to look for others: beside the leading face when a shot begins, then part by part.

    The detector sees faces of a fifth of a tile and more: half as large as the leading one.
    """
    height, width = frame.shape[:2]
    short, long = min(height, width), max(height, width)
    whole: Tile = ((width - long) / 2, (height - long) / 2, float(long))
    side = float(np.clip(2.5 * place.face, 0.5 * short, short))
    if side > 0.8 * long:
        return [whole] if turn == 0 or turn % 2 else []
    top = float(np.clip(place.centre[1] - side / 2, 0, height - side))
    beside: list[Tile] = [(x, top, side) for x in _starts(width, side)]
    if turn == 0:
        return [whole, *beside]
    parts = beside + _parts(height, width, side)
    return [whole if turn % 2 else parts[turn // 2 % len(parts)]]


def _first_tiles(frame: Image, turn: int) -> list[Tile]:
    """Where to look while the leading follower finds nobody: finer than it, all over at first."""
    height, width = frame.shape[:2]
    parts = _parts(height, width, 0.5 * min(height, width))
    first = 3 * turn % len(parts)
    return parts if turn == 0 else parts[first : first + 3]


def _parts(height: int, width: int, side: float) -> list[Tile]:
    """Squares that overlap by half and cover the frame."""
    return [(x, y, side) for y in _starts(height, side) for x in _starts(width, side)]


def _starts(length: int, side: float) -> list[float]:
    count = 1 + int(np.ceil(max(length - side, 0) / (side / 2) - 1e-6))
    return [float(x) for x in np.linspace(0, length - side, count)]


def _apart(one: Crop | None, other: Crop | None) -> float:
    """Distance of two faces in sides of the smaller one's crop; large where one is lost."""
    if one is None or other is None:
        return np.inf
    return _length(one.centre - other.centre) / min(one.side, other.side)


def _length(vector: Float) -> float:
    return float(np.linalg.norm(vector))
