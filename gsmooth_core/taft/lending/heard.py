"""What is heard tells what shows between the lips: the teeth of an s, the dark of an a.

Two mouths of one shape may show teeth, a tongue, or nothing. The mesh knows lips alone; but where
the clip's own speech is heard, its frames that sound like the new words show what these would.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from gsmooth_core.taft.lending.references import squared_distances
from gsmooth_core.types import Bool, Float

_UNALIKE = 4.0  # square millimetres that two frames' sounds cost on average
_MANY = 150  # members of a bank; the fewer there are, the more the shape of a mouth has to decide
_MOST = 3.0  # times the average: sounds that are further apart are just not alike
_ANY = 1e-6  # of frames whose sound is known
_BESIDE = 0.045  # seconds: deviation over which the sound around a frame counts


@dataclass(frozen=True)
class Heard:
    """What is heard while each of T frames is shown, in H directions (`a2ep.hearing`).

    Attributes:
        own: (T, H) of the clip's own speech; NaN where lips and sound do not belong together.
        wanted: (T, H) of the new speech.
        fps: frames per second.
    """

    own: Float
    wanted: Float
    fps: float

    def price(self, bank: NDArray[np.int64], part: slice = slice(None)) -> NDArray[np.float64]:
        """What members of the bank cost more, the less they sound like the new words.

        Args:
            bank: (B,) frame numbers.
            part: those of the frames, N of them, whose prices are wanted.

        Returns:
            (N, B) square millimetres; the usual price for a member whose sound is not known.
        """
        dear = _UNALIKE * min(1.0, len(bank) / _MANY)
        known = self._known[bank]
        wanted = self._smooth_wanted[part]
        apart = np.ones((len(wanted), len(bank)))
        if self._usual > 0:
            own = self._smooth_own[bank[known]]
            apart[:, known] = squared_distances(wanted, own) / self._usual
        price: NDArray[np.float64] = dear * np.minimum(apart, _MOST)
        return price

    @cached_property
    def _known(self) -> Bool:
        known: Bool = np.isfinite(self.own).all(1)
        return known

    @cached_property
    def _usual(self) -> float:
        """Mean squared distance of two frames of the clip's own speech."""
        own = self._smooth_own[self._known]
        return 2 * float(own.var(0).sum()) if len(own) else 0.0

    @cached_property
    def _smooth_own(self) -> Float:
        known = self._known[:, None].astype(np.float32)
        share = np.maximum(self._smooth(known), _ANY)
        smooth: Float = self._smooth(np.where(known > 0, self.own, 0)) / share
        return smooth

    @cached_property
    def _smooth_wanted(self) -> Float:
        return self._smooth(self.wanted)

    def _smooth(self, values: Float) -> Float:
        deviation = _BESIDE * self.fps
        smooth: Float = gaussian_filter1d(values, deviation, axis=0, mode="nearest")
        return smooth.astype(np.float32)
