"""How far each pixel of a photo is a person's."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from gsmooth_core.networks.litert import Network
from gsmooth_core.types import Float, Image


def find_matte(photo: Image) -> Float:
    """(H, W) 0..1 of a photo (H, W, 3) uint8 RGB, as fine as 1/256 of it.

    Raises:
        ModelError: the network is missing or damaged.
    """
    network = _network()
    small = cv2.resize(photo, (network.side, network.side), interpolation=cv2.INTER_AREA)
    (made,) = network(small.astype(np.float32) / 255).values()
    height, width = photo.shape[:2]
    matte = cv2.resize(made[0, ..., 0], (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(matte, 0, 1), np.float32)


@cache
def _network() -> Network:
    return Network("selfie_segmentation.tflite")
