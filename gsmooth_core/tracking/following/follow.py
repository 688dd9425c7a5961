"""One person's landmarks through a clip: detect once a shot, then follow.

While the face is followed, the crop of a frame comes from the landmarks of the frame before.
A face that is lost is looked for again every few frames, near the place where it was; after a
cut the largest and most central face is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from gsmooth_core.networks.blaze import Detection
from gsmooth_core.tracking.blocks import blocks
from gsmooth_core.tracking.following.detector import DetectorSettings, FaceDetector
from gsmooth_core.tracking.following.found import FollowedFace, FoundPoints
from gsmooth_core.tracking.following.landmarks import LANDMARKS, Crop, FaceLandmarks, FaceMesh
from gsmooth_core.tracking.following.looks import Looks
from gsmooth_core.tracking.shots.cuts import CutFinder, CutSettings
from gsmooth_core.types import Float, Image, Int


@dataclass(frozen=True)
class FollowSettings:
    """How a face is chosen and followed.

    Attributes:
        minimum_presence: certainty below which the face counts as lost.
        sure: presence above which the detector's idea of which way is up is trusted.
        steady: the crop stays where it is while the face moves less than this share of its side,
            so that the networks' output does not tremble with it.
        moved: share of its side by which landmarks must move to be found again in a new crop.
        retry: frames between two searches for a lost face.
        deep_retry: frames between two searches for one that may be small.
        reach: how far from its last place, in its widths, a lost face may turn up again.
        looks: ways to look at each face that is found, see `looks`.
        pick: (x, y) as parts of width and height: take the face nearest to this place
            instead of the largest, most central one.
        detector: settings of the face detector.
        cuts: thresholds of the cut detector.
    """

    minimum_presence: float = 0.7
    sure: float = 0.97
    steady: float = 0.03
    moved: float = 0.08
    retry: int = 3
    deep_retry: int = 24
    reach: float = 2.0
    looks: int = 1
    pick: tuple[float, float] | None = None
    detector: DetectorSettings = field(default_factory=DetectorSettings)
    cuts: CutSettings = field(default_factory=CutSettings)


@dataclass(frozen=True)
class LandmarkTrack:
    """The landmarks of one face over a clip.

    Attributes:
        points: (T, 478, 3) pixels x, y and relative depth in pixels; NaN without a face.
        scores: (T, 52) ARKit scores in the order of `landmarks.ARKIT_NAMES`; 0 without a face.
        presence: (T,) 0..1; 0 without a face.
        shot: (T,) number of the shot a frame belongs to, from 0.
    """

    points: Float | FoundPoints
    scores: Float
    presence: Float
    shot: Int

    def __len__(self) -> int:
        return int(self.presence.shape[0])

    def flat(self) -> Float:
        """(T, 478, 2) pixels x, y in memory; NaN without a face."""
        out = np.empty((len(self), LANDMARKS, 2), np.float32)
        for some in blocks(len(self)):
            out[some] = self.points[some][..., :2]
        return out


LOST = FollowedFace(
    np.full((LANDMARKS, 3), np.nan, np.float32), np.zeros(52, np.float32), presence=0.0
)


def followed(mesh: FaceMesh, face: FaceLandmarks) -> FollowedFace:
    """A face whose points are settled, with its scores."""
    return FollowedFace(face.points, mesh.scores(face.points), face.presence)


@dataclass(frozen=True)
class Finders:
    """The networks that followers of one clip share."""

    detector: FaceDetector
    mesh: FaceMesh


class FaceFollower:
    """Follows one face by a first look at each frame; give it the frames in order.

    Args:
        settings: how.
        finders: networks to use; None for its own.
    """

    def __init__(
        self, settings: FollowSettings | None = None, finders: Finders | None = None
    ) -> None:
        self.settings = settings or FollowSettings()
        self.shot = -1
        finders = finders or Finders(FaceDetector(self.settings.detector), FaceMesh())
        self._detector, self._mesh = finders.detector, finders.mesh
        self._cuts = CutFinder(self.settings.cuts)
        self._crop: Crop | None = None
        self._last: Crop | None = None
        self._lost = 0

    def step(self, frame: Image) -> FaceLandmarks | None:
        """Find the face in the next frame (H, W, 3) RGB; None where it is lost."""
        if self._cuts.begins_shot(frame):
            self.shot += 1
            self._crop = self._last = None
            self._lost = 0
        return self.advance(frame)

    @property
    def last(self) -> Crop | None:
        """Where the face was seen last in this shot."""
        return self._last

    def advance(self, frame: Image, *, search: bool = True) -> FaceLandmarks | None:
        """Find the face in the next frame of the same shot; look for it where it is lost."""
        face = self._follow(frame) or (self._search(frame) if search else None)
        if face is None:
            self._crop = None
            self._lost += 1
            return None
        self._keep(Crop.of_points(face.points))
        return face

    def begin(self, frame: Image, detection: Detection) -> FaceLandmarks | None:
        """Begin with a face that was detected; None where a second look sees none."""
        first = self._mesh.landmarks(frame, Crop.around(detection))
        face = self._mesh.landmarks(frame, Crop.of_points(first.points))
        if not self._present(face):
            return None
        self._keep(Crop.of_points(face.points))
        return face

    def _keep(self, crop: Crop) -> None:
        if self._crop is None or not crop.near(self._crop, self.settings.steady):
            self._crop = crop
        self._last = self._crop
        self._lost = 0

    def _follow(self, frame: Image) -> FaceLandmarks | None:
        if self._crop is None:
            return None
        face = self._mesh.landmarks(frame, self._crop)
        own = Crop.of_points(face.points)
        if self._present(face) and not own.near(self._crop, self.settings.moved):
            face = self._mesh.landmarks(frame, own)
        return face if self._present(face) else None

    def _search(self, frame: Image) -> FaceLandmarks | None:
        if self._lost % self.settings.retry:
            return None
        for detection in self._preferred(self._detections(frame), frame):
            face = self._upright(frame, Crop.around(detection))
            if self._present(face):
                return face
        return None

    def _upright(self, frame: Image, crop: Crop) -> FaceLandmarks:
        """Landmarks by the detector's idea of up, or turned by quarters where it is wrong."""
        tries = []
        for quarter in (0, 2, 1, 3):
            first = self._mesh.landmarks(frame, crop.turned(quarter * np.pi / 2))
            # Once more in the landmarks' own crop: small or turned faces are off at first.
            tries.append(self._mesh.landmarks(frame, Crop.of_points(first.points)))
            if tries[-1].presence > self.settings.sure:
                return tries[-1]
        return tries[0]

    def _detections(self, frame: Image) -> list[Detection]:
        if self._lost % self.settings.deep_retry:
            return self._detector.detect(frame, depth=0)
        place = self._expected(frame)
        return (
            self._detector.detect_near(frame, place)
            if place is not None
            else self._detector.detect(frame)
        )

    def _expected(self, frame: Image) -> Float | None:
        """Where the face should be, where that is known."""
        if self._last is not None:
            return self._last.centre
        if self.settings.pick is None:
            return None
        return np.array(frame.shape[1::-1], np.float32) * np.array(self.settings.pick, np.float32)

    def _present(self, face: FaceLandmarks) -> bool:
        return face.presence >= self.settings.minimum_presence

    def _preferred(self, found: list[Detection], frame: Image) -> list[Detection]:
        place = self._expected(frame)
        if place is None:
            size = np.array(frame.shape[1::-1], np.float32)
            return sorted(
                found, key=lambda d: _distance(d, size / 2) / size.max() - d.width / size.min()
            )
        if self._last is not None:
            reach = self.settings.reach * self._last.side
            found = [d for d in found if _distance(d, place) < reach]
        return sorted(found, key=lambda d: _distance(d, place))


def follow_face(
    frames: Iterable[Image],
    settings: FollowSettings | None = None,
    on_frame: Callable[[int, Image, FollowedFace], None] | None = None,
) -> LandmarkTrack:
    """Follow one face through all frames.

    Args:
        frames: (H, W, 3) RGB each; read once, a few at a time.
        settings: how a face is chosen and followed; the defaults by default.
        on_frame: called with each frame's number, the frame and what was found in it, once its
            points are settled.

    Returns:
        the landmarks of every frame.
    """
    settings = settings or FollowSettings()
    finders = Finders(FaceDetector(settings.detector), FaceMesh())
    follower, looks = FaceFollower(settings, finders), Looks(finders.mesh, settings.looks)
    faces: list[FollowedFace] = []
    shots: list[int] = []

    def keep(frame: Image, face: FollowedFace) -> None:
        faces.append(face)
        if on_frame:
            on_frame(len(faces) - 1, frame, face)

    def settled(frame: Image, face: FaceLandmarks) -> None:
        keep(frame, followed(finders.mesh, face))

    for frame in frames:
        face = follower.step(frame)
        if face is None or (shots and follower.shot != shots[-1]):
            looks.end()
        shots.append(follower.shot)
        if face is None:
            keep(frame, LOST)
        else:
            looks.see(frame, face, partial(settled, frame))
    looks.end()
    return LandmarkTrack(
        points=np.array([f.points for f in faces], np.float32).reshape(-1, LANDMARKS, 3),
        scores=np.array([f.scores for f in faces], np.float32).reshape(-1, 52),
        presence=np.array([f.presence for f in faces], np.float32),
        shot=np.array(shots, np.int32),
    )


def _distance(detection: Detection, place: Float) -> float:
    return float(np.linalg.norm(detection.centre - place))
