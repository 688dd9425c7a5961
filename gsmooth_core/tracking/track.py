"""From frames to a FaceTrack, in one pass over the frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.tracking import lighting
from gsmooth_core.tracking.fit import FitSettings, fit_landmarks, ramp
from gsmooth_core.tracking.follow import FollowedFace, FollowSettings, LandmarkTrack, follow_face
from gsmooth_core.tracking.occlusion import hidden_share
from gsmooth_core.types import Clip, FaceTrack, Image


@dataclass(frozen=True)
class TrackSettings:
    """How a face is tracked.

    Attributes:
        follow: how the face is chosen and its landmarks followed.
        fit: how the model is fitted to them.
    """

    follow: FollowSettings = field(default_factory=FollowSettings)
    fit: FitSettings = field(default_factory=FitSettings)


def track_face(
    frames: Iterable[Image],
    clip: Clip,
    model: MorphableModel,
    settings: TrackSettings | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> FaceTrack:
    """Track one face through a clip.

    The frames are read once and none is kept: landmarks and the colours of the skin at them are
    all that is kept (the light is estimated from those after the fit).

    Args:
        frames: (H, W, 3) RGB each, in order.
        clip: the clip that the frames are of; its size must be theirs.
        model: the face model to fit.
        settings: how the face is followed and fitted; the defaults by default.
        on_progress: called with the number of frames done.

    Returns:
        the track; frames without a usable face have confidence 0.

    Raises:
        NoFaceError: no frame shows a face.
    """
    settings = settings or TrackSettings()
    skin = lighting.SkinColours()

    def keep(index: int, frame: Image, face: FollowedFace) -> None:
        skin.add(index, frame, face)
        if on_progress:
            on_progress(index + 1)

    landmarks = follow_face(frames, settings.follow, keep)
    return finish_track(landmarks, skin.result(), clip, model, settings.fit)


def finish_track(
    landmarks: LandmarkTrack,
    skin: Image,
    clip: Clip,
    model: MorphableModel,
    settings: FitSettings | None = None,
) -> FaceTrack:
    """Fit and light, for landmarks and skin colours (T, S, 3) gathered before; see `track_face`."""
    settings = settings or FitSettings()
    track = fit_landmarks(landmarks, model, clip.width, clip.height, clip.fps, settings)
    hidden = hidden_share(skin, track.usable, model)
    confidence = track.confidence * ramp(hidden, settings.limits.hidden)
    light = lighting.estimate(track, landmarks.shot, model, skin)
    return replace(track, light=light, confidence=confidence)
