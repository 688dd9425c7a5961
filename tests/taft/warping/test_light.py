"""The light of a frame on what others lend, against pictures whose true light is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gsmooth_core.taft.warping import lamp, light, tone

SIDE = 128
UNDER = np.s_[50:90, 50:90]


def face(seed: int = 0) -> np.ndarray:
    """Skin of one tone that is brighter to one side, with pores, and darker lips under the mask."""
    rng = np.random.default_rng(seed)
    shape = np.array([0.5, 0.4, 0.33]) * np.linspace(0.75, 1.2, SIDE)[None, :, None]
    picture = np.repeat(shape, SIDE, 0) * rng.normal(1, 0.03, (SIDE, SIDE, 1))
    picture[65:75, 55:85] *= 0.6
    return picture.astype(np.float32)


def levels(picture: np.ndarray) -> np.ndarray:
    return np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)


def known() -> np.ndarray:
    """The upper part of the face is bare skin; the mouth is hidden."""
    bare = np.zeros((SIDE, SIDE), np.float32)
    bare[8:48, 8:120] = 1
    return bare


def matched(own: np.ndarray, frame: np.ndarray, bare: np.ndarray) -> np.ndarray:
    hidden = np.where(bare[..., None] > 0, frame, 0).astype(np.float32)
    return light.match_light(levels(own)[None], hidden, bare)[0][0]


@pytest.mark.parametrize("gain", [0.85, 1.0, 1.12])
def test_a_little_more_or_less_light_is_matched_under_the_mask(gain: float) -> None:
    frame = face()
    made = matched(frame / gain, frame, known())
    before = np.abs(frame / gain - frame)[UNDER].mean()
    assert np.abs(made - frame)[UNDER].mean() <= 0.35 * before + 0.5 / 255  # a byte is rounded


@pytest.mark.parametrize("gain", [(0.1, 0.1, 0.1), (0.4, 0.4, 0.4), (1.7, 1.7, 1.7), (1.2, 1, 0.7)])
@pytest.mark.parametrize("offset", [0.0, 0.12])
def test_a_fade_a_lamp_and_another_grading_are_matched_in_skin_and_lips(gain, offset) -> None:
    """To five levels of 255, with contrast: an offset for a gain would leave the lips too light."""
    own = face()
    frame = np.clip(own * gain + offset, 0, 1)
    made = matched(own, frame, known())
    assert np.abs(made - frame)[UNDER].mean() < 5 / 255
    assert np.abs((made - frame)[65:75, 55:85].mean()) < 8 / 255


@pytest.mark.parametrize("strength", [0.25, 0.5, 1.0])
def test_a_flash_is_white_and_not_of_the_colour_of_a_channel_that_was_not_full(strength) -> None:
    """Red is full nearly everywhere, green and blue are not: the skin is white all the same."""
    own = face()
    frame = np.clip(own * 1.5 + strength, 0, 1)
    made = matched(own, frame, known())
    skin = np.s_[50:64, 50:90]
    assert abs((made - frame)[65:75, 55:85].mean()) < 25 / 255  # lips: of them little is told
    assert np.abs(made - frame)[skin].mean() < 5 / 255
    assert np.ptp((made - frame)[skin].mean((0, 1))) < 5 / 255


@pytest.mark.parametrize("strength", [0.75, 0.85])
def test_a_flash_that_leaves_no_skin_is_told_by_the_eyes(strength) -> None:
    """White skin says "at least"; pupils and lashes, still grey, say how much it is."""
    own = face()
    own[8:16, 20:40] = own[8:16, 80:100] = 0.08
    frame = np.clip(own + strength, 0, 1)
    whole, bare = known(), known()
    bare[8:16, 20:40] = bare[8:16, 80:100] = 0
    hidden = np.where(whole[..., None] > 0, frame, 0).astype(np.float32)
    made = light.match_light(levels(own)[None], hidden, bare, whole)[0][0]
    lips = np.s_[65:75, 55:85]
    assert np.abs(made - frame)[UNDER].mean() < 5 / 255
    assert np.abs((made - frame)[lips].mean((0, 1))).max() < 12 / 255
    untold = light.match_light(levels(own)[None], hidden, bare)[0][0]
    assert np.abs((untold - frame)[lips].mean((0, 1))).max() > 20 / 255


@pytest.mark.parametrize("gain", [2.5, 3.5])
def test_much_more_light_that_leaves_no_skin_is_told_by_brows_and_eyes(gain) -> None:
    """It parts them as it parts all else: lips keep more contrast than a flash leaves them."""
    own = face()
    own[8:16, 20:40] = own[8:16, 80:100] = 0.06
    own[18:24, 20:40] = own[18:24, 80:100] = 0.18
    frame = np.clip(own * gain, 0, 1)
    whole, bare = known(), known()
    bare[8:24, 20:40] = bare[8:24, 80:100] = 0
    hidden = np.where(whole[..., None] > 0, frame, 0).astype(np.float32)
    made = light.match_light(levels(own)[None], hidden, bare, whole)[0][0]
    assert np.abs((made - frame)[65:75, 55:85].mean((0, 1))).max() < 14 / 255


@pytest.mark.parametrize("across", [-0.6, 0.6])
@pytest.mark.parametrize("tint", [(1.2, 1, 0.8), (0.7, 1, 1)])
def test_a_lamp_that_makes_a_side_white_tints_nothing(across, tint) -> None:
    """What its gain brings above white on the other side is no channel that is full."""
    own = even_face()
    frame = np.clip(own * sided(across) * 2 * np.float32(tint), 0, 1)
    full = (frame >= tone.CLIPPED).mean((0, 1))
    assert full.max() > 0.1 > full.min()
    made = matched(own, frame, known())
    skin = np.s_[52:62, 57:83]
    assert np.abs(made - frame)[skin].mean((0, 1)).max() < 8 / 255
    assert np.ptp((made - frame)[skin].mean((0, 1))) < 6 / 255


def test_what_has_lost_a_channel_does_not_tell_the_others() -> None:
    """All channels of the skin are told by the same samples, by those that have all of them."""
    own, bare = face(), known()
    frame = np.clip(own * np.float32([1.9, 1.5, 1.5]), 0, 1)
    skin = tone.Skin.of(frame, bare, bare)
    full = skin.white[skin.bare]
    assert 0.3 < full[:, 0].mean() < 0.9
    changed = tone.tone_of(tone.reduced(own, tone.samples(own.shape)), skin)
    assert (changed[200] - changed[20]) / (180 / 255) == pytest.approx([1.9, 1.5, 1.5], abs=0.1)


def test_black_is_black() -> None:
    own = face()
    assert matched(own, np.zeros_like(own), known())[UNDER].max() < 2 / 255


def test_brows_and_highlights_that_disagree_do_not_count() -> None:
    own = face()
    frame = np.clip(own * 0.6, 0, 1)
    spoilt = frame.copy()
    spoilt[8:14] = 0.02  # a brow that was raised
    spoilt[20:25, 40:60] = 1.0  # a highlight that came
    made = matched(own, spoilt, known())
    assert np.abs(made - frame)[UNDER].mean() < 6 / 255


def test_alike_light_changes_nothing_that_is_seen() -> None:
    own = face()
    noise = np.random.default_rng(3).normal(0, 0.01, own.shape)
    made = matched(own, np.clip(own + noise, 0, 1), known())
    assert np.abs(made - own)[UNDER].mean() < 0.5 / 255


def test_the_whole_face_is_left_alone_where_its_light_is_alike() -> None:
    own = face()
    skin = tone.Skin.of(np.clip(own * 1.03, 0, 1), known(), known())
    changed = tone.tone_of(tone.reduced(own, tone.samples(own.shape)), skin)
    assert np.array_equal(changed, np.arange(256, dtype=np.float32)[:, None].repeat(3, 1) / 255)


def test_without_skin_the_reference_stays_as_it_is() -> None:
    own, bare = face(), np.zeros((SIDE, SIDE), np.float32)
    made = matched(own, own * 0.5, bare)
    assert np.array_equal(made, levels(own).astype(np.float32) / 255)


def test_gain_and_offset_are_those_of_a_plain_regression_where_skin_has_contrast() -> None:
    """numpy's own least squares is the oracle."""
    rng = np.random.default_rng(1)
    own = rng.uniform(0.05, 0.9, 4000)
    wanted = 0.7 * own + 0.08 + rng.normal(0, 0.005, own.shape)
    slope, shift = np.polyfit(own, wanted, 1)
    gain, offset = tone._change(own, wanted, np.zeros(own.shape, bool))
    assert gain == pytest.approx(slope, abs=0.03)
    assert offset == pytest.approx(shift, abs=0.02)


def striped(across: int) -> np.ndarray:
    """A face with its features somewhere else."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) / SIDE
    features = 0.5 + 0.2 * np.sin(across * x + 9 * y)
    return features[..., None] * np.float32([1.0, 0.8, 0.7])


def seen(*pictures: np.ndarray, shown: np.ndarray | None = None) -> list[bool]:
    skin = np.ones((SIDE, SIDE), bool)
    validity = np.ones((len(pictures), SIDE, SIDE), np.float32)
    if shown is not None:
        validity *= shown
    return light.alike(levels(np.stack(pictures)), striped(9), skin, validity).tolist()


def test_who_looks_otherwise_is_refused_in_any_light() -> None:
    own, other = striped(9), striped(23)
    glasses = own.copy()
    glasses[40:70, 16:56] = glasses[40:70, 72:112] = 0.02
    mixed = 0.4 * own + 0.6 * striped(35)
    assert seen(own * 0.5 + 0.1, other, own**1.3, glasses, mixed) == [1, 0, 1, 0, 0]


def test_nothing_is_refused_where_nothing_can_be_told() -> None:
    other, dark = striped(23), np.zeros((SIDE, SIDE), bool)
    dark[:8, :8] = True  # all the skin that a reference shows
    assert seen(striped(9), other, shown=dark) == [1, 1]
    flat = np.full((SIDE, SIDE, 3), 0.01, np.float32)
    every = np.ones((2, SIDE, SIDE), np.float32)
    assert light.alike(levels(np.stack([other, flat])), flat, every[0] > 0, every).all()


def test_skin_that_a_flash_has_made_white_refuses_nobody() -> None:
    """A rest of the skin, where the flash was weakest, is no look."""
    own, every = striped(9), np.ones((1, SIDE, SIDE), np.float32)
    frame = np.clip(own + 0.9 - 0.6 * (np.arange(SIDE) < 12)[:, None, None], 0, 1)
    frame[:12] = frame[:12, ::-1]  # what is left of it is of no use
    pair = np.concatenate([own[None], own[None, ::-1]])
    assert light.alike(
        levels(pair), frame.astype(np.float32), every[0] > 0, every.repeat(2, 0)
    ).all()


def test_one_reference_is_left_and_none_of_none() -> None:
    assert seen(striped(23), striped(40)).count(True) == 1
    none = np.zeros((0, SIDE, SIDE, 3), np.float32)
    assert light.alike(
        levels(none), striped(9), np.ones((SIDE, SIDE), bool), none[..., 0]
    ).shape == (0,)


def test_who_needs_less_change_of_light_at_a_place_shows_it_better():
    """One is shaded on the left, one on the right; a lamp on all of a face tells nothing."""
    frame = face()
    shade = np.ones((1, SIDE, 1), np.float32)
    shade[:, :32] = 0.8
    shaded = [frame * shade, frame * shade[:, ::-1], frame * 1.3]
    pictures = np.stack([levels(own) for own in shaded])
    hidden = np.where(known()[..., None] > 0, frame, 0).astype(np.float32)
    _, changed = light.match_light(pictures, hidden, known())
    weight = light.better(changed, np.ones((3, SIDE, SIDE), np.float32))
    assert weight.shape == (3, SIDE, SIDE)
    assert np.allclose(
        weight.max(0).reshape(SIDE // 8, 8, SIDE // 8, 8)[:, 3:5, :, 3:5], 1, atol=0.2
    )
    left, right = np.s_[20:50, 8:30], np.s_[20:50, 98:120]
    assert weight[0][left].mean() < 0.35 < 0.7 < weight[1][left].mean()
    assert weight[1][right].mean() < 0.35 < 0.7 < weight[0][right].mean()
    assert weight[2][left].mean() > 0.7
    assert weight[2][right].mean() > 0.7


def test_nobody_shows_nothing():
    none = np.zeros((0, 64, 64), np.float32)
    assert light.better(none[:, ::8, ::8], none).shape == (0, 64, 64)


def shown_where(*columns: slice) -> np.ndarray:
    """(K, SIDE, SIDE) validity of references of which each shows some columns."""
    validity = np.zeros((len(columns), SIDE, SIDE), np.float32)
    for valid, these in zip(validity, columns, strict=True):
        valid[:, these] = 0.4
    return validity


def test_what_is_hidden_at_a_place_says_nothing_about_those_that_show_it():
    """The first needs no change of light anywhere, but shows the left half alone."""
    changed = np.stack([np.full((16, 16), amount, np.float32) for amount in (0, 0.1, 0.13)])
    validity = shown_where(slice(0, 64), slice(None), slice(None))
    weight = light.better(changed, validity)
    left, right = weight[:, :, 8:56], weight[:, :, 72:120]
    assert np.allclose(left[0], 1) and left[1:].max() < 0.04
    assert np.allclose(right[1], 1) and np.allclose(right[2], np.exp(-1), atol=1e-3)
    one = light.better(changed[1:], validity[1:])
    assert np.array_equal(right[1:], one[:, :, 72:120])


def test_little_trust_is_no_hiding():
    """A reference that is trusted a tenth as much shows a place as well as others do."""
    changed = np.stack([np.full((16, 16), amount, np.float32) for amount in (0, 0.1)])
    weight = light.better(changed, shown_where(slice(None), slice(None)) * [[[0.1]], [[1]]])
    assert np.allclose(weight[0], 1) and weight[1].max() < 0.04


def test_where_nobody_shows_a_place_all_are_compared():
    changed = np.stack([np.full((16, 16), amount, np.float32) for amount in (0.1, 0)])
    for columns in (slice(0, 64), slice(0, 0)):
        weight = light.better(changed, shown_where(columns, columns))
        assert np.isfinite(weight).all()
        assert np.allclose(weight[1, :, 80:], 1) and weight[0, :, 80:].max() < 0.04


def sided(across: float, down: float = 0.0) -> np.ndarray:
    """(SIDE, SIDE, 1) a gain that slopes across a face, as a lamp at one side of it makes."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) / (SIDE / 2) - 1
    return np.exp(across * x + down * y)[..., None].astype(np.float32)


def even_face() -> np.ndarray:
    rng = np.random.default_rng(0)
    picture = np.float32([0.5, 0.4, 0.33]) * rng.normal(1, 0.05, (SIDE, SIDE, 1))
    picture[65:75, 55:85] *= 0.6
    return (0.8 * picture).astype(np.float32)


@pytest.mark.parametrize("across", [-0.6, -0.3, 0.0, 0.3, 0.6])
@pytest.mark.parametrize("before", [-0.4, 0.4])
@pytest.mark.parametrize("gain", [0.6, 1.0])
def test_a_lamp_that_goes_to_the_other_side_leaves_the_mouth_its_contrast(across, before, gain):
    own, frame = even_face() * sided(before), even_face() * sided(across) * gain
    made = matched(own, frame, known())
    lips, skin = np.s_[66:74, 57:83], np.s_[52:62, 57:83]
    contrast = [(p[lips] / p[skin].mean((0, 1))).mean() for p in (made, frame)]
    assert contrast[0] == pytest.approx(contrast[1], abs=0.08)  # .6; 1 is no mouth at all
    assert np.abs(made - frame)[UNDER].mean() < 7 / 255


def test_a_lamp_below_goes_on_no_farther_than_skin_is_seen():
    """The slope of the forehead, twice as long, would make a jaw that nobody has seen white."""
    own, frame = even_face(), even_face() * sided(0.5, 0.5)
    made = matched(own, frame, known())
    below = (made / own)[80:120].mean((1, 2))
    assert np.ptp(np.log(below)) < 0.02
    assert np.log(below[0]) == pytest.approx(0.5 * (48 / 64 - 1), abs=0.12)


def grid_of(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) samples of all of a picture, and (N, 2) where they are."""
    samples = tone.reduced(picture, tone.samples(picture.shape)).reshape(-1, 3)
    across = lamp.Across.of(np.ones((SIDE // 4, SIDE // 4), bool))
    return samples, across.at(SIDE // 4, SIDE // 4).reshape(-1, 2)


@pytest.mark.parametrize("gain, offset", [(0.2, 0.4), (0.5, 0.2), (0.2, 0), (1.5, 0)])
def test_haze_and_fades_are_no_lamp_however_a_face_is_lit(gain, offset):
    """An offset takes the slope out of a face, too; its contrast tells."""
    own, at = grid_of(even_face() * sided(0.4))
    assert np.abs(lamp.slope(own, gain * own + offset, at)).max() < 0.02
    moved = lamp.slope(own, gain * own * np.exp(-0.6 * at[:, :1]), at)
    assert moved[0] == pytest.approx([-0.6] * 3, abs=0.06)  # less in the dark


def test_a_lamp_is_told_in_its_own_colour_and_by_most_of_the_skin():
    at, places = grid_of(even_face())
    gains = np.float32([0.6, 0.3, 0.1])
    lit = at * np.exp(places[:, 1:] * gains)
    odd = np.where((np.arange(len(at)) % 32 < 5)[:, None], 0.05, lit)  # hair over one end of it
    for wanted in (lit, odd):
        across, down = lamp.slope(at, wanted.astype(np.float32), places)
        assert down == pytest.approx(gains, abs=0.06)
        assert np.abs(across).max() < 0.06
    assert not lamp.slope(at[:40], lit[:40], places[:40]).any()  # too little skin
    assert not lamp.slope(at, np.ones_like(lit), places).any()  # all white


def test_who_is_lit_from_the_other_side_looks_alike():
    own, other = striped(9), striped(23)
    frame, every = 0.6 * own * sided(0.5), np.ones((1, SIDE, SIDE), np.float32)
    lit = [0.6 * picture * sided(-0.5) for picture in (own, other)]
    kept = light.alike(
        levels(np.stack([0.5 * frame, *lit])), frame, every[0] > 0, every.repeat(3, 0)
    )
    assert kept.tolist() == [1, 1, 0]


def test_places_end_where_skin_does():
    skin = np.zeros((8, 16), bool)
    skin[2:4, 4:12] = True
    x, y = np.moveaxis(lamp.Across.of(skin).at(8, 16), -1, 0)
    assert x[0].tolist() == [-1.0] * 4 + (np.arange(-7, 8, 2) / 8).tolist() + [1.0] * 4
    assert y[:, 0].tolist() == [-1, -1, -0.5, 0.5, 1, 1, 1, 1]
    whole = lamp.Across.of(np.zeros((8, 16), bool))
    assert (whole.middle, whole.half) == ((0.5, 0.5), (0.5, 0.5))


def test_a_lamp_is_fitted_as_numpys_least_squares_fit_it() -> None:
    rng = np.random.default_rng(4)
    own, at = rng.uniform(0.1, 0.8, (400, 3)), rng.uniform(-1, 1, (400, 2))
    wanted = own * np.exp(at @ rng.normal(0, 0.3, (2, 3)) + 0.1) * rng.normal(1, 0.02, own.shape)
    wanted[:40] *= 0.5
    apart = np.log(wanted + lamp.DARK) - np.log(own + lamp.DARK)
    design, weight = np.column_stack([np.ones(400), at]), np.ones(400)
    for _ in range(tone.ROUNDS):
        share = design * (weight / weight.sum())[:, None]
        price = lamp.PRICE * np.diag([0, 1, 1])
        found = np.linalg.solve(share.T @ design + price, share.T @ apart)
        weight = 1 / (1 + (np.abs(apart - design @ found).mean(1) / lamp.ODD) ** 2)
    even, slopes, made = lamp.fitted(own, wanted, at)
    np.testing.assert_allclose(even, np.exp(found[0]), rtol=1e-6)
    np.testing.assert_allclose(slopes, found[1:], atol=1e-6)
    assert made == pytest.approx(np.abs(own * np.exp(at @ found[1:]) - own).mean(), rel=1e-6)


def test_a_large_crop_shows_its_skin_in_as_many_samples_as_a_small_one() -> None:
    assert [tone.samples((side, side)) for side in (256, 384, 512)] == [(64, 64)] * 3
    assert tone.samples((128, 128)) == (32, 32)


def test_channels_without_white_change_as_each_does_by_itself() -> None:
    dice = np.random.default_rng(6)
    own = dice.uniform(0, 1.3, (400, 3)).astype(np.float32).clip(0, 1)  # some are white
    wanted = (own * [0.8, 0.7, 0.6] + dice.normal(0.05, 0.01, own.shape)).clip(0, 0.9)
    wanted = wanted.astype(np.float32)
    wanted[own >= 1] = 0.2  # of which nothing is told
    gains, offsets = tone._plain_changes(own, wanted)
    none = np.zeros(len(own), bool)
    each = [tone._change(own[:, c], wanted[:, c], none) for c in range(3)]
    np.testing.assert_allclose(np.stack([gains, offsets], 1), each, atol=1e-6)
    np.testing.assert_allclose(gains, [0.8, 0.7, 0.6], atol=0.03)


def test_what_a_pool_of_light_changes_grows_with_it() -> None:
    """References are weighed by it, and must not be exchanged where a field takes over."""
    rng = np.random.default_rng(1)
    look = cv2.GaussianBlur(rng.standard_normal((256, 256)), (0, 0), 6)
    skin = np.clip(np.exp(0.05 / look.std() * look)[..., None] * [0.55, 0.42, 0.35], 0, 1)
    y, x = np.mgrid[:256, :256] / 256
    pool = np.exp(-((x - 0.3) ** 2 + (y - 0.3) ** 2) / (2 * 0.15**2)) - 0.3
    known = np.ones((256, 256), np.float32)
    known[150:230, 70:190] = 0
    reference = np.rint(skin * 255).astype(np.uint8)[None]
    lights = (skin * np.exp(a * pool)[..., None] for a in np.linspace(1, 1.8, 17))
    frames = (np.clip(lit, 0, 1).astype(np.float32) for lit in lights)
    found = np.array([light.match_light(reference, f, known)[1].mean() for f in frames])
    assert found[-1] > 0.1
    assert np.abs(np.diff(found)).max() < 0.05
