"""Boxes and rims on masks that are known."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from gsmooth_core.evaluation.metrics.landmarks import LIPS
from gsmooth_core.mafb import regions

SIZE = 64


def disc(radius=20.0):
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    distance = np.hypot(x - SIZE / 2, y - SIZE / 2)
    return distance <= radius, distance


def test_box_around_the_lips():
    points = np.full((478, 2), 5.0, np.float32)
    points[list(LIPS)] = (30, 40)
    points[LIPS[0]], points[LIPS[1]] = (20.4, 41.0), (44.2, 39.0)
    rows, columns = regions.lip_box(points, SIZE, margin=3)
    assert (columns.start, columns.stop) == (17, 48)
    assert (rows.start, rows.stop) == (36, 45)
    points[LIPS[2]] = np.nan
    assert regions.lip_box(points, SIZE) is None


def test_box_stays_in_the_picture():
    mouth = np.zeros((SIZE, SIZE), bool)
    mouth[2, 3] = mouth[60, 62] = True
    picture = np.zeros((SIZE, SIZE))
    assert picture[regions.mouth_box(mouth)].shape == (SIZE, SIZE)
    assert picture[regions.mouth_box(np.zeros_like(mouth))].shape == (SIZE, SIZE)


def test_rim_is_a_ring():
    mask, distance = disc()
    ring = regions.rim(mask, 6.0)
    assert ring.band[(distance > 21) & (distance < 25)].all()
    assert not ring.band[(distance < 17) | (distance > 28)].any()
    y, x = np.nonzero(ring.band)
    outwards = np.stack([x + 0.5 - SIZE / 2, y + 0.5 - SIZE / 2], -1)
    outwards /= np.linalg.norm(outwards, axis=-1, keepdims=True)
    along = (ring.normal[y, x] * outwards).sum(-1)
    assert along.min() > 0.8
    assert along.mean() > 0.98
    for nothing in (np.zeros_like(mask), np.ones_like(mask)):
        assert not regions.rim(nothing, 6.0).band.any()


def test_an_edge_along_the_outline_counts_and_one_across_it_does_not():
    mask, _ = disc()
    ring = regions.rim(mask, 6.0)
    flat = np.full((SIZE, SIZE, 3), 100, np.uint8)
    assert regions.rim_energy(flat, ring) == 0
    pasted = flat + (40 * mask[..., None]).astype(np.uint8)
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2 + 0.5
    spokes = np.rint(100 + 20 * np.sign(np.sin(8 * np.arctan2(y, x))))[..., None]
    spokes = np.repeat(spokes, 3, 2).astype(np.uint8)
    across = np.abs(np.gradient(spokes[..., 0].astype(float))).sum(0)[ring.band].mean()
    assert regions.rim_energy(pasted, ring) > 1
    assert regions.rim_energy(spokes, ring) < 0.4 * across


def test_a_seam_of_a_few_grey_levels_is_seen():
    rng = np.random.default_rng(0)
    mask, _ = disc()
    ring = regions.rim(mask, 6.0)
    skin = rng.normal(120, 2, (SIZE, SIZE, 1)).repeat(3, 2)
    seam = skin + 8 * mask[..., None]
    ratio = regions.rim_energy(seam, ring) / regions.rim_energy(skin, ring)
    assert ratio > 1.2
    assert regions.rim_energy(skin, ring) == pytest.approx(
        regions.rim_energy(skin + 30, ring), rel=1e-9
    )


@pytest.mark.parametrize("moved", [-4, 4])
def test_an_outline_that_moves_on_the_rim_is_no_seam(moved: int) -> None:
    """A dark collar beside a chin: more or less of its outline lies on the rim."""
    mask, distance = disc()
    ring = regions.rim(mask, 6.0)

    def picture(lowered: int) -> np.ndarray:
        rng = np.random.default_rng(0)
        collar = (np.mgrid[:SIZE, :SIZE][0] > SIZE / 2 + 6 + lowered) & (distance > 22)
        grey = np.where(collar, 40, 120) + rng.normal(0, 4, (SIZE, SIZE))
        return gaussian_filter(grey, 0.7)[..., None].repeat(3, 2)

    there, other = picture(0), picture(moved)
    before = regions.rim_energy(there, ring)
    assert abs(regions.rim_energy(other, ring) / before - 1) < 0.08
    assert regions.rim_energy(other + 6 * mask[..., None], ring) / before > 1.14
