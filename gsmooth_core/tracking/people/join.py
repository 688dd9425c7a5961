"""Which sightings show one person: by how alike their faces are to the recognition network.

Two sightings in one frame are two people. Where there is one sighting only, nobody is asked.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.tracking.people.recognise import SAME, identify
from gsmooth_core.tracking.people.sightings import Sighting
from gsmooth_core.types import Bool, Float

Reals = NDArray[np.float64]

_PICTURES = 5  # that are embedded of one sighting
_FRONTAL = 0.35  # further turned, a face tells less; used where there is no better
_BOTH = 2  # frames in which one person may be seen twice: followers part a moment late
_NO_LONGER = 1e9


def join(sightings: Sequence[Sighting]) -> list[list[Sighting]]:
    """Group sightings by person, each group in the order of time."""
    if len(sightings) < 2:
        return [[sighting] for sighting in sightings]
    groups = [[sighting] for sighting in sightings]
    vectors = np.array([_vector(sighting) for sighting in sightings], np.float64)
    weights = np.array([len(sighting.frames) for sighting in sightings], np.float64)
    apart = _apart(sightings)
    unlike = np.array([_unlike(vectors, apart, row) for row in range(len(vectors))])
    while unlike.min() < SAME:
        one, other = (int(row) for row in np.unravel_index(unlike.argmin(), unlike.shape))
        share = weights[other] / (weights[one] + weights[other])
        vectors[one] += share * (vectors[other] - vectors[one])
        weights[one] += weights[other]
        apart[one] |= apart[other]
        apart[:, one] = apart[one]
        apart[other], apart[:, other] = True, True
        groups[one] += groups[other]
        groups[other] = []
        unlike[other], unlike[:, other] = _NO_LONGER, _NO_LONGER
        unlike[one] = unlike[:, one] = _unlike(vectors, apart, one)
    return [sorted(group, key=lambda s: s.frames[0]) for group in groups if group]


def _unlike(vectors: Reals, apart: Bool, row: int) -> Reals:
    """(N,) distance of a group's vector from all others; large for those it cannot be."""
    distances = np.linalg.norm(vectors - vectors[row], axis=1)
    return np.where(apart[row], _NO_LONGER, distances)


def _apart(sightings: Sequence[Sighting]) -> Bool:
    """(N, N) whether two sightings are two people because frames show both, or one itself."""
    out = np.eye(len(sightings), dtype=bool)
    frames = [set(sighting.frames) for sighting in sightings]
    for i, one in enumerate(frames):
        for j in range(i):
            out[i, j] = out[j, i] = len(one & frames[j]) > _BOTH
    return out


def _vector(sighting: Sighting) -> Float:
    """(128,) who it is."""
    best = sorted(sighting.chips, key=lambda chip: chip[1])[:_PICTURES]
    frontal = [chip for chip in best if chip[1] < _FRONTAL] or best[:1]
    return identify([picture for *_, picture in frontal])
