"""What of curves speech drives, and what of given curves says nothing."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from gsmooth_core.a2ep.components import said
from gsmooth_core.types import Expression

NAMES = ("browInnerUp", "jawOpen", "eyeBlinkLeft", "mouthClose", "noseSneerLeft")


def curves(names: tuple[str, ...] = NAMES, **given: float) -> Expression:
    values = np.zeros((3, len(names)), np.float32)
    for name, value in given.items():
        values[1, names.index(name)] = value
    return Expression(names, values, Fraction(25))


def test_what_knows_the_mouth_alone_says_nothing_of_the_rest() -> None:
    kept = said(given := curves(jawOpen=0.2))
    assert kept.names == ("jawOpen", "mouthClose")
    assert np.array_equal(kept.values, given.values[:, [1, 3]])
    assert kept.fps == Fraction(25)


def test_who_shows_any_of_the_rest_means_all_of_it() -> None:
    assert said(given := curves(eyeBlinkLeft=0.7)) is given
    assert said(given := curves(("a", "b"))) is given
    assert said(given := curves(("browInnerUp",))) is given
