"""Target adaptation: what this clip teaches about its person, and not about the frame to be made.

The clip is cut into parts. Each has its own correctives, learned from the other parts: frames of
those are reconstructed, from references in them at least `gap` seconds away, and it is seen where
they lie wrong. Around each cut lies a stretch over which one part's correctives become the next
one's; neither learns from it. So no pixel of a frame ever has a part in the correctives that make
it. They are kept as far as stretches of the clip bear out that they were not learned from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic

import numpy as np
from scipy.ndimage import maximum_filter1d

from gsmooth_core.taft.calibrate import CalibrationSettings, calibrate
from gsmooth_core.taft.correctives import Personal
from gsmooth_core.taft.lessons import LessonSettings, Material
from gsmooth_core.types import Bool, FaceTrack, Float


@dataclass(frozen=True)
class AdaptSettings:
    """How a clip is learned from.

    Attributes:
        lessons: the frames that each part learns from.
        calibration: how correctives are learned from them.
        parts: number of parts.
        fade: seconds around a cut in which one part's correctives become the next one's.
        shortest: seconds with a usable face that each part needs to learn from.
    """

    lessons: LessonSettings = field(default_factory=LessonSettings)
    calibration: CalibrationSettings = field(default_factory=CalibrationSettings)
    parts: int = 4
    fade: float = 0.4
    shortest: float = 1.5


def shares_of(frames: int, fps: float, settings: AdaptSettings) -> Float:
    """(T, K) share of each part's correctives in each frame; a frame's shares add up to 1."""
    half, parts = max(settings.fade * fps, 1e-6) / 2, np.arange(settings.parts)
    cuts = np.linspace(0, frames, settings.parts + 1)[1:-1]
    ends = np.add.outer(cuts, [-half, half]).ravel()  # where a fade begins, where it ends
    place = np.interp(np.arange(frames), ends, np.repeat(parts, 2)[1:-1])  # 0 1, 1 2, 2 3, ...
    shares: Float = np.maximum(0, 1 - np.abs(place[:, None] - parts)).astype(np.float32)
    return shares


def open_to(track: FaceTrack, settings: AdaptSettings) -> Bool | None:
    """(T, K) frames that each part may learn from: `gap` seconds from all that it makes.

    Returns:
        None when a part has too little of it.
    """
    fps = float(track.fps)
    near = 2 * int(np.ceil(settings.lessons.gap * fps)) + 1
    made = shares_of(len(track), fps, settings) > 0
    free: Bool = ~maximum_filter1d(made, near, axis=0, mode="constant") & track.usable[:, None]
    return free if free.sum(0).min() >= settings.shortest * fps else None


def learn(
    material: Material,
    settings: AdaptSettings,
    seconds: float = np.inf,
    on_frame: Callable[[int], None] = lambda done: None,
) -> Personal | None:
    """What a clip teaches each of its parts about the person.

    Args:
        material: the clip.
        settings: how to learn.
        seconds: that may be spent; less is learned where they run out.
        on_frame: told how many frames are done, of `all_lessons` at most.

    Returns:
        None when the clip is too short; a part that learns nothing which unseen frames bear out
        has no correctives.
    """
    track, begin, parts = material.track, monotonic(), []
    gap = max(settings.lessons.gap, material.compose.references.gap)
    settings = replace(settings, lessons=replace(settings.lessons, gap=gap))
    free = open_to(track, settings)
    if free is None:
        return None
    for number, own in enumerate(free.T):
        known = replace(material, track=track.only(own))
        until = begin + seconds * (number + 1) / settings.parts
        tell = partial(_after, number * settings.lessons.count, on_frame)
        parts.append(calibrate(known, settings.lessons, settings.calibration, until, tell))
    return Personal(tuple(parts), shares_of(len(track), float(track.fps), settings))


def all_lessons(settings: AdaptSettings) -> int:
    """How many frames `learn` tells of at most."""
    return settings.parts * settings.lessons.count


def _after(before: int, on_frame: Callable[[int], None], done: int) -> None:
    on_frame(before + done)
