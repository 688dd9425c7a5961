"""What hangs together in a mask, by labels: one pass over the pixels, however long the way.

`scipy.ndimage` gives the same by growing step by step.
"""

from __future__ import annotations

import cv2
import numpy as np

from gsmooth_core.types import Bool


def reached(seeds: Bool, mask: Bool) -> Bool:
    """(H, W) what of a mask can be reached from seeds in it, by steps to a side."""
    count, label = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    found = np.zeros(count, bool)
    found[label[seeds & mask]] = True
    return np.asarray(found[label])


def without_holes(mask: Bool) -> Bool:
    """(H, W) a mask and all that it encloses."""
    rest = np.pad(~mask, 1, constant_values=True).astype(np.uint8)
    label = cv2.connectedComponents(rest, connectivity=4)[1]
    return np.asarray(label != label[0, 0])[1:-1, 1:-1]
