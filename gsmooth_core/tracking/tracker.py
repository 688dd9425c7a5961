"""Two ways to track a face behind one interface: our fit to landmarks, or the paper's R-Net."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.models import registry
from gsmooth_core.models.devices import best_device
from gsmooth_core.tracking.track import track_face
from gsmooth_core.types import Clip, FaceTrack, Image

TRACKERS = ("fit", "rnet")


class Tracker(Protocol):
    """Frames of a clip in, the track of one face out."""

    def track(
        self,
        frames: Iterable[Image],
        clip: Clip,
        on_progress: Callable[[int], None] | None = None,
    ) -> FaceTrack:
        """Track one face; see `track_face`."""
        ...


class FitTracker:
    """Fits a face model to landmarks (the default).

    Args:
        model: the face model.
    """

    def __init__(self, model: MorphableModel) -> None:
        self._model = model

    def track(
        self,
        frames: Iterable[Image],
        clip: Clip,
        on_progress: Callable[[int], None] | None = None,
    ) -> FaceTrack:
        """Track one face; see `track_face`."""
        return track_face(frames, clip, self._model, on_progress=on_progress)


def build_tracker(name: str, model: MorphableModel, device: str = "auto") -> Tracker:
    """A tracker by its name.

    Args:
        name: one of `TRACKERS`; "rnet" needs the user's own checkpoint, found as the model "rnet".
        model: the face model; R-Net needs the Basel Face Model.
        device: where R-Net runs.

    Raises:
        ModelError: the checkpoint is missing, damaged, or does not fit the face model.
    """
    if name == "fit":
        return FitTracker(model)
    from gsmooth_core.tracking.rnet import RNetTracker  # torch, which the fit does without

    chosen = best_device() if device == "auto" else device
    return RNetTracker(registry.locate("rnet"), model, device=chosen)
