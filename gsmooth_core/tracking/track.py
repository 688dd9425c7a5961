"""From frames to a FaceTrack, in one pass over the frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from gsmooth_core.face.landmarks import OUTER_EYE_CORNERS, SKIN
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.tracking import lighting
from gsmooth_core.tracking.fitting.fit import FitSettings, fit_landmarks, ramp
from gsmooth_core.tracking.following.follow import FollowSettings, LandmarkTrack
from gsmooth_core.tracking.following.found import FollowedFace
from gsmooth_core.tracking.following.looks import USUAL
from gsmooth_core.tracking.occlusion import hidden_share
from gsmooth_core.tracking.people.people import LARGEST, People, Person, follow_people
from gsmooth_core.tracking.shots.bars import beside_mouths
from gsmooth_core.types import Bool, Clip, FaceTrack, Image, Int

_MOUTH = (13, 14)  # points of the face mesh: inner edges of the lips, in their middle
_FAR = 0.5  # of the distance of the eyes: how far into a bar a hidden mouth is imagined
_NEAR = 2  # frames, in which a face is seen again that flickers


@dataclass(frozen=True)
class TrackSettings:
    """How a face is tracked.

    Attributes:
        follow: how a face is found and its landmarks followed.
        fit: how the model is fitted to them.
        face: whose face: "largest" (who takes up most of the picture over the whole clip), or a
            person's number, "1" is who is seen longest.
    """

    follow: FollowSettings = field(default_factory=partial(FollowSettings, looks=USUAL))
    fit: FitSettings = field(default_factory=FitSettings)
    face: str = LARGEST


def track_face(
    frames: Iterable[Image],
    clip: Clip,
    model: MorphableModel,
    settings: TrackSettings | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> FaceTrack:
    """Track the face of one person through a clip.

    The frames are read once and none is kept: the landmarks of everybody, the colours of the skin
    at them and a few small pictures of each face are all that stays. Frames that do not show the
    chosen person have no face, whoever else is there.

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
        InputError: the settings name a person who is not there.
    """
    settings = settings or TrackSettings()
    people = follow_people(frames, skin, settings.follow, on_progress)
    return fit_person(people, people.choose(settings.face), clip, model, settings.fit)


def skin(frame: Image, face: FollowedFace) -> Image:
    """(S, 3) RGB of a face's skin: what `fit_person` wants to know of each frame beside points."""
    return lighting.sample(frame, face.points)


def fit_person(
    people: People,
    person: Person | None,
    clip: Clip,
    model: MorphableModel,
    settings: FitSettings | None = None,
) -> FaceTrack:
    """The track of one of the people who were followed with `skin`; see `track_face`.

    Raises:
        NoFaceError: there is nobody.
    """
    landmarks, colours = people.track(person)
    if colours is None:  # there is nobody, as the fit will say
        colours = np.zeros((len(landmarks), len(SKIN), 3), np.uint8)
    track = finish_track(landmarks, colours, clip, model, settings)
    return with_people(track, people, person)


def with_people(track: FaceTrack, people: People, person: Person | None) -> FaceTrack:
    """A track that also knows the clip's shots and pictures, and who else is seen."""
    if people.pictures is not None:
        track = _as_first(replace(track, picture=people.pictures))
    chosen = person.number if person else 0
    track = replace(track, shot=people.shot, people=people.seen, person=chosen)
    if people.area is not None:
        track = _between_bars(track, people.area, people.shot)
    return track.only(~_glimpsed(track.usable, people.shot))


def _glimpsed(usable: Bool, shot: Int) -> Bool:
    """(T,) faces that are seen for a single frame, in a shot that goes on without them.

    Something passes before them, a whip pan has blurred them, or they are on the verge of being
    turned away: a mouth that is new for one frame is a flash.
    """
    glimpsed = np.zeros(len(usable), bool)
    for number in np.unique(shot):
        here = shot == number
        if here.sum() > 1:
            seen = usable & here
            near = np.convolve(seen, np.ones(2 * _NEAR + 1))[_NEAR:-_NEAR]  # itself counts
            glimpsed |= seen & (near == 1)
    return glimpsed


def _between_bars(track: FaceTrack, area: Int, shot: Int) -> FaceTrack:
    """A track that knows the bars around the picture, and no face whose mouth they hide."""
    lips = track.landmarks[:, list(_MOUTH)].mean(1)
    mouths = np.where(track.usable[:, None], lips, np.nan).astype(np.float32)
    left, right = (track.landmarks[:, corner] for corner in OUTER_EYE_CORNERS)
    far = _FAR * np.linalg.norm(right - left, axis=1)
    area = beside_mouths(area, mouths, far, shot, (track.width, track.height))
    hidden = (mouths < area[:, :2]) | (mouths > area[:, 2:])
    whole = (area == [0, 0, track.width, track.height]).all()
    return replace(track, area=None if whole else area).only(~hidden.any(1))


def _as_first(track: FaceTrack) -> FaceTrack:
    """A track whose face is where it was when a picture was shown first, to the last digit."""
    first = track.gathered(track.pictures)
    return first.only(track.usable)  # nobody is seen where nobody was found


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
    exposed = lighting.exposed_share(skin)
    return replace(track, light=light, confidence=confidence, exposed=exposed)
