"""How the texels of one face change as it moves, learned from frames with nothing before it.

A linear model: the colours that a face shows are a constant and a sum over a few uncorrelated ways
in which expression and head move in the clip. It is fitted by ridge regression, in closed form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gsmooth_core.mafb.occlusion.appearance import (
    AppearanceModel,
    brightness_and_tint,
    relit,
)
from gsmooth_core.mafb.occlusion.canonical import CanonicalMap
from gsmooth_core.types import Bool, FaceTrack, Float, Image

Texels = tuple[Image, Bool]
"""(C, 3) RGB of a frame's texels, and (C,) which of them are seen."""

_FEWEST = 12  # frames
_WAYS = 8  # ways to move that are told apart
_FRAMES_A_WAY = 4  # that are needed for each of them
_RIDGE = 0.05  # of the variance of one of them
_FARTHEST = 3.5  # standard deviations up to which a movement is believed
_TURNED = 3.0  # weight of a radian of the head's turn beside expressions, which go to 1
_MOST = 6.0  # z-score at which a single texel is clipped


@dataclass(frozen=True)
class MovedFace:
    """The linear model of a face, C texels.

    Attributes:
        centre: (M,) usual movement.
        ways: (M, K) movement -> amounts of K uncorrelated ones, in standard deviations.
        usual: (C, 3) logarithms of RGB at the centre, less those of the appearance model.
        change: (K, C, 3) what each of the ways adds.
    """

    centre: Float
    ways: Float
    usual: Float
    change: Float

    def expected(self, movement: Float) -> Float:
        """(C, 3) difference from the appearance model that a movement (M,) makes."""
        amount = ((movement - self.centre) @ self.ways).clip(-_FARTHEST, _FARTHEST)
        return np.asarray(self.usual + np.tensordot(amount, self.change, 1), np.float32)


def fit_moved(
    canonical: CanonicalMap,
    appearance: AppearanceModel,
    track: FaceTrack,
    bare: Mapping[int, Texels],
) -> MovedFace | None:
    """Learn how a face changes as it moves.

    Args:
        canonical: the face's map.
        appearance: the clip's appearance model of it.
        track: the track of the clip.
        bare: texels of frames with nothing before the face.

    Returns:
        None where they are too few.
    """
    if len(bare) < _FEWEST:
        return None
    movements = _movements(track, list(bare))
    centre = movements.mean(0)
    _, spread, axes = np.linalg.svd(movements - centre, full_matrices=False)
    moving = int((spread > 1e-3 * spread[0]).sum()) if spread[0] > 0 else 0
    count = min(_WAYS, len(bare) // _FRAMES_A_WAY, moving)
    ways = axes[:count].T * (np.sqrt(len(bare)) / spread[:count])
    amounts = (movements - centre) @ ways
    looks = np.stack([relit(canonical, appearance, *texels) for texels in bare.values()])
    usual = looks.mean(0)
    normal = amounts.T @ amounts + _RIDGE * len(bare) * np.eye(count)
    change = np.linalg.solve(normal, amounts.T @ (looks - usual).reshape(len(bare), -1))
    return MovedFace(centre, ways, usual, change.reshape(count, *usual.shape).astype(np.float32))


def unexplained(
    moved: MovedFace,
    canonical: CanonicalMap,
    appearance: AppearanceModel,
    track: FaceTrack,
    shown: Iterable[tuple[int, Bool, Texels]],
) -> float:
    """Share of the z-score of some patches that the face's movement leaves.

    Args:
        moved: how the face changes.
        canonical: the face's map.
        appearance: the clip's appearance model of it.
        track: the track of the clip.
        shown: of each frame its number, the patch (TEXELS, TEXELS) and the frame's texels.

    Returns:
        root mean square z-score with the movement, over the one without; 1 where nothing is seen.
    """
    before = after = 0.0
    for frame, patch, texels in shown:
        where = patch[canonical.places] & texels[1] & canonical.skin
        difference = relit(canonical, appearance, *texels)
        before += _squares(appearance, difference, where)
        difference = difference - moved.expected(_movements(track, [frame])[0])
        after += _squares(appearance, difference, where)
    return float(np.sqrt(after / before)) if before else 1.0


def _squares(appearance: AppearanceModel, difference: Float, where: Bool) -> float:
    """The sum of the squared z-scores of some texels."""
    brightness, tint = brightness_and_tint(difference[where])
    z = np.hypot(brightness / appearance.brightness[where], tint / appearance.tint[where])
    return float((np.minimum(z, _MOST) ** 2).sum())


def _movements(track: FaceTrack, frames: Sequence[int]) -> Float:
    """(N, M) expression and turn of the head in some frames."""
    turn = _TURNED * track.rotation[frames]
    both: Float = np.concatenate([track.expression[frames], turn], 1).astype(np.float32)
    return both
