"""Values of a mask carried to all places beside it."""

from __future__ import annotations

import cv2
import numpy as np

from gsmooth_core.types import Bool, Float


def nearest(values: Float, mask: Bool) -> tuple[Float, Float]:
    """How far the mask is from each place, and what its nearest pixel has.

    Args:
        values: (H, W, C), of which those in the mask count.
        mask: (H, W).

    Returns:
        (H, W) pixels to the mask, and (H, W, C) float32 the values there; infinite and 0 where
        there is no mask.
    """
    if not mask.any():
        return np.full(mask.shape, np.inf, np.float32), np.zeros(values.shape, np.float32)
    distance, label = cv2.distanceTransformWithLabels(
        (~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    sources = np.zeros((int(label.max()) + 1, values.shape[2]), np.float32)
    sources[label[mask]] = values[mask]
    return np.asarray(distance, np.float32), np.take(sources, label, 0)
