"""Frames in which something is in front of the mouth: a hand, a microphone, a caption.

The landmark network imagines a mouth behind whatever hides it. The skin around it does not lie:
where much of it has a colour that is not its own in this clip, while the upper face looks as
always, the mouth is hidden. A lamp that moves lights one side of the face more, above and below.
"""

from __future__ import annotations

import numpy as np

from gsmooth_core.face.landmarks import NOSE_BASE, SKIN
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.tracking.blocks import blocks
from gsmooth_core.tracking.lighting import median_level
from gsmooth_core.types import Bool, Float, Image

_FOREIGN = 0.35  # relative difference of colour; changes of light and pose stay below
_DARKEST = 0.08
_FITS = 0.15  # share of the upper face that a lamp does not explain, at most


def hidden_share(colours: Image, usable: Bool, model: MorphableModel) -> Float:
    """The share of the skin around the mouth whose colour is unlike its own.

    Args:
        colours: (T, S, 3) RGB of the skin landmarks (`lighting.sample`).
        usable: (T,) frames whose median colour is taken as the skin's own.
        model: the face model, which tells the landmarks around the mouth from the others.

    Returns:
        (T,) 0..1; up to 0.2 on faces with nothing in front of them.
    """
    hidden = np.zeros(len(colours), np.float32)
    if not usable.any():
        return hidden
    places = model.landmarks(model.mean)
    across, lower = places[SKIN, 0], places[SKIN, 1] < places[NOSE_BASE, 1]
    own = np.stack([median_level(colours[usable, s]) for s in range(len(SKIN))])  # (S, 3)
    for some in blocks(len(colours)):
        hidden[some] = _foreign_share(colours[some], own, lower, across)
    return hidden


def _foreign_share(colours: Image, own: Float, lower: Bool, across: Float) -> Float:
    """(K,) share of the `lower` (S,) of some frames' colours (K, S, 3) that is unlike its own."""
    values = colours.astype(np.float32) / 255
    brightness = values[:, ~lower].mean(-1) / np.maximum(own[~lower].mean(-1), 0.05)
    even = np.median(brightness, axis=1)[:, None, None] * own
    expected = _lit(brightness, across[~lower], across)[..., None] * own
    # What is a lamp's fits above as well: a post before half of the face is none.
    lamp = _unlike(values, expected)[:, ~lower].mean(1) < _FITS
    expected = np.where(lamp[:, None, None], expected, even)
    return np.asarray(_unlike(values, expected)[:, lower].mean(1), np.float32)


def _unlike(values: Float, expected: Float) -> Bool:
    """(K, S) which colours (K, S, 3) are far from those that are expected."""
    difference = np.abs(values - expected).mean(-1)
    return np.asarray(difference > _FOREIGN * np.maximum(expected.mean(-1), _DARKEST), bool)


def _lit(brightness: Float, across: Float, asked: Float) -> Float:
    """(K, B) how bright some places are by (K, A) of others, from the one side to the other.

    Args:
        brightness: of the places that are known, over the usual one.
        across: (A,) where these lie, from side to side.
        asked: (B,) where the others do.
    """
    third, two_thirds = np.quantile(across, (1 / 3, 2 / 3))
    sides = across < third, across > two_thirds
    one, other = (np.log(np.maximum(np.median(brightness[:, s], axis=1), _DARKEST)) for s in sides)
    near, far = (float(across[s].mean()) for s in sides)
    way = (asked - near) / (far - near)
    return np.asarray(np.exp(one[:, None] + way * (other - one)[:, None]), np.float32)
