"""From embeddings to offset and confidence: SyncNet's arithmetic (Chung & Zisserman 2016).

D(k) is the mean distance between the lips of frame t and the sound of frame t + k. The offset is
where it is least; the confidence is how far the least lies below the median of all shifts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.sync.windows import FPS
from gsmooth_core.types import Bool, Float

MOST_SHIFT = 15
SHIFTS = np.arange(-MOST_SHIFT, MOST_SHIFT + 1)
FEWEST_SHARE = 0.4
"""A shift counts when it is measured on this share of the frames that the best-known one is: on
clips of a second, large shifts leave so few frames that chance would win."""
SECOND_REACH = 1.0
"""Seconds before and after the middle of a second that its confidence is averaged over."""


@dataclass(frozen=True)
class SyncResult:
    """How picture and sound of a clip lie to each other.

    Attributes:
        offset_frames: frames at 25 fps, positive when the sound is late: what the lips do at
            frame t is heard at frame t + offset.
        offset_seconds: the same, finer than a frame.
        confidence: median(D) - min(D), in the distances of the expert that measured it.
        distances: (31,) D(k) for k = centre - 15 .. centre + 15; NaN where too few frames could
            be compared.
        per_second: (n,) for each second of the clip, how far the distance at the clip's offset
            lies below the median of all shifts; NaN where no face was seen.
        threshold: confidence that the wrong sound rarely reaches on a clip of this length.
        expert: name of the expert that measured.
        centre: 0, unless the sound was found farther away than 15 frames.
    """

    offset_frames: int
    offset_seconds: float
    confidence: float
    distances: Float
    per_second: Float
    threshold: float = 0.0
    expert: str = ""
    centre: int = 0

    @property
    def sure(self) -> bool:
        """Whether lips and sound fit better than those of strangers do."""
        return self.confidence > self.threshold


def shifted_distances(
    lips: Float, sound: Float, valid: Bool, shifts: NDArray[np.int_] = SHIFTS
) -> Float:
    """Distance of each frame's lips to the sound of each shift.

    Args:
        lips: (T, D) embeddings.
        sound: (S, D) embeddings; S may differ from T.
        valid: (T,) which frames' lips were seen.
        shifts: (K,) frames; sound t + k is compared with lips t.

    Returns:
        (T, K) Euclidean distances; NaN where there are no lips or no sound.
    """
    out = np.full((len(lips), len(shifts)), np.nan, np.float32)
    for column, shift in enumerate(shifts):
        first, last = max(0, -shift), min(len(lips), len(sound) - shift)
        if first < last:
            apart = lips[first:last] - sound[first + shift : last + shift]
            out[first:last, column] = np.linalg.norm(apart, axis=1)
    out[~valid] = np.nan
    return out


def mean_curve(distances: Float) -> Float:
    """Mean distance of each shift that is measured on enough frames.

    Args:
        distances: (T, K) of `shifted_distances`.

    Returns:
        (K,) NaN for the other shifts.
    """
    measured = np.isfinite(distances).sum(axis=0)
    enough = (measured > 0) & (measured >= FEWEST_SHARE * measured.max())
    curve = np.full(len(measured), np.nan, np.float32)
    curve[enough] = np.nanmean(distances[:, enough], axis=0)
    return curve


def judge(
    distances: Float, threshold: float = 0.0, expert: str = "", centre: int = 0
) -> SyncResult:
    """Offset and confidence of a clip.

    Args:
        distances: (T, 31) of `shifted_distances`, some of them numbers.
        threshold: passed on to the result.
        expert: passed on to the result.
        centre: shift of the middle column.

    Raises:
        ValueError: no shift has frames that can be compared.
    """
    curve = mean_curve(distances)
    if not np.isfinite(curve).any():
        raise ValueError("no lips and no sound at the same time")
    best = int(np.nanargmin(curve))
    offset = int(SHIFTS[best]) + centre
    return SyncResult(
        offset_frames=offset,
        offset_seconds=(offset + parabola_vertex(curve, best)) / FPS,
        confidence=float(np.nanmedian(curve) - curve[best]),
        distances=curve,
        per_second=per_second(distances, best),
        threshold=threshold,
        expert=expert,
        centre=centre,
    )


def parabola_vertex(curve: Float, best: int) -> float:
    """Where between its neighbours a curve's least value lies, -0.5..0.5 steps from `best`."""
    if not 0 < best < len(curve) - 1:
        return 0.0
    before, least, after = (float(v) for v in curve[best - 1 : best + 2])
    bend = before - 2 * least + after
    if not np.isfinite(bend) or bend <= 0:
        return 0.0
    return float(np.clip((before - after) / (2 * bend), -0.5, 0.5))


def per_second(distances: Float, best: int) -> Float:
    """Confidence around each second of a clip, at the clip's own offset.

    Args:
        distances: (T, 31)
        best: column of the clip's offset.

    Returns:
        (ceil(T / 25),) median over the shifts of the second's mean distances less that at `best`.
    """
    seconds = -(-len(distances) // int(FPS))
    middles = (np.arange(seconds) + 0.5) * FPS
    reach = (0.5 + SECOND_REACH) * FPS
    spans = [distances[int(max(0, middle - reach)) : int(middle + reach)] for middle in middles]
    return np.array([_local_confidence(span, best) for span in spans], np.float32)


def _local_confidence(distances: Float, best: int) -> float:
    measured: NDArray[np.bool_] = np.isfinite(distances).any(axis=0)
    if not measured[best]:
        return float("nan")
    curve = np.nanmean(distances[:, measured], axis=0)
    return float(np.median(curve) - np.nanmean(distances[:, best]))
