"""The matte of a real network, and the background that is painted behind a person."""

from __future__ import annotations

import cv2
import numpy as np
from skimage.data import astronaut

from gsmooth_core.portrait.layers import layers_of
from gsmooth_core.portrait.matte import find_matte


def test_the_network_parts_a_person_from_what_is_behind() -> None:
    matte = find_matte(astronaut()[:, 20:])
    assert matte.shape == (512, 492)
    assert matte[60:160, 170:240].mean() > 0.95  # the face
    assert matte[300:400, 150:300].mean() > 0.9  # the suit
    assert matte[:80, :120].mean() < 0.2  # a flag


def test_a_matte_depends_little_on_the_size_of_its_picture() -> None:
    small = cv2.resize(astronaut(), (128, 128), interpolation=cv2.INTER_AREA)
    large, again = find_matte(astronaut()), find_matte(small)
    apart = np.abs(cv2.resize(large, (128, 128), interpolation=cv2.INTER_AREA) - again)
    assert apart.mean() < 0.03


def test_no_trace_of_the_person_is_left_behind_them() -> None:
    rows, columns = np.mgrid[:200, :160]
    person = np.hypot(rows - 110, columns - 80) < 45
    photo = np.where(person[..., None], np.uint8([220, 30, 40]), np.uint8([40, 90, 160]))
    soft = cv2.GaussianBlur(person.astype(np.float32), (0, 0), 2)
    photo = cv2.GaussianBlur(photo, (0, 0), 2)
    layers = layers_of(photo, soft, person, 90)
    assert np.abs(layers.background.astype(int) - [40, 90, 160]).max() < 25
    assert (layers.alpha[soft > 0.05] == 1).all()
    far = cv2.distanceTransform((~person).astype(np.uint8), cv2.DIST_L2, 5) > 20
    assert (layers.alpha[far] == 0).all()
    assert np.array_equal(layers.background[far], photo[far])


def test_the_edge_of_what_is_painted_is_no_line() -> None:
    """Before a background of blobs: no pixel there is unlike all around it, as specks are."""
    rows, columns = np.mgrid[:240, :240]
    person = np.hypot(rows - 120, columns - 120) < 60
    noise = np.random.default_rng(0).normal(size=(240, 240, 3))
    blobs = cv2.GaussianBlur(noise, (0, 0), 2.5)
    photo = np.clip(128 + 45 * blobs / blobs.std(), 0, 255).astype(np.uint8)
    photo[person] = 20
    background = layers_of(photo, person.astype(np.float32), person, 120).background
    apart = np.abs(background.astype(int) - cv2.medianBlur(background, 5)).max(axis=2)
    edge = cv2.distanceTransform((~person).astype(np.uint8), cv2.DIST_L2, 5)
    seam, photo_alone = apart[(edge > 1) & (edge < 9)], apart[edge > 12]
    assert np.quantile(seam, 0.995) < 1.5 * np.quantile(photo_alone, 0.995)
