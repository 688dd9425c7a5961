"""What is left of a frame under its mask, against the same over the whole of its box."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gsmooth_core.mafb import crop
from gsmooth_core.taft.lending.masked import mask_frame

SIZE = 96


@pytest.mark.parametrize("scale", [0.3, 0.45, 1.1, 2.7])
@pytest.mark.parametrize("part", [np.s_[40:60, 30:70], np.s_[:12, 80:], np.s_[0:0, 0:0]])
def test_the_crop_shows_what_no_hidden_pixel_has_a_part_in(scale: float, part) -> None:
    rng = np.random.default_rng(1)
    frame = rng.integers(1, 256, (240, 300, 3), np.uint8)
    turned = scale * np.array([[0.95, -0.3, 9 / scale], [0.3, 0.95, -11 / scale]])
    under = crop.window(turned, SIZE, crop.whole(frame))
    mask = np.zeros((SIZE, SIZE), bool)
    mask[part] = True
    masked = mask_frame(frame, under, mask)
    hidden = crop.hidden(under, mask)
    assert np.array_equal(masked.part, np.where(hidden[..., None], 0, under.part(frame)))
    grown = cv2.dilate(hidden.astype(np.uint8), np.ones((5, 5), np.uint8))
    wanted = under.cut((1 - grown).astype(np.float32), cv2.INTER_LINEAR) > 0.999
    picture, known = masked.crop()
    assert np.mean(known ^ wanted) < 1e-3  # OpenCV looks at 32nds of a pixel
    assert not known[mask & under.inside()].any()
    seen = under.cut(masked.part, cv2.INTER_LINEAR).astype(np.float32) / 255
    np.testing.assert_allclose(picture, seen * known[..., None], atol=1e-6)
