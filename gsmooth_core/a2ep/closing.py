"""Lips that meet on p, b and m: what a mean over likely mouths leaves half open.

A regression that is not sure answers with the middle, and the middle of an open and a shut mouth
is never shut. A head that says how likely the lips touch lets the mouth finish what it began.
"""

from __future__ import annotations

import numpy as np

from gsmooth_core.types import Float


def touching(logits: Float) -> Float:
    """(T,) logits of the closing head -> how far the lips are pulled together, 0..1."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30))), np.float32)


def close_lips(moved: Float, share: Float, opening: Float, way: Float, usual: float) -> Float:
    """Shut a share of what the lips are open.

    Both predictions have to agree: lips that the curves hold wider apart than usual are hardly
    touched, whatever the head says.

    Args:
        moved: (T, E) movement from rest.
        share: (T,) of the opening that goes.
        opening: (E,) how far each component opens the lips.
        way: (E,) how the mouth moves when lips open; `opening @ way` is 1.
        usual: how far lips are apart on average while someone speaks.

    Returns:
        (T, E); lips that are no further apart than at rest stay as they are.
    """
    apart = np.maximum(moved @ opening, 0.0)
    agreed = share * np.exp(-((apart / max(usual, 1e-6)) ** 2))
    return moved - (agreed * apart)[:, None] * way  # type: ignore[no-any-return]
