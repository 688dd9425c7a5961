"""The part of a box that is looked up finely: around what is hidden, and no larger than the box."""

from __future__ import annotations

import numpy as np

from gsmooth_core.mafb.blend import MaskSettings, in_crop
from gsmooth_core.taft.warping.box import narrowed

BOX = (32, 48, 224, 256)


def test_a_hidden_part_its_rim_and_as_much_beside_it_are_within() -> None:
    hidden = np.zeros((256, 256), bool)
    hidden[120:161, 100:141] = True
    x0, y0, x1, y1 = narrowed(BOX, hidden)
    rim = in_crop(MaskSettings().rim, 256)
    for apart in (100 - x0, 120 - y0, x1 - 141, y1 - 161):
        assert 1.5 * rim < apart < 2.5 * rim


def test_it_never_reaches_beyond_the_box() -> None:
    hidden = np.zeros((256, 256), bool)
    hidden[50:250, 34:222] = True
    assert narrowed(BOX, hidden) == BOX


def test_where_nothing_is_hidden_it_is_the_box() -> None:
    assert narrowed(BOX, np.zeros((256, 256), bool)) == BOX
