"""Frames of a clip that are made before the dub, with the expression that they have.

They are taken from the pictures that lend to others, which are in memory anyway, and made from
others of these, at least half a second away, as a dub with other words has them: all of the clip
lends, since what only a part of it can lend is less alike, and lacks more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.mafb.crop import window
from gsmooth_core.mafb.regions import box_around
from gsmooth_core.taft.compose import Composer
from gsmooth_core.taft.finish.blotches import colour_energies
from gsmooth_core.taft.finish.even import chin, level, level_of
from gsmooth_core.taft.finish.lower_face import LowerFace
from gsmooth_core.taft.finish.sharpness import (
    SIGMAS,
    Sharpness,
    Trial,
    bands,
    energies,
    inwards,
    responses,
)
from gsmooth_core.taft.translated import Translated
from gsmooth_core.taft.warping.warp import Reference
from gsmooth_core.types import Bool, FaceTrack, Float, Image

GAP = 0.5
"""Seconds between a frame that is tried and what it is made from."""

_TRIALS = {256: 16, 384: 12, 512: 12}  # by the crop's side: a large one takes four times as long
_REFERENCES = 2  # that a frame is made from, at least
_AT_ONCE = 2  # frames
_HALF = 0.5
_CONTEXT = 16  # pixels around a mask: Gaussians reach as far
_SMALLEST = 64  # pixels in which energies mean something


class Dub(Protocol):
    """What makes single frames."""

    composer: Composer
    wanted: Bool

    def translate(self, index: int, frame: Image) -> Translated:
        """Frame number `index` with its new expression."""
        ...


def rehearsed(composer: Composer, make: Callable[[FaceTrack], Dub]) -> Sharpness:
    """Try some frames of a clip.

    Args:
        composer: of the dub; its references are read.
        make: makes what gives the frames of a track the expression that they have, from those of
            its frames that are usable and `GAP` seconds away; its references are not read.
    """
    held = {reference.frame: reference for reference in composer.bank.values()}
    if len(held) <= _REFERENCES:
        return Sharpness([])
    own = np.isin(np.arange(len(composer.track)), list(held))
    dub = make(composer.track.only(own))
    chosen = _chosen(dub)
    # Also those that are refused when they are seen: that says something about them.
    used = {frame: (frame, *dub.composer.members(frame)) for frame in chosen}
    only = np.isin(np.arange(len(composer.track)), chosen)
    dub.composer.read(lambda frame: _whole(held[frame], composer), only, held)
    if composer.settings.fixed:
        used = {frame: (*has, dub.composer.fixed(frame).frame) for frame, has in used.items()}

    def tried(frame: int) -> Trial | None:
        truth = _whole(held[frame], composer)
        return _compared(dub, used[frame], truth, dub.translate(frame, truth))

    def seen(reference: Reference) -> NDArray[np.float64] | None:
        return level(reference, composer.surface.regions)

    with ThreadPoolExecutor(_AT_ONCE, "rehearse") as pool:
        trials = [trial for trial in pool.map(tried, chosen) if trial is not None]
        levels = zip(held, pool.map(seen, held.values()), strict=True)
        return Sharpness(trials, {frame: own for frame, own in levels if own is not None})


def _chosen(dub: Dub) -> list[int]:
    """The frames that are tried, all over the clip."""
    composer = dub.composer
    lent = [len(composer.lent(n)) >= _REFERENCES for n in range(len(composer.track))]
    free = np.flatnonzero(dub.wanted & np.array(lent, bool))
    free = free[np.array([not _before(composer, frame) for frame in free.tolist()], bool)]
    count = min(_TRIALS[composer.size], len(free))
    places = (np.arange(count) + 0.5) / max(count, 1) * len(free)
    chosen: list[int] = free[places.astype(int)].tolist()
    return chosen


def _before(composer: Composer, frame: int) -> bool:
    """Whether something lies over the face that is not made."""
    letters = composer.captions
    lettered = letters is not None and letters.mask(frame, composer.size).any()
    return bool(lettered or composer.in_front(frame) is not None)


def _whole(reference: Reference, composer: Composer) -> Image:
    """(H, W, 3) a frame again, black where no crop of it reaches."""
    track = composer.track
    frame = np.zeros((track.height, track.width, 3), np.uint8)
    at = composer.transforms[reference.frame]
    window(at, composer.size, track.area_of(reference.frame)).part(frame)[...] = reference.image
    return frame


def _compared(dub: Dub, used: tuple[int, ...], truth: Image, made: Translated) -> Trial | None:
    """A frame, the first of those `used`, beside the truth; None where too little was made."""
    if not made.members or not made.hidden.any():
        return None
    part = box_around(made.hidden, _CONTEXT)
    hidden = made.hidden[part]
    at, composer = used[0], dub.composer
    under = window(composer.transforms[at], composer.size, composer.track.area_of(at))
    face, (left, top) = LowerFace(composer), under.box[:2]
    points = face.places(at, under, (part[0].start - top, part[1].start - left))
    lips = face.around_lips(points, hidden.shape, under) >= _HALF
    weight = inwards(hidden, composer.rim / under.scale)
    # Where gains fade out nothing is as it should be: how wide a mask is must not tell a gain.
    wholly = weight >= 1
    places = wholly & lips, wholly & ~lips
    if min(np.count_nonzero(place) for place in places) < _SMALLEST:
        return None
    pair = [x[part].astype(np.float32) for x in (truth, made.frame)]
    true, new = (x.mean(-1) for x in pair)
    colour = np.stack([colour_energies(x, places[1]) for x in pair])
    numbers = composer.track.pictures[list(used)]
    lost = _lost((new, true), chin(points, face.lips, hidden.shape) & wholly)
    given = responses(new, places, weight), colour, float(true[hidden].mean()), lost
    return Trial(tuple(numbers.tolist()), energies(true, places), *given)


def _lost(pair: Sequence[Float], skin: Bool) -> NDArray[np.float64]:
    """(B,) logarithms of how sharp a frame's chin is made, over the truth."""
    made, true = (level_of(grey, bands(grey), skin) for grey in pair)
    return np.full(len(SIGMAS), np.nan) if made is None or true is None else made - true
