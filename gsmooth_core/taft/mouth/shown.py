"""Where references show a new mouth: its lips, the line between them, and what lies inside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.morphable import Region
from gsmooth_core.mafb.regions import Box, box_around
from gsmooth_core.taft.mouth.interior import bridge
from gsmooth_core.taft.mouth.lip_line import even_line, shut
from gsmooth_core.types import Bool, Float

_BESIDE = 2  # pixels around a mouth that say how it goes on


def mouth_field(
    values: Float, region: NDArray[np.uint8], inside: Bool, count: int
) -> tuple[Box, Float]:
    """What was drawn with a new face, carried across its mouth.

    Args:
        values: (H, W, 3 * count) displacement (x, y) and visibility of each reference.
        region: (H, W) of the new face, see `Region`.
        inside: (H, W) the mouth's interior.
        count: number of references.

    Returns:
        rows and columns of the part in which the mouth lies, and (h, w, 3 * count) its values.
    """
    mouth = (region == Region.LIPS) | inside
    if not mouth.any():
        return np.s_[0:0, 0:0], values[:0, :0]
    part = box_around(mouth, _BESIDE)
    region, inside = region[part], inside[part]
    even = even_line(values[part], region, inside, count)
    return part, bridge(even, inside & ~shut(inside), count)
