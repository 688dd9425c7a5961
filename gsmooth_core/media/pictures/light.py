"""Light as it is (OpenEXR) of what videos store: 1.0 is white as paper, in the colours of BT.709.

Where light is stored beyond what screens show (HDR), white is 203 cd/m2 (ITU-R BT.2408): so much
is 58 % of PQ and 75 % of HLG. Brighter light goes on above 1, and colours that BT.709 has not are
negative in one channel, so that nothing is cut.
"""

from __future__ import annotations

import numpy as np

from gsmooth_core.media.pictures.tone import WHITE, pq_light, to_light
from gsmooth_core.media.reading.description import Picture
from gsmooth_core.types import Float

_HLG_PEAK, _HLG_GAMMA = 1000.0, 1.2  # cd/m2 of the screen that HLG is graded on (ITU-R BT.2100)
_A = 0.17883277
_B, _C = 1 - 4 * _A, 0.5 - _A * np.log(4 * _A)
_LUMA = (0.2627, 0.6780, 0.0593)
_D65 = (0.3127, 0.3290)
_COLOURS = {
    "bt709": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    "bt2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    "smpte432": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
"""x and y of red, green and blue (ITU-R BT.709 and BT.2020, SMPTE EG 432-1); white is D65."""


def light_of(coded: Float, picture: Picture) -> Float:
    """(..., 3) light of RGB as a source stores it, 0..1; untagged HDR has BT.2020's colours."""
    if not picture.hdr:
        return to_light(coded)
    light = pq_light(coded) if picture.transfer == "smpte2084" else _hlg_light(coded)
    its = _COLOURS.get(picture.primaries, _COLOURS["bt2020"])
    into = np.linalg.solve(_to_xyz(_COLOURS["bt709"]), _to_xyz(its))
    return np.asarray(light / WHITE @ into.T, np.float32)


def _hlg_light(coded: Float) -> Float:
    """cd/m2 that a screen of 1000 cd/m2 shows."""
    values = np.clip(coded, 0, 1).astype(np.float64)
    scene = np.where(values <= 0.5, values**2 / 3, (np.exp((values - _C) / _A) + _B) / 12)
    luma = np.maximum(scene @ np.array(_LUMA), 1e-9)[..., None]
    return np.asarray(_HLG_PEAK * luma ** (_HLG_GAMMA - 1) * scene)


def _to_xyz(colours: tuple[tuple[float, float], ...]) -> Float:
    """(3, 3) from RGB of some primaries to CIE XYZ."""
    columns, white = (
        np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in points]).T
        for points in (colours, (_D65,))
    )
    return np.asarray(columns * np.linalg.solve(columns, white).T)
