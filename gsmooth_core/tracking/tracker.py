"""Two ways to track a face behind one interface: our fit to landmarks, or the paper's R-Net."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.models import registry
from gsmooth_core.models.devices import best_device
from gsmooth_core.networks.engine import require_torch
from gsmooth_core.tracking.following.follow import FollowSettings
from gsmooth_core.tracking.following.looks import USUAL
from gsmooth_core.tracking.people.people import People, Person, follow_people
from gsmooth_core.tracking.track import fit_person, skin
from gsmooth_core.types import Clip, FaceTrack, Image


class Tracker(Protocol):
    """Frames of a clip in, the tracks of the people in it out."""

    def follow(
        self,
        frames: Iterable[Image],
        on_progress: Callable[[int], None] | None = None,
        folder: Path | None = None,
    ) -> People:
        """Follow everybody; the frames are read once, what is found in them lies in `folder`."""
        ...

    def fit(self, people: People, person: Person | None, clip: Clip) -> FaceTrack:
        """The track of one of the people that `follow` found in `clip`; see `fit_person`."""
        ...


class FitTracker:
    """Fits a face model to landmarks (the default).

    Args:
        model: the face model.
        looks: ways to look at each face, see `looks`.
    """

    def __init__(self, model: MorphableModel, looks: int) -> None:
        self._model = model
        self.looks = looks

    def follow(
        self,
        frames: Iterable[Image],
        on_progress: Callable[[int], None] | None = None,
        folder: Path | None = None,
    ) -> People:
        """Follow everybody; the frames are read once, what is found in them lies in `folder`."""
        return follow_people(frames, skin, FollowSettings(looks=self.looks), on_progress, folder)

    def fit(self, people: People, person: Person | None, clip: Clip) -> FaceTrack:
        """The track of one of the people that `follow` found in `clip`; see `fit_person`."""
        return fit_person(people, person, clip, self._model)


def build_tracker(
    name: str, model: MorphableModel, device: str = "auto", looks: int = USUAL
) -> Tracker:
    """A tracker by its name.

    Args:
        name: "fit", or "rnet" where the user has its checkpoint, found as the model "rnet".
        model: the face model; R-Net needs the Basel Face Model.
        device: where R-Net runs.
        looks: ways to look at each face, for our fit.

    Raises:
        ModelError: the checkpoint is missing, damaged, or does not fit the face model.
    """
    if name == "fit":
        return FitTracker(model, looks)
    require_torch("R-Net")
    from gsmooth_core.tracking.regressor.rnet import RNetTracker  # torch, an optional package

    chosen = best_device() if device == "auto" else device
    return RNetTracker(registry.locate("rnet"), model, device=chosen)
