"""Frames in, the face of one person out: detector, landmarks, following, fit."""

from gsmooth_core.tracking.fitting.fit import FitSettings, fit_landmarks
from gsmooth_core.tracking.following.follow import FollowSettings, LandmarkTrack, follow_face
from gsmooth_core.tracking.following.landmarks import ARKIT_NAMES
from gsmooth_core.tracking.track import TrackSettings, finish_track, track_face

__all__ = [
    "ARKIT_NAMES",
    "FitSettings",
    "FollowSettings",
    "LandmarkTrack",
    "TrackSettings",
    "finish_track",
    "fit_landmarks",
    "follow_face",
    "track_face",
]
