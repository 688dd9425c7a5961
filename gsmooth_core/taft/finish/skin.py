"""Bare skin beside the masks of a clip, in pictures that follow each other: where grain is seen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.face.render import draw_face, pose_face
from gsmooth_core.mafb.blend import dilate
from gsmooth_core.mafb.crop import crop_transforms, hidden, window
from gsmooth_core.models.threads import all_threads
from gsmooth_core.taft.compose import Composer
from gsmooth_core.taft.finish.grain import Grain
from gsmooth_core.taft.finish.still import StillBlocks, still_blocks
from gsmooth_core.taft.mouth.drawn import skin_of_face
from gsmooth_core.tracking.shots.repeats import LONGEST
from gsmooth_core.types import Bool, FaceTrack, FrameSource, Image, Int

_PAIRS = 12
_APART = 0.4  # seconds between two pairs
_CALM = 0.6  # share of the frames that move little enough to be looked at
_SIZE = 256
_AWAY = 6  # pixels between what is hidden and skin that is looked at: slopes reach some pixels
_WHOLE = 0.999


@dataclass(frozen=True)
class _Pair:
    frame: int
    following: int
    box: tuple[int, int, int, int]  # of the first picture
    first: Image
    second: Image  # the same box, moved with the face


class SkinPairs:
    """A source of frames that keeps some of them, and the pictures after them.

    Args:
        track: the track of the clip.
        model: its face model.
        source: gives the frames; those that come next are asked for as well, in ascending order.
    """

    def __init__(self, track: FaceTrack, model: MorphableModel, source: FrameSource) -> None:
        self._track, self._source, self._pairs = track, source, list[_Pair]()
        self._transforms = crop_transforms(track, model, _SIZE)
        self._next = track.following
        self._moved = _movement(self._transforms, self._next)
        self._calm = _calm(track, self._moved, self._next)
        self._step = max(_APART * float(track.fps), len(track) / _PAIRS)

    def __call__(self, frame: int) -> Image:
        """(H, W, 3) frame number `frame`."""
        picture = self._source(frame)
        far = not self._pairs or frame - self._pairs[-1].frame >= self._step
        if self._calm[frame] and far:
            following = int(self._next[frame])
            self._keep(frame, picture, following, self._source(following))
        return picture

    def grain(self, composer: Composer) -> Grain:
        """The grain beside the composer's masks."""
        with ThreadPoolExecutor(all_threads(), "grain") as pool:  # nothing else is done meanwhile
            found = list(pool.map(partial(self._blocks, composer=composer), self._pairs))
        return Grain([pair.frame for pair in self._pairs], found)

    def _keep(self, frame: int, picture: Image, number: int, following: Image) -> None:
        height, width = picture.shape[:2]
        x0, y0, x1, y1 = window(self._transforms[frame], _SIZE, self._track.area_of(frame)).box
        x, y = (int(v) for v in np.rint(self._moved[frame]))
        x0, y0, x1, y1 = max(x0, -x), max(y0, -y), min(x1, width - x), min(y1, height - y)
        if x1 > x0 and y1 > y0:
            first, second = picture[y0:y1, x0:x1], following[y0 + y : y1 + y, x0 + x : x1 + x]
            box = x0, y0, x1, y1
            self._pairs.append(_Pair(frame, number, box, first.copy(), second.copy()))

    def _blocks(self, pair: _Pair, composer: Composer) -> StillBlocks:
        height, width = self._track.height, self._track.width
        area = self._track.area_of(pair.frame)
        under = window(composer.transforms[pair.frame], composer.size, area)
        drawn, replaced = _drawn(composer, pair.frame, pair.following)
        bare = under.uncrop(drawn.astype(np.float32), cv2.INTER_LINEAR) > _WHOLE
        skin, away = np.zeros((height, width), bool), 2 * _AWAY + 1
        under.part(skin)[...] = bare & ~dilate(hidden(under, replaced), away, away)
        x0, y0, x1, y1 = pair.box
        first, second = (x.astype(np.float32) for x in (pair.first, pair.second))
        return still_blocks(second, first, skin[y0:y1, x0:x1])


def _drawn(composer: Composer, frame: int, following: int) -> tuple[Bool, Bool]:
    """(size, size) skin of a frame, and what is replaced or hidden in it or in the next."""
    track, size = composer.track, composer.size
    posed = pose_face(
        composer.surface, track, frame, track.expression[frame], composer.transforms[frame]
    )
    skin = skin_of_face(draw_face(composer.surface, posed, size, None))
    replaced = np.logical_or(*(composer.masks(n)[1] for n in (frame, following)))
    if (before := composer.in_front(frame)) is not None:
        replaced = replaced | before
    return skin, np.asarray(replaced, bool)


def _movement(transforms: NDArray[np.float32], following: Int) -> NDArray[np.float64]:
    """(T, 2) frame pixels by which the middle of the crop moves to the frames `following` (T,)."""
    linear, offset = transforms[:, :, :2].astype(np.float64), transforms[:, :, 2]
    middle = np.linalg.solve(linear, (_SIZE / 2 - offset)[..., None])[..., 0]
    moved: NDArray[np.float64] = middle[following] - middle
    return moved


def _calm(track: FaceTrack, moved: NDArray[np.float64], following: Int) -> Bool:
    """(T,) frames after which a new picture of the same shot comes, in which little moves."""
    calm: Bool = track.usable & track.usable[following]
    later = track.pictures[following] - track.pictures
    calm &= (later > 0) & (later <= 1 + LONGEST)
    if track.shot is not None:
        calm &= track.shot[following] == track.shot
    if calm.any():
        speed = np.hypot(*moved.T)
        calm &= speed <= np.quantile(speed[calm], _CALM)
    return calm
