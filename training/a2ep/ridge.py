"""Ridge regression from a few frames of features to expressions.

It is a baseline that is hard to beat with little data, and the start of A2EP's direct path.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from gsmooth_core.types import Float
from training.a2ep.data import Take, Utterance


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

    def add(self, take: Take, weight: float = 1.0) -> None:
        """Learn from the valid frames of one take, each counting `weight`."""
        x = windows(take.features, self.context)[take.valid]
        self.xx = self.xx + np.float32(weight) * (x.T @ x)
        self.xy = self.xy + np.float32(weight) * (x.T @ take.targets[take.valid])

    def less(self, other: Ridge) -> Ridge:
        """What remains when the frames of `other` are taken out again."""
        return Ridge(self.context, self.xx - other.xx, self.xy - other.xy)

    def solve(self, penalty: float) -> Float:
        """((2 context + 1) F, E) weights; the penalty is in units of the mean variance."""
        strength = penalty * np.trace(self.xx) / len(self.xx)
        regular = self.xx + strength * np.eye(len(self.xx), dtype=np.float32)
        return np.linalg.solve(regular, self.xy).astype(np.float32)


def total(parts: Iterable[Ridge], context: int) -> Ridge:
    """All parts together."""
    whole = Ridge(context)
    for part in parts:
        whole = Ridge(context, whole.xx + part.xx, whole.xy + part.xy)
    return whole


def balance(utterances: Sequence[Utterance]) -> list[float]:
    """Weight of a frame of each clip: speakers count by the square root of their footage."""
    frames: dict[str, int] = {}
    for u in utterances:
        frames[u.sample.speaker] = frames.get(u.sample.speaker, 0) + int(u.takes[0].valid.sum())
    usual = float(np.median(list(frames.values())))
    return [float(np.sqrt(usual / frames[u.sample.speaker])) for u in utterances]


def cross_fit(
    utterances: Sequence[Utterance], folds: Sequence[int], context: int, penalty: float
) -> tuple[Float, list[tuple[Float, ...]]]:
    """A ridge of everything, and what ridges without a clip's own fold say about each take.

    Only the latter may teach a model that is built on top: it is wrong in the way the ridge
    will be wrong about new speakers.

    Args:
        utterances: clips.
        folds: fold of each clip.
        context: frames on either side.
        penalty: see `Ridge.solve`.

    Returns:
        ((2 context + 1) F, E) weights; for each clip, (T, E) for each take.
    """
    parts: dict[int, Ridge] = {}
    for utterance, fold, weight in zip(utterances, folds, balance(utterances), strict=True):
        parts.setdefault(fold, Ridge(context)).add(utterance.takes[0], weight)
    whole = total(parts.values(), context)
    weights = {fold: whole.less(part).solve(penalty) for fold, part in parts.items()}
    said = [
        tuple(windows(take.features, context) @ weights[fold] for take in utterance.takes)
        for utterance, fold in zip(utterances, folds, strict=True)
    ]
    return whole.solve(penalty), said
