"""Where one tooth ends and the next begins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gsmooth_core.face.dentition import grooved, tooth_numbers
from gsmooth_core.face.morphable import Region
from tests.taft import scene


def test_both_rows_are_numbered_from_the_middle() -> None:
    model = scene.face_model()
    numbers, teeth = tooth_numbers(model), model.regions == Region.TEETH
    x = model.mean[:, 0]
    assert not numbers[~teeth].any()
    np.testing.assert_allclose(np.sign(numbers[teeth]), np.sign(x[teeth]))
    opening = model.expression_basis[model.expression_names.index("jawOpen")]
    still = np.linalg.norm(opening, axis=1) < 1e-6
    wide = []
    for row in (teeth & still, teeth & ~still):
        order = np.argsort(x[row])
        assert (np.diff(numbers[row][order]) >= 0).all()
        assert numbers[row].max() == pytest.approx(6) == -numbers[row].min()
        wide.append(np.interp(1, numbers[row][order], x[row][order]))
    assert wide[0] == pytest.approx(0.085, abs=0.02)  # an upper central incisor: 8.5 mm
    assert wide[1] < 0.75 * wide[0]  # a lower one is two thirds as wide


def test_a_face_without_teeth_has_no_numbers() -> None:
    model = scene.face_model()
    skin = np.where(model.regions == Region.TEETH, Region.SKIN, model.regions).astype(np.uint8)
    assert not tooth_numbers(replace(model, regions=skin)).any()


def row(pixels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Four teeth of so many pixels each, between lips, and their numbers."""
    width = 4 * pixels + 8
    teeth = np.zeros((9, width), bool)
    teeth[2:7, 4:-4] = True
    numbers = np.where(teeth, (np.arange(width) + 0.5 - width / 2) / pixels, 0)
    return np.full((9, width, 3), 0.8, np.float32), teeth, numbers.astype(np.float32)


@pytest.mark.parametrize("pixels", [8, 20, 60])
def test_shadows_lie_between_teeth_and_nowhere_else(pixels: int) -> None:
    image, teeth, numbers = row(pixels)
    made = grooved(image, teeth, numbers)
    assert np.array_equal(made[~teeth], image[~teeth])
    line = made[4, 4:-4, 0]
    ends = [0, pixels, 2 * pixels, 3 * pixels, 4 * pixels - 1]
    middles = [n * pixels + pixels // 2 for n in range(4)]
    assert line[ends].max() < 0.72
    assert line[middles].min() > 0.77
    assert (made <= image).all()
    assert np.array_equal(line, line[::-1])


def test_what_is_finer_than_the_pixels_is_fainter_and_darkens_as_much() -> None:
    means = [float(grooved(*row(pixels))[4, 4:-4].mean()) for pixels in (4, 12, 40)]
    assert np.ptp(means) < 0.05
    deepest = [float(grooved(*row(pixels))[4, 4:-4].min()) for pixels in (4, 12, 40)]
    assert deepest == sorted(deepest, reverse=True)


def test_a_pixel_on_the_line_between_two_small_teeth_is_not_as_dark_as_the_line() -> None:
    image, teeth, numbers = row(4)
    small = grooved(image, teeth, numbers + np.float32(0.125) * teeth)[4, 4:-4, 0].min()
    image, teeth, numbers = row(60)
    large = grooved(image, teeth, numbers + np.float32(0.5 / 60) * teeth)[4, 4:-4, 0].min()
    assert 0.8 - small < 0.65 * (0.8 - large)


def test_a_mouth_without_teeth_is_left_alone() -> None:
    image = np.random.default_rng(0).random((8, 8, 3)).astype(np.float32)
    assert grooved(image, np.zeros((8, 8), bool), np.zeros((8, 8), np.float32)) is image
