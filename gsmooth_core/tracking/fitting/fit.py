"""Landmarks of a clip -> identity, camera, and pose and expression of every frame.

The role of R-Net in the paper (Sec. IV-A), by optimisation: identity and focal length once for
the clip, then all frames with a prior towards the ARKit scores and smoothness over time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.errors import NoFaceError
from gsmooth_core.face.camera import rotation_matrix
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.tracking.blocks import blocks
from gsmooth_core.tracking.fitting.basis import LandmarkBasis, landmark_basis
from gsmooth_core.tracking.fitting.identity import IdentitySettings, Person, find_person
from gsmooth_core.tracking.fitting.lips import ClosedLips, closed_gap, lip_gap
from gsmooth_core.tracking.fitting.projection import POSE, Camera, Reals, translation
from gsmooth_core.tracking.fitting.sequence import Prior, SequenceSettings, solve_sequence
from gsmooth_core.tracking.fitting.terms import ClipObservations, Observations, face_size, residuals
from gsmooth_core.tracking.following.follow import LandmarkTrack
from gsmooth_core.tracking.following.landmarks import ARKIT_NAMES
from gsmooth_core.types import Bool, FaceTrack, Float

Real = NDArray[np.float64]

_SUBTLE = (
    *("mouthRoll", "mouthShrug", "mouthPress", "mouthFrown", "mouthDimple", "mouthStretch"),
    *("mouthUpperUp", "mouthLeft", "mouthRight", "jawForward", "jawLeft", "jawRight"),
)
_DEVIATIONS = {
    "eyeLook": 0.02,  # landmarks of the lids say little about the gaze; the scores know
    "tongueOut": 0.01,
    "cheekPuff": 0.05,
    "cheekSquint": 0.1,
    "eye": 0.15,
    "brow": 0.15,
    "noseSneer": 0.1,
    # Together these can imitate opening, rounding and a person's own lips: held firmer.
    **dict.fromkeys(_SUBTLE, 0.1),
}
"""How far beta may be from the ARKit score, by the beginning of the shape's name."""


@dataclass(frozen=True)
class Limits:
    """What makes a frame's face unusable: confidence falls from 1 to 0 between two values.

    Attributes:
        yaw: angle between face and camera in degrees.
        residual: root mean square landmark error, percent of the face's size.
        presence: the networks' own certainty, 0..1.
        size: distance of the outer eye corners in pixels (a face is about twice as wide).
        lips: share of the lips' points that lie inside the frame.
        hidden: share of the skin around the mouth that looks occluded.
    """

    yaw: tuple[float, float] = (45.0, 62.0)
    residual: tuple[float, float] = (4.0, 10.0)
    presence: tuple[float, float] = (0.95, 0.5)
    size: tuple[float, float] = (16.0, 10.0)
    lips: tuple[float, float] = (0.9, 0.4)
    hidden: tuple[float, float] = (0.25, 0.4)


@dataclass(frozen=True)
class FitSettings:
    """How the model is fitted.

    Attributes:
        identity: how person and camera are found.
        sequence: how pose and expression of the frames are found.
        mouth_deviation: standard deviation of the mouth's main shapes around the ARKit score.
        closed_lips: what closed lips look like.
        limits: what makes a frame unusable.
    """

    identity: IdentitySettings = field(default_factory=IdentitySettings)
    sequence: SequenceSettings = field(default_factory=SequenceSettings)
    mouth_deviation: float = 0.25
    closed_lips: ClosedLips = field(default_factory=ClosedLips)
    limits: Limits = field(default_factory=Limits)


def fit_landmarks(
    track: LandmarkTrack,
    model: MorphableModel,
    width: int,
    height: int,
    fps: Fraction,
    settings: FitSettings | None = None,
) -> FaceTrack:
    """Fit a face model to the landmarks of a clip.

    Args:
        track: the landmarks of T frames.
        model: the face model to fit.
        width: width of the frames in pixels.
        height: height of the frames in pixels.
        fps: frame rate.
        settings: priors, weights and limits; the defaults by default.

    Returns:
        the track, under uniform white light. Frames without a face have confidence 0
        and values between those of their neighbours.

    Raises:
        NoFaceError: no frame shows a face.
    """
    settings = settings or FitSettings()
    basis = landmark_basis(model)
    observed = observe(track, model, basis, settings.closed_lips)
    prior = expression_prior(model, settings)
    person = find_person(observed, basis, prior, width, height, settings.identity)
    neutral = basis.template(person.alpha)
    x = solve_sequence(
        observed, neutral, basis, person.camera, prior, float(fps), settings.sequence
    )
    confidence = _confidence(track.presence, observed, neutral, basis, person, x, settings.limits)
    x = fill(x, observed.present)
    beta = x[:, POSE:].astype(np.float32)
    if prior.bounds is not None:
        np.clip(beta, *prior.bounds, out=beta)
    rotation, place = x[:, :3].astype(np.float32), translation(x)
    del observed, x  # an hour of them is 0.1 GB, and the landmarks are to come
    light = np.zeros((len(beta), 9, 3), np.float32)
    light[:, 0] = np.sqrt(4 * np.pi)
    return FaceTrack(
        width=width,
        height=height,
        fps=fps,
        model=model.name,
        focal=person.camera.focal,
        identity=person.alpha,
        expression_names=model.expression_names,
        expression=beta,
        rotation=rotation,
        translation=place,
        light=light,
        confidence=confidence,
        landmarks=track.flat(),
    )


def observe(
    track: LandmarkTrack, model: MorphableModel, basis: LandmarkBasis, closed_lips: ClosedLips
) -> ClipObservations:
    """What a model is fitted to: the observations in a landmark track.

    Raises:
        NoFaceError: no frame shows a face.
    """
    pairs = basis.index[basis.pairs]
    present, size = np.zeros(len(track), bool), np.ones(len(track), np.float32)
    gap = np.zeros((len(track), len(pairs)), np.float32)
    for some in blocks(len(track)):
        points = track.points[some]
        present[some] = there = np.isfinite(points).all((1, 2))
        size[some] = np.where(there, np.maximum(face_size(points), 1), 1)
        gap[some] = lip_gap(points, pairs, size[some])
    if not present.any():
        raise NoFaceError(
            "No face was found in any frame of the clip.",
            "Use a clip in which a face is seen from the front, at least 20 pixels wide.",
        )
    scores = np.zeros((len(track), len(model.expression_names)), np.float32)
    for column, name in enumerate(model.expression_names):
        if name in ARKIT_NAMES:
            scores[:, column] = track.scores[:, ARKIT_NAMES.index(name)]
    closed = closed_gap(gap[present], closed_lips)
    return ClipObservations(
        track.points, basis, closed, closed_lips, scores, size, present, track.shot
    )


def expression_prior(model: MorphableModel, settings: FitSettings) -> Prior:
    """What is expected of the model's expressions: near the ARKit scores, or N(0, 1)."""
    names = model.expression_names
    if not set(names) <= set(ARKIT_NAMES):
        return Prior(np.ones(len(names), np.float32), bounds=None, change=0.5)
    return Prior(
        np.array([_deviation(name, settings.mouth_deviation) for name in names], np.float32)
    )


def _deviation(name: str, otherwise: float) -> float:
    return next((v for start, v in _DEVIATIONS.items() if name.startswith(start)), otherwise)


def fill(x: Real, present: Bool) -> Real:
    """Interpolate parameters (T, P) over the frames that are not `present` (T,)."""
    where = np.flatnonzero(present)
    times = np.arange(len(x))
    out = np.empty_like(x)
    for column, values in enumerate(x.T):
        out[:, column] = np.interp(times, where, values[where])
    return out


def _confidence(
    presence: Float,
    observed: ClipObservations,
    neutral: Float,
    basis: LandmarkBasis,
    person: Person,
    x: Real,
    limits: Limits,
) -> Float:
    frames = np.flatnonzero(observed.present)
    out = np.zeros(len(x), np.float32)
    for some in np.array_split(frames, max(len(frames) // 256, 1)):
        part = observed.part(some)
        error, _, _ = residuals(part, neutral, basis, person.camera, x[some])
        rms = np.sqrt((error**2).sum(-1).mean(1))
        out[some] = (
            ramp(presence[some], limits.presence)
            * ramp(yaw(x[some]), limits.yaw)
            * ramp(rms, limits.residual)
            * ramp(part.size, limits.size)
            * ramp(_lips_inside(part, basis, person.camera), limits.lips)
        )
    return out


def _lips_inside(observed: Observations, basis: LandmarkBasis, camera: Camera) -> Float:
    lips = observed.points[:, basis.pairs.ravel(), :2]
    inside = ((lips > 0) & (lips < (camera.width, camera.height))).all(-1)
    return np.asarray(inside.mean(1), np.float32)


def yaw(x: Reals) -> Float:
    """(T,) degrees between the face's forward axis and the direction to the camera; x (T, 6+)."""
    forward = rotation_matrix(x[:, :3])[..., 2]
    place = translation(x)
    towards = -place / np.linalg.norm(place, axis=1, keepdims=True)
    return np.asarray(np.degrees(np.arccos(np.clip((forward * towards).sum(1), -1, 1))), np.float32)


def ramp(value: Float, limits: tuple[float, float]) -> Float:
    """1 up to the first limit, 0 from the second, straight between; limits in either order."""
    full, none = limits
    return np.asarray(np.clip((value - none) / (full - none), 0, 1), np.float32)
