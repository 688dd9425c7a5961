"""Collars follow the body: a reference lends them from where it shows them beside the frame."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gsmooth_core.mafb.crop import window
from gsmooth_core.taft.warping.body import (
    Surroundings,
    _apart,
    _carry,
    _ramp,
    _registered,
    beside_face,
    coarse_grey,
    stay_with_body,
    surroundings,
)
from gsmooth_core.taft.warping.warp import Reference, grid
from gsmooth_core.types import Bool, Float, Image

SIZE = 256
CHIN, COLLAR = 150, 172  # rows of the crop in the frame
STILL = np.eye(2, 3)


def _picture(chin: int, body: int, seed: int = 0) -> Image:
    """A head down to row `chin`, before a neck and a shirt `body` rows lower than in the frame."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 110, (40, 40, 3)).astype(np.uint8)
    cloth = cv2.resize(coarse, (SIZE + 80, SIZE + 80), interpolation=cv2.INTER_CUBIC)
    picture = np.full((SIZE, SIZE, 3), (245, 205, 185), np.uint8)  # neck
    top = COLLAR + body
    picture[top:] = cloth[COLLAR : COLLAR + SIZE - top, 20 : 20 + SIZE]
    picture[:chin] = (235, 190, 170)
    return picture


def _face(chin: int) -> Bool:
    face = np.zeros((SIZE, SIZE), bool)
    face[60:chin, 60:196] = True
    return face


def _reference(picture: Image, chin: int) -> Reference:
    under = window(np.eye(2, 3), SIZE, (0, 0, SIZE, SIZE))
    none = np.zeros((0, 2), np.float32)
    return Reference(
        frame=1,
        image=picture,
        to_image=np.eye(2, 3),
        points=none,
        visible=none[:, 0],
        coarse=coarse_grey(picture, under),
        clear=beside_face(_face(chin)),
    )


def _seen(picture: Image) -> Surroundings | None:
    known = np.ones((SIZE, SIZE), bool)
    known[100 : COLLAR + 4, 50:206] = False  # M_f
    crop = np.where(known[..., None], picture.astype(np.float32) / 255, 0).astype(np.float32)
    return surroundings(crop, known & ~_face(CHIN), known)


def _field(down: float) -> Float:
    """The face of the reference is `down` rows lower, and so is all around it, so far."""
    field = np.ones((SIZE, SIZE, 3), np.float32)
    field[..., 0], field[..., 1] = 0, down
    return field


def _moved(reference: Reference, still: NDArray[np.float64] = STILL, down: float = 0) -> Float:
    field, seen = _field(down), _seen(_picture(CHIN, 0))
    assert seen is not None
    stay_with_body(field, _face(CHIN), seen, reference, still)
    return field


@pytest.mark.parametrize("body", [-10, 14, 22])
def test_a_collar_is_lent_from_where_the_body_is(body: int) -> None:
    field = _moved(_reference(_picture(CHIN - 40, body), CHIN - 40))
    collar = field[COLLAR : COLLAR + 30, 80:176]
    np.testing.assert_allclose(collar[..., 1], body, atol=1)
    np.testing.assert_allclose(collar[..., 0], 0, atol=1)


def test_the_face_keeps_its_own_displacement() -> None:
    field = _moved(_reference(_picture(CHIN - 40, 14), CHIN - 40))
    np.testing.assert_array_equal(field[_face(CHIN)], _field(0)[_face(CHIN)])
    assert (field[..., 2] == 1).all()


def test_the_place_where_the_camera_would_see_a_still_body_is_looked_around() -> None:
    still = np.array([[1, 0, 5], [0, 1, 40.0]])  # farther than is searched without it
    moved = cv2.warpAffine(_picture(CHIN, 0), still, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE)
    field = _moved(_reference(np.asarray(moved, np.uint8), CHIN - 40), still)
    np.testing.assert_allclose(field[COLLAR + 10, 80:176, 1], 40, atol=1)
    np.testing.assert_allclose(field[COLLAR + 10, 80:176, 0], 5, atol=1)


def test_a_reference_whose_collar_is_where_it_belongs_is_left_alone() -> None:
    field = _moved(_reference(_picture(CHIN, 0), CHIN))
    np.testing.assert_array_equal(field, _field(0))


def test_another_shirt_is_no_body_to_follow() -> None:
    other = cv2.flip(_picture(CHIN, 0, seed=7), 1)
    field = _moved(_reference(np.asarray(other, np.uint8), CHIN))
    np.testing.assert_array_equal(field, _field(0))


def test_a_collar_is_followed_into_the_dark() -> None:
    dark = (_picture(CHIN - 40, 14).astype(np.float32) * 0.25).astype(np.uint8)
    collar = _moved(_reference(dark, CHIN - 40))[COLLAR : COLLAR + 30, 80:176]
    np.testing.assert_allclose(collar[..., 1], 14, atol=1)


def test_hair_and_background_beside_the_face_say_nothing_of_the_body() -> None:
    seen = _seen(_picture(CHIN, 0))
    assert seen is not None
    assert np.flatnonzero(seen.bare.any(1))[0] == 40  # of 64: five eighths
    assert not seen.grey[:40].any()


def test_only_what_is_near_the_mask_is_compared() -> None:
    seen = _seen(_picture(CHIN, 0))
    assert seen is not None
    rows, columns = np.nonzero(seen.bare)
    left, right, bottom = 50 // 4, -(-206 // 4), -(-(COLLAR + 4) // 4)  # of the mask
    assert columns.min() >= left - 11
    assert columns.max() < right + 11
    assert bottom + 8 <= rows.max() < bottom + 11


def test_a_frame_is_alike_with_itself_at_the_same_place() -> None:
    picture = _picture(CHIN, 0)
    seen, reference = _seen(picture), _reference(picture, CHIN)
    assert seen is not None
    assert reference.coarse is not None
    assert _apart(seen, reference.coarse, grid(64, 64)) < 2e-3


def test_one_pixel_of_a_face_is_face() -> None:
    mask = np.zeros((512, 512), bool)
    mask[300, 301] = True
    assert beside_face(mask)[300 // 4, 301 // 4] == 0


def test_a_turned_camera_is_followed_before_the_body_is_looked_for() -> None:
    """The frame is turned by 20 degrees in the reference's crop; nothing else has changed."""
    turn = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), 20, 1.0)
    turned = cv2.warpAffine(_picture(CHIN, 0), turn, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE)
    reference = replace(
        _reference(np.asarray(turned, np.uint8), CHIN), clear=np.full((128, 128), 255, np.uint8)
    )
    field = _moved(reference, turn, down=30)
    at = np.array([[[x, COLLAR + 20.0] for x in (100, 128, 156)]])
    found = np.stack([field[COLLAR + 20, x, :2] for x in (100, 128, 156)])
    np.testing.assert_allclose(found, (cv2.transform(at, turn) - at)[0], atol=2)


def test_no_chin_of_the_reference_becomes_a_neck() -> None:
    """Its head is 26 rows lower on the same body: its chin is where the frame has its neck."""
    reference = _reference(_picture(CHIN + 26, 0), CHIN + 26)
    field = _moved(reference, down=26)
    neck = np.s_[CHIN + 4 : CHIN + 20, 80:176]
    np.testing.assert_array_equal(field[neck], _field(26)[neck])


def test_letters_over_a_reference_leave_it_as_it_was() -> None:
    reference = replace(_reference(_picture(CHIN - 40, 14), CHIN - 40), coarse=None)
    np.testing.assert_array_equal(_moved(reference), _field(0))


def test_nothing_under_the_mask_is_seen() -> None:
    frame = _picture(CHIN, 0)
    poisoned = frame.copy()
    poisoned[100 : COLLAR + 4, 50:206] = (0, 255, 0)
    clean, other = _seen(frame), _seen(poisoned)
    assert clean is not None
    assert other is not None
    np.testing.assert_array_equal(clean.grey, other.grey)
    np.testing.assert_array_equal(clean.bare, other.bare)
    assert not clean.bare[: SIZE // 4 * 64 // SIZE].any()


def test_a_frame_that_ends_below_the_chin_shows_no_body() -> None:
    known = np.zeros((SIZE, SIZE), bool)
    crop = np.zeros((SIZE, SIZE, 3), np.float32)
    assert surroundings(crop, known, known) is None


def test_of_equal_places_the_one_where_a_still_body_would_be_is_taken() -> None:
    """A shirt with checks fits as well one check farther."""
    row, column = np.mgrid[:64, :64]
    checks = np.float32(0.5 + 0.25 * (np.cos(row * np.pi / 2) + np.cos(column * np.pi / 2)))
    bare = row >= 40
    seen = Surroundings(np.where(bare, checks, 0).astype(np.float32), bare, bare)
    np.testing.assert_allclose(_registered(seen, checks, STILL, 4), 0, atol=0.05)


def test_a_body_begins_and_ends_smoothly() -> None:
    face = np.zeros((256, 256), bool)
    face[:, :20] = True
    share = _ramp(face, 10 / 256, 50 / 256)[128]
    apart = np.arange(256) - 19.0
    part = ((apart - 10) / 40).clip(0, 1)
    np.testing.assert_allclose(share, part**2 * (3 - 2 * part), atol=0.01)


def test_the_mask_of_a_body_lies_on_the_pixels_that_it_was_made_of() -> None:
    """The mask is a slope of four levels a column of its own: two a pixel of the crop."""
    clear = np.tile(np.minimum(np.arange(128) * 4, 255).astype(np.uint8), (128, 1))
    field, onto = np.zeros((SIZE, SIZE, 3), np.float32), np.array([[1, 0, 10], [0, 1, 0.0]])
    _carry(field, np.ones((SIZE, SIZE), np.float32), onto, clear)
    middle = np.arange(20, 100) + 0.5 + 10
    levels = field[128, 20:100, 0] * 255 / 10
    np.testing.assert_allclose(levels, 2 * (middle - 1), atol=0.6)  # they are whole
