"""One head laid upon one frame by its looks: Gauss and Newton's steps for pose and light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from gsmooth_core.tracking.fitting.projection import POSE
from gsmooth_core.tracking.photometry.head import Head
from gsmooth_core.tracking.photometry.kernel import UNKNOWNS, compare
from gsmooth_core.types import Float

Real = NDArray[np.float64]

BLURS = (2.0, 1.0)
"""Pixels, from coarse to fine."""

DOUBT = np.array([0.025, 0.008, 0.006, 0.0025, 0.0025, 0.0125])
"""How far a tracked pose is off: pitch, yaw, roll in radians, direction, log of the distance."""

_STEPS = 4  # at each blur
_ENOUGH = 0.02  # of the doubt: a smaller step is the last
_LARGEST = 2.0  # doubts a step
_HELD = 0.01  # of the loss, that a pose away by its doubt costs
_OUTLIER = 0.3  # of the deviation of the template's levels
_ALIKE = 4.0  # points that err together
_TINY = 1e-9
_SAME = np.array([1.0, 0.0])  # gain and offset of light that has not changed


@dataclass(frozen=True)
class Pose:
    """A turn (3, 3), and (3,) direction and logarithm of the distance, as in `projection`."""

    turn: Real
    place: Real

    @property
    def vector(self) -> Real:
        """(3,) translation, decimetres."""
        distance = np.exp(self.place[2])
        return np.array([self.place[0] * distance, self.place[1] * distance, -distance])

    def moved(self, step: Real) -> Pose:
        """Further by (6,), turned about the camera's axes."""
        turned = Rotation.from_rotvec(step[:3]).as_matrix() @ self.turn
        return Pose(turned, self.place + step[3:])

    def beyond(self, other: Pose) -> Real:
        """(6,) by which another would have to be moved to be this one."""
        turned = Rotation.from_matrix(self.turn @ other.turn.T).as_rotvec()
        return np.concatenate([turned, self.place - other.place])


@dataclass(frozen=True)
class Seen:
    """Pictures (S, S) of a head, of each blur, and the way (2, 3) from pixels of its frame."""

    pictures: tuple[Float, ...]
    way: Real


@dataclass(frozen=True)
class Key:
    """What a head looks like in one pose: levels (N,) of its points and weights (N,), by blur."""

    pose: Pose
    templates: tuple[tuple[Real, Real], ...]


@dataclass(frozen=True)
class Laid:
    """A head that was laid upon a frame.

    Attributes:
        pose: where it lies.
        firmness: (6, 6) inverse covariance of a step from there.
        key: the looks that it was given.
    """

    pose: Pose
    firmness: Real
    key: Key


class Layer:
    """Lays a head upon frames.

    Attributes:
        head: its points.
        camera: (3,) focal length and principal point of the frames, pixels.
    """

    def __init__(self, head: Head, camera: Real) -> None:
        self.head, self.camera = head, camera
        count = len(head.weight)
        self._hessian, self._gradient = np.zeros((UNKNOWNS, UNKNOWNS)), np.zeros(UNKNOWNS)
        self._levels, self._shown = np.zeros(count), np.zeros(count)

    def key(self, seen: Seen, pose: Pose) -> Key:
        """What the head looks like in a frame in which its pose is known."""
        side = len(seen.pictures[0])
        bare = self.head.bare(pose.turn, pose.vector, self.camera, seen.way, side)
        weight, templates = self.head.weight * bare * self.head.facing(pose.turn, pose.vector), []
        nothing = np.zeros(len(weight)), weight
        for level in range(len(BLURS)):
            self._compare(seen, level, nothing, pose, _SAME)
            templates.append((self._levels.copy(), np.where(self._shown > 0, weight, 0.0)))
        return Key(pose, tuple(templates))

    def laid(self, seen: Seen, key: Key, tracked: Pose, known: Pose | None = None) -> Laid:
        """The head where it lies best, near the pose that was tracked.

        Where that is `known` but for little, only the finest picture is looked at.
        """
        pose, light, loss = known or tracked, _SAME, 0.0
        for level in range(len(BLURS) - 1 if known else 0, len(BLURS)):
            for _ in range(_STEPS):
                loss = self._compare(seen, level, key.templates[level], pose, light)
                step = self._step(pose.beyond(tracked), loss)
                pose, light = pose.moved(step[:POSE]), light + step[POSE:]
                if np.abs(step[:POSE] / DOUBT).max() < _ENOUGH:
                    break
        both = self._hessian[:POSE, POSE:]
        lit = np.linalg.solve(self._lit(), both.T)
        firmness = (self._hessian[:POSE, :POSE] - both @ lit) / max(_ALIKE * loss, _TINY)
        return Laid(pose, firmness, key)

    def loss(self, seen: Seen, key: Key, pose: Pose) -> float:
        """How badly the head lies upon a frame in a pose, in the light that suits it best."""
        return self._lit_best(seen, key, pose)[1]

    def misfit(self, seen: Seen, key: Key, pose: Pose) -> tuple[Real, Real]:
        """(N,) levels by which each point differs there from its looks, and (N,) how it counts."""
        gain, offset = self._lit_best(seen, key, pose)[0]
        return np.abs(gain * self._levels + offset - key.templates[-1][0]), self._shown.copy()

    def _lit_best(self, seen: Seen, key: Key, pose: Pose) -> tuple[Real, float]:
        """(2,) gain and offset of the light that suits a pose best, and the loss in it."""
        light, finest, loss = _SAME, len(BLURS) - 1, 0.0
        for _ in range(_STEPS):
            loss = self._compare(seen, finest, key.templates[finest], pose, light)
            light = light - np.linalg.solve(self._lit(), self._gradient[POSE:])
        return light, loss

    def _step(self, away: Real, loss: float) -> Real:
        """(8,) of pose and light, from a pose that is `away` (6,) from the tracked one."""
        hold = _TINY + _HELD * loss * self._shown.sum() / DOUBT**2
        stiff, pull = self._hessian.copy(), self._gradient.copy()
        stiff[:POSE, :POSE] += np.diag(hold)
        stiff[POSE:, POSE:] = self._lit()
        pull[:POSE] += hold * away
        step = -np.linalg.solve(stiff, pull)
        step[:POSE] = np.clip(step[:POSE], -_LARGEST * DOUBT, _LARGEST * DOUBT)
        return np.asarray(step)

    def _lit(self) -> Real:
        lit = self._hessian[POSE:, POSE:]  # of points of one level gain and offset are the same
        return np.asarray(lit + _TINY * (1 + np.trace(lit)) * np.eye(UNKNOWNS - POSE))

    def _compare(
        self, seen: Seen, level: int, template: tuple[Real, Real], pose: Pose, light: Real
    ) -> float:
        levels, weight = template
        known = levels[weight > 0]
        outlier = _OUTLIER * max(float(known.std()) if len(known) else 1.0, 1.0)
        shot = seen.pictures[level], seen.way, self.camera
        head = self.head.points, self.head.normals
        written = self._hessian, self._gradient, self._levels, self._shown
        placed = pose.turn, pose.vector
        return float(compare(shot, head, template, placed, light, outlier, written))
