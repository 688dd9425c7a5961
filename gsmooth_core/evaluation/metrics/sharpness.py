"""How sharp a picture is: CPBD, the share of its edges that look sharp."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve

from gsmooth_core.errors import ModelError
from gsmooth_core.types import Bool

BLOCK = 64
_EDGE_SHARE = 0.002  # of a block's pixels: with fewer edges it says nothing about sharpness
_BETA = 3.6
_CONTRAST = 50  # grey levels, up to which blur must be wider to be noticed
_JNB = (5.0, 3.0)  # pixels of blur that are just noticed, at low and at high contrast
_DETECTED = 63  # percent: chance of noticing blur from which an edge counts as blurred
_FARTHEST = 100  # steps that an edge is followed to either side


def cpbd(grey: NDArray[np.uint8]) -> float:
    """Cumulative probability of blur detection (Narvekar and Karam 2011): 0 blurred, 1 sharp.

    Widths of vertical edges (Marziliano et al. 2002) in each block of 64 x 64 pixels of whose
    pixels more than 0.2 % are edges (Canny); the width w is noticed as blur with the probability
    P = 1 - exp(-(w / w_JNB)^3.6), w_JNB = 5 pixels in blocks of a contrast up to 50 and 3 in
    others. The result is the share of edges whose P, in whole percent, is at most 63.

    Args:
        grey: (H, W) luma, 0..255.

    Returns:
        0..1; 0 without any edge.

    Raises:
        ModelError: scikit-image is missing.
    """
    picture = grey.astype(np.float64)
    edges, widths = _canny(picture), edge_widths(picture)
    noticed: list[NDArray[np.float64]] = []
    for y in range(0, picture.shape[0] - BLOCK + 1, BLOCK):
        for x in range(0, picture.shape[1] - BLOCK + 1, BLOCK):
            block = np.s_[y : y + BLOCK, x : x + BLOCK]
            if np.count_nonzero(edges[block]) > _EDGE_SHARE * BLOCK**2:
                noticed.append(_noticed(picture[block], widths[block]))
    percent = np.rint(100 * np.concatenate([np.empty(0), *noticed]))
    return float((percent <= _DETECTED).mean()) if percent.size else 0.0


def edge_widths(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """(H, W) width of each vertical edge of a grey picture (H, W); 0 where there is none.

    From an edge's pixel the brightness is followed to the left and to the right as long as it
    goes on falling or rising the way the gradient says.
    """
    down, across = np.gradient(picture)
    angle = np.where(across != 0, np.degrees(np.arctan2(down, across)), 0)
    turn = 45 * np.round(angle / 45)
    edges = _sobel_edges(picture)
    edges[[0, -1]] = edges[:, [0, -1]] = False
    widths = np.zeros(picture.shape)
    if not angle.any():
        return widths
    for row, column in zip(*np.nonzero(edges & np.isin(turn, (0, 180, -180))), strict=True):
        sign = 1.0 if turn[row, column] == 0 else -1.0
        line = sign * picture[row]  # rises from left to right across the edge
        widths[row, column] = _run(-line[:column][::-1]) + _run(line[column + 1 :])
    return widths


def _run(line: NDArray[np.float64]) -> int:
    """Pixels to the first at which `line` stops rising."""
    rising = np.diff(line[: _FARTHEST + 2]) > 0
    stop = np.flatnonzero(~rising)
    return min(_FARTHEST, int(stop[0]) if len(stop) else len(rising)) + 1


def _noticed(block: NDArray[np.float64], widths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Chance that each edge of a block is seen as blurred."""
    contrast = int(block.max() - block.min())
    just = _JNB[0] if contrast <= _CONTRAST else _JNB[1]
    found = widths[widths != 0]
    return np.asarray(1 - np.exp(-((found / just) ** _BETA)))


def _sobel_edges(picture: NDArray[np.float64]) -> Bool:
    """Vertical edges: thinned maxima of the Sobel response above twice its root mean square."""
    kernel = np.outer([1, 2, 1], [1, 0, -1]) / 8
    strength = convolve(picture, kernel) ** 2
    strength[strength <= 2 * np.sqrt(strength.mean())] = 0
    framed = np.pad(strength, 1)
    middle = framed[1:-1, 1:-1]
    ridge = (middle > framed[1:-1, :-2]) & (middle > framed[1:-1, 2:])
    crest = (middle > framed[:-2, 1:-1]) & (middle > framed[2:, 1:-1])
    return np.asarray(ridge | crest)


def _canny(picture: NDArray[np.float64]) -> Bool:
    try:
        from skimage.feature import canny
    except ImportError as error:
        raise ModelError("CPBD needs scikit-image.", "Run `pip install scikit-image`.") from error
    edges: Bool = canny(picture)  # type: ignore[no-untyped-call]
    return edges
