"""Which expression components speech drives, and which are each other's mirror image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gsmooth_core.types import Expression

DRIVEN_PREFIXES = ("jaw", "mouth")
DRIVEN = ("cheekPuff", "tongueOut")
LIDS = ("eyeBlinkLeft", "eyeBlinkRight")


def is_driven(name: str) -> bool:
    """Whether an ARKit component moves with speech; eyes, brows, nose and cheeks do not."""
    return name.startswith(DRIVEN_PREFIXES) or name in DRIVEN


def driven_components(names: Sequence[str]) -> tuple[str, ...]:
    """The speech-driven ones of `names`; all of them when the names are not ARKit's."""
    return tuple(name for name in names if is_driven(name)) or tuple(names)


def said(curves: Expression) -> Expression:
    """Curves (T, E) of the mouth alone, where those of eyes, brows, nose and cheeks are all 0.

    So a prediction has them, which knows nothing of these; who shows any of them means all.
    """
    kept = [i for i, name in enumerate(curves.names) if is_driven(name)]
    others = np.delete(curves.values, kept, axis=1)
    if others.any() or not kept:
        return curves
    names = tuple(curves.names[i] for i in kept)
    return replace(curves, names=names, values=curves.values[:, kept])


def mirrored(name: str) -> str:
    """ARKit name of the same component on the other side of the face."""
    if name.endswith("Left"):
        return name.removesuffix("Left") + "Right"
    return name.removesuffix("Right") + "Left" if name.endswith("Right") else name


def mirror_order(names: Sequence[str]) -> list[int]:
    """For each component the place of its mirror image (its own where there is none)."""
    places = {name: place for place, name in enumerate(names)}
    return [places.get(mirrored(name), place) for place, name in enumerate(names)]
