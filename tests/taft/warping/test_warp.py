"""Warped references against frames whose every pixel is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from gsmooth_core.taft.compose import Composer
from gsmooth_core.taft.composition import ComposeSettings
from gsmooth_core.taft.lending.references import ReferenceSettings
from gsmooth_core.taft.warping import warp
from tests.taft import scene


@pytest.fixture(scope="module")
def composer() -> Composer:
    clip = scene.track()
    return Composer(
        clip, scene.face_model(), clip.expression, lambda frame: scene.picture(clip, frame)
    )


def truth(composer: Composer, frame: int) -> np.ndarray:
    picture = scene.picture(composer.track, frame)
    under = composer.compose(frame, picture).masked.under
    return under.cut(under.part(picture)).astype(np.float32) / 255


def test_a_frame_warped_to_itself_is_itself(composer) -> None:
    own = next(r for r in composer.bank.values() if r.frame == 7)
    seen = composer._own(7).seen
    moved = warp.displacements([own], seen, np.zeros((1, 1, 2), np.float32))
    assert np.abs(moved[:, :2]).max() < 1e-3
    picture, there = warp.sample(own, np.zeros((composer.size, composer.size, 2), np.float32))
    assert there.all()
    difference = np.abs(picture / 255 - truth(composer, 7)) * 255
    # Both are one cubic interpolation, of 8-bit values with 5-bit weights.
    assert difference.mean() < 0.3
    assert difference.max() < 6


@pytest.mark.parametrize("frame", [0, 3, 6, 9])
def test_another_frame_warped_to_it_shows_the_same_face(composer, frame: int) -> None:
    drawing, _ = composer.masks(frame)
    composition = composer.compose(frame, scene.picture(composer.track, frame))
    skin = drawing.face.region <= 2
    best = composition.blend.references[0]
    warped = np.abs(best - truth(composer, frame))[skin].mean()
    member = next(r for r in composer.bank.values() if r.frame == composition.members[0])
    still, _ = warp.sample(member, np.zeros((composer.size, composer.size, 2), np.float32))
    pasted = np.abs(still / 255 - truth(composer, frame))[skin].mean()
    assert warped < 0.012
    assert warped < 0.6 * pasted


def test_only_the_part_that_is_seen_is_interpolated_finely(composer) -> None:
    own, field = next(iter(composer.bank.values())), np.full((256, 256, 3), 0.4, np.float32)
    look = own, field[..., :2], field[..., 2], np.zeros((256, 256), np.float32), 1.0
    (whole, valid), (made, as_valid) = warp.lent(*look), warp.lent(*look, (64, 32, 192, 200))
    assert np.array_equal(made[32:200, 64:192], whole[32:200, 64:192])
    assert np.array_equal(valid, as_valid)
    beyond = np.ones((256, 256), bool)
    beyond[32:200, 64:192] = False
    apart = np.abs(made.astype(int) - whole)[beyond]
    assert 0 < apart.mean() < 1


def test_extension_keeps_the_face_and_fades_to_nothing() -> None:
    mask = np.zeros((128, 128), bool)
    mask[40:80, 40:80] = True
    values = np.where(mask[..., None], np.float32([5, -3]), 0).astype(np.float32)
    extended = warp.extend(values, mask)
    assert np.array_equal(extended[mask], values[mask])
    assert np.allclose(extended[60, 81], [5, -3], atol=0.3)
    column = extended[79:, 60, 0]
    assert (np.diff(column) <= 1e-4).all()
    assert abs(extended[127, 60, 0]) < 0.5
    assert np.abs(np.diff(extended, axis=0)).max() < 0.5


def test_beside_a_place_where_the_outline_moves_in_two_ways_nothing_is_torn() -> None:
    mask = np.zeros((256, 256), bool)
    mask[60:160, 60:196] = True
    values = np.zeros((256, 256, 2), np.float32)
    values[mask] = np.where(np.arange(256)[None, :, None] < 128, -6, 2).repeat(256, 0)[mask]
    beside = warp.extend(values, mask)[162:, 60:196]
    assert np.abs(np.diff(beside, axis=1)).max() < 0.5  # pixels, from one to the next
    assert beside[0, 8].max() < -5 and beside[0, -8].min() > 1.5


def test_what_is_beside_has_the_mean_of_what_is_near_and_beside_too() -> None:
    mask = np.zeros((128, 128), bool)
    mask[30:70, 20:90] = True
    values = np.random.default_rng(1).normal(size=(128, 128, 1)).astype(np.float32)
    near = distance_transform_edt(~mask, return_distances=False, return_indices=True)
    nearest, beside = values[tuple(near)], ~mask
    y, x = 80, 50
    around = np.s_[y - 8 : y + 9, x - 8 : x + 9]
    mean = nearest[around][beside[around]].mean()
    faded = np.exp(-(((y - 69) / (0.2 * 128)) ** 2))
    assert warp.extend(values, mask)[y, x, 0] == pytest.approx(mean * faded, abs=0.02)


def test_where_a_reference_has_no_pixels_is_told(composer) -> None:
    own = next(iter(composer.bank.values()))
    far = np.full((composer.size, composer.size, 2), 1e4, np.float32)
    assert not warp.sample(own, far)[1].any()


def test_the_reference_that_goes_on_best_is_believed_most() -> None:
    rng = np.random.default_rng(0)
    frame = rng.uniform(0, 1, (64, 64, 3)).astype(np.float32)
    other = np.clip(frame + 0.2, 0, 1)
    mixed = np.where(np.arange(64)[None, :, None] < 32, frame, other)
    known = np.ones((64, 64), bool)
    known[20:44] = False
    hidden = np.where(known[..., None], frame, 0)
    every = np.ones((3, 64, 64), np.float32)
    believed, least = warp.agreement(np.stack([frame, other, mixed]), hidden, known, every)
    assert least.shape == (64, 64) and least.max() < 1e-6
    assert warp.agreement(other[None], hidden, known, every[:1])[1].min() > 0.1
    assert believed[0].min() > 0.9
    assert believed[1, 30].max() < 0.1
    assert believed[2, 30, 4] > 0.9 > 0.1 > believed[2, 30, 60]


def test_extension_of_nothing_is_nothing() -> None:
    values = np.zeros((16, 16, 2), np.float32)
    assert not warp.extend(values, np.zeros((16, 16), bool)).any()


def test_the_bank_is_bounded_and_read_once_in_order() -> None:
    clip, asked = scene.track(), []
    settings = ComposeSettings(references=ReferenceSettings(bank=5))

    def source(frame: int) -> np.ndarray:
        asked.append(frame)
        return scene.picture(clip, frame)

    composer = Composer(clip, scene.face_model(), clip.expression, source, settings)
    composer.compose(2, scene.picture(clip, 2))
    assert asked == sorted(set(asked))
    assert len(asked) == 5


def test_a_reference_goes_on_nowhere_that_its_picture_has_ended() -> None:
    """Beyond its edge it has the very colours of the frame, by chance; the others are believed."""
    frame = np.full((64, 64, 3), 0.5, np.float32)
    pictures = np.stack([frame, frame + 0.1, frame + 0.12])
    pictures[0, :, :40] += 0.15
    known, validity = np.ones((64, 64), bool), np.ones((3, 64, 64), np.float32)
    plain = warp.agreement(pictures, frame, known, validity)
    validity[0, :, 40:] = 0
    believed, least = warp.agreement(pictures, frame, known, validity)
    assert plain[1][:, 60].max() < 0.01 < 0.09 < least[:, 60].min()
    assert believed[1, :, 60].min() > 0.95
    assert np.isfinite(believed).all() and believed.max() <= 1
    nowhere = warp.agreement(pictures, frame, known, np.zeros_like(validity))
    assert all(np.isfinite(each).all() for each in nowhere)


def test_displacements_lead_from_a_new_face_to_each_reference(composer) -> None:
    members = list(composer.bank.values())[:2]
    seen = composer._own(3).seen
    offsets = np.random.default_rng(0).normal(0, 1, (2, len(seen), 2)).astype(np.float32)
    made = warp.displacements(members, seen, offsets).reshape(len(seen), 2, 3)
    for k, own in enumerate(members):
        np.testing.assert_array_equal(made[:, k, :2], own.points - seen[:, :2] + offsets[k])
        np.testing.assert_array_equal(made[:, k, 2], own.visible)
