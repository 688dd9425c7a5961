"""Identity alpha and focal length of a clip, from a selection of its frames.

All of these frames are solved together (bundle adjustment): their own pose and expression are
eliminated from each step by the Schur complement.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.landmarks import OUTER_EYE_CORNERS
from gsmooth_core.tracking.fitting import projection
from gsmooth_core.tracking.fitting.basis import LandmarkBasis
from gsmooth_core.tracking.fitting.projection import Camera
from gsmooth_core.tracking.fitting.sequence import Prior, add_prior, initial, rigid_pose
from gsmooth_core.tracking.fitting.terms import (
    ClipObservations,
    Observations,
    Weights,
    residuals,
    split,
    weigh,
)
from gsmooth_core.types import Float, Int

Real = NDArray[np.float64]


@dataclass(frozen=True)
class IdentitySettings:
    """How person and camera are found.

    Attributes:
        frames: largest number of frames that are used.
        iterations: number of Gauss-Newton steps.
        firmness: weight of alpha's prior N(0, 1), per frame that is used.
        reluctance: the deviation of expressions from their prior is this many times smaller than
            later, so that what a person always shows becomes identity.
        lens: focal length to start from, over the longer side of the picture.
        closest: smallest distance between face and camera, in decimetres.
        lens_deviation: standard deviation of the focal length's logarithm.
        weights: weights of the data term.
    """

    frames: int = 24
    iterations: int = 10
    firmness: float = 0.5
    reluctance: float = 2.0
    lens: float = 1.2
    closest: float = 8.0
    lens_deviation: float = 0.1
    weights: Weights = field(default_factory=lambda: Weights(aperture=0.5))


@dataclass(frozen=True)
class Person:
    """Identity alpha (I,) and camera of a clip."""

    alpha: Float
    camera: Camera


def first_camera(
    observed: ClipObservations,
    basis: LandmarkBasis,
    width: int,
    height: int,
    settings: IdentitySettings,
) -> Camera:
    """A common lens, or a longer one where the face would otherwise be too near."""
    eyes = basis.mean[np.searchsorted(basis.index, OUTER_EYE_CORNERS)]
    decimetres = float(np.linalg.norm(eyes[0] - eyes[1]))
    largest = float(np.quantile(observed.size[observed.present], 0.9))
    lens = max(settings.lens * max(width, height), settings.closest * largest / decimetres)
    return Camera(lens, width, height)


def find_person(
    observed: ClipObservations,
    basis: LandmarkBasis,
    prior: Prior,
    width: int,
    height: int,
    settings: IdentitySettings,
) -> Person:
    """Estimate identity and focal length.

    Args:
        observed: the landmarks of the clip; at least one frame has a face.
        basis: how identity and expression move the model's landmarks.
        prior: of the expressions.
        width: width of the frames in pixels.
        height: height of the frames in pixels.
        settings: number of frames, weights and so on.

    Returns:
        the person's identity, and the camera.
    """
    camera = first_camera(observed, basis, width, height, settings)
    prior = replace(prior, deviation=prior.deviation / np.float32(settings.reluctance))
    chosen = observed.part(varied_frames(observed, basis, camera, settings.frames))
    x = initial(chosen, basis.mean, basis, camera, prior)
    alpha = np.zeros(len(basis.identity))
    start = np.log(camera.focal)
    for _ in range(settings.iterations):
        offset = np.log(camera.focal) - start
        step, x = _step(chosen, basis, camera, prior, alpha, offset, x, settings)
        alpha = alpha + step[:-1]
        camera = replace(camera, focal=float(camera.focal * np.exp(step[-1])))
    return Person(alpha.astype(np.float32), camera)


def varied_frames(
    observed: ClipObservations, basis: LandmarkBasis, camera: Camera, count: int
) -> Int:
    """Frames that differ most in pose and expression (farthest point first), in order."""
    present = np.flatnonzero(observed.present)
    some = present[:: max(len(present) // 2000, 1)]
    part = observed.part(some)
    shape = np.broadcast_to(basis.mean, (len(some), *basis.mean.shape))
    pose = rigid_pose(shape, part, basis.weight, camera)
    features = np.concatenate([2 * pose[:, :3], part.scores], 1)
    picked = [int(np.argmin(np.linalg.norm(features - np.median(features, 0), axis=1)))]
    distance = np.full(len(some), np.inf)
    while len(picked) < min(count, len(some)):
        latest = np.linalg.norm(features - features[picked[-1]], axis=1)
        distance = np.minimum(distance, latest)
        picked.append(int(np.argmax(distance)))
    return np.sort(some[picked]).astype(np.int32)


def _step(
    observed: Observations,
    basis: LandmarkBasis,
    camera: Camera,
    prior: Prior,
    alpha: Real,
    lens_offset: float,
    x: Real,
    settings: IdentitySettings,
) -> tuple[Real, Real]:
    """Step of (alpha, log focal), and the frames' parameters after it."""
    hessian, gradient = _normal(observed, basis, camera, alpha, x, settings.weights)
    own = x.shape[1]
    block, slope = hessian[:, :own, :own].copy(), gradient[:, :own].copy()
    add_prior(block, slope, x, observed, prior)
    cross = hessian[:, :own, own:]
    solved = np.linalg.solve(block, np.concatenate([cross, slope[..., None]], 2))
    reduced = (hessian[:, own:, own:] - cross.transpose(0, 2, 1) @ solved[..., :-1]).sum(0)
    right = gradient[:, own:] - (cross.transpose(0, 2, 1) @ solved[..., -1:])[..., 0]
    firm = np.full(len(alpha) + 1, settings.firmness)
    firm[-1] /= settings.lens_deviation**2
    firm *= len(x)
    at = np.append(alpha, lens_offset)
    step = -np.linalg.solve(reduced + np.diag(firm), right.sum(0) + firm * at)
    return step, x - solved[..., -1] - solved[..., :-1] @ step


def _normal(
    observed: Observations,
    basis: LandmarkBasis,
    camera: Camera,
    alpha: Real,
    x: Real,
    weights: Weights,
) -> tuple[Real, Real]:
    """Normal equations (K, P, P), (K, P) of pose, beta, alpha and log focal, in that order."""
    pose, _ = split(x)
    neutral = basis.template(alpha.astype(np.float32))
    error, turned, placed = residuals(observed, neutral, basis, camera, x)
    scale = (100 / observed.size)[:, None, None]
    pixel = projection.point_jacobian(placed, camera) * scale[..., None]
    middle = np.array([camera.width / 2, camera.height / 2], np.float32)
    by_lens = (projection.project(placed, camera) - middle) * scale
    both = np.concatenate([basis.expression, basis.identity])
    jacobian = np.concatenate(
        [
            projection.pose_jacobian(pixel, turned, pose),
            projection.shape_jacobian(pixel, pose, both),
            by_lens[..., None],
        ],
        axis=-1,
    )
    return weigh(error, jacobian.astype(np.float32), basis, weights).normal()
