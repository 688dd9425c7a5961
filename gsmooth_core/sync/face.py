"""What an expert is given of a talking face."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gsmooth_core.types import Float, Image


@dataclass(frozen=True)
class Face:
    """A face as a clip shows it.

    Attributes:
        landmarks: (N, 478, 2) pixels, NaN where there is no face.
        fps: frames per second.
        frames: N pictures (H, W, 3), for experts that look at them; None otherwise.
    """

    landmarks: Float
    fps: float
    frames: Iterable[Image] | None = None
