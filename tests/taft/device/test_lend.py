"""The way on a device, in torch, against the way on the processor, stage by stage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gsmooth_core.face.morphable import Region
from gsmooth_core.taft.compose import Composer, ComposeSettings
from gsmooth_core.taft.device import lend as device
from gsmooth_core.taft.device import light as device_light
from gsmooth_core.taft.device import uneven as device_uneven
from gsmooth_core.taft.lending import lend
from gsmooth_core.taft.lending.references import ReferenceSettings
from gsmooth_core.taft.mouth import interior
from gsmooth_core.taft.mouth.drawn import least_seen
from gsmooth_core.taft.warping import beside, light, tone, uneven, warp
from gsmooth_core.taft.warping.box import narrowed
from tests.taft import scene

CPU = torch.device("cpu")
FRAMES = (2, 7)
RNG = np.random.default_rng(0)


def levels_apart(made: torch.Tensor | np.ndarray, wanted: np.ndarray) -> float:
    """Share of values of 0..1 that are more than two levels of 255 apart."""
    return float((np.abs(np.asarray(made) - wanted) * 255 > 2).mean())


def from_side(picture: np.ndarray, strength: float) -> np.ndarray:
    """A picture in the light of a lamp at its left or right."""
    x = np.linspace(-1, 1, picture.shape[1])[:, None]
    gain = np.exp(2 * strength * x * [1, 0.9, 0.7])
    return np.rint((picture * 0.8 * gain).clip(0, 255)).astype(np.uint8)


@pytest.fixture(scope="module", params=["even", "lamp", "side", "large"])
def made(request):
    """A composer, two frames of it that are begun, and both ways of it; one frame under a lamp."""
    clip = scene.track(10)
    pictures = [p.copy() for p in scene.pictures(clip)]
    for dark in range(4) if request.param == "lamp" else ():
        pictures[dark] = (pictures[dark] * [0.5, 0.6, 0.8]).astype(np.uint8)
    if request.param == "side":
        pictures = [from_side(p, 0.5 - n / 10) for n, p in enumerate(pictures)]
    size = 512 if request.param == "large" else 0
    settings = ComposeSettings(size=size, references=ReferenceSettings(bank=6, count=3))
    composer = Composer(
        clip, scene.face_model(), clip.expression[::-1].copy(), pictures.__getitem__, settings
    )
    begun = [composer.begin(frame, pictures[frame]) for frame in FRAMES]
    bank = device.DeviceBank(composer.bank, CPU)
    return composer, pictures, begun, bank, bank.batch(begun)


def by_hand(composer, begun):
    """(K, H, W, 3) levels and (K, H, W) validity of the references, by OpenCV."""
    pairs = []
    for k, (place, weight) in enumerate(zip(begun.places, begun.weights, strict=True)):
        moved, seen = begun.field[..., 3 * k : 3 * k + 2], begun.field[..., 3 * k + 2]
        least = least_seen(begun.scene.drawing)
        pairs.append(warp.lent(composer.bank[place], moved, seen, least, weight))
    pixels, validity = zip(*pairs, strict=True)
    return np.stack(pixels), np.stack(validity)


def planes(pictures: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(unit(pictures)).movedim(-1, -3)


def unit(levels: np.ndarray) -> np.ndarray:
    return levels.astype(np.float32) / 255


def test_references_are_taken_at_the_same_places(made) -> None:
    composer, _, begun, bank, batch = made
    pictures, validity = device.warped(batch, bank)
    for n, each in enumerate(begun):
        pixels, valid = by_hand(composer, each)
        assert levels_apart(pictures[n].movedim(1, -1), unit(pixels)) < 1e-3
        assert (np.abs(validity[n].numpy() - valid) > 1e-4).mean() < 1e-3


def test_light_looks_and_agreement_are_those_of_the_processor(made) -> None:
    composer, _, begun, _, batch = made
    lent = [by_hand(composer, each) for each in begun]
    pictures, validity = (np.stack(x) for x in zip(*lent, strict=True))
    tensors = planes(pictures), batch.crop, batch.bare
    kept = device_light.alike(*tensors, torch.from_numpy(validity))
    lit, changed = device_light.match(*tensors, batch.visible)
    better = device_light.better(changed, torch.from_numpy(validity), kept)
    agreeing, apart = device_light.fitting(
        planes(pictures), batch.crop, batch.around, torch.from_numpy(validity), kept
    )
    for n, each in enumerate(begun):
        seen = each.scene
        like = light.alike(pictures[n], seen.crop, seen.bare, validity[n])
        assert np.array_equal(kept[n].numpy(), like)
        skin, face = (mask.astype(np.float32) for mask in (seen.bare, seen.face))
        wanted, change = light.match_light(pictures[n], seen.crop, skin, face)
        assert levels_apart(lit[n].movedim(1, -1), wanted) == 0
        shown = light.better(change[like], validity[n][like])
        assert np.abs(better[n][like].numpy() - shown).max() < 1e-2
        goes_on, least = beside.fitting(
            unit(pictures[n][like]), seen.crop, seen.around, validity[n][like]
        )
        assert np.abs(agreeing[n][like].numpy() - goes_on).max() < 1e-3
        assert np.abs(apart[n].numpy() - least).max() < 1e-3


def test_what_is_lent_is_what_the_processor_lends(made) -> None:
    composer, pictures, begun, bank, batch = made
    lent = device.lend(batch, bank)
    for n, each in enumerate(begun):
        x0, y0, x1, y1 = narrowed(composer.box, ~each.scene.known)  # what is seen in the end
        blend = composer.compose(each.frame, pictures[each.frame]).blend
        there = np.append(lent.kept[n].numpy(), True)
        assert levels_apart(lent.image[n].movedim(0, -1), blend.image) < 1e-3
        references = lent.references[n][there].movedim(1, -1)[:, y0:y1, x0:x1]
        assert levels_apart(references, blend.references[:, y0:y1, x0:x1]) < 1e-3
        assert (np.abs(lent.validity[n][there].numpy() - blend.validity) > 0.03).mean() < 1e-3


def test_what_fits_nothing_gives_way_to_what_is_around_on_both_ways(made, monkeypatch) -> None:
    """With a threshold so low that every reference is too far off."""
    composer, pictures, begun, bank, batch = made
    plain = device.lend(batch, bank)
    monkeypatch.setattr(beside, "APART", (-2.0, -1.0))
    lent = device.lend(batch, bank)
    for n, each in enumerate(begun):
        blend = composer.compose(each.frame, pictures[each.frame]).blend
        assert levels_apart(lent.image[n].movedim(0, -1), blend.image) < 1e-3
        apart = (lent.image[n] - plain.image[n]).abs().sum(0).numpy() > 1e-3
        assert apart.any() and not (apart & ~each.scene.strip).any()


def test_a_reference_that_looks_otherwise_lends_nothing(made) -> None:
    """Somebody else's picture: neither way keeps it, and it leaves no trace in the mean."""
    composer, _, (_, begun), _, _ = made
    place = int(begun.places[0])
    noise = np.random.default_rng(0).integers(0, 256, composer.bank[place].image.shape)
    bank = composer.bank | {place: replace(composer.bank[place], image=noise.astype(np.uint8))}
    at = device.DeviceBank(bank, CPU)
    lent = device.lend(at.batch([begun]), at)
    assert not lent.kept[0, 0] and lent.kept[0, 1:].all()
    assert lent.validity[0, 0].max() == 0
    pixels, validity = by_hand(composer, begun)
    wanted = lend.lend(begun.scene, pixels[1:], validity[1:])
    assert levels_apart(lent.image[0].movedim(0, -1), wanted.image) < 1e-3


def test_a_flash_is_matched_as_the_processor_matches_it() -> None:
    rng = np.random.default_rng(0)
    own = (np.linspace(0.3, 0.6, 128)[None, :, None] * rng.normal(1, 0.03, (128, 128, 3))).astype(
        np.float32
    )
    own[8:16, 20:40] = own[8:16, 80:100] = 0.08  # eyes, which are no skin
    own = np.rint(own * 255).astype(np.uint8)
    face = np.zeros((128, 128), bool)
    face[8:60, 8:120] = True
    bare, lit = face & (own[..., 0] > 25), unit(own)
    flashes = [np.clip(lit * gain + more, 0, 1) for gain, more in ((1.5, 0.5), (1, 0.7), (1, 0.95))]
    pool = np.exp(-((np.linspace(-1, 1, 128)[:, None] / 0.3) ** 2))
    pools = [np.clip(lit * (0.4 + more * pool), 0, 1).astype(np.float32) for more in (1.5, 4)]
    more = np.clip(lit * np.float32([2.2, 1.6, 1.2]), 0, 1)
    for frame in (*flashes, *pools, more, 3 * lit.clip(0, 1 / 3), 0.02 * lit, np.ones_like(lit)):
        masks = [mask.astype(np.float32) for mask in (bare, face)]
        wanted = light.match_light(own[None], frame, *masks)[0][0]
        planar = [torch.from_numpy(mask)[None] for mask in (bare, face)]
        there = torch.from_numpy(frame).movedim(-1, 0)[None]
        found, _ = device_light.match(planes(own)[None, None], there, *planar)
        assert levels_apart(found[0, 0].movedim(0, -1), wanted) == 0


def test_light_on_a_part_of_a_face_is_the_same_field_on_both_ways() -> None:
    """Of two references under two frames, with white in each of them, and one that is all white."""
    own, frames = RNG.uniform(0.1, 0.9, (2, 2, 2, 48, 64, 3)).astype(np.float32)
    frames[0, 0] = (own[0, 0] * np.linspace(0.3, 3, 64)[None, :, None] + 0.05).clip(0, 1)
    own[1, 1] = 1
    bare = np.zeros((2, 48, 64), bool)
    bare[:, 10:30, 8:50] = True
    lamp = RNG.normal(0, 0.1, own.shape).astype(np.float32)
    given = torch.from_numpy(own), torch.from_numpy(frames[:, 0])[:, None]
    planar = [values.movedim(-1, 2) for values in (*given, torch.from_numpy(lamp))]
    veil, field, told = device_uneven.uneven(*planar[:2], torch.from_numpy(bare), planar[2])
    assert told.tolist() == [[True, True], [True, False]]
    for n, k in ((0, 0), (0, 1), (1, 0)):
        skin = tone.Skin(frames[n, 0], bare[n], bare[n], frames[n, 0] >= tone.CLIPPED)
        added, wanted = uneven.uneven(own[n, k], skin, lamp[n, k])
        np.testing.assert_allclose(veil[n, k].numpy(), added, atol=1e-5)
        np.testing.assert_allclose(field[n, k].movedim(0, -1).numpy(), wanted, atol=1e-4)
    assert veil[0, 0].min() > 0.02


@pytest.mark.parametrize("tint", [(1, 1, 1), (1.05, 1, 0.96), (1.3, 1, 0.8)])
def test_the_models_mouth_has_the_light_that_it_has_on_the_processor(
    tint: tuple[float, float, float],
) -> None:
    image, frame = RNG.random((2, 24, 24, 3)).astype(np.float32) * 0.6
    frame = frame.mean(-1, keepdims=True) * np.float32(tint)
    skin = RNG.random((24, 24)) < 0.6
    wanted = interior.in_light(image, frame, skin)
    batch = [torch.from_numpy(p).permute(2, 0, 1)[None] for p in (image, frame)]
    found = device_light.in_light(*batch, torch.from_numpy(skin)[None])[0].permute(1, 2, 0)
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-5)


def test_lips_of_a_photo_are_its_own_on_both_ways() -> None:
    """One reference shows all of its lips: the model's, in their stead, would be a bright rim."""
    clip = scene.track(4)
    pictures = scene.pictures(clip)
    settings = ComposeSettings(references=ReferenceSettings(bank=1, count=1))
    target = clip.expression[::-1].copy()
    composer = Composer(clip, scene.face_model(), target, pictures.__getitem__, settings)
    blend = composer.compose(2, pictures[2]).blend
    lips = composer.masks(2)[0].face.region == Region.LIPS
    known = lips & (blend.validity[0] > 0)
    assert known.sum() > 100
    assert np.array_equal(blend.references[1][known], blend.references[0][known])
    assert (blend.references[1] != blend.references[0])[~lips].any()
    begun = composer.begin(2, pictures[2])
    bank = device.DeviceBank(composer.bank, CPU)
    lent = device.lend(bank.batch([begun]), bank)
    x0, y0, x1, y1 = narrowed(composer.box, ~begun.scene.known)
    references = lent.references[0].movedim(1, -1)[:, y0:y1, x0:x1]
    assert levels_apart(references, blend.references[:, y0:y1, x0:x1]) < 1e-3
