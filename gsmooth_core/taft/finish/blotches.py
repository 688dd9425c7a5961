"""Blotches of colour: what codecs leave of colour in a frame, and the mean of references has not.

Codecs are sparing with colour, and what they leave of it is off by some tenths of a level, in
blotches of 2 to 16 pixels, from frame to frame otherwise: the mean of several has hardly any.
They stay where they are on skin that does not move, as codecs repeat what they have. So the energy
of colour that a clip's skin lacks, band by band (`sharpness`), is given back as noise that goes
with the face. Lips, teeth and outlines may lack some, too, but that is structure: noise all over
the face would not give it back, and would be seen.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.taft.finish.grain import Film
from gsmooth_core.types import Bool, Float

SIGMAS = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Deviations in pixels of the Gaussians between which the bands of colour lie, finest first."""

_CHROMA = np.array([[-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32)
_BACK = np.array([[0, 1.402], [-0.344136, -0.714136], [1.772, 0]], np.float32)
"""Cb and Cr of RGB, and RGB of them without luma (ITU-R BT.601)."""

_SHARE = 0.85  # of what lacks: with all of it the finest band of Cr has more than clips have
_STEPS = 200
_KEPT = 4  # crops: most frames have the same, and those around one that was tried another
_LEAST = 1e-12
_MEDIAN = 0.4549  # of the squares of what is distributed normally, its variance being 1


def colour_energies(picture: Float, place: Bool) -> NDArray[np.float64]:
    """(2, B) energies of the bands of Cb and Cr of a picture (h, w, 3) in a place of it.

    The variance that noise of such a median would have: a few edges have no part in it.
    """
    before, found = cv2.transform(picture, _CHROMA), []
    for finer, sigma in pairwise(SIGMAS):
        after = cv2.GaussianBlur(before, (0, 0), float(np.sqrt(sigma**2 - finer**2)))
        squares = (before - after)[place].astype(np.float64) ** 2
        found.append(np.median(squares, 0) / _MEDIAN)
        before = after
    return np.stack(found, -1)


def colour_of(film: Film) -> NDArray[np.float64]:
    """(2, B) energies of a film's grain, where its level is 1."""
    return colour_energies(film.tile, np.ones(film.tile.shape[:2], bool))


def lacking(
    truth: NDArray[np.float64], made: NDArray[np.float64], grain: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(2, B) energies that frames lack; by means of logarithms, so that no single one decides.

    Args:
        truth: (N, 2, B) of frames, in squared levels.
        made: (N, 2, B) of the same as they are made.
        grain: (N, 2, B) that grain adds.
    """
    wanted, there = (np.exp(np.log(each + _LEAST).mean(0)) for each in (truth, made + grain))
    return np.asarray(_SHARE * np.maximum(wanted - there, 0))


class Blotches:
    """Noise of colour that goes with a face.

    Args:
        size: side of the face crop in pixels.
        scale: pixels of the crop for one of the frame.
    """

    def __init__(self, size: int, scale: float) -> None:
        filters = _filters(size, scale)
        power = (filters**2).reshape(len(filters), -1)
        self._response = power @ power.T / size**2  # (B, B)
        white = np.random.default_rng(0).standard_normal((2, len(filters), size, size))
        waves = np.fft.rfft2(white) * filters[..., : size // 2 + 1]
        bands = np.fft.irfft2(waves, (size, size))  # (2, B, size, size)
        self._bands = bands.astype(np.float32)
        self._known: dict[bytes, Float] = {}

    def of(self, energies: NDArray[np.float64]) -> Float:
        """(size, size, 3) RGB 0..1, what is added to a crop.

        Args:
            energies: (2, B) mean squares of each band in the frame, in squared levels.
        """
        key = energies.tobytes()
        found = self._known.get(key)
        if found is None:
            shares = np.sqrt([self._shares(channel) for channel in energies]).astype(np.float32)
            planes = np.einsum("cb,cbyx->yxc", shares / np.float32(255), self._bands)
            found = np.asarray(cv2.transform(planes, _BACK), np.float32)
            known = self._known if len(self._known) < _KEPT else {}
            self._known = {**known, key: found}
        return found

    def _shares(self, energies: NDArray[np.float64]) -> NDArray[np.float64]:
        """(B,) power of each band's noise: bands overlap, and none is less than nothing.

        By the steps of Richardson (1972) and Lucy (1974), which keep it so.
        """
        shares, whole = np.ones(len(energies)), self._response.sum(0)
        for _ in range(_STEPS):
            shares *= self._response.T @ (energies / (self._response @ shares + _LEAST)) / whole
        return shares


def _filters(size: int, scale: float) -> NDArray[np.float64]:
    """(B, size, size) responses of the frame's bands to waves of the crop."""
    axis = np.fft.fftfreq(size) * scale  # cycles a pixel of the frame
    square = axis[:, None] ** 2 + axis**2
    passed = [np.exp(-2 * (np.pi * sigma) ** 2 * square) for sigma in SIGMAS]
    return np.stack([fine - coarse for fine, coarse in pairwise(passed)])
