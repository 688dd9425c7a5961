"""Ridge regression from a few frames of features to expressions.

It is a baseline that is hard to beat with little data, and the start of A2EP's direct path.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

import numpy as np

from gsmooth_core.data import Float
from training.a2ep_data import Take


def windows(features: Float, context: int) -> Float:
    """(T, F) -> (T, (2 context + 1) F): each frame with its neighbours, ends repeated."""
    padded = np.pad(features, ((context, context), (0, 0)), mode="edge")
    count = len(features)
    return np.concatenate([padded[i : i + count] for i in range(2 * context + 1)], axis=1)


@dataclass
class Ridge:
    """Sums over frames, from which weights for any penalty follow.

    Attributes:
        context: frames on either side.
        xx: X^T X.
        xy: X^T Y.
    """

    context: int
    xx: Float = field(default_factory=lambda: np.zeros((), np.float32))
    xy: Float = field(default_factory=lambda: np.zeros((), np.float32))

    def add(self, take: Take) -> None:
        """Learn from the valid frames of one take."""
        x = windows(take.features, self.context)[take.valid]
        self.xx = self.xx + x.T @ x
        self.xy = self.xy + x.T @ take.targets[take.valid]

    def less(self, other: Ridge) -> Ridge:
        """What remains when the frames of `other` are taken out again."""
        return Ridge(self.context, self.xx - other.xx, self.xy - other.xy)

    def solve(self, penalty: float) -> Float:
        """((2 context + 1) F, E) weights; the penalty is in units of the mean variance."""
        strength = penalty * np.trace(self.xx) / len(self.xx)
        regular = self.xx + strength * np.eye(len(self.xx), dtype=np.float32)
        return np.linalg.solve(regular, self.xy).astype(np.float32)


def fit_groups(takes: Iterable[tuple[Hashable, Take]], context: int) -> dict[Hashable, Ridge]:
    """One ridge a group; their sum without one is the model that has not heard that group."""
    groups: dict[Hashable, Ridge] = {}
    for group, take in takes:
        groups.setdefault(group, Ridge(context)).add(take)
    return groups


def total(groups: Iterable[Ridge], context: int) -> Ridge:
    """All groups together."""
    whole = Ridge(context)
    for group in groups:
        whole = Ridge(context, whole.xx + group.xx, whole.xy + group.xy)
    return whole
