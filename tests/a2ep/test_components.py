"""What of curves speech drives, and what of given curves says nothing."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from gsmooth_core.a2ep.components import said
from gsmooth_core.types import Expression


def test_what_is_0_throughout_says_nothing_but_of_the_mouth() -> None:
    names = ("browInnerUp", "jawOpen", "eyeBlinkLeft", "mouthClose", "noseSneerLeft")
    values = np.zeros((3, 5), np.float32)
    values[1, [1, 2]] = 0.2, 0.7
    kept = said(Expression(names, values, Fraction(25)))
    assert kept.names == ("jawOpen", "eyeBlinkLeft", "mouthClose")
    assert np.array_equal(kept.values, values[:, [1, 2, 3]])
    assert kept.fps == Fraction(25)
