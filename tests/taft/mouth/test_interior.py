"""What shows between the lips."""

from __future__ import annotations

import numpy as np

from gsmooth_core.taft.lending.lend import SHADED
from gsmooth_core.taft.mouth.interior import bridge, in_light, soften_gap


def mouth(gap: int, upper: float, lower: float) -> tuple[np.ndarray, np.ndarray]:
    """A mouth `gap` rows open; its upper lip moves by `upper`, its lower lip by `lower`."""
    inside = np.zeros((40, 30), bool)
    inside[10 : 10 + gap, 5:25] = True
    values = np.zeros((40, 30, 3), np.float32)
    values[:10, :, 1], values[10:, :, 1], values[..., 2] = upper, lower, 1
    values[inside] = 99
    return values, inside


def test_the_mouths_interior_is_stretched_between_the_lips() -> None:
    values, inside = mouth(12, upper=-1, lower=1)
    bridged = bridge(values, inside, 1)
    assert np.array_equal(bridged[~inside], values[~inside])
    column = bridged[10:22, 15, 1]
    assert (np.diff(column) > 0).all()
    assert -1 < column[0] < column[-1] < 1
    assert np.allclose(np.diff(column), 2 / 13, atol=1e-5)
    assert (bridged[10:22, 15, 2] > 0.8).all()


def believed(gap: int, upper: float, lower: float) -> float:
    values, inside = mouth(gap, upper, lower)
    found = bridge(values, inside, 1)[inside][:, 2]
    assert np.ptp(found) < 1e-6
    return float(found[0])


def test_a_reference_whose_mouth_is_open_otherwise_is_hardly_believed_inside() -> None:
    assert believed(12, 6, -6) < 1e-6  # shut
    wider = [believed(12, -more, more) for more in range(1, 13)]
    assert 0.7 < wider[0] < 1
    assert (np.diff(wider) < 0).all()
    # Squeezed, it is still more than what is drawn (`lend.SHADED`); stretched, it soon is not.
    assert 5 * SHADED < wider[-1] < 0.25
    assert believed(3, -20, 20) < 2 * SHADED  # of which next to nothing would be left
    assert believed(12, 4.5, -4.5) < SHADED / 5
    values, inside = mouth(12, upper=0, lower=0)
    assert (bridge(values, inside, 1)[inside][:, 2] == 1).all()
    shut, nothing = mouth(0, 0, 0)
    assert np.array_equal(bridge(shut, nothing, 1), shut)


LIP = np.float32([0.6, 0.35, 0.33])


def darkness(gap: int) -> float:
    """How dark the middle of a gap of so many pixels is, against the lips around it."""
    image = np.broadcast_to(LIP, (256, 256, 3)).copy()
    inside = np.zeros((256, 256), bool)
    inside[100 : 100 + gap, 90:160] = True
    image[inside] = 0.02
    softened = soften_gap(image, inside, LIP)
    assert np.array_equal(softened[~inside], image[~inside])
    return float(1 - (softened[100 + gap // 2, 120] / LIP).mean())


def test_lips_that_nearly_touch_show_a_soft_line_and_an_open_mouth_is_dark() -> None:
    found = [darkness(gap) for gap in (1, 2, 4, 8, 30)]
    assert found == sorted(found)
    assert found[0] < 0.25
    assert found[-1] > 0.94


def test_a_shut_mouth_is_left_alone() -> None:
    image = np.random.default_rng(0).random((32, 32, 3)).astype(np.float32)
    assert np.array_equal(soften_gap(image, np.zeros((32, 32), bool), LIP), image)


def test_the_models_own_mouth_takes_the_light_of_the_persons_skin() -> None:
    image = np.full((20, 20, 3), (0.6, 0.4, 0.2), np.float32)
    image[10:] = 0.3, 0.1, 0.1  # tongue
    skin = np.zeros((20, 20), bool)
    skin[:10] = True
    frame = np.zeros_like(image)  # what lies under the mask is not seen
    frame[:10] = 0.9, 0.4, 0.3
    lit = in_light(image, frame, skin)
    np.testing.assert_allclose(lit[15, 5], [0.45, 0.1, 0.15], atol=1e-5)
    np.testing.assert_allclose(lit[:10], frame[:10], atol=1e-5)
    frame[:10] = 1.0
    assert in_light(image, frame, skin)[15, 5].max() <= 0.6 + 1e-6  # twice at most
    few = np.zeros_like(skin)
    few[0, :10] = True
    assert in_light(image, frame, few) is image


def test_teeth_are_as_bright_as_their_place_asks_and_have_little_of_the_skins_tint() -> None:
    """Skin of a paler tint than the model's must not make them green."""
    image = np.full((20, 20, 3), (0.70, 0.50, 0.42), np.float32)
    image[10:] = 0.5  # teeth in full light
    image[15:] = 0.25  # and in half of it
    skin = np.zeros((20, 20), bool)
    skin[:10] = True
    frame = np.zeros_like(image)
    frame[:10] = 0.84, 0.74, 0.64
    lit = in_light(image, frame, skin)
    gain = np.mean(np.float32([0.84, 0.74, 0.64]) / np.float32([0.70, 0.50, 0.42]))
    tint = np.float32([0.84, 0.74, 0.64]) / 0.74
    np.testing.assert_allclose(lit[12, 5], 0.5 * gain * (0.6 + 0.4 * tint), atol=1e-5)
    np.testing.assert_allclose(lit[16, 5], lit[12, 5] / 2, atol=1e-5)
    assert lit[12, 5, 0] > lit[12, 5, 1] > lit[12, 5, 2]
    image[10:] *= 1, 1, 0.9  # the light of the track has a tint, too: that of the skin counts
    np.testing.assert_allclose(in_light(image, frame, skin)[12, 5] / lit[12, 5], 0.967, atol=0.01)


def test_a_picture_without_colours_has_teeth_without_colours() -> None:
    image = np.full((20, 20, 3), (0.5, 0.4, 0.35), np.float32)
    image[10:] = 0.5, 0.2, 0.2  # tongue
    skin = np.zeros((20, 20), bool)
    skin[:10] = True
    grey = np.full_like(image, 0.45)
    lit = in_light(image, grey, skin)
    assert np.ptp(lit[15, 5]) < 1e-6
    brown = np.broadcast_to(np.float32([0.5, 0.35, 0.3]), image.shape)
    assert np.ptp(in_light(image, brown, skin)[15, 5]) > 0.05
