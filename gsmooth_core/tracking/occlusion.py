"""Frames in which something else is before the mouth: a hand, a microphone, a caption.

The face mesh imagines a mouth behind whatever hides it. The skin around it does not lie: where
much of it has another colour than usual in this clip, while the upper face looks as always, the
mouth is hidden.
"""

from __future__ import annotations

import numpy as np

from gsmooth_core.face.landmarks import NOSE_BASE, SKIN
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.types import Bool, Float, Image

_UNUSUAL = 0.35  # relative difference of colour; light and turning heads stay below
_DARKEST = 0.08


def hidden_share(colours: Image, usable: Bool, model: MorphableModel) -> Float:
    """How much of the skin around the mouth looks unlike itself.

    Args:
        colours: (T, S, 3) of `lighting.sample`.
        usable: (T,) frames to take the usual colours from.
        model: says which points are around the mouth.

    Returns:
        (T,) 0..1; up to 0.2 on faces that nothing hides.
    """
    values = colours.astype(np.float32) / 255
    if not usable.any():
        return np.zeros(len(values), np.float32)
    places = model.landmarks(model.mean)
    lower = places[SKIN, 1] < places[NOSE_BASE, 1]
    usual = np.median(values[usable], axis=0)  # (S, 3)
    brightness = values[:, ~lower].mean(-1) / np.maximum(usual[~lower].mean(-1), 0.05)
    expected = np.median(brightness, axis=1)[:, None, None] * usual[lower]
    difference = np.abs(values[:, lower] - expected).mean(-1)
    unusual = difference > _UNUSUAL * np.maximum(expected.mean(-1), _DARKEST)
    return np.asarray(unusual.mean(1), np.float32)
