"""Two ways to track a face behind one interface: our fit to landmarks, or the paper's R-Net."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.models import registry
from gsmooth_core.models.devices import best_device
from gsmooth_core.tracking.people import LARGEST
from gsmooth_core.tracking.track import TrackSettings, track_face
from gsmooth_core.types import Clip, FaceTrack, Image


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
        face: whose face, see `TrackSettings`.
    """

    def __init__(self, model: MorphableModel, face: str = LARGEST) -> None:
        self._model, self._settings = model, TrackSettings(face=face)

    def track(
        self,
        frames: Iterable[Image],
        clip: Clip,
        on_progress: Callable[[int], None] | None = None,
    ) -> FaceTrack:
        """Track one face; see `track_face`."""
        return track_face(frames, clip, self._model, self._settings, on_progress)


def build_tracker(
    name: str, model: MorphableModel, device: str = "auto", face: str = LARGEST
) -> Tracker:
    """A tracker by its name.

    Args:
        name: "fit", or "rnet" where the user has its checkpoint, found as the model "rnet".
        model: the face model; R-Net needs the Basel Face Model.
        device: where R-Net runs.
        face: whose face, see `TrackSettings`.

    Raises:
        ModelError: the checkpoint is missing, damaged, or does not fit the face model.
    """
    if name == "fit":
        return FitTracker(model, face)
    from gsmooth_core.tracking.rnet import RNetTracker  # torch, which the fit does without

    chosen = best_device() if device == "auto" else device
    return RNetTracker(registry.locate("rnet"), model, device=chosen, face=face)
