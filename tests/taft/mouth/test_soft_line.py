"""The line between shut lips: as soft as what a lens makes of a gap that was pressed together."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from gsmooth_core.face.morphable import Region
from gsmooth_core.face.render import Drawing
from gsmooth_core.taft.mouth.soft_line import SoftLine, soft_line, softened
from gsmooth_core.types import Float, RenderedFace

SIZE, TOP, BOTTOM, LEFT, RIGHT = 64, 20, 44, 10, 54
LINE = 32  # the first row of the lower lip
ONE = np.ones(1, np.float32)


def _drawing(apart: list[float], gap: int = 0) -> Drawing:
    """Lips that meet above row LINE, or have a gap, in references whose lips are further apart."""
    region = np.full((SIZE, SIZE), Region.LOWER_FACE, np.uint8)
    region[TOP:BOTTOM, LEFT:RIGHT] = Region.LIPS
    region[LINE : LINE + gap, LEFT:RIGHT] = Region.INNER_MOUTH
    values = np.zeros((SIZE, SIZE, 3 * len(apart)), np.float32)
    for k, each in enumerate(apart):
        values[LINE:, :, 3 * k + 1] = each
        values[..., 3 * k + 2] = 1
    mask = np.ones(region.shape, bool)
    image = np.zeros((*region.shape, 3), np.float32)
    face = RenderedFace(image, np.ones(region.shape, np.float32), mask, region)
    return Drawing(face, mask, values, np.zeros((1, 2), np.float32))


def _picture(seed: int = 0) -> Float:
    return np.random.default_rng(seed).random((SIZE, SIZE, 3), np.float32)


def _found(drawing: Drawing, weights: Float = ONE, scale: float = 1.0) -> SoftLine:
    line = soft_line(drawing, weights, scale)
    assert line is not None
    return line


def _weight(line: SoftLine) -> Float:
    """(SIZE, SIZE) its weight in the whole crop."""
    x0, y0, x1, y1 = line.part
    whole = np.zeros((SIZE, SIZE), np.float32)
    whole[y0:y1, x0:x1] = line.weight
    return whole


def test_the_line_becomes_what_a_gaussian_makes_of_it() -> None:
    picture, line = _picture(), _found(_drawing([6]), scale=1.5)
    oracle = gaussian_filter(picture, (line.sigma, line.sigma, 0), mode="mirror", truncate=6)
    made = softened(picture.copy(), line)
    rows = np.s_[LINE - 1 : LINE + 1, LEFT + 8 : RIGHT - 8]  # all of it, clear of the part's edge
    np.testing.assert_allclose(_weight(line)[rows], 1)
    np.testing.assert_allclose(made[rows], oracle[rows], atol=2e-3)
    assert np.abs(made - picture)[rows].mean() > 0.1


def test_nothing_changes_away_from_it() -> None:
    picture, line = _picture(), _found(_drawing([6]))
    made = softened(picture.copy(), line)
    far = np.abs(np.arange(SIZE) + 0.5 - LINE) > 3.5 * line.sigma
    np.testing.assert_array_equal(made[far], picture[far])
    np.testing.assert_array_equal(made[:, : LEFT - 1], picture[:, : LEFT - 1])
    np.testing.assert_array_equal(made[:, RIGHT + 1 :], picture[:, RIGHT + 1 :])


def test_a_dark_dash_is_spread_and_no_light_is_lost() -> None:
    picture = np.ones((SIZE, SIZE, 3), np.float32)
    picture[LINE - 1, LEFT + 10 : RIGHT - 10] = 0
    made = softened(picture.copy(), _found(_drawing([6])))
    assert picture.min() == 0
    assert made.min() > 0.3
    column = made[:, SIZE // 2, 0]
    assert (1 - column).sum() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(("apart", "gap"), [(0.0, 0), (0.25, 0), (6.0, 4), (6.0, 9), (-5.0, 0)])
def test_lips_that_lend_as_they_are_stay_sharp(apart: float, gap: int) -> None:
    assert soft_line(_drawing([apart], gap), ONE, 1.0) is None


def test_the_more_is_pressed_together_the_softer() -> None:
    amounts = [_weight(_found(_drawing([apart]))).max() for apart in (0.8, 1.2, 1.7, 2.0, 9.0)]
    assert (np.diff(amounts[:4]) > 0).all()
    assert amounts[3] == amounts[4] == 1
    gaps = [_weight(_found(_drawing([6], gap))).max() for gap in (1, 2, 3)]
    assert gaps[0] == gaps[1] == 1
    assert gaps[2] == pytest.approx(0.5)


def test_references_count_by_their_weight() -> None:
    both = _found(_drawing([6, 0]), np.array([1, 3], np.float32))
    assert _weight(both).max() == pytest.approx(0.25)
    same = _found(_drawing([6, 6]), np.array([0.2, 0.7], np.float32))
    np.testing.assert_allclose(_weight(same), _weight(_found(_drawing([6]))), atol=1e-6)


def test_it_follows_a_line_that_slopes() -> None:
    drawing = _drawing([6])
    rows = np.arange(SIZE)[:, None] + 0.5
    edge = 26 + np.arange(SIZE) * 0.2
    drawing.values[..., 1] = np.where(rows < edge, 0, 6)
    weight = _weight(_found(drawing))[:, LEFT + 3 : RIGHT - 3]
    middle = (weight * rows).sum(0) / weight.sum(0)
    np.testing.assert_allclose(middle, edge[LEFT + 3 : RIGHT - 3], atol=0.6)


def test_a_finer_crop_has_a_wider_line() -> None:
    narrow, wide = (_found(_drawing([6]), scale=scale) for scale in (0.5, 2.0))
    assert wide.sigma == pytest.approx(4 * narrow.sigma)
    assert _weight(wide).sum() > 1.8 * _weight(narrow).sum()


def test_without_a_mouth_or_references_there_is_nothing_to_do() -> None:
    drawing = _drawing([6])
    assert soft_line(drawing, np.zeros(0, np.float32), 1.0) is None
    drawing.face.region[:] = Region.LOWER_FACE
    assert soft_line(drawing, ONE, 1.0) is None
    picture = _picture()
    assert softened(picture, None) is picture


def test_a_mouth_at_the_edge_of_the_crop() -> None:
    drawing = _drawing([6])
    drawing.face.region[:] = Region.LIPS
    line = _found(drawing)
    assert line.part == (0, 0, SIZE, SIZE)
    assert np.isfinite(softened(_picture(), line)).all()
