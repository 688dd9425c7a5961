"""Light that falls on a part of a face, against pictures that are lit so by hand."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.taft.warping import light, tone
from gsmooth_core.taft.warping.uneven import filled, uneven
from tests.taft.warping.test_light import SIDE, UNDER, even_face, known, levels

LIPS, SKIN = np.s_[66:74, 57:83], np.s_[54:63, 57:83]


def pool(x: float, strength: float, width: float = 0.15) -> np.ndarray:
    """(SIDE, SIDE, 1) a lamp that lights a part of a face from above."""
    across = np.arange(SIDE) / SIDE - x
    gain = 0.5 + strength * np.exp(-((across / width) ** 2))
    return np.repeat(gain[None, :, None], SIDE, 0).astype(np.float32)


def matched(own: np.ndarray, frame: np.ndarray) -> np.ndarray:
    bare = known()
    hidden = np.where(bare[..., None] > 0, frame, 0).astype(np.float32)
    return light.match_light(levels(own)[None], hidden, bare)[0][0]


@pytest.mark.parametrize("x", [0.2, 0.8])
@pytest.mark.parametrize("strength", [1.2, 2.5])
def test_a_pool_of_light_goes_on_beneath_the_mask(x: float, strength: float) -> None:
    own = even_face() * pool(1 - x, 0.6)
    frame = np.clip(even_face() * pool(x, strength) * np.float32([1.1, 1, 0.9]), 0, 1)
    made = matched(own, frame)
    assert np.abs(made - frame)[UNDER].mean() < 15 / 255
    apart = (made - frame)[SKIN].mean((0, 1))
    assert np.ptp(apart) < 8 / 255  # no other colour, where channels are full one by one
    contrast = [np.log(p[LIPS].mean() / p[SKIN].mean()) for p in (made, frame)]
    assert contrast[0] == pytest.approx(contrast[1], abs=0.12)


def test_steady_light_is_none_of_this(monkeypatch) -> None:
    monkeypatch.setattr(light, "uneven", lambda *_: pytest.fail("no pool of light"))
    matched(even_face(), even_face() * np.float32([1.2, 1, 0.8]))
    matched(even_face(), np.clip(even_face() * 0.4 + 0.3, 0, 1))
    with pytest.raises(pytest.fail.Exception):
        matched(even_face(), even_face() * pool(0.3, 2.0, 0.1))


def told(own: np.ndarray, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    every = np.ones((SIDE, SIDE), np.float32)
    small = tone.reduced(levels(own), tone.samples(own.shape)) * np.float32(1 / 255)
    skin = tone.Skin.of(frame.astype(np.float32), every, every)
    found = uneven(small, skin, np.zeros_like(small))
    assert found is not None
    return found


def test_a_full_channel_is_told_by_the_others() -> None:
    """Red is full on one half, in the frame or in the reference: it has their light there."""
    own = 0.6 * even_face()
    half = np.where(np.arange(SIDE) < SIDE // 2, 4.0, 1.0)[None, :, None]
    frame = np.clip(own * half, 0, 1)
    assert (frame[:, : SIDE // 2, 0].mean() > 0.9) and frame[..., 1].max() < 1
    _, field = told(own, frame)
    left = field[:, 3:8].mean((0, 1))
    assert left == pytest.approx([np.log(4)] * 3, abs=0.12)
    _, back = told(frame, own)
    assert back[:, 3:8].mean((0, 1)) == pytest.approx([-np.log(4)] * 3, abs=0.12)


def test_a_veil_is_told_by_the_contrast_that_it_takes() -> None:
    own = even_face()
    lit = own * pool(0.3, 0.8, 0.5)
    veil, field = told(own, np.clip(0.5 * lit + 0.15, 0, 1))
    assert (veil > 0.1).all()
    none, _ = told(own, lit)
    assert none.max() < 0.04
    assert np.isfinite(field).all()


def test_all_that_is_white_tells_nothing() -> None:
    every = np.ones((SIDE, SIDE), np.float32)
    small = tone.reduced(even_face(), tone.samples((SIDE, SIDE)))
    skin = tone.Skin.of(np.ones((SIDE, SIDE, 3), np.float32), every, every)
    assert uneven(small, skin, np.zeros_like(small)) is None


def test_a_field_goes_on_down_rather_than_across() -> None:
    values, where = np.zeros((32, 32, 3), np.float32), np.zeros((32, 32), bool)
    where[:12] = True
    values[:, 16:] = 1
    found = filled(values, where)
    assert np.allclose(filled(np.ones_like(values), where), 1, atol=0.05)
    assert found[26, 2:6].max() < 0.25 < 0.75 < found[26, 26:30].min()
    assert found[4, 4].max() < 0.1 and found[4, 28].min() > 0.9
    assert not filled(values, np.zeros_like(where)).any()
