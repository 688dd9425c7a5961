"""What a drawn face shows at a pixel."""

from __future__ import annotations

import numpy as np

from gsmooth_core.face.morphable import MOUTH_REGIONS, Region
from gsmooth_core.face.render import NOTHING, Drawing
from gsmooth_core.taft.mouth.drawn import hints
from gsmooth_core.types import RenderedFace


def test_hints_are_lips_the_mouths_interior_and_skin() -> None:
    every = [*Region, NOTHING]
    region = np.array([every, every[::-1]], np.uint8)
    blank = np.zeros((*region.shape, 3), np.float32)
    face = RenderedFace(blank, blank[..., 0], region != NOTHING, region)
    found = hints(Drawing(face, region != NOTHING, blank, blank[0, :, :2]))
    assert found.dtype == np.float32
    groups = (Region.LIPS,), MOUTH_REGIONS, (Region.SKIN, Region.LOWER_FACE)
    for hint, group in enumerate(groups):
        assert np.array_equal(found[..., hint], np.isin(region, group))
