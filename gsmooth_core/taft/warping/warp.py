"""Reference frames warped to a new face: the mesh says where each pixel was in each of them.

The crops of all frames are aligned to the head, so a point of the mesh moves little from the crop
of one frame to that of another. That displacement is drawn with the new face; around the face it
fades out, so that collar and background stay where they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.mafb.nearest import nearest
from gsmooth_core.taft.warping import kernels
from gsmooth_core.taft.warping.box import Corners
from gsmooth_core.taft.warping.slivers import leading
from gsmooth_core.taft.warping.tone import reduced
from gsmooth_core.types import Bool, Float, Image

CELL = 8
"""Pixels of the crop, whose sides are multiples of it, over which pictures are compared."""

_DENSE = 128  # side of a crop of which every pixel is compared; of larger ones every other one
_FADE = 0.2  # of the crop's side: distance from the face over which a displacement fades
TOLERANCE = 0.02  # difference from the frame at which a reference weighs e times less
HALF = 0.5  # of what the references have of a place: less is no look at it
BLUR = 0.06  # of the grid's rows: deviation over which differences from the frame are averaged
_COARSE = 128  # rows of the grid on which a displacement is continued around the face
_ALIKE = 1 / 16  # of the crop's side to each side: what is beside the face moves alike over it
_LEAST = 1e-6  # share of what is beside it that is none


@dataclass(frozen=True)
class Reference:
    """One frame of the bank.

    Attributes:
        frame: its number in the clip.
        image: (h, w, 3) its pixels around the face.
        to_image: (2, 3) pixels of its aligned crop -> pixels of `image`.
        points: (V, 2) vertices of its own face in its aligned crop.
        visible: (V,) 0..1 how well each can be seen.
        spoiled: (h, w) what letters cover of it; None for nothing.
        before: (h, w) what is before the face in it; None for nothing.
        coarse: its aligned crop, see `body.coarse_grey`; None where anything lies over it.
        clear: what of it is body, see `body.beside_face`.
    """

    frame: int
    image: Image
    to_image: NDArray[np.float64]
    points: Float
    visible: Float
    spoiled: Bool | None = None
    coarse: Float | None = None
    clear: Image | None = None
    before: Bool | None = None

    @property
    def hidden(self) -> Bool | None:
        """(h, w) pixels that must not be lent; None where all may."""
        if self.spoiled is None or self.before is None:
            return self.before if self.spoiled is None else self.spoiled
        return self.spoiled | self.before


def displacements(references: Sequence[Reference], seen: Float, offsets: Float) -> Float:
    """Where K references show the vertices of a new face.

    Args:
        references: the references.
        seen: (V, >=2) crop pixels of the new face's vertices.
        offsets: (K, V or 1, 2) crop pixels by which each shows them elsewhere than its mesh.

    Returns:
        (V, 3 K) displacement x and y in crop pixels, and visibility 0..1, of each.
    """
    made = np.empty((len(seen), len(references), 3), np.float32)
    for k, (reference, offset) in enumerate(zip(references, offsets, strict=True)):
        kernels.displaced(reference.points, reference.visible, seen, offset, made, k)
    return made.reshape(len(seen), -1)


def extend(values: Float, mask: Bool, depth: Float | None = None) -> Float:
    """Continue (H, W, C) `values` beyond `mask`, fading to zero with distance from it.

    Beyond the mask the field is smooth, so it is made there on a coarser grid.

    Args:
        values: what is continued.
        mask: (H, W) where it is known.
        depth: (H, W) of the surface, where not all of its outline leads (`slivers.leading`).

    Returns:
        (H, W, C), a new array.
    """
    step = max(1, mask.shape[0] // _COARSE)
    coarse = mask[step // 2 :: step, step // 2 :: step]
    if depth is not None:
        coarse = leading(coarse, depth[step // 2 :: step, step // 2 :: step])
    if not coarse.any() or mask.all():
        return values.copy()
    beyond = _continued(values[step // 2 :: step, step // 2 :: step], coarse)
    extended: Float = kernels.continued(values, mask, beyond)
    return extended


def _continued(values: Float, mask: Bool) -> Float:
    """(H, W, C) the values of the nearest places in the mask, less with distance.

    Each place has the mean of what the places around it that are beside the mask have: where a
    jaw ends and a throat begins, two neighbours of the outline may move quite differently, and
    what is beside them would be torn into bristles.
    """
    distance, own = nearest(values, mask)
    own[mask] = 0
    width = 2 * round(_ALIKE * mask.shape[0]) + 1
    made = cv2.blur(own, (width, width)).reshape(values.shape)
    of = cv2.blur((~mask).astype(np.float32), (width, width))
    fade = np.exp(-((distance / (_FADE * mask.shape[0])) ** 2))
    made *= (fade / np.maximum(of, _LEAST))[..., None].astype(np.float32)
    return np.asarray(made)


def sample(reference: Reference, moved: Float) -> tuple[Image, Bool]:
    """Pixels of a reference under a displacement (H, W, 2) in aligned crop pixels.

    Returns:
        (H, W, 3) the pixels, (H, W) where the reference has any.
    """
    at = _looked_up(reference, moved)
    x, y = at[..., 0], at[..., 1]
    high_y, high_x = (n - 0.5 for n in reference.image.shape[:2])
    there = (x >= -0.5) & (y >= -0.5) & (x <= high_x) & (y <= high_y)
    return _remapped(reference, at), there


def lent(
    reference: Reference,
    moved: Float,
    seen: Float,
    least: Float,
    weight: float,
    fine: Corners | None = None,
) -> tuple[Image, Float]:
    """As `sample`, with how far the pixels are to be believed.

    Args:
        reference: the reference.
        moved: (H, W, 2) displacement in aligned crop pixels.
        seen: (H, W) 0..1 how well the reference shows each pixel's place on the face.
        least: (H, W) 0..1 what that is anywhere at least.
        weight: 0..1 of the reference.
        fine: the part that is seen in the end; beyond it pixels only tell how the face is lit,
            and are interpolated linearly. None for all of it.

    Returns:
        (H, W, 3) the pixels, (H, W) their validity: 0 where the reference has none.
    """
    height, width = reference.image.shape[:2]
    high = np.float32(width - 0.5), np.float32(height - 0.5)
    centred = _centred(reference)
    at, valid = kernels.looked_up(moved, seen, centred, np.float32(weight), least, *high)
    return _remapped(reference, at) if fine is None else _with_fine(reference, at, fine), valid


def _with_fine(reference: Reference, at: Float, fine: Corners) -> Image:
    x0, y0, x1, y1 = fine
    made, rows = np.empty((*at.shape[:2], 3), np.uint8), np.s_[y0:y1]
    made[rows, x0:x1] = _remapped(reference, at[rows, x0:x1])
    for part in (np.s_[:y0, :], np.s_[y1:, :], np.s_[rows, :x0], np.s_[rows, x1:]):
        if at[part].size:
            made[part] = _remapped(reference, at[part], cv2.INTER_LINEAR)
    return made


def pixels_at(reference: Reference, places: Float) -> Image:
    """(H, W, 3) pixels of a reference at (H, W, 2) places in its aligned crop."""
    at = np.asarray(cv2.transform(places, _centred(reference)), np.float32)
    return _remapped(reference, at)


def spoiled(reference: Reference, moved: Float) -> Bool:
    """(H, W) pixels that `sample` takes from where nothing must be lent."""
    if (hidden := reference.hidden) is None:
        return np.zeros(moved.shape[:2], bool)
    levels, at = hidden.astype(np.uint8) * 255, _looked_up(reference, moved)
    return np.asarray(cv2.remap(levels, at, None, cv2.INTER_LINEAR) > 0)


def _looked_up(reference: Reference, moved: Float) -> Float:
    """(H, W, 2) where in the reference's pixels a displacement looks."""
    at = cv2.transform(grid(*moved.shape[:2]) + moved, _centred(reference))
    return np.asarray(at, np.float32)


def _centred(reference: Reference) -> NDArray[np.float64]:
    centred = reference.to_image.copy()
    centred[:, 2] -= 0.5  # OpenCV puts (0, 0) on the first pixel's centre
    return centred


def _remapped(reference: Reference, at: Float, how: int = cv2.INTER_CUBIC) -> Image:
    edge = cv2.BORDER_REPLICATE
    return np.asarray(cv2.remap(reference.image, at, None, how, borderMode=edge))


@lru_cache(maxsize=4)
def grid(height: int, width: int) -> Float:
    """(H, W, 2) centres of pixels."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) + np.float32(0.5)
    centres: Float = np.stack([x, y], -1)
    centres.flags.writeable = False
    return centres


def agreement(pictures: Float, frame: Float, known: Bool, validity: Float) -> tuple[Float, Float]:
    """How well each warped reference continues the frame.

    Collar, neck and background do not follow the head. The references that agree with the frame
    around a place are the ones to trust next to it; those whose picture ends there are none.

    Args:
        pictures: (K, H, W, 3) warped references, 0..1.
        frame: (H, W, 3) the frame, 0..1.
        known: (H, W) pixels of the frame that may be compared.
        validity: (K, H, W) of the references; 0 where they have no pixels.

    Returns:
        (K, H, W) 0..1; 1 for the best reference of a place, and (H, W) how far that one is from
        the frame around it, 0..1.
    """
    height, width = known.shape
    cells = (width // CELL, height // CELL)
    error, shown = (
        np.stack(each)
        for each in zip(*_apart(pictures, frame, known, validity, cells), strict=True)
    )
    least = np.where(shown >= HALF * shown.max(0), error, np.inf).min(0)
    best = np.exp(np.minimum(least - error, 0) / TOLERANCE)
    fine = np.empty((len(best) + 1, height, width), np.float32)
    for coarse, out in zip((*best, least), fine, strict=True):
        cv2.resize(coarse, (width, height), dst=out, interpolation=cv2.INTER_LINEAR)
    return fine[:-1], fine[-1]


def _apart(
    pictures: Float, frame: Float, known: Bool, validity: Float, cells: tuple[int, int]
) -> Iterator[tuple[Float, Float]]:
    """Of each reference, in cells, how far it is from the frame, and of how much it has pixels."""
    thin, every = step_between(len(known)), _blurred(reduced(known.astype(np.float32), cells))
    for picture, valid in zip(pictures, validity, strict=True):
        there, both, of, shown = valid > 0, known, every, np.ones(cells[::-1], np.float32)
        if not there.all():
            both = there & known
            of = _blurred(reduced(both.astype(np.float32), cells))
            shown = reduced(there.astype(np.float32), cells)
        yield _blurred(kernels.differences(picture, frame, both, CELL, thin)) / (of + 1e-4), shown


def step_between(side: int) -> int:
    """Pixels of a crop of some side from one that is compared in a cell to the next."""
    return 1 if side <= _DENSE else 2


def _blurred(values: Float) -> Float:
    blurred: Float = cv2.GaussianBlur(values, (0, 0), BLUR * values.shape[0])
    return blurred
