"""Two rows of teeth between the lips of a photo."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from gsmooth_core.face.morphable import MOUTH_REGIONS
from gsmooth_core.face.render import among
from gsmooth_core.taft.compose import Composer
from gsmooth_core.taft.mouth.teeth import (
    ToothRows,
    dark_line,
    row_end,
    shows_teeth,
    slide,
    tooth_rows,
)
from gsmooth_core.taft.warping.warp import Reference
from gsmooth_core.types import FaceTrack, Float
from tests.taft import scene

SIDE, TOP, LINE, BOTTOM = 128, 40, 60, 70  # the lips of a photo, and the line between its teeth
ROWS = ToothRows(np.arange(0, 4), np.arange(4, 8))
CORNERS = np.float32([[30, 40], [90, 40], [30, 60], [90, 60]])


def photo() -> Reference:
    image = np.full((SIDE, SIDE, 3), 90, np.uint8)
    image[TOP:BOTTOM, 20:100] = 220
    image[LINE - 1 : LINE + 1, 20:100] = 20
    points = np.concatenate([CORNERS, CORNERS + np.float32([0, 20])])
    return Reference(0, image, np.eye(2, 3), points, np.ones(8, np.float32))


def opened(lip: float, jaw: float, reference: Reference | None = None) -> Float:
    """Rows of a photo that a mouth shows whose lower lip, and jaw, are so much lower."""
    inside = np.zeros((SIDE, SIDE), bool)
    inside[TOP : int(BOTTOM + lip), 20:100] = True
    values = np.zeros((SIDE, SIDE, 3), np.float32)
    values[int(BOTTOM + lip) :, :, 1] = -lip
    values[..., 2] = 1
    reference = reference or photo()
    seen = reference.points + np.float32([0, jaw]) * (np.arange(8) >= 4)[:, None]
    slid = slide(values, inside, seen, reference, ROWS)
    assert np.array_equal(slid[~inside], values[~inside])
    at = np.arange(SIDE)[:, None] + slid[..., 1]
    return np.stack([at, slid[..., 2]], -1)[TOP : int(BOTTOM + lip), 60]


def test_lips_that_close_cover_the_lower_row_and_make_no_tooth_smaller() -> None:
    at, valid = opened(lip=-8, jaw=-3).T
    np.testing.assert_allclose(at, np.arange(TOP, BOTTOM - 8), atol=0.6)
    assert (valid > 0.95).all()


def test_a_jaw_that_falls_parts_the_rows_and_makes_no_tooth_longer() -> None:
    at, valid = opened(lip=12, jaw=12).T
    upper, lower = LINE - TOP, LINE + 12 - TOP
    np.testing.assert_allclose(at[:upper], np.arange(TOP, LINE), atol=0.6)
    np.testing.assert_allclose(at[lower + 1 :], np.arange(LINE + 1, BOTTOM), atol=1)
    assert (valid[: upper - 1] > 0.9).all() and (valid[lower + 1 :] > 0.8).all()
    assert (valid[upper + 4 : lower - 4] < 0.01).all()  # there the model's own mouth shows


def test_lips_that_are_shut_show_no_teeth_whatever_the_track_thinks() -> None:
    """The shadow of their line is darker than they are; teeth, even dim ones, are brighter."""
    reference = photo()
    shut = reference.image.copy()
    shut[TOP:BOTTOM, 20:100] = 75
    inside = np.zeros((SIDE, SIDE), bool)
    inside[TOP : BOTTOM + 12, 20:100] = True
    values = np.zeros((SIDE, SIDE, 3), np.float32)
    values[BOTTOM + 12 :, :, 1], values[..., 2] = -12, 1
    seen = reference.points + np.float32([0, 12]) * (np.arange(8) >= 4)[:, None]
    moved = slide(values, inside, seen, reference, ROWS)
    assert not np.array_equal(moved, values)
    kept = slide(values, inside, seen, replace(reference, image=shut), ROWS)
    assert np.array_equal(kept, values)


def test_half_an_opening_of_teeth_is_enough() -> None:
    lips = np.full((4, 60), 120.0)
    between = np.full((24, 60), 40.0)
    assert not shows_teeth(between, lips)
    between[:10, 10:50] = 150
    assert shows_teeth(between, lips)


def test_the_line_between_the_rows_is_found_and_goes_on_where_it_is_hidden() -> None:
    brightness = np.full((24, 60), 200.0, np.float32)
    brightness[14] = 60
    brightness[14, 25:28] = 200
    np.testing.assert_allclose(dark_line(brightness), 14.5 / 24, atol=1e-3)
    one_row = np.linspace(220, 40, 24, dtype=np.float32)[:, None].repeat(60, 1)
    assert (dark_line(one_row) == 1).all()
    assert (dark_line(np.zeros((24, 5), np.float32)) == 1).all()


def test_a_row_ends_where_it_is_no_longer_as_green_as_teeth() -> None:
    columns, rows = np.arange(80), np.arange(24)[:, None]
    ends = 16 + np.rint(1.4 * np.sin(columns / 12)).astype(int)
    green = np.where(rows < ends, 200.0, 90.0).astype(np.float32)
    green[4:6, 30:40] = 60  # a shadow on the teeth
    red = np.full((24, 80), 205, np.float32)
    np.testing.assert_allclose(row_end(red, green), ends / 24, atol=0.03)
    shaded = np.where(rows < ends, red, 95)  # as pale as teeth: a lower row in the shade
    np.testing.assert_allclose(row_end(shaded, green), 1, atol=1e-5)
    steps = np.where(rows < np.where(columns // 10 % 2, 12, 20), green[:1], 90)
    np.testing.assert_allclose(row_end(red, steps), 1, atol=1e-5)  # no row ends so
    for level in (150, 0):
        even = np.full((24, 80), level, np.float32)
        np.testing.assert_allclose(row_end(even, even), 1, atol=1e-5)


def test_lip_below_a_row_of_teeth_goes_with_no_row() -> None:
    """Red and as bright as teeth, with no dark line above it."""
    reference = photo()
    smile = reference.image.copy()
    smile[TOP:LINE, 20:100], smile[LINE:BOTTOM, 20:100] = 200, (250, 110, 120)
    at, valid = opened(12, 12, replace(reference, image=smile)).T
    upper = LINE - TOP
    np.testing.assert_allclose(at[: upper - 1], np.arange(TOP, LINE - 1), atol=0.8)
    assert (valid[: upper - 2] > 0.9).all()
    assert (valid[upper + 4 : -3] < 0.01).all()


def test_the_jaw_moves_the_lower_row_alone() -> None:
    model = scene.face_model()
    rows = tooth_rows(model)
    assert rows is not None
    jaw = model.expression_basis[model.expression_names.index("jawOpen")].reshape(-1, 3)
    assert not jaw[rows.upper].any() and (jaw[rows.lower, 1] < 0).all()
    assert model.mean[rows.upper, 1].mean() > model.mean[rows.lower, 1].mean()


@pytest.fixture(scope="module")
def smile() -> FaceTrack:
    clip = scene.track(1, still=True)
    names = clip.expression_names
    shown = ("mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight")
    expression = clip.expression.copy()
    expression[:, [names.index(name) for name in shown]] = 0.9
    expression[:, names.index("jawOpen")] = 0.12
    return replace(clip, expression=expression)


def test_a_photos_teeth_are_where_the_face_has_them(smile: FaceTrack) -> None:
    """Against the scene drawn with the new expression, which nothing here has seen."""
    target = smile.expression.copy()
    for side in ("Left", "Right"):
        target[:, smile.expression_names.index(f"mouthLowerDown{side}")] = 0.1
    picture = scene.picture(smile, 0)
    truth = scene.picture(smile, 0, target[0])
    errors = []
    for with_teeth in (True, False):
        composer = Composer(smile, scene.face_model(), target, lambda _frame: picture)
        if not with_teeth:
            composer._teeth = None
        drawing, _ = composer.masks(0)
        inside = among(drawing.face.region, MOUTH_REGIONS)
        size = (composer.size, composer.size)
        wanted = cv2.warpAffine(truth, composer.transforms[0][:2], size) / 255
        made = composer.compose(0, picture).blend.image
        errors.append(float(np.abs(made - wanted)[inside].mean()))
    assert errors[0] < 0.8 * errors[1], errors
