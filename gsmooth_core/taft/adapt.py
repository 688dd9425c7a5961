"""Target adaptation: what this clip teaches about its person, and not about the frame to be made.

The clip is cut into parts. Each has its own correctives, learned from the other parts: frames
of those are reconstructed, from references in them at least `gap` seconds away, and it is seen
where they lie wrong. Around each cut lies a stretch over which one part's correctives become the
next one's; neither learns from it. So no pixel of a frame ever has a part in the correctives that
make it. They are kept as far as stretches of the clip bear out that they were not learned from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import monotonic

import numpy as np
from scipy.ndimage import maximum_filter1d
from torch import nn

from gsmooth_core.data import FaceTrack, Float
from gsmooth_core.taft.calibrate import CalibrationSettings, calibrate
from gsmooth_core.taft.correctives import Correctives
from gsmooth_core.taft.lessons import LessonSettings, Material


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


def taught_parts(track: FaceTrack, settings: AdaptSettings) -> list[FaceTrack] | None:
    """The track without the frames that a part may not learn from, for each part.

    `gap` seconds lie between them and the frames that it makes.

    Returns:
        None when there is too little of it.
    """
    fps = float(track.fps)
    clear = int(np.ceil(settings.lessons.gap * fps))
    parts = []
    for share in shares_of(len(track), fps, settings).T:
        near = maximum_filter1d(share > 0, 2 * clear + 1, mode="constant")
        confidence = np.where(near, 0, track.confidence).astype(np.float32)
        parts.append(replace(track, confidence=confidence))
    enough = all(part.usable.sum() >= settings.shortest * fps for part in parts)
    return parts if enough else None


def learn(
    generator: nn.Module,
    material: Material,
    settings: AdaptSettings,
    seconds: float = np.inf,
    on_frame: Callable[[int], None] = lambda done: None,
) -> Correctives | None:
    """What frames of the clip teach one part; see `calibrate`.

    Args:
        generator: makes the reconstructions.
        material: the frames that may be learned from.
        settings: how to learn.
        seconds: that may be spent; less is learned where they run out.
        on_frame: told how many frames are done, of `lessons.count` at most.
    """
    return calibrate(generator, material, settings.calibration, monotonic() + seconds, on_frame)
