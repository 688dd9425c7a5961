"""A face looked at in several ways: landmarks of crops that are mirrored and moved, averaged.

Where the network sees a point depends a little on how pixels fall on its grid, and on which side
of a face is which. What is left of both in the mean is a half to a third.

How a further look differs from the first one changes slowly while a face hardly moves. Such a
frame is looked at once more and not three times, in another way than the frame before it; how the
other looks would differ is interpolated between the frames that have them. Of what three further
looks at every frame change (squared, fourteen clips) that keeps .86 to .95 for 2 to 3.1 looks a
frame instead of 4.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from gsmooth_core.face.landmarks import OUTER_EYE_CORNERS
from gsmooth_core.tracking.following.landmarks import Crop, FaceLandmarks, FaceMesh
from gsmooth_core.types import Float, Image

USUAL = 4
"""Ways to look at a face whose mouth is to be made."""

_STILL = 0.02  # of the distance of the eyes, from frame to frame: a face that hardly moves

Settled = Callable[[FaceLandmarks], None]
"""Is given a face once its points are the mean of all looks."""


@dataclass(frozen=True)
class Look:
    """One look.

    Attributes:
        moved: how far the crop is moved right and down, in parts of its side.
        mirrored: whether the network sees it in a mirror.
    """

    moved: float = 0.0
    mirrored: bool = False

    def crop(self, own: Crop) -> Crop:
        """The crop of this look, of the face's own."""
        return replace(own, centre=own.centre + np.float32(self.moved * own.side))


_AGAIN = (Look(mirrored=True), Look(0.02), Look(-0.02, mirrored=True))


@dataclass(frozen=True)
class _Waiting:
    """A face that has been looked at, but not yet in all ways before and behind it."""

    number: int
    face: FaceLandmarks
    settled: Settled
    apart: dict[Look, Float] = field(default_factory=dict)


class Looks:
    """Looks at one face while it is followed, and settles its points a few frames later.

    Args:
        mesh: finds the landmarks.
        looks: ways to look, 1 to 4; 1 settles each face as it is.
    """

    def __init__(self, mesh: FaceMesh, looks: int) -> None:
        self._mesh, self._again = mesh, _AGAIN[: looks - 1]
        self._waiting: deque[_Waiting] = deque()
        self._before: dict[Look, tuple[int, Float]] = {}  # number and difference, of each look
        self._last: Float | None = None
        self._number = 0

    def see(self, frame: Image, face: FaceLandmarks, settled: Settled) -> None:
        """Look at the face of the next frame.

        Args:
            frame: (H, W, 3).
            face: what the first look found in it.
            settled: called, now or while a later frame is looked at, in the frames' order.
        """
        new = _Waiting(self._number, face, settled)
        self._number += 1
        self._waiting.append(new)
        for look in self._turn(new):
            crop = look.crop(face.crop)
            points = self._mesh.landmarks(frame, crop, mirrored=look.mirrored).points
            new.apart[look] = points - face.points
        while self._waiting and all(self._behind(look) for look in self._again):
            self._settle()

    def end(self) -> None:
        """The face is lost, or the clip ends: settle what waits."""
        while self._waiting:
            self._settle()
        self._last = None  # so that the next face is looked at in all ways

    def _turn(self, new: _Waiting) -> tuple[Look, ...]:
        """The looks at a frame: one in its turn; all at the first one and where the face moves."""
        last, self._last = self._last, new.face.points
        if last is None or not self._again or _moved(last, new.face.points) > _STILL:
            return self._again
        return self._again[new.number % len(self._again) :][:1]

    def _behind(self, look: Look) -> tuple[int, Float] | None:
        """Number and difference of a look in the first frame that waits and has it."""
        return next(((w.number, w.apart[look]) for w in self._waiting if look in w.apart), None)

    def _settle(self) -> None:
        """Settle the first face that waits."""
        first = self._waiting[0]
        apart = [self._at(look, first.number) for look in self._again]
        self._before |= {look: (first.number, own) for look, own in first.apart.items()}
        self._waiting.popleft()
        points = first.face.points
        if apart:
            points = (points + np.sum(apart, 0) / (1 + len(apart))).astype(np.float32)
        first.settled(replace(first.face, points=points))

    def _at(self, look: Look, number: int) -> Float:
        """(478, 3) by how much a look differs from the first one in the first frame that waits."""
        before, behind = self._before.get(look), self._behind(look)
        if before is None or behind is None:
            known = before or behind
            return known[1] if known else np.zeros((1, 3), np.float32)
        share = np.float32((number - before[0]) / (behind[0] - before[0]))
        return before[1] + share * (behind[1] - before[1])


def _moved(before: Float, now: Float) -> float:
    """Mean movement of points (478, 3) across the picture, in distances of the eyes."""
    left, right = OUTER_EYE_CORNERS
    eyes = float(np.linalg.norm(now[left, :2] - now[right, :2]))
    return float(np.linalg.norm(now[:, :2] - before[:, :2], axis=1).mean()) / max(eyes, 1e-6)
