"""Blotches of colour: as much of each band as a clip lacks, without luma, fixed to the face."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from gsmooth_core.taft.composition import ComposeSettings
from gsmooth_core.taft.finish.blotches import (
    SIGMAS,
    Blotches,
    colour_energies,
    colour_of,
    lacking,
)
from gsmooth_core.taft.finish.grain import Film
from gsmooth_core.taft.finish.sharpness import Sharpness, Trial
from gsmooth_core.taft.generators import generator as generators
from gsmooth_core.taft.lending.references import ReferenceSettings
from gsmooth_core.taft.translate import FaceTranslator
from tests.taft import scene
from tests.taft.small import SMALL

SIDE, BANDS = 256, len(SIGMAS) - 1
EVERYWHERE = np.ones((SIDE, SIDE), bool)
WANTED = np.array([[0.007, 0.016, 0.034, 0.055], [0.01, 0.04, 0.08, 0.1]])


def planes(picture: np.ndarray) -> np.ndarray:
    """(3, h, w) Y, Cb and Cr in levels, as OpenCV has them."""
    found = cv2.cvtColor((picture / 255).astype(np.float32), cv2.COLOR_RGB2YCrCb)
    return np.moveaxis(found[..., [0, 2, 1]] * 255, -1, 0)


def energies(picture: np.ndarray) -> np.ndarray:
    """(2, B) another way: each band from Gaussians of the picture itself."""
    found = []
    for plane in planes(picture)[1:].astype(float):
        smooth = [plane, *(gaussian_filter(plane, s, truncate=8) for s in SIGMAS[1:])]
        found.append([((a - b) ** 2).mean() for a, b in pairwise(smooth)])
    return np.array(found)


def noise(smooth: float = 1.5) -> np.ndarray:
    """(SIDE, SIDE, 3) levels of all colours."""
    rng = np.random.default_rng(0)
    coarse = gaussian_filter(rng.uniform(0, 255, (SIDE, SIDE, 3)), (smooth, smooth, 0))
    return coarse.astype(np.float32)


def test_energies_are_those_of_differences_of_gaussians() -> None:
    picture, half = noise(), np.indices((SIDE, SIDE))[0] < SIDE // 2
    np.testing.assert_allclose(colour_energies(picture, EVERYWHERE), energies(picture), rtol=0.1)
    other = colour_energies(np.where(half[..., None], picture, 0), half)
    np.testing.assert_allclose(colour_energies(picture, half)[:, :2], other[:, :2], rtol=0.1)


def test_an_outline_is_no_noise() -> None:
    plain = noise() / 4
    lined = plain.copy()
    lined[:, 100:104] += (90, -60, -60)
    before, after = colour_energies(plain, EVERYWHERE), colour_energies(lined, EVERYWHERE)
    assert (energies(lined)[1] > 10 * energies(plain)[1]).all()
    assert (after[1] < 1.5 * before[1]).all()


@pytest.mark.parametrize("scale", [1.0, 1.6])
def test_a_crop_gets_the_energies_that_were_asked_for(scale: float) -> None:
    added = Blotches(SIDE, scale).of(WANTED)
    assert added.shape == (SIDE, SIDE, 3)
    size = round(SIDE / scale)
    frame = cv2.resize(added, (size, size), interpolation=cv2.INTER_CUBIC) * 255 + 128
    found = energies(frame)
    np.testing.assert_allclose(found[:, 1:], WANTED[:, 1:], rtol=0.25)
    assert np.abs(planes(frame)[0] - 128).max() < 0.02
    assert found[0, 0] < 1.2 * WANTED[0, 0]


def test_they_are_the_same_each_time_and_none_where_nothing_lacks() -> None:
    one, other = (Blotches(64, 1.2).of(WANTED) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert np.abs(Blotches(64, 1.2).of(np.zeros((2, BANDS)))).max() < 1e-6
    only = Blotches(SIDE, 1.0).of(WANTED * [[1], [0]])
    assert energies(255 * only + 128)[1].max() < 1e-3


def test_what_lacks_is_less_what_grain_adds_and_never_less_than_nothing() -> None:
    truth, made = np.full((5, 2, BANDS), 4.0), np.full((5, 2, BANDS), 1.0)
    truth[:, 0, 0] = 0.5
    grain = np.zeros_like(made)
    grain[:, 1] = 2.5
    found = lacking(truth, made, grain)
    np.testing.assert_allclose(found[0], [0, 2.55, 2.55, 2.55])
    np.testing.assert_allclose(found[1], 0.425)
    truth[0] *= 1e3  # one wild frame of five
    np.testing.assert_array_less(lacking(truth, made, 0 * grain), 4 * 1e3**0.2)


def test_a_picture_and_its_neighbours_have_no_part_in_their_own() -> None:
    def trial(n: int) -> Trial:
        colour = np.stack([np.full((2, BANDS), 9.0 if n < 3 else 2.0), np.ones((2, BANDS))])
        return Trial((n, n + 100), np.ones((1, 3)), np.ones((1, 3, 4, 4)), colour, 128.0)

    sharpness = Sharpness([trial(n) for n in (0, 1, 2, 20, 30, 40)])
    np.testing.assert_allclose(sharpness.blotches(1, 1), 0.85)
    np.testing.assert_allclose(sharpness.blotches(101, 1), 0.85)
    assert (sharpness.blotches(25) > 1.7).all()
    assert sharpness.blotches(25, 12) is not None
    assert sharpness.blotches(20, 25) is None  # too few are left
    tile = np.random.default_rng(0).normal(0, 1, (512, 512, 3)).astype(np.float32)
    film = Film(tile, np.full(9, 2.0))
    less = sharpness.blotches(25) - sharpness.blotches(25, 0, film)
    assert (less >= 0).all()
    assert (less > 0.01).any()
    np.testing.assert_allclose(colour_of(film), colour_energies(tile, np.ones((512, 512), bool)))


def test_a_new_mouth_is_as_blotched_as_the_clip() -> None:
    clip, rng = replace(scene.track(20), fps=Fraction(3)), np.random.default_rng(5)
    found = []
    for picture in scene.pictures(clip):
        tints = gaussian_filter(rng.normal(0, 1, (*picture.shape[:2], 2)), (3, 3, 0)) * 60
        ycc = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb).astype(np.float32)
        ycc[..., 1:] += tints
        found.append(cv2.cvtColor(np.rint(ycc).clip(0, 255).astype(np.uint8), cv2.COLOR_YCrCb2RGB))
    references = ReferenceSettings(bank=20, gap=0)
    network = generators.build(SMALL["default"]).eval()

    def colours(sharpness: bool) -> list[np.ndarray]:
        settings = ComposeSettings(grain=False, sharpness=sharpness, references=references)
        given = clip, scene.face_model(), clip.expression, found.__getitem__, network, settings
        dub, rows = FaceTranslator(*given, "cpu"), []
        for n in (3, 12):
            made = dub.translate(n, found[n])
            np.testing.assert_array_equal(made.frame, dub.translate(n, found[n]).frame)
            np.testing.assert_array_equal(made.frame[~made.mask], found[n][~made.mask])
            pair = (p.astype(np.float32) for p in (found[n], made.frame))
            rows.append(np.divide(*(colour_energies(p, made.hidden)[:, 2:] for p in pair)))
        return [np.log(row) for row in rows]

    before, after = (np.abs(np.mean(colours(on))) for on in (False, True))
    assert before > 0.2
    assert after < 0.7 * before
