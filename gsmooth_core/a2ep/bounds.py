"""Expressions between 0 and 1 that open the lips as far as they would have without the bounds."""

from __future__ import annotations

import numpy as np

from gsmooth_core.types import Float


def bounded(said: Float, opening: Float) -> Float:
    """Keep components within 0..1; the jaw makes up for what the lips' opening loses by that.

    Closed lips are one thing to see, and two to say: a shut jaw, or a lowered jaw with lips that
    close over it (jawOpen with mouthClose), as the average speaker has them at rest. Speech that
    parts the latter takes its mouthClose back; where a person has none to take back, a bound
    would swallow half of the opening.

    Args:
        said: (T, E) expressions, anywhere.
        opening: (E,) how far each component opens the lips; the first of its largest is the jaw.

    Returns:
        (T, E), 0..1.
    """
    kept = np.clip(said, 0, 1).astype(np.float32)
    jaw = int(np.argmax(opening))
    if opening[jaw] > 0:
        lost = (said - kept) @ opening  # (T,)
        kept[:, jaw] = np.clip(kept[:, jaw] + lost / opening[jaw], 0, 1)
    return kept
