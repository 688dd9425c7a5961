"""Frames of a clip that are made before the dub, with the expression that they have.

They are taken from the pictures that lend to others, which are in memory anyway, and made from
others of these, at least half a second away, as a dub with other words has them. Each half of the
clip is tried by itself, so that there is always a half that a frame had no part in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.morphable import Region
from gsmooth_core.mafb.blend import dilate
from gsmooth_core.mafb.crop import window
from gsmooth_core.taft.compose import Composer
from gsmooth_core.taft.finish.blotches import colour_energies
from gsmooth_core.taft.finish.sharpness import Sharpness, Trial, energies, inwards, responses
from gsmooth_core.taft.translated import Translated
from gsmooth_core.taft.warping.warp import Reference
from gsmooth_core.types import Bool, FaceTrack, Float, Image

GAP = 0.5
"""Seconds between a frame that is tried and what it is made from."""

_TRIALS = {256: 8, 384: 6, 512: 6}  # by the crop's side: a large one takes four times as long
_LONG, _MORE = 400, 2  # frames of a clip beyond which more are tried, and how many times as many
_REFERENCES = 2  # that a frame is made from, at least
_LIPS = 0.03  # of the crop's side, around the lips: what shows between them, their shade
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
    halves = [half for half in np.array_split(sorted(held), 2) if len(half) > _REFERENCES]

    def tried(half: NDArray[np.int64]) -> list[Trial]:
        own = np.isin(np.arange(len(composer.track)), half)
        return list(_tried(make(composer.track.only(own)), held))

    with ThreadPoolExecutor(len(halves) or 1, "rehearse") as pool:
        return Sharpness([trial for trials in pool.map(tried, halves) for trial in trials])


def _tried(dub: Dub, held: dict[int, Reference]) -> Iterator[Trial]:
    composer = dub.composer
    lent = [len(composer.lent(n)) >= _REFERENCES for n in range(len(composer.track))]
    free = np.flatnonzero(dub.wanted & np.array(lent, bool))
    free = free[np.array([not _before(composer, frame) for frame in free.tolist()], bool)]
    count = min(_trials(composer) // 2, len(free))
    chosen = free[((np.arange(count) + 0.5) / max(count, 1) * len(free)).astype(int)]
    # Also those that are refused when they are seen: that says something about them.
    asked = {frame: composer.members(frame) for frame in chosen.tolist()}
    only = np.isin(np.arange(len(composer.track)), chosen)
    composer.read(lambda frame: _whole(held[frame], composer), only, held)
    for frame in chosen.tolist():
        truth = _whole(held[frame], composer)
        trial = _compared(dub, (frame, *asked[frame]), truth, dub.translate(frame, truth))
        if trial is not None:
            yield trial


def _trials(composer: Composer) -> int:
    """Frames of a clip that are tried; in a long one more, which costs no frame more time."""
    more = len(composer.track) / _LONG
    return int(_TRIALS[composer.size] * min(max(more, 1), _MORE))


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
    window(at, composer.size, track.height, track.width).part(frame)[...] = reference.image
    return frame


def _compared(dub: Dub, used: tuple[int, ...], truth: Image, made: Translated) -> Trial | None:
    """A frame, the first of those `used`, beside the truth; None where too little was made."""
    rows, columns = (np.flatnonzero(made.hidden.any(axis)) for axis in (1, 0))
    if not made.members or not len(rows):
        return None
    part = tuple(slice(max(n[0] - _CONTEXT, 0), n[-1] + _CONTEXT + 1) for n in (rows, columns))
    lips, hidden = _lips(dub.composer, used[0])[part], made.hidden[part]
    places = hidden & lips, hidden & ~lips
    if min(np.count_nonzero(place) for place in places) < _SMALLEST:
        return None
    pair = [x[part].astype(np.float32) for x in (truth, made.frame)]
    true, new = (x.mean(-1) for x in pair)
    colour = np.stack([colour_energies(x, hidden) for x in pair])
    numbers = dub.composer.track.pictures[list(used)]
    light, weight = float(true[hidden].mean()), inwards(hidden, _rim(dub.composer, used[0]))
    given = responses(new, places, weight), colour
    return Trial(tuple(numbers.tolist()), energies(true, places), *given, light)


def _rim(composer: Composer, frame: int) -> float:
    """Width in pixels of a frame of the soft rim around its mask."""
    track = composer.track
    under = window(composer.transforms[frame], composer.size, track.height, track.width)
    return composer.rim / under.scale


def _lips(composer: Composer, frame: int) -> NDArray[np.bool_]:
    """(H, W) lips of a frame, what shows between them, and a little around."""
    track, size = composer.track, composer.size
    points: Float = composer.points(frame)[composer.surface.regions == Region.LIPS]
    drawn = np.zeros((size, size), np.uint8)
    cv2.fillConvexPoly(drawn, cv2.convexHull(np.rint(points).astype(np.int32)), (1,))
    reach = 2 * round(_LIPS * size) + 1
    under = window(composer.transforms[frame], size, track.height, track.width)
    lips = np.zeros((track.height, track.width), bool)
    around = dilate(drawn > 0, reach, reach).astype(np.float32)
    under.part(lips)[...] = under.uncrop(around, cv2.INTER_LINEAR) > 0
    return lips
