"""The data term of the fit: how far posed landmarks are from the observed ones.

Residuals are in percent of the face's size (the distance of the outer eye corners, measured in
depth as well, so that turning the head does not change it).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.landmarks import OUTER_EYE_CORNERS
from gsmooth_core.tracking.blocks import blocks
from gsmooth_core.tracking.fitting import projection
from gsmooth_core.tracking.fitting.basis import LandmarkBasis
from gsmooth_core.tracking.fitting.lips import ClosedLips, remove_closed_gap
from gsmooth_core.tracking.fitting.projection import POSE, Camera
from gsmooth_core.tracking.following.found import FoundPoints
from gsmooth_core.types import Bool, Float, Int

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Observations:
    """The landmarks that were found in T frames.

    Attributes:
        points: (T, N, 3) pixels and relative depth, of the basis's landmarks.
        scores: (T, E) ARKit scores, in the order of the model's expression.
        size: (T,) face size in pixels.
        present: (T,) whether there is a face.
        shot: (T,) shot number.
    """

    points: Float
    scores: Float
    size: Float
    present: Bool
    shot: Int

    def part(self, frames: slice | Int) -> Observations:
        """The observations of some frames."""
        return Observations(*(getattr(self, name)[frames] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class ClipObservations:
    """The landmarks that were found in all T frames of a clip, which are not copied for the fit.

    Attributes:
        points: (T, 478, 3) pixels and relative depth, as they were found.
        basis: which of them the fit takes.
        closed: (P,) the gap of closed lips, which is removed from those that are taken.
        lips: what closed lips look like.
        scores: as in `Observations`, like `size`, `present` and `shot`.
    """

    points: Float | FoundPoints
    basis: LandmarkBasis
    closed: Float
    lips: ClosedLips
    scores: Float
    size: Float
    present: Bool
    shot: Int

    def part(self, frames: slice | Int) -> Observations:
        """The observations of some frames."""
        points, size = self.points[frames][:, self.basis.index], self.size[frames]
        remove_closed_gap(points, self.basis.pairs, size, self.closed, self.lips)
        rest = self.present[frames], self.shot[frames]
        return Observations(points, self.scores[frames], size, *rest)


@dataclass(frozen=True)
class Weights:
    """Weights of the data term, as standard deviations in percent of the face's size.

    Attributes:
        noise: deviation of a lip landmark.
        outlier: residual beyond which the loss is linear (Huber).
        aperture: deviation of the distance between opposite points of the inner lips.
    """

    noise: float = 0.7
    outlier: float = 4.0
    aperture: float = 0.2


def face_size(points: Float) -> Float:
    """(T,) distance of the outer eye corners in pixels, of landmarks (T, 478, 3)."""
    a, b = OUTER_EYE_CORNERS
    return np.asarray(np.linalg.norm(points[:, a] - points[:, b], axis=-1), np.float32)


def landmark_sizes(points: Float | FoundPoints) -> Float:
    """`face_size` of a whole clip, NaN where there is no face."""
    parts = [face_size(points[some]) for some in blocks(len(points))]
    return np.concatenate([np.zeros(0, np.float32), *parts])


@dataclass(frozen=True)
class Linear:
    """Weighted residuals (T, R) and derivative (T, R, P) at some parameters."""

    residual: Float
    jacobian: Float

    def normal(self) -> tuple[Real, Real]:
        """(T, P, P) J'J and (T, P) J'r."""
        turned = self.jacobian.transpose(0, 2, 1)
        hessian = turned @ self.jacobian
        gradient = (turned @ self.residual[..., None])[..., 0]
        return hessian.astype(np.float64), gradient.astype(np.float64)


def residuals(
    observed: Observations, neutral: Float, basis: LandmarkBasis, camera: Camera, x: Real
) -> tuple[Float, Float, Float]:
    """Landmark errors in percent.

    Args:
        observed: the landmarks of T frames.
        neutral: (N, 3) the person's landmarks without expression.
        basis: how expressions move the model's landmarks.
        camera: focal length and size of the frames.
        x: (T, 6 + E) pose and beta.

    Returns:
        (T, N, 2) errors, (T, N, 3) turned and (T, N, 3) camera-space points.
    """
    pose, beta = split(x)
    turned, placed = projection.place(neutral + np.tensordot(beta, basis.expression, 1), pose)
    scale = 100 / observed.size[:, None, None]
    error = (projection.project(placed, camera) - observed.points[..., :2]) * scale
    return error, turned, placed


def linearise(
    observed: Observations,
    neutral: Float,
    basis: LandmarkBasis,
    camera: Camera,
    x: Real,
    weights: Weights,
) -> Linear:
    """Weighted residuals and derivatives by pose and expression; see `residuals`."""
    pose, _ = split(x)
    error, turned, placed = residuals(observed, neutral, basis, camera, x)
    pixel = projection.point_jacobian(placed, camera) * (100 / observed.size)[:, None, None, None]
    jacobian = np.concatenate(
        [
            projection.pose_jacobian(pixel, turned, pose),
            projection.shape_jacobian(pixel, pose, basis.expression),
        ],
        axis=-1,
    )
    return weigh(error, jacobian, basis, weights)


def weigh(error: Float, jacobian: Float, basis: LandmarkBasis, weights: Weights) -> Linear:
    """Put robust weights on landmarks (T, N, 2) and add the rows of the mouth's aperture."""
    frames, _, _, parameters = jacobian.shape
    root = _robust_root(error, basis, weights)[..., None]
    upper, lower = basis.pairs.T
    strong = np.float32(1 / weights.aperture)
    gap = (error[:, upper] - error[:, lower]) * strong
    gap_jacobian = (jacobian[:, upper] - jacobian[:, lower]) * strong
    return Linear(
        np.concatenate([error * root, gap], 1).reshape(frames, -1),  # (T, (N + P) * 2)
        np.concatenate([jacobian * root[..., None], gap_jacobian], 1).reshape(
            frames, -1, parameters
        ),
    )


def _robust_root(error: Float, basis: LandmarkBasis, weights: Weights) -> Float:
    length = np.linalg.norm(error, axis=-1)
    huber = np.minimum(1, weights.outlier / np.maximum(length, 1e-6))
    return np.asarray(np.sqrt(basis.weight * huber) / weights.noise, np.float32)


def split(x: Real) -> tuple[Float, Float]:
    """Parameters (T, 6 + E) into pose (T, 6) and beta (T, E)."""
    return x[:, :POSE].astype(np.float32), x[:, POSE:].astype(np.float32)
