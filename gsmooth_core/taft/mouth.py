"""Where references show a new mouth: its lips, the line between them, and what lies inside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.taft.interior import bridge
from gsmooth_core.taft.lip_line import even_line, shut
from gsmooth_core.types import Bool, Float


def mouth_field(values: Float, region: NDArray[np.uint8], inside: Bool, count: int) -> Float:
    """What was drawn with a new face, carried across its mouth.

    Args:
        values: (H, W, 3 * count) displacement (x, y) and visibility of each reference.
        region: (H, W) of the new face, see `Region`.
        inside: (H, W) the mouth's interior.
        count: number of references.
    """
    return bridge(even_line(values, region, inside, count), inside & ~shut(inside), count)
