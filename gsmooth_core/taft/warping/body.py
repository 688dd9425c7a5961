"""Collar and neck in references: they follow the body, and not the head.

Around the face a reference's displacement is that of the nearest place of the face. Where the head
has come nearer to the collar than in the reference, or is farther from it, the collar would then
be drawn on the chin, or skin over the collar. What can be seen of the frame below its mask says
where its body is: the reference is registered to it, and lends neck and collar from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.mafb.crop import Window
from gsmooth_core.taft.warping.warp import Reference, grid
from gsmooth_core.types import Bool, Float, Image

_ROWS = 64  # of the grid on which bodies are registered
_UPPER = 5 / 8  # of it: above is no body, but hair and background beside the face
_BAND = 10  # pixels of the grid around the mask that are compared
_LEAST = 20  # of its pixels must be seen
_REACH = 8  # of its pixels that a body is looked for around where the camera would see it
_STILL = 0.0005  # of correlation: the price of a squared pixel beside that place
_NEAR = 4  # of its pixels around the mask, where what a reference shows must go on
_LEVEL, _SURE = 0.05, 0.08  # of 1: difference there that must be mended, to count and wholly
_RIM = 0.012, 0.035  # of the crop's side: distances from the new face between which it begins
_CHIN = 0.02, 0.06  # the same from the face in the reference, whose chin is not where its mesh ends
_DARK = 1 / 255
_CLEAR = 128  # rows of the masks of references' bodies


@dataclass(frozen=True)
class Surroundings:
    """What can be seen of a frame around its mask, where a body may be.

    Attributes:
        grey: (64, 64) the crop, 0..1.
        bare: (64, 64) pixels of it that are seen, and neither face nor letters.
        near: (64, 64) those of them that are next to the mask.
    """

    grey: Float
    bare: Bool
    near: Bool


def coarse_grey(picture: Image, under: Window) -> Float:
    """(64, 64) the crop of a frame in grey, 0..1."""
    step = under.size / _ROWS
    small = Window(under.transform / step, _ROWS, under.box)
    crop = small.cut(small.part(picture), cv2.INTER_LINEAR)
    grey: Float = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    return grey


def beside_face(mask: Bool) -> Image:
    """(128, 128) 0 near a reference's own face, `mask` (size, size), 255 where its body is seen."""
    small = cv2.resize(mask.astype(np.float32), (_CLEAR, _CLEAR), interpolation=cv2.INTER_AREA)
    return np.asarray(np.rint(_ramp(small > 0, *_CHIN) * 255), np.uint8)


def surroundings(crop: Float, around: Bool, known: Bool) -> Surroundings | None:
    """What of a frame its body can be registered by; None where that is too little.

    Args:
        crop: (size, size, 3) the frame, 0..1.
        around: (size, size) what is known of it beside the new face.
        known: (size, size) all that is known of it.
    """
    hidden = ~_all(known)
    distance = cv2.distanceTransform((~hidden).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    bare = _all(around) & (distance < _BAND)
    bare[: int(_UPPER * _ROWS)] = False
    near = bare & (distance < _NEAR)
    if np.count_nonzero(near) < _LEAST:
        return None
    small = cv2.resize(
        cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), (_ROWS, _ROWS), interpolation=cv2.INTER_AREA
    )
    grey = np.where(bare, small, 0).astype(np.float32)
    return Surroundings(grey, bare, near)


def stay_with_body(
    field: Float,
    face: Bool,
    seen: Surroundings,
    reference: Reference,
    still: NDArray[np.float64],
) -> None:
    """Let a reference lend neck and collar from where its body is, in place.

    Args:
        field: (H, W, 3) displacement and visibility of the reference, continued around the face.
        face: (H, W) what the new face covers.
        seen: of the frame.
        reference: with `coarse` and `clear`.
        still: (2, 3) crop pixels of the frame -> those of the reference, for what has stayed at
            its place in the picture.
    """
    if reference.coarse is None or reference.clear is None:
        return
    step = len(face) / _ROWS  # pixels of the crop a pixel of the grid
    middle = ((np.arange(_ROWS) + 0.5) * step).astype(int)
    moved = field[middle[:, None], middle, :2] / np.float32(step)
    apart = _apart(seen, reference.coarse, grid(_ROWS, _ROWS) + moved)
    if apart < _LEVEL:
        return
    onto = still.copy()
    onto[:, 2] += still[:, :2] @ _registered(seen, reference.coarse, still, step) * step
    places = cv2.transform(grid(_ROWS, _ROWS) * np.float32(step), onto) / step
    mended = apart - _apart(seen, reference.coarse, places)
    sure = np.clip((mended - _LEVEL) / (_SURE - _LEVEL), 0, 1)
    if sure > 0:
        _carry(field, np.float32(sure) * _ramp(face, *_RIM), onto, reference.clear)


def _ramp(face: Bool, first: float, last: float) -> Float:
    """(H, W) 0 on a face and to the first distance from it, 1 from the last one on."""
    apart = cv2.distanceTransform((~face).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    ramp = np.clip((apart / len(face) - first) / (last - first), 0, 1)
    return np.asarray(ramp * ramp * (3 - 2 * ramp), np.float32)


def _carry(field: Float, share: Float, onto: NDArray[np.float64], clear: Image) -> None:
    """Draw a displacement to `onto` by a share (H, W), but for where the reference has its chin."""
    places = grid(*share.shape)
    moved = np.asarray(cv2.transform(places, onto), np.float32)
    at = moved * np.float32(_CLEAR / len(share)) - np.float32(0.5)
    body = cv2.remap(clear, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    share = share * (body.astype(np.float32) / 255)
    field[..., :2] += share[..., None] * (moved - places - field[..., :2])


def _apart(seen: Surroundings, coarse: Float, places: NDArray[Any]) -> float:
    """Mean difference next to the mask of a frame and a reference that is looked up at `places`."""
    at = places.astype(np.float32) - np.float32(0.5)
    there = cv2.remap(coarse, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    here, there = seen.grey[seen.near], there[seen.near]
    return float(np.abs(there * (here.mean() / max(float(there.mean()), _DARK)) - here).mean())


def _registered(
    seen: Surroundings, coarse: Float, still: NDArray[np.float64], step: float
) -> NDArray[np.float64]:
    """(2,) pixels of the grid by which the body is beside its place."""
    matrix = still.copy()
    matrix[:, 2] = still[:, 2] / step + still[:, :2] @ np.full(2, 0.5 - _REACH) - 0.5
    top = int(np.flatnonzero(seen.bare.any(1))[0])
    matrix[:, 2] += still[:, 1] * top
    size = (_ROWS + 2 * _REACH, _ROWS - top + 2 * _REACH)
    flags, edge = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, cv2.BORDER_REPLICATE
    there = cv2.warpAffine(coarse, matrix, size, flags=flags, borderMode=edge)
    bare = seen.bare[top:].astype(np.float32)
    found = cv2.matchTemplate(there, seen.grey[top:], cv2.TM_CCOEFF_NORMED, mask=bare)
    found = np.where(np.isfinite(found), found, -1)
    axis = np.arange(-_REACH, _REACH + 1)
    priced = found - _STILL * (axis[:, None] ** 2 + axis[None] ** 2)
    row, column = (int(n) for n in np.unravel_index(int(priced.argmax()), priced.shape))
    beside = axis[column] + _peak(priced[row], column), axis[row] + _peak(priced[:, column], row)
    return np.array(beside, np.float64)


def _peak(line: NDArray[np.float64], at: int) -> float:
    """How far the maximum of a parabola through a place of a line and its neighbours is from it."""
    if at in (0, len(line) - 1):
        return 0.0
    before, here, after = line[at - 1 : at + 2]
    bend = before - 2 * here + after
    return 0.0 if bend >= 0 else float(np.clip((before - after) / (2 * bend), -0.5, 0.5))


def _all(mask: Bool) -> Bool:
    """(64, 64) pixels of the grid that lie in a mask (size, size) wholly."""
    outside = cv2.resize((~mask).astype(np.float32), (_ROWS, _ROWS), interpolation=cv2.INTER_AREA)
    return np.asarray(outside <= 0, bool)
