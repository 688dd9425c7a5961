"""Target adaptation: what a clip teaches about its person, but not about the frame to be made.

The clip is cut into parts. Each has its own correctives, learned from the other parts: frames of
those are reconstructed, from references that are also in them and at least `gap` seconds away, and
it is measured how far they are off. Around each cut lies a stretch over which one part's
correctives blend into the next one's; neither learns from it. So no pixel of a frame ever has a
part in the correctives that make it. They are kept only if held-out stretches bear them out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic

import numpy as np
from scipy.ndimage import maximum_filter1d

from gsmooth_core.taft.adaptation.calibrate import CalibrationSettings, calibrate
from gsmooth_core.taft.correctives import Personal
from gsmooth_core.taft.samples import ClipData, SampleSettings
from gsmooth_core.types import Bool, FaceTrack, Float


@dataclass(frozen=True)
class AdaptSettings:
    """How a clip is learned from. The fields' names are part of a job's fingerprints: keep them.

    Attributes:
        lessons: the self-reconstruction samples of each part.
        calibration: how correctives are learned from them.
        parts: number of parts.
        fade: seconds over which one part's correctives blend into the next one's.
        shortest: seconds with a usable face that each part needs to learn from.
    """

    lessons: SampleSettings = field(default_factory=SampleSettings)
    calibration: CalibrationSettings = field(default_factory=CalibrationSettings)
    parts: int = 4
    fade: float = 0.4
    shortest: float = 1.5


def shares_of(frames: int, fps: float, settings: AdaptSettings) -> Float:
    """(T, K) weight of each part's correctives in each of `frames`; a frame's add up to 1."""
    half, parts = max(settings.fade * fps, 1e-6) / 2, np.arange(settings.parts)
    cuts = np.linspace(0, frames, settings.parts + 1)[1:-1]
    ends = np.add.outer(cuts, [-half, half]).ravel()  # where a fade begins, where it ends
    place = np.interp(np.arange(frames), ends, np.repeat(parts, 2)[1:-1])  # 0 1, 1 2, 2 3, ...
    shares: Float = np.maximum(0, 1 - np.abs(place[:, None] - parts)).astype(np.float32)
    return shares


def open_to(track: FaceTrack, settings: AdaptSettings) -> Bool | None:
    """The frames that each part may learn from: `gap` seconds away from all that it makes.

    Returns:
        (T, K), or None when a part has too few of them.
    """
    fps = float(track.fps)
    near = 2 * int(np.ceil(settings.lessons.gap * fps)) + 1
    made = shares_of(len(track), fps, settings) > 0
    free: Bool = ~maximum_filter1d(made, near, axis=0, mode="constant") & track.usable[:, None]
    return free if free.sum(0).min() >= settings.shortest * fps else None


def learn(
    data: ClipData,
    settings: AdaptSettings,
    seconds: float = np.inf,
    on_frame: Callable[[int], None] = lambda done: None,
) -> Personal | None:
    """Learn the person's correctives for each part of a clip.

    Args:
        data: the clip.
        settings: how to learn.
        seconds: time that may be spent; fewer samples are made where it runs out.
        on_frame: called with the number of samples done, `sample_count` at most.

    Returns:
        None when the clip is too short. A part whose correctives held-out frames do not bear out
        has none.
    """
    track, begin, parts = data.track, monotonic(), []
    gap = max(settings.lessons.gap, data.compose.references.gap)
    settings = replace(settings, lessons=replace(settings.lessons, gap=gap))
    free = open_to(track, settings)
    if free is None:
        return None
    for number, own in enumerate(free.T):
        known = replace(data, track=track.only(own))
        until = begin + seconds * (number + 1) / settings.parts
        on_sample = partial(_counted, number * settings.lessons.count, on_frame)
        parts.append(calibrate(known, settings.lessons, settings.calibration, until, on_sample))
    return Personal(tuple(parts), shares_of(len(track), float(track.fps), settings))


def sample_count(settings: AdaptSettings) -> int:
    """Largest number of samples that `learn` makes."""
    return settings.parts * settings.lessons.count


def _counted(first: int, on_frame: Callable[[int], None], done: int) -> None:
    on_frame(first + done)
