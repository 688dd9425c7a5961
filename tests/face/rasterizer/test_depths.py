"""What is nearest alone, against all that a rasteriser says."""

from __future__ import annotations

import numpy as np

from gsmooth_core.face.rasterizer import depths, rasterize


def test_depths_are_those_of_a_whole_drawing() -> None:
    rng = np.random.default_rng(2)
    points = rng.uniform([0, 0, 5], [60, 40, 12], (90, 3)).astype(np.float32)
    faces = rng.integers(0, 90, (60, 3)).astype(np.int32)
    drawn = rasterize(points, faces, points[:, :0], 40, 60)
    assert 0.2 < drawn.mask.mean() < 1
    np.testing.assert_array_equal(depths(points, faces, 40, 60), drawn.depth)
