"""Words in test pictures, which OpenCV writes in another hand from its version 5 on."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont


def written(
    shape: tuple[int, int], text: str, at: tuple[int, int], size: float, width: float = 0.0
) -> np.ndarray:
    """(H, W) uint8, 255 where letters are.

    Args:
        shape: of the picture.
        text: a word.
        at: left end of the line on which it stands, x and y.
        size: pixels; capitals have .7 of it.
        width: pixels by which strokes are wider at either side.
    """
    picture = Image.new("L", shape[::-1])
    font = ImageFont.load_default(size)
    ImageDraw.Draw(picture).text(at, text, 255, font, anchor="ls", stroke_width=width)
    return np.array(picture)
