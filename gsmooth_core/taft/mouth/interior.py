"""What shows between the lips: the references' mouth interior, stretched, or the model's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.morphable import Region
from gsmooth_core.face.rasterizer.numba_kernels import compiled
from gsmooth_core.face.render import Drawing
from gsmooth_core.types import Bool, Float

Reals = TypeVar("Reals", bound=Any)

_STRETCH = 0.4  # logarithm of the stretch at which a mouth's interior weighs e times less
_SQUEEZED, _SQUEEZE = 0.3, 1.2
"""Weight, and logarithm of the stretch at which it is e times less, that a mouth has at least which
is open wider: squeezed, it still shows what there is, and teeth that no frame shows do not."""
_GAP = 0.014  # of the crop's side: gap between the lips at which 1 - 1/e of the dark shows
FEWEST, DARKEST, MOST_GAIN = 50, 0.02, 2.0  # pixels of skin; of 0..1; of its light
TINT = 0.4  # share of the skin's tint that teeth have beside it
NO_TOOTH, TOOTH = 0.35, 0.15  # saturations of the shaded render: from the one on it is no tooth
_NO_TOOTH, _SURE, _FAINT = np.float32(NO_TOOTH), np.float32(NO_TOOTH - TOOTH), np.float32(1e-6)
GREY = 0.12  # saturation of skin below which a picture loses its colours
_LINE = 0.8  # of the lips' colour: brightness of the line between lips that just touch


class OpenMouth(NamedTuple):
    """Where the lips are open: N columns, rows of their last pixels above and first below, rows."""

    columns: NDArray[np.int64]
    top: NDArray[np.int64]
    bottom: NDArray[np.int64]
    rows: NDArray[np.int64]

    @property
    def part(self) -> tuple[slice, NDArray[np.int64]]:
        """What of a crop holds its interior, (R, N)."""
        return slice(int(self.rows[0, 0]), int(self.rows[-1, 0]) + 1), self.columns


def open_mouth(inside: Bool) -> OpenMouth | None:
    """The mouth whose interior is (H, W); None where it is shut."""
    columns, within = (np.flatnonzero(inside.any(axis)) for axis in (0, 1))
    if not len(columns):
        return None
    height = len(inside)
    top = (inside[:, columns].argmax(0) - 1).clip(0)
    bottom = (height - inside[::-1, columns].argmax(0)).clip(None, height - 1)
    return OpenMouth(columns, top, bottom, np.arange(within[0], within[-1] + 1)[:, None])


def bridge(values: Float, inside: Bool, count: int) -> Float:
    """Carry the lips' displacements across the open mouth, from the upper lip to the lower.

    The edges of the lips are located better than teeth are. So what lies between them in a
    reference is stretched to lie between them here, and weighs the more, the more alike the two
    mouths are open.

    Args:
        values: (H, W, 3 * count) displacement (x, y) and visibility of each reference.
        inside: (H, W) the mouth's interior.
        count: number of references.

    Returns:
        (H, W, 3 * count) with new values inside.
    """
    mouth = open_mouth(inside)
    if mouth is None:
        return values
    (columns, top, bottom, rows), part = mouth, mouth.part
    share = ((rows - top) / (bottom - top))[..., None].clip(0, 1)  # (rows, columns, 1)
    upper, lower = values[top, columns], values[bottom, columns]  # (columns, 3 * count)
    between = upper * (1 - share) + lower * share
    gap = (bottom - top)[:, None].astype(np.float32)
    opening = gap + lower[:, 1::3] - upper[:, 1::3]  # in the reference
    squeezed = np.float32(_SQUEEZED) * alike(opening, gap, _SQUEEZE)
    weight = np.maximum(alike(opening, gap), np.where(opening > gap, squeezed, 0))
    between[..., 2::3] = np.broadcast_to(weight, between[..., 2::3].shape)
    bridged = values.copy()
    bridged[part] = np.where(inside[part][..., None], between, values[part])
    return bridged


def alike(own: Float, wanted: Float, width: float = _STRETCH) -> Float:
    """0..1 how far something is to be believed that is stretched from a height to another one."""
    stretch = np.log((np.maximum(own, 0) + 1) / (wanted + 1))
    believed: Float = np.exp(-((stretch / width) ** 2))
    return believed


def soften_gap(image: Float, inside: Bool, lip: Float) -> Float:
    """Let little of the dark mouth show through a narrow gap between the lips.

    A camera sees a gap of a pixel or two as a soft line of the lips' own colour; drawn pixel by
    pixel it would be a black, dashed one.

    Args:
        image: (H, W, 3) the shaded render, 0..1.
        inside: (H, W) the mouth's interior.
        lip: (3,) colour of the lips, 0..1.

    Returns:
        (H, W, 3) the image, changed only where `inside`.
    """
    gap = inside.sum(0).astype(np.float32)  # pixels, by column
    share = gap_share(gap, len(inside), np.exp)
    rows, columns = np.nonzero(inside)
    within, softened = image[rows, columns], image.astype(np.float32)
    softened[rows, columns] = within + (line_colour(lip) - within) * share[columns, None]
    return softened


def in_light(image: Float, frame: Float, skin: Bool) -> Float:
    """Let the shaded render have the colour of light that the frame's skin has.

    The light of the track leaves out what the model's own skin has another tone for, and teeth
    stand beside this person's skin, not beside the model's. Teeth themselves, which are grey in the
    render, take its brightness and little of its tint: beside a skin that is paler than the model's
    they would be green.

    Args:
        image: (H, W, 3) the shaded render, 0..1.
        frame: (H, W, 3) the frame, 0..1.
        skin: (H, W) bare skin that both show.

    Returns:
        (H, W, 3), 0..1; the image as it is where too little skin is seen.
    """
    if np.count_nonzero(skin) < FEWEST:
        return image
    where = skin.astype(np.uint8)
    shown, own = (np.array(cv2.mean(each, where)[:3], np.float32) for each in (frame, image))
    gain = np.clip(shown / np.maximum(own, DARKEST), 1 / MOST_GAIN, MOST_GAIN)
    lit: Float = _lit(image, gain, tooth_gain(gain, shown))
    if (colour := saturation(shown) / GREY) < 1:  # a picture without colours has grey teeth
        grey = lit.mean(-1, keepdims=True)
        lit = grey + (lit - grey) * np.float32(colour)
    return lit


@compiled
def _lit(image: Any, gain: Any, of_teeth: Any) -> Any:
    """An image (H, W, 3) with a gain (3,), and another one (3,) of their brightness for teeth."""
    height, width = image.shape[:2]
    made = np.zeros((height, width, 3), np.float32)
    for row in range(height):
        for column in range(width):
            red, green, blue = image[row, column, 0], image[row, column, 1], image[row, column, 2]
            share = tooth_share(red, green, blue)
            grey = (red + green + blue) / np.float32(3)
            for c in range(3):
                own = image[row, column, c] * gain[c]
                own += share * (grey * of_teeth[c] - own)
                made[row, column, c] = min(max(own, np.float32(0)), np.float32(1))
    return made


@compiled
def tooth_share(red: Any, green: Any, blue: Any) -> Any:
    """0..1 how far a pixel of the shaded render is grey, as teeth alone are in it; 0 for black."""
    most = max(red, green, blue)
    spread = most - min(red, green, blue)
    share = (_NO_TOOTH * most - spread) / max(_SURE * most, _FAINT)
    return min(max(share, np.float32(0)), np.float32(1))


def tooth_gain(gain: Reals, shown: Reals) -> Reals:
    """The gain (..., 3) of teeth beside skin that is shown as (..., 3) and has another `gain`."""
    tint = 1 + TINT * (shown / shown.mean(-1, keepdims=True).clip(DARKEST) - 1)
    return cast(Reals, gain.mean(-1, keepdims=True) * tint)


def saturation(colour: Float) -> float:
    """0..1 of a colour (3,)."""
    return float(np.ptp(colour) / max(float(colour.max()), DARKEST))


def gap_share(gap: Reals, side: int, exp: Callable[[Reals], Reals]) -> Reals:
    """How much of the lips' colour a gap of so many pixels has, in a crop of `side` pixels.

    Args:
        gap: in pixels, an array or a tensor.
        side: of the crop.
        exp: the exponential function for it.
    """
    return exp(-(gap - 1).clip(0) / (_GAP * side))


def line_colour(lip: Reals) -> Reals:
    """The colour of the line between lips of a colour."""
    return cast(Reals, _LINE * lip)


def lip_colour(drawing: Drawing, references: Float, validity: Float) -> Float:
    """(3,) mean colour of the lips in the references; the model's where they show none."""
    lips = drawing.face.region == Region.LIPS
    weight = validity[:, lips]  # (K, N)
    if weight.sum() > 0:
        return np.einsum("kn,knc->c", weight, references[:, lips]) / weight.sum()  # type: ignore[no-any-return]
    return drawing.face.image[lips].mean(0) if lips.any() else np.zeros(3, np.float32)
