"""Which frames lend to which: the bank of a clip, its choice, and frames that none can help.

Where captions are burned in, the frames that are nearest may all be covered at the same place.
Then others are taken as well that show it; and where no frame shows the mouth, the frame is better
left as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_closing

from gsmooth_core.face.camera import project, rotation_matrix
from gsmooth_core.face.morphable import MorphableModel, Region
from gsmooth_core.face.mouth import lip_gaps
from gsmooth_core.face.render import FaceSurface
from gsmooth_core.mafb.crop import CROP_SIDE, crop_transforms, front_view
from gsmooth_core.mafb.occlusion.occluders import Occluders
from gsmooth_core.taft.lending.heard import Heard
from gsmooth_core.taft.lending.references import (
    Choice,
    ReferenceSettings,
    brightness,
    choice_of,
    choose_bank,
    costs,
    features,
    price_of_turn,
    well_exposed,
)
from gsmooth_core.taft.lending.spoiled import letters_near, price
from gsmooth_core.types import Bool, FaceTrack, Float

_AT_ONCE = 4096  # frames whose costs are held at a time
_SPARES = 4  # frames that are taken besides, at most
_TRUST = 0.15  # in them: they show a mouth that is less alike
_GAIN = 0.6  # of what the best of them would show
_POINTS = 4  # every fourth vertex will do
_LIPS = 0.12  # share of the lips that may be made up
_SKIN = 0.4  # share of the lower face
_OPEN = 3.0  # pixels of a crop of 256: what shows between the lips must come from somewhere
_STRETCH = 0.4  # logarithm of the stretch at which a mouth helps e times less
_HELP = 0.4  # of what there is without letters
_HALF = 0.5  # of the lips: the others are of no interest
_BRIEF = 5  # frames between two that stay as they are, in which the mouth would jump


@dataclass(frozen=True)
class Lenders:
    """The frames that lend their pixels.

    Attributes:
        bank: (B,) frame numbers.
        choice: of them, for each of T frames.
        covered: (T,) frames for which no other shows what letters do not cover in them.
    """

    bank: NDArray[np.int64]
    choice: Choice
    covered: Bool


def lenders(
    track: FaceTrack,
    model: MorphableModel,
    surface: FaceSurface,
    target: Float,
    settings: ReferenceSettings,
    occluders: Occluders | None = None,
    captions: Occluders | None = None,
    heard: Heard | None = None,
) -> Lenders:
    """Choose the frames that lend to each of T frames.

    Args:
        track: the track of the clip.
        model: its face model.
        surface: the person's face.
        target: (T, E) the expression that each frame should show.
        settings: how references are chosen.
        occluders: what is in front of the face.
        captions: what was burned in.
        heard: what is heard in the clip and is to be said; None where that is not known.
    """
    # An occluded frame would lend pixels of a hand as pixels of a mouth.
    lending = occluders.unoccluded(track) if occluders else track
    own = features(track, model, track.expression, settings.degrees)
    bank = _bank(lending, own, settings)
    wanted = features(track, model, target, settings.degrees)
    fps, shown, lit = float(track.fps), track.pictures, brightness(track)
    lips = surface.template[surface.regions == Region.LIPS].mean(0)
    dearer = price(captions, bank, front_view(lips, 1)) if captions else None
    letters = _Letters(track, model, surface, captions) if captions and len(bank) else None
    over, parts = letters.over(bank) if letters else None, []
    for start in range(0, len(track), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        cost = costs(wanted, own, bank, fps, settings, lit, track.shot, shown, dearer, part)
        cost = cost + price_of_turn(track.rotation, bank, part)
        if heard is not None:
            cost = cost + heard.price(bank, part)
        chosen = choice_of(cost, settings)
        parts.append(chosen if over is None else with_spares(chosen, cost, over))
    choice, covered = joined(parts), np.zeros(len(track), bool)
    if letters:
        covered = letters.helpless(choice, bank)
        opening = _opening(model, track, target), _opening(model, track, track.expression)[bank]
        covered |= letters.mouthless(choice, bank, *opening) & track.usable
    return Lenders(bank, choice, covered)


def likely(track: FaceTrack, model: MorphableModel, settings: ReferenceSettings) -> Bool:
    """(T,) frames that are the bank of a clip, where nothing is found to lie over its face."""
    own = features(track, model, track.expression, settings.degrees)
    return np.isin(np.arange(len(track)), _bank(track, own, settings))


def _bank(lending: FaceTrack, own: Float, settings: ReferenceSettings) -> NDArray[np.int64]:
    lends = lending.usable & well_exposed(lending) & lending.new
    return choose_bank(own, lends, settings.bank)


def joined(parts: Sequence[Choice]) -> Choice:
    """The choice for all frames, of those for stretches of them."""
    members, weights = (
        np.concatenate(arrays)
        for arrays in zip(*((c.members, c.weights) for c in parts), strict=True)
    )
    return Choice(members, weights)


def with_spares(choice: Choice, cost: NDArray[np.float64], covered: Bool) -> Choice:
    """Take more references where those that are chosen are all covered at the same points.

    Args:
        choice: of T frames.
        cost: (T, B) of `references.costs`.
        covered: (B, P) points of the face over which letters lie.
    """
    count = len(cost)
    members = np.pad(choice.members, ((0, 0), (0, _SPARES)))
    weights = np.pad(choice.weights, ((0, 0), (0, _SPARES)))
    for frame in range(count):
        taken = choice.members[frame][choice.weights[frame] > 0]
        missing, free = covered[taken].all(0), np.isfinite(cost[frame])
        free[taken] = False
        for place in range(choice.members.shape[1], members.shape[1]):
            gain = (missing & ~covered).sum(1) * free
            if not gain.any():
                break
            good = np.flatnonzero(gain >= _GAIN * gain.max())
            best = good[cost[frame, good].argmin()]
            members[frame, place], weights[frame, place] = best, _TRUST
            missing, free[best] = missing & covered[best], False
    return Choice(members, weights)


def without(choice: Choice, members: Sequence[int]) -> Choice:
    """A choice without some members of the bank, in the frames that have others."""
    weights = np.where(np.isin(choice.members, members), 0, choice.weights)
    largest = weights.max(1, initial=0, keepdims=True)
    others = np.where(largest > 0, weights / np.maximum(largest, 1e-9), choice.weights)
    return Choice(choice.members, others.astype(np.float32))


def _opening(model: MorphableModel, track: FaceTrack, expression: Float) -> Float:
    """(T,) opening of the mouth, in pixels of a crop of 256."""
    gaps: Float = lip_gaps(model, track.identity, expression).max(1) * np.float32(256 / CROP_SIDE)
    return gaps


def _share(missing: Bool, of: Bool) -> float:
    return float(missing[of].mean()) if of.any() else 0.0


class _Letters:
    """Over which points of the lower face letters lie, frame by frame."""

    def __init__(
        self, track: FaceTrack, model: MorphableModel, surface: FaceSurface, captions: Occluders
    ) -> None:
        self.track, self.surface, self.captions = track, surface, captions
        self.transforms = crop_transforms(track, model, captions.size)
        shown = np.isin(surface.regions, (Region.LOWER_FACE, Region.LIPS))
        self.points = np.flatnonzero(shown)[::_POINTS]
        self.lips = surface.regions[self.points] == Region.LIPS

    def over(self, frames: NDArray[np.int64]) -> Bool:
        """(F, P) points under letters in frames (F,), or in those before or after them."""
        return np.stack([self._at(f, letters_near(self.captions, f)) for f in frames.tolist()])

    def helpless(self, choice: Choice, bank: NDArray[np.int64]) -> Bool:
        """(T,) frames of whose face too much would have to be made up."""
        found, over = np.zeros(len(self.track), bool), self.over(bank)
        for frame in np.flatnonzero(self.track.usable).tolist():
            taken = choice.members[frame][choice.weights[frame] > 0]
            if not len(taken):
                continue
            missing = over[taken].all(0)
            if missing.any():
                seen = ~self._at(frame, self.captions.mask(frame, self.captions.size))
                lips, skin = seen & self.lips, seen & ~self.lips
                found[frame] = _share(missing, lips) > _LIPS or _share(missing, skin) > _SKIN
                # Between letters that always cover the mouth there would be bits of the old one.
                found[frame] |= _share(missing, self.lips) > _HALF
        closed = binary_closing(np.pad(found, _BRIEF), np.ones(_BRIEF))[_BRIEF:-_BRIEF]
        return np.asarray(found | (closed & self.track.usable), bool)

    def mouthless(self, choice: Choice, bank: NDArray[np.int64], wanted: Float, own: Float) -> Bool:
        """(T,) frames for which letters lie over all mouths that are open alike.

        Args:
            choice: of T frames.
            bank: (B,) frame numbers.
            wanted: (T,) opening of each frame's new mouth, in pixels of the masks.
            own: (B,) that of each member's mouth.
        """
        bare = 1 - self.over(bank)[:, self.lips].mean(1)
        found = np.zeros(len(wanted), bool)
        for frame in np.flatnonzero(wanted > _OPEN).tolist():
            taken = choice.members[frame][choice.weights[frame] > 0]
            if not len(taken):
                continue
            stretch = np.log((own[taken] + 1) / (wanted[frame] + 1))
            alike = np.exp(-((stretch / _STRETCH) ** 2))
            helps, could = (alike * bare[taken]).max(), alike.max()
            hidden = self._at(frame, self.captions.mask(frame, self.captions.size))[self.lips]
            found[frame] = helps < _HELP * could and hidden.mean() < _HALF
        return found

    def _at(self, frame: int, mask: Bool) -> Bool:
        """(P,) points of the face of a frame that lie on a mask of its crop."""
        track, size = self.track, self.captions.size
        if not mask.any():
            return np.zeros(len(self.points), bool)
        basis, template = self.surface.basis[:, self.points], self.surface.template[self.points]
        shape = np.tensordot(track.expression[frame], basis, 1) + template
        camera = shape @ rotation_matrix(track.rotation[frame]).T + track.translation[frame]
        seen = project(camera, track.focal, track.width, track.height)[:, :2]
        matrix = self.transforms[frame]
        x, y = (seen @ matrix[:, :2].T + matrix[:, 2]).astype(int).clip(0, size - 1).T
        return np.asarray(mask[y, x], bool)
