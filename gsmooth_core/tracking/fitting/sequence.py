"""Pose and expression of every frame, for a person and a camera that are known.

Gauss-Newton over windows of frames: landmarks (lips weighted up) + prior of the expression
(towards the ARKit scores, soft bounds) + smoothness of pose and expression over time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from gsmooth_core.tracking.blocks import blocks
from gsmooth_core.tracking.fitting import temporal
from gsmooth_core.tracking.fitting.basis import LandmarkBasis
from gsmooth_core.tracking.fitting.projection import POSE, Camera
from gsmooth_core.tracking.fitting.terms import ClipObservations, Observations, Weights, linearise
from gsmooth_core.types import Float

Real = NDArray[np.float64]

_WINDOW, _HALO, _CHUNK = 512, 24, 64
_FIRMEST = 100.0


@dataclass(frozen=True)
class Prior:
    """Prior of expressions, and of motion from frame to frame at 25 fps.

    Attributes:
        deviation: (E,) standard deviation of beta around its expected value.
        mean_gain: the expected beta is the ARKit score times this.
        bounds: (low, high) of beta; None is unbounded.
        bound_deviation: standard deviation of beta beyond a bound.
        turn: standard deviation of the head's angular acceleration, radians per frame squared.
        shift: that of its direction from the camera, tangent per frame squared.
        zoom: that of the logarithm of its distance.
        change: that of beta.
    """

    deviation: Float
    mean_gain: float = 1.0
    bounds: tuple[float, float] | None = (0.0, 1.0)
    bound_deviation: float = 0.005
    turn: float = 0.003
    shift: float = 0.0007
    zoom: float = 0.0014
    change: float = 0.15

    def stiffness(self, fps: float) -> Real:
        """(6 + E,) squared weights of accelerations for a frame rate."""
        slower = (fps / 25) ** 2
        deviations = [self.turn] * 3 + [self.shift] * 2 + [self.zoom]
        deviations += [self.change] * len(self.deviation)
        return (slower / np.array(deviations)) ** 2


@dataclass(frozen=True)
class SequenceSettings:
    """Weights of the data, and number of Gauss-Newton steps."""

    weights: Weights = field(default_factory=Weights)
    iterations: int = 4


def solve_sequence(
    observed: ClipObservations,
    neutral: Float,
    basis: LandmarkBasis,
    camera: Camera,
    prior: Prior,
    fps: float,
    settings: SequenceSettings,
) -> Real:
    """Pose and expression of all frames.

    Args:
        observed: the landmarks of T frames.
        neutral: (N, 3) the person's landmarks without expression.
        basis: how expressions move the model's landmarks.
        camera: focal length and size of the frames.
        prior: of expression and motion.
        fps: frame rate, which decides what counts as smooth.
        settings: weights and number of iterations.

    Returns:
        (T, 6 + E); frames without a face hold the prior.
    """
    stiffness = prior.stiffness(fps)
    total = len(observed.size)
    out = np.zeros((total, POSE + len(basis.expression)))
    for start in range(0, total, _WINDOW):
        first = max(start - _HALO, 0)
        last = min(start + _WINDOW + _HALO, total)
        window = observed.part(slice(first, last))
        x = _solve_window(window, neutral, basis, camera, prior, stiffness, settings)
        end = min(start + _WINDOW, total)
        out[start:end] = x[start - first : end - first]
    return out


def _solve_window(
    observed: Observations,
    neutral: Float,
    basis: LandmarkBasis,
    camera: Camera,
    prior: Prior,
    stiffness: Real,
    settings: SequenceSettings,
) -> Real:
    x = initial(observed, neutral, basis, camera, prior)
    mask = temporal.join_mask(observed.shot, observed.present)
    for _ in range(settings.iterations):
        hessian, gradient = normal_equations(
            observed, neutral, basis, camera, prior, settings.weights, x
        )
        x = x + temporal.solve(hessian, gradient, x, stiffness, mask)
    return x


def normal_equations(
    observed: Observations,
    neutral: Float,
    basis: LandmarkBasis,
    camera: Camera,
    prior: Prior,
    weights: Weights,
    x: Real,
) -> tuple[Real, Real]:
    """Blocks (T, P, P) and gradient (T, P) of data and prior; frames without a face: prior only."""
    parameters = x.shape[1]
    hessian = np.zeros((len(x), parameters, parameters))
    gradient = np.zeros_like(x)
    present = np.flatnonzero(observed.present)
    for start in range(0, len(present), _CHUNK):  # small enough to stay in the cache
        frames = present[start : start + _CHUNK]
        linear = linearise(observed.part(frames), neutral, basis, camera, x[frames], weights)
        hessian[frames], gradient[frames] = linear.normal()
    add_prior(hessian, gradient, x, observed, prior)
    return hessian, gradient


def add_prior(hessian: Real, gradient: Real, x: Real, observed: Observations, prior: Prior) -> None:
    """Add the expression's prior, and a little firmness of the pose, in place."""
    beta = x[:, POSE:]
    stiff: Real = np.broadcast_to(1 / np.square(prior.deviation, dtype=np.float64), beta.shape)
    pull: Real = stiff * (beta - prior.mean_gain * observed.scores)
    if prior.bounds is not None:
        beyond = beta - np.clip(beta, *prior.bounds)
        firm = 1 / prior.bound_deviation**2
        pull = pull + firm * beyond
        stiff = stiff + firm * (beyond != 0)
    gradient[:, POSE:] += pull
    every = np.arange(x.shape[1])
    firmness = np.where(observed.present, 1e-3, _FIRMEST)[:, None]
    hessian[:, every[:POSE], every[:POSE]] += firmness
    hessian[:, every[POSE:], every[POSE:]] += stiff


def initial(
    observed: Observations, neutral: Float, basis: LandmarkBasis, camera: Camera, prior: Prior
) -> Real:
    """First guess: ARKit scores, and the pose that carries the model onto the observed points."""
    beta = prior.mean_gain * observed.scores
    pose = rigid_pose(
        neutral + np.tensordot(beta, basis.expression, 1), observed, basis.weight, camera
    )
    return np.asarray(np.concatenate([pose, beta], 1), np.float64)


def rigid_pose(shape: Float, observed: Observations, weight: Float, camera: Camera) -> Real:
    """(T, 6) poses by weighted Procrustes of (T, N, 3) shapes onto the observed 2.5-D points."""
    parts = [
        _rigid_pose(shape[some], observed.points[some], weight, camera)
        for some in blocks(len(shape))
    ]
    pose = np.concatenate(parts)
    pose[:, :3] = unwrap(pose[:, :3])
    return pose


def _rigid_pose(shape: Float, points: Float, weight: Float, camera: Camera) -> Real:
    flipped = np.nan_to_num(points) * np.array([1, -1, -1], np.float32)
    share = (weight / weight.sum())[:, None]
    from_middle, to_middle = (shape * share).sum(1), (flipped * share).sum(1)
    source = shape - from_middle[:, None]
    target = flipped - to_middle[:, None]
    u, s, vt = np.linalg.svd((target * share).transpose(0, 2, 1) @ source)
    sign = np.ones_like(s)
    sign[:, 2] = np.sign(np.linalg.det(u @ vt))
    turn = (u * sign[:, None]) @ vt
    scale = (s * sign).sum(1) / np.maximum((source**2 * share).sum((1, 2)), 1e-9)
    scale = np.maximum(scale, 1e-3)  # pixels a decimetre
    origin = to_middle - scale[:, None] * (turn @ from_middle[..., None])[..., 0]
    across = (origin[:, 0] - camera.width / 2) / camera.focal
    up = (origin[:, 1] + camera.height / 2) / camera.focal
    rotation = Rotation.from_matrix(turn).as_rotvec()
    return np.column_stack([rotation, across, up, np.log(camera.focal / scale)])


def unwrap(rotation: Real) -> Real:
    """Axis-angle vectors (T, 3), each in the one of its two forms nearer to the one before."""
    angle = np.linalg.norm(rotation, axis=1, keepdims=True)
    other = rotation * (1 - 2 * np.pi / np.maximum(angle, 1e-9))
    out = rotation.copy()
    for t in np.flatnonzero(angle[1:, 0] > 2) + 1:  # small turns have one form of interest
        distances = [np.linalg.norm(form[t] - out[t - 1]) for form in (rotation, other)]
        out[t] = (rotation, other)[int(np.argmin(distances))][t]
    return out
