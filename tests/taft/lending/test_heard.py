"""Frames that sound like the new words cost less."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import fftconvolve

from gsmooth_core.face.render import face_surface
from gsmooth_core.taft.composition import ComposeSettings
from gsmooth_core.taft.lending.heard import Heard
from gsmooth_core.taft.lending.lenders import lenders
from gsmooth_core.taft.lending.references import ReferenceSettings
from gsmooth_core.taft.translate import FaceTranslator
from tests.taft import scene
from tests.taft.small import SMALL, stirred

FPS = 25.0
FRAMES = 60


def sounds(frames: int = FRAMES, seed: int = 0, kinds: int = 3) -> np.ndarray:
    """(T, 4) stretches of five frames, each of one of a few sounds."""
    rng = np.random.default_rng(seed)
    known = np.random.default_rng(9).normal(0, 2, (kinds, 4))
    said = np.repeat(rng.integers(0, kinds, -(-frames // 5)), 5)[:frames]
    return known[said].astype(np.float32)


def plain_price(heard: Heard, bank: np.ndarray) -> np.ndarray:
    """The price by another way: a window of the same width, distances one by one."""
    reach = np.arange(-12, 13)
    window = np.exp(-((reach / FPS / 0.045) ** 2) / 2)
    window /= window.sum()

    def smooth(values: np.ndarray) -> np.ndarray:
        padded = np.pad(values.astype(np.float64), ((12, 12), (0, 0)), mode="edge")
        return fftconvolve(padded, window[:, None], mode="valid", axes=0)

    own, wanted = smooth(heard.own), smooth(heard.wanted)
    usual = ((own[:, None] - own[None]) ** 2).sum(-1).mean()
    apart = ((wanted[:, None] - own[bank][None]) ** 2).sum(-1) / usual
    return 4 * len(bank) / 150 * np.minimum(apart, 3)


def test_the_price_is_that_of_the_plain_formula() -> None:
    heard, bank = Heard(sounds(), sounds(seed=1), FPS), np.array([2, 17, 33, 58])
    np.testing.assert_allclose(heard.price(bank), plain_price(heard, bank), rtol=2e-3, atol=2e-3)


@given(st.integers(0, 50), st.floats(0.01, 100))
@settings(max_examples=20, deadline=None)
def test_the_loudness_of_a_voice_makes_no_difference(seed: int, louder: float) -> None:
    own, wanted, bank = sounds(seed=seed), sounds(seed=seed + 1), np.arange(0, FRAMES, 7)
    same = Heard(own, wanted, FPS).price(bank)
    loud = Heard(own * np.float32(louder), wanted * np.float32(louder), FPS).price(bank)
    np.testing.assert_allclose(loud, same, rtol=1e-3, atol=1e-3)


def test_two_frames_of_the_clip_cost_four_square_millimetres_on_average() -> None:
    own = sounds(400, kinds=9)
    price = Heard(own, own, FPS).price(np.arange(400))
    assert price.mean() == pytest.approx(4, rel=0.02)
    assert np.abs(price.diagonal()).max() < 1e-3


def test_a_frame_whose_sound_is_not_known_costs_what_is_usual() -> None:
    own = sounds()
    own[20:40] = np.nan
    bank = np.arange(10, 60, 4)
    price = Heard(own, sounds(seed=1), FPS).price(bank)
    unknown = (bank >= 20) & (bank < 40)
    assert np.isfinite(price).all()
    np.testing.assert_allclose(price[:, unknown], 4 * len(bank) / 150)
    assert (np.ptp(price[:, ~unknown], 0) > 0.1).all()


def test_what_is_not_known_says_nothing_of_the_frames_beside_it() -> None:
    own, bank = np.repeat(sounds(kinds=2)[:1], FRAMES, 0), np.arange(FRAMES)
    own[:20] *= -1
    cut = own.copy()
    cut[30:40] = np.nan
    whole, price = (Heard(o, sounds(seed=1), FPS).price(bank) for o in (own, cut))
    apart = whole.mean(0) / whole.mean(0)[50] / (price.mean(0) / price.mean(0)[50])
    np.testing.assert_allclose(apart[[25, 29, 40, 45]], 1, rtol=1e-3)


def test_sounds_that_hardly_differ_do_not_drown_the_shape_of_the_mouth() -> None:
    own = np.ones((FRAMES, 4), np.float32)
    own[-2:] += 1e-4
    price = Heard(own, sounds(), FPS).price(np.arange(FRAMES))
    assert price.max() <= 3 * 4


@pytest.mark.parametrize("own", [np.full((FRAMES, 4), np.nan), np.ones((FRAMES, 4))])
def test_a_clip_of_which_nothing_is_heard_prefers_none(own: np.ndarray) -> None:
    price = Heard(own.astype(np.float32), sounds(), FPS).price(np.array([0, 9]))
    assert np.ptp(price) == 0


def test_a_part_of_the_frames_costs_what_it_costs_in_the_whole() -> None:
    heard, bank = Heard(sounds(), sounds(seed=1), FPS), np.array([4, 40])
    assert np.array_equal(heard.price(bank, slice(10, 20)), heard.price(bank)[10:20])


def test_of_mouths_that_are_alike_the_one_that_sounds_alike_lends() -> None:
    """All frames show one mouth; only their sounds tell them apart."""
    clip, model = scene.track(24), scene.face_model()
    clip.expression[:] = clip.expression[0]
    clip.rotation[:] = clip.rotation[0]
    surface, words = face_surface(model, clip.identity), clip.expression.copy()
    words[:] += 0.01 * np.arange(len(clip))[:, None] / len(clip)  # else the bank is one frame
    clip.expression[:] = words
    own = np.repeat(np.eye(3, dtype=np.float32), 8, 0)
    wanted = own[::-1].copy()
    how = ReferenceSettings(bank=24, count=2, fade=0.0)
    found = lenders(clip, model, surface, words, how, heard=Heard(own, wanted, float(clip.fps)))
    best = found.bank[found.choice.members[np.arange(24), found.choice.weights.argmax(1)]]
    middles = [2, 3, 4, 5, 18, 19, 20, 21]  # away from where one sound becomes another
    assert (best[middles] // 8 == 2 - np.array(middles) // 8).all()
    deaf = lenders(clip, model, surface, words, how)
    near = deaf.bank[deaf.choice.members[np.arange(24), deaf.choice.weights.argmax(1)]]
    assert not (near[middles] // 8 == 2 - np.array(middles) // 8).all()

    network = stirred(SMALL["default"])
    given = clip, model, words, None, network, ComposeSettings(references=how), "cpu"
    composer = FaceTranslator(*given, heard=Heard(own, wanted, float(clip.fps))).composer
    choice = composer.choice
    lends = composer.lending[choice.members[np.arange(24), choice.weights.argmax(1)]]
    assert (lends[middles] // 8 == 2 - np.array(middles) // 8).all()
