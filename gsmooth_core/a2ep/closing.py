"""Lips that meet on p, b and m, where a mean over likely mouths leaves them half open.

A regression that is unsure answers with the mean, and the mean of an open and a closed mouth is
never closed. A head that predicts how likely the lips touch lets the mouth finish what it began.
"""

from __future__ import annotations

import numpy as np

from gsmooth_core.types import Float


def touching(logits: Float) -> Float:
    """(T,) logits of the closing head -> probability that the lips touch."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30))), np.float32)


def apply_closure(
    moved: Float, share: Float, opening: Float, direction: Float, usual_gap: float
) -> Float:
    """Close a share of the gap between the lips.

    Both predictions have to agree: lips that the curves hold further apart than usual are hardly
    moved, whatever the head says.

    Args:
        moved: (T, E) movement from the resting mouth.
        share: (T,) share of the gap that is closed, 0..1.
        opening: (E,) how far each component opens the lips.
        direction: (E,) opening direction: the movement that opens the lips by one, so that
            `opening @ direction` is 1.
        usual_gap: how far lips are apart on average while someone speaks.

    Returns:
        (T, E); lips that are no further apart than at rest stay as they are.
    """
    apart = np.maximum(moved @ opening, 0.0)
    agreed = share * np.exp(-((apart / max(usual_gap, 1e-6)) ** 2))
    return moved - (agreed * apart)[:, None] * direction  # type: ignore[no-any-return]
