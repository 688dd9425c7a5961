"""Sharpness against another implementation of CPBD, and against what blur must do."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut, camera

from gsmooth_core.evaluation.metrics import sharpness


def grey_pictures():
    rng = np.random.default_rng(0)
    face = cv2.cvtColor(astronaut(), cv2.COLOR_RGB2GRAY)[:200, 130:330]
    return {
        "face": face,
        "soft face": cv2.GaussianBlur(face, (0, 0), 2.0),
        "camera": camera()[::2, ::2],
        "noise": rng.integers(0, 256, (130, 70)).astype(np.uint8),
        "flat": np.full((128, 128), 7, np.uint8),
        "steps": np.tile(np.repeat(np.arange(0, 240, 30), 24).astype(np.uint8), (128, 1)),
    }


@pytest.mark.parametrize("name", grey_pictures())
def test_cpbd_is_that_of_the_package(name):
    oracle = pytest.importorskip("cpbd")
    picture = grey_pictures()[name]
    assert sharpness.cpbd(picture) == pytest.approx(float(oracle.compute(picture)), abs=1e-12)


@pytest.mark.parametrize("name", ["face", "camera", "noise"])
def test_edge_widths_are_those_of_the_package(name):
    compute = pytest.importorskip("cpbd.compute")
    octave = pytest.importorskip("cpbd.octave")
    picture = grey_pictures()[name].astype(np.float64)
    expected = compute.marziliano_method(octave.sobel(picture), picture)
    np.testing.assert_array_equal(sharpness.edge_widths(picture), expected)


def test_width_of_an_edge_is_its_width():
    for width in (4, 8, 12):
        rise = np.clip((np.arange(64) - 30.3) / width, 0, 1)
        edge = 100 * (1 - np.cos(np.pi * rise))
        widths = sharpness.edge_widths(np.tile(edge[::-1], (16, 1)))
        assert widths.max() == pytest.approx(width, abs=1)


def test_blur_lowers_both():
    face = grey_pictures()["face"]
    soft = [cv2.GaussianBlur(face, (0, 0), s) for s in (0.5, 1.5, 3.0)]
    values = [sharpness.cpbd(face), *(sharpness.cpbd(p) for p in soft)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.6 * values[0]
