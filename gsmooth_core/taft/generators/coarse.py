"""Large faces: a network that looks at half the resolution, and pictures that keep all of theirs.

Which reference is best at a place, by how much it is moved and what is missing in its colour
change slowly over a face, and a network costs four times as much at twice the resolution. So a
large picture is planned in half; the pixels that are chosen from are the references' own. Where
a choice is shared by more pixels, the finest detail loses a little more: gains give it back.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from gsmooth_core.taft.generators.interface import GeneratorConfig, GeneratorInput
from gsmooth_core.taft.generators.mix import Plan
from gsmooth_core.types import Float

LARGE = 256 * 256
"""Pixels of a picture from which on more are planned in half."""

MORE = (1.23, 1.05)
"""Gains beside the plan's, of fine and of middling detail; measured on eleven clips, so that the
energy of each band is in the mean what it is with a plan at full resolution."""


def is_large(height: int, width: int, config: GeneratorConfig) -> bool:
    """Whether a picture is planned in half."""
    step = 2 << config.levels + 1  # the network halves it again and again
    return height * width > LARGE and height % step == 0 and width % step == 0


def planned(
    x: GeneratorInput[Float],
    config: GeneratorConfig,
    plan: Callable[[GeneratorInput[Float]], Plan],
) -> Plan:
    """What a network plans for a batch, a large one at half its resolution."""
    height, width = x.blend.shape[-2:]
    if not is_large(height, width, config):
        return plan(x)
    return enlarged(plan(GeneratorInput(*map(_halved, x))))


def enlarged(plan: Plan) -> Plan:
    """The plan for pictures of twice the height and width."""
    gain = plan.gain * np.array(MORE, np.float32)[:, None, None]
    colour, residual = _doubled(plan.colour), _doubled(plan.residual)
    return Plan(2 * plan.flow, colour, plan.detail, gain, residual)


def _halved(planes: Float) -> Float:
    """(..., H / 2, W / 2) means of 2 x 2 pixels."""
    height, width = planes.shape[-2:]
    return _each(planes, (width // 2, height // 2), cv2.INTER_AREA)


def _doubled(planes: Float) -> Float:
    """(..., 2 H, 2 W) with a slope from each pixel to the next."""
    height, width = planes.shape[-2:]
    return _each(planes, (2 * width, 2 * height), cv2.INTER_LINEAR)


def _each(planes: Float, size: tuple[int, int], how: int) -> Float:
    made = np.empty((*planes.shape[:-2], *size[::-1]), np.float32)
    flat = made.reshape(-1, *size[::-1])
    for plane, out in zip(planes.reshape(-1, *planes.shape[-2:]), flat, strict=True):
        cv2.resize(plane, size, dst=out, interpolation=how)
    return made
