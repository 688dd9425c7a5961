"""What is below a chin laid upon a frame by its looks: Gauss and Newton's steps for a plane."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.types import Float, Image

Real = NDArray[np.float64]

_BLURS = 3.0, 1.5  # pixels, from coarse to fine
_STEPS = 8  # at each of them
_DOUBT = np.array([0.12, 0.12, 0.04, 0.03])  # of what is expected: decimetres, log of size, roll
_HELD = 0.01  # of the loss, that a movement away by its doubt costs
_LARGEST = 0.15  # a step
_ENOUGH = 1e-3  # a smaller step is the last
_OUTLIER = 0.3  # of the deviation of the levels
_LEVEL = 4.0  # levels: a deviation that is smaller is taken for noise
_APART = 3  # pixels between those that are compared
_FEWEST = 18  # of these
_ALIKE = 9.0  # of them err together
_TINY = 1e-6


class Plane:
    """A picture of a part of a person, to be found in others of the same window.

    Args:
        picture: (H, W) levels.
        weight: (H, W) 1 where it shows the part.
        detail: pixels a decimetre.
        middle: (2,) pixel about which it is turned and scaled; by default the picture's middle.
        doubt: (4,) of what is expected; see `Plane.laid`. By default that of neck and shoulders.

    Attributes:
        seen: whether enough of the person is seen.
    """

    def __init__(
        self,
        picture: Image | Float,
        weight: Image,
        detail: float,
        middle: Real | None = None,
        doubt: Real = _DOUBT,
    ) -> None:
        rows, columns = np.nonzero(weight[::_APART, ::_APART])
        self._rows, self._columns = rows * _APART, columns * _APART
        self._middle = np.array(picture.shape[::-1]) / 2 if middle is None else middle
        self._doubt = doubt
        self._detail = detail
        across = np.stack([self._columns, self._rows], 1) + 0.5 - self._middle
        self._across = across / detail  # (N, 2) decimetres
        self._levels = [self._known(blurred) for blurred in _blurred(picture)]
        self.seen = len(rows) >= _FEWEST

    def _known(self, picture: Float) -> Real:
        return np.asarray(picture[self._rows, self._columns], np.float64)

    def laid(self, picture: Image, inside: Image, expected: Real) -> tuple[Real, Real]:
        """Where a frame shows it.

        Args:
            picture: (H, W) levels.
            inside: (H, W) 1 where the window lies inside the frame.
            expected: (4,) shift to the right and down in decimetres, logarithm of the size, roll
                clockwise in radians.

        Returns:
            (4,) the movement that is found, and (4, 4) how firm it is: its inverse covariance.
        """
        moved, firmness = expected.copy(), np.diag(1 / self._doubt**2)
        for levels, blurred in zip(self._levels, _blurred(picture), strict=True):
            seen = blurred, *_slopes(blurred)
            light = np.zeros(2)
            for _ in range(_STEPS):
                jacobian, error, there = self._compared(moved, levels, seen, inside)
                if there.sum() < _FEWEST:
                    return expected, np.diag(1 / self._doubt**2)
                error = error + jacobian[:, 4:] @ light
                step, firmness = _step(jacobian, error, there, moved - expected, self._doubt)
                moved, light = moved + step[:4], light + step[4:]
                if np.abs(step[:4]).max() < _ENOUGH:
                    break
        return moved, firmness

    def _compared(
        self, moved: Real, levels: Real, seen: tuple[Float, Float, Float], inside: Image
    ) -> tuple[Real, Real, Real]:
        """(N, 6) derivative by movement and light, (N,) error, and (N,) 1 where it is seen."""
        size, cos, sin = np.exp(moved[2]), np.cos(moved[3]), np.sin(moved[3])
        turned = self._across @ (size * np.array([[cos, sin], [-sin, cos]]))
        at = (turned + moved[:2]) * self._detail + self._middle - 0.5
        places = at.astype(np.float32)[None]  # (1, N, 2)

        def looked(image: Image | Float) -> Real:
            return np.asarray(cv2.remap(image, places, None, cv2.INTER_LINEAR)[0], np.float64)

        found, x, y = (looked(image) for image in seen)
        x, y = x * self._detail, y * self._detail
        u, v = turned.T
        by_all = [x, y, x * u + y * v, y * u - x * v, -levels, -np.ones_like(levels)]
        there = (looked(inside) > 0.99).astype(np.float64)
        return np.stack(by_all, 1), found - levels, there


def _step(jacobian: Real, error: Real, there: Real, away: Real, doubt: Real) -> tuple[Real, Real]:
    """(6,) of movement and light, where a movement is `away` (4,), and (4, 4) its firmness."""
    outlier = _OUTLIER * max(float(jacobian[:, 4].std()), _LEVEL)
    weight = there / np.maximum(1, np.abs(error) / outlier)
    turned = (jacobian * weight[:, None]).T
    hessian, gradient = turned @ jacobian, turned @ error
    loss = float((weight * error**2).sum())
    lit = hessian[4:, 4:]  # of levels that are alike gain and offset are the same
    lit += _TINY * (1 + np.trace(lit)) * np.eye(2)
    both = hessian[:4, 4:]
    left = hessian[:4, :4] - both @ np.linalg.solve(lit, both.T)
    hold = np.diag((_HELD * loss + _TINY) / doubt**2)
    hessian[:4, :4] += hold
    gradient[:4] += hold @ away
    step = -np.linalg.solve(hessian, gradient)
    step[:4] = np.clip(step[:4], -_LARGEST, _LARGEST)
    firmness = left / max(_ALIKE * loss / float(there.sum()), _TINY)
    return step, firmness + np.diag(_HELD / doubt**2)


def _slopes(picture: Float) -> tuple[Float, Float]:
    """Derivatives to the right and down, a pixel."""
    x, y = (cv2.Sobel(picture, cv2.CV_32F, *way, scale=1 / 8) for way in ((1, 0), (0, 1)))
    return np.asarray(x), np.asarray(y)


def _blurred(picture: Image | Float) -> list[Float]:
    levels = picture.astype(np.float32)
    return [np.asarray(cv2.GaussianBlur(levels, (0, 0), blur)) for blur in _BLURS]
