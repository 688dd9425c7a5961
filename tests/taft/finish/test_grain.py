"""Grain: what was measured is what is laid, fresh on each picture, and the same on the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

from gsmooth_core.taft.composition import ComposeSettings
from gsmooth_core.taft.finish import grain as g
from gsmooth_core.taft.finish.skin import SkinPairs
from gsmooth_core.taft.finish.still import BLOCK, StillBlocks, still_blocks, typical
from gsmooth_core.taft.generators import generator as generators
from gsmooth_core.taft.lending.references import ReferenceSettings
from gsmooth_core.taft.translate import FaceTranslator
from tests.taft import scene
from tests.taft.small import SMALL

SIDE = 320
MIX = np.array([[1.0, 0.3, 0.2], [0.3, 0.8, 0.3], [0.2, 0.3, 1.2]])
PLAIN = np.full((96, 128, 3), 120, np.float32)


def noise(seed: int, strength: float = 3.0) -> np.ndarray:
    """(SIDE, SIDE, 3) noise with a spectrum that falls and channels that go together."""
    white = np.random.default_rng(seed).standard_normal((SIDE, SIDE, 3))
    return strength * (gaussian_filter(white, (0.6, 0.6, 0)) @ MIX)


def skin() -> np.ndarray:
    wide = np.random.default_rng(0).standard_normal((SIDE + 16, SIDE + 16, 3))
    return gaussian_filter(wide, (3, 3, 0)) * 200 + 120


def blocks_of(strength: float = 3.0, moved: float = 0.3) -> StillBlocks:
    now = shift(skin(), (0, moved, 0), order=3)[8:-8, 8:-8] + noise(1, strength)
    before = skin()[8:-8, 8:-8] + noise(2, strength)
    return still_blocks(*(x.astype(np.float32) for x in (now, before)), np.ones((SIDE, SIDE), bool))


def rings(picture: np.ndarray) -> np.ndarray:
    """Power of the green channel in three rings of frequency, by a plain periodogram."""
    axis = np.fft.fftfreq(len(picture))
    radius = np.hypot(axis[:, None], axis)
    power = np.abs(np.fft.fft2(picture[..., 1])) ** 2 / picture[..., 1].size
    return np.array(
        [power[(radius >= low) & (radius < low + 0.1)].mean() for low in (0.1, 0.2, 0.3)]
    )


@pytest.fixture
def whole(monkeypatch) -> None:
    """A patch without any noise of its own."""
    monkeypatch.setattr(g, "missing", lambda spectrum: spectrum)


def test_blocks_hold_the_noise_and_not_the_picture_or_its_movement() -> None:
    added = noise(1).var((0, 1)) / 2 + noise(2).var((0, 1)) / 2
    for moved in (0.0, 0.4):
        np.testing.assert_allclose(blocks_of(moved=moved).variance.mean(0), added, rtol=0.1)


def test_grain_has_the_spectrum_and_the_colours_that_were_measured(whole) -> None:
    film = g.film_of([blocks_of()])
    true = noise(1)
    tile = film.tile
    np.testing.assert_allclose(
        np.cov(tile.reshape(-1, 3).T), np.cov(true.reshape(-1, 3).T), rtol=0.15
    )
    np.testing.assert_allclose(rings(tile[:SIDE, :SIDE]) / rings(true), 1, atol=0.2)


def test_each_picture_has_other_grain_and_the_same_picture_the_same(whole) -> None:
    film = g.film_of([blocks_of()])
    first, again, second = (film.on(PLAIN, n) - PLAIN for n in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    part = film.on(PLAIN[5:30, 7:50], 1, (5, 7))
    np.testing.assert_allclose(part, film.on(PLAIN, 1)[5:30, 7:50], atol=1e-4)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.05
    change = (first - second).var() / 2  # between frames as much as within one
    assert change == pytest.approx(noise(1).var(), rel=0.25)
    assert abs(first.mean()) < 0.2


def test_grey_pictures_get_grey_grain(whole) -> None:
    laid = g.film_of([blocks_of()]).on(PLAIN, 3, grey=True)
    assert (np.ptp(laid, -1) == 0).all()
    assert laid.std() > 1


def test_dark_skin_with_more_noise_gets_more_of_it() -> None:
    rng = np.random.default_rng(0)
    brightness = np.repeat(np.float32([60, 180]), 200)
    strength = np.where(brightness < 100, 2.0, 1.0)[:, None, None, None]
    blocks = StillBlocks(
        (strength * rng.standard_normal((400, BLOCK, BLOCK, 3))).astype(np.float32), brightness
    )
    gain = g.level_by_brightness(blocks)
    at = np.interp([60, 180], np.linspace(0, 255, 9), gain)
    assert at[0] / at[1] == pytest.approx(2, rel=0.15)


def test_a_patch_gets_what_it_lacks() -> None:
    whole = np.broadcast_to(2 * np.eye(3), (BLOCK, BLOCK, 3, 3)).astype(complex)
    lacking = g.missing(whole)
    fine, coarse = lacking[0, BLOCK // 2, 0, 0].real, lacking[0, 1, 0, 0].real
    assert 0 < coarse < fine < 2 - 1 / 12
    assert (g.missing(50 * whole).real >= 50 * g.missing(whole).real).all()  # much noise is lacking
    silent = g.film_of(
        [StillBlocks(0.1 * blocks_of().noise[:, :, :, :] / 3, blocks_of().brightness)]
    )
    assert silent.tile.std() < 0.05


def test_what_a_patch_has_of_its_own_is_told_once() -> None:
    """Rounding is among it: of faint noise, which is not much more, most is lacking still."""
    faint = np.broadcast_to(0.25 * np.eye(3), (BLOCK, BLOCK, 3, 3)).astype(complex)
    lacking = np.einsum("yxii->", g.missing(faint).real) / np.einsum("yxii->", faint.real)
    assert 0.55 < lacking < 0.75


def test_of_too_little_skin_nothing_is_made() -> None:
    few = StillBlocks(np.ones((3, BLOCK, BLOCK, 3), np.float32), np.zeros(3, np.float32))
    assert g.film_of([few]) is None
    assert g.Grain([], []).film(0) is None


def test_frames_nearby_are_not_looked_at(monkeypatch) -> None:
    seen = []
    monkeypatch.setattr(g, "film_of", lambda found: seen.append([len(b) for b in found]))
    counted = [
        StillBlocks(np.zeros((n, BLOCK, BLOCK, 3), np.float32), np.zeros(n, np.float32))
        for n in (1, 2, 3)
    ]
    grain = g.Grain([10, 20, 30], counted)
    grain.film(20, 5)
    grain.film(20)
    grain.film(26, 5)  # the second picture of the pair at 20 is 21, which is as near as 31
    grain.film(36, 5)
    assert seen == [[1, 3], [1, 2, 3], [1], [1, 2]]
    seen.clear()
    grain = g.Grain([10, 20, 30], counted)
    grain.film(29, 5)  # of a picture that is held it may be 24
    grain.film(30, 5)
    assert seen == [[1], [1, 2]]


def test_the_wildest_blocks_and_the_calmest_do_not_count() -> None:
    rng = np.random.default_rng(0)
    strength = np.r_[np.full(10, 0.01), np.ones(30), np.full(10, 50)].astype(np.float32)
    blocks = StillBlocks(
        strength[:, None, None, None]
        * rng.standard_normal((50, BLOCK, BLOCK, 3)).astype(np.float32),
        np.zeros(50, np.float32),
    )
    assert typical(blocks).variance.mean() == pytest.approx(1, rel=0.1)


def test_movement_in_most_blocks_is_no_noise() -> None:
    rng = np.random.default_rng(0)
    strength = np.r_[np.full(20, 1.0), np.linspace(2.5, 6, 30)].astype(np.float32)
    noise = rng.standard_normal((50, BLOCK, BLOCK, 3)).astype(np.float32)
    blocks = StillBlocks(strength[:, None, None, None] * noise, np.zeros(50, np.float32))
    assert typical(blocks).variance.mean() == pytest.approx(1, rel=0.15)
    even = StillBlocks(noise * np.linspace(0.8, 1.3, 50)[:, None, None, None], blocks.brightness)
    assert 24 <= len(typical(even)) <= 26  # otherwise half of them
    coarse = StillBlocks(
        noise * np.r_[np.zeros(20), np.full(30, 0.45)][:, None, None, None], blocks.brightness
    )
    assert typical(coarse).variance.mean() > 0.05  # skin that a codec left as it was
    torn = StillBlocks(noise * np.repeat([1.0, 9.0], (13, 37))[:, None, None, None], np.zeros(50))
    assert len(typical(torn)) > 0


# -- in a clip -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clip():
    return scene.track(10)


@pytest.fixture(scope="module")
def grainy(clip) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    loud = (p + rng.normal(0, 5, p.shape) for p in scene.pictures(clip))
    return [np.rint(p).clip(0, 255).astype(np.uint8) for p in loud]


def translator(clip, pictures, *, grain: bool = True) -> FaceTranslator:
    settings = ComposeSettings(grain=grain, references=ReferenceSettings(bank=6))
    network = generators.build(SMALL["default"]).eval()
    source, words = pictures.__getitem__, clip.expression[::-1].copy()
    return FaceTranslator(clip, scene.face_model(), words, source, network, settings, "cpu")


def test_a_patch_of_a_grainy_clip_has_its_grain_and_only_there(clip, grainy) -> None:
    with_grain, without = translator(clip, grainy), translator(clip, grainy, grain=False)
    assert without.grain is None
    laid = []
    for frame in (2, 3):
        made, plain = (one.translate(frame, grainy[frame]) for one in (with_grain, without))
        np.testing.assert_array_equal(made.mask, plain.mask)
        np.testing.assert_array_equal(made.frame[~made.mask], grainy[frame][~made.mask])
        laid.append((made.frame.astype(float) - plain.frame) * made.hidden[..., None])
        assert 2 < laid[-1][made.hidden].std() < 5
    both = np.logical_and(*(np.abs(one).max(-1) > 0 for one in laid))
    assert abs(np.corrcoef(laid[0][both].ravel(), laid[1][both].ravel())[0, 1]) < 0.1


def test_grain_is_not_measured_where_it_is_laid(clip, grainy) -> None:
    # All that any mask of the clip hides is painted over: the grain must stay as it was.
    dub = translator(clip, grainy)
    rng, painted = np.random.default_rng(0), [p.copy() for p in grainy]
    for frame, picture in enumerate(painted):
        hidden = dub.translate(frame, grainy[frame]).hidden
        picture[hidden] = rng.integers(0, 256, (int(hidden.sum()), 3))
    again = translator(clip, painted)
    np.testing.assert_array_equal(again.grain.film(4).tile, dub.grain.film(4).tile)
    assert dub.grain.film(4).tile.std() > 2


def test_a_picture_that_is_shown_again_has_the_same_grain(clip, grainy) -> None:
    # Frame 4 is frame 3 once more, but for what a codec leaves of it.
    again = (grainy[3] ^ 1).astype(np.uint8)
    shown = [*grainy[:4], again, *grainy[5:]]
    numbers = np.array([n - (n == 4) for n in range(len(clip))], np.int32)
    held = replace(clip, picture=numbers)  # though its face, and its crop, are elsewhere
    with_grain, without = translator(held, shown), translator(held, shown, grain=False)
    laid, hidden = [], np.ones(shown[0].shape[:2], bool)
    for n in (3, 4, 5):
        made, plain = (one.translate(n, shown[n]) for one in (with_grain, without))
        laid.append(made.frame.astype(float) - plain.frame)
        hidden &= made.hidden
    first, once_more, other = (noise[hidden].ravel() for noise in laid)
    assert np.corrcoef(first, once_more)[0, 1] > 0.9
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.1


@pytest.mark.parametrize("times", [1, 2, 3])
def test_noise_is_looked_for_between_pictures_and_not_within_one(clip, times: int) -> None:
    numbers = (np.arange(len(clip)) // times * times).astype(np.int32)
    asked: list[int] = []

    def source(frame: int) -> np.ndarray:
        asked.append(frame)
        return np.zeros((clip.height, clip.width, 3), np.uint8)

    pairs, compared = SkinPairs(replace(clip, picture=numbers), scene.face_model(), source), []
    for frame in range(0, len(clip), times):
        asked.clear()
        pairs(frame)
        compared += [(frame, other) for other in asked[1:]]
    assert compared
    assert all(other == frame + times for frame, other in compared)  # the next new picture
