"""Captioned pixels are never lent, and say nothing about the skin beside them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from gsmooth_core.face.morphable import Region
from gsmooth_core.mafb.crop import crop_transforms, window
from gsmooth_core.mafb.occlusion.matte import LetterColours, learn_colours
from gsmooth_core.mafb.occlusion.occluders import Occluders, packed
from gsmooth_core.taft.composition import ComposeSettings
from gsmooth_core.taft.lending.references import ReferenceSettings, choice_of, costs
from gsmooth_core.taft.lending.spoiled import bare_mouth, mend, mouths, price, spoiled_part
from gsmooth_core.taft.translate import FaceTranslator
from gsmooth_core.taft.warping.warp import Reference
from tests.mafb.occlusion import made
from tests.mafb.occlusion import test_boxes as boxes
from tests.taft import scene
from tests.taft.small import SMALL, stirred

SIZE = 256
FRAMES = 24


def letters(frame: int) -> np.ndarray:
    """(H, W) bool: a bar over the lower face, in another place every third frame."""
    bar = np.zeros((scene.HEIGHT, scene.WIDTH), bool)
    top = 190 + 12 * (frame // 3 % 3)
    bar[top : top + 10, 130:190] = True
    return bar


@pytest.fixture(scope="module")
def captions() -> Occluders:
    transforms = crop_transforms(made.clip(), scene.face_model(), SIZE)
    masks = []
    for frame in range(FRAMES):
        grown = cv2.dilate(letters(frame).astype(np.uint8) * 255, np.ones((7, 7)))
        masks.append((frame, cv2.warpAffine(grown, transforms[frame], (SIZE, SIZE)) > 127))
    return packed(masks, SIZE)


def lettered(colour) -> list[np.ndarray]:
    """The clip with bars, of one colour or of noise."""
    rng, pictures = np.random.default_rng(1), []
    for frame, picture in enumerate(made.bare()):
        bar, drawn = letters(frame), picture.copy()
        drawn[bar] = rng.integers(0, 256, (int(bar.sum()), 3)) if colour is None else colour
        pictures.append(drawn)
    return pictures


def translator(pictures, captions) -> FaceTranslator:
    settings = ComposeSettings(references=ReferenceSettings(bank=8))
    words = made.clip().expression[::-1].copy()
    args = (made.clip(), scene.face_model(), words, pictures.__getitem__)
    generator = stirred(SMALL["default"])
    return FaceTranslator(*args, generator, settings, device="cpu", captions=captions)


def test_no_letter_has_a_part_in_another_frame_or_beside_itself(captions) -> None:
    yellow, noise = lettered((255, 230, 0)), lettered(None)
    one, other = translator(yellow, captions), translator(noise, captions)
    for frame in (4, 13):
        a, b = one.translate(frame, yellow[frame]), other.translate(frame, noise[frame])
        assert a.members == b.members and len(a.members) > 1
        bar = letters(frame)
        assert (a.hidden & ~bar).sum() > 1000
        beside = a.hidden & ~cv2.dilate(bar.astype(np.uint8), np.ones((3, 3))).astype(bool)
        assert np.array_equal(a.frame[beside], b.frame[beside])


def test_letters_stay_to_the_last_pixel(captions) -> None:
    pictures = lettered((255, 230, 0))
    made_anew = translator(pictures, captions)
    for frame in (4, 13):
        new = made_anew.translate(frame, pictures[frame])
        assert np.array_equal(new.frame[letters(frame)], pictures[frame][letters(frame)])


def test_no_captions_change_nothing() -> None:
    pictures = list(made.bare())
    none = packed([], SIZE)
    for frame in (4, 13):
        with_none = translator(pictures, none).translate(frame, pictures[frame])
        without = translator(pictures, None).translate(frame, pictures[frame])
        assert np.array_equal(with_none.frame, without.frame)


def test_a_covered_frame_costs_more() -> None:
    low, high = np.zeros((2, SIZE, SIZE), bool)
    high[:64], low[140:180, 100:156] = True, True
    few = packed([(1, high), (2, low), (3, np.ones((SIZE, SIZE), bool))], SIZE)
    prices = price(few, np.arange(4), np.float32([0.5, 0.6]))
    assert prices[0] == 0 and prices[1] < 1
    assert 20 < prices[2] < prices[3] == pytest.approx(60)
    alike, bank = np.zeros((12, 2), np.float32), np.arange(12)
    prices = np.repeat(np.float32([5, 0]), 6)
    one = ReferenceSettings(count=3, fade=0.0)
    choice = choice_of(costs(alike, alike, bank, 25.0, one, price=prices), one)
    assert (choice.members[choice.weights > 0] >= 6).all()


def test_the_frames_before_and_after_count_too(captions) -> None:
    only = packed([(5, captions.mask(5, SIZE))], SIZE)
    transform = crop_transforms(made.clip(), scene.face_model(), SIZE)[5]
    under = window(transform, SIZE, (0, 0, scene.WIDTH, scene.HEIGHT))
    for frame in (4, 5, 6):
        assert spoiled_part(only, frame, under) is not None
    assert spoiled_part(only, 3, under) is None and spoiled_part(only, 7, under) is None


def test_mending_takes_the_others_and_then_the_surroundings() -> None:
    pictures = np.stack([np.full((20, 20, 3), level, np.uint8) for level in (50, 150)])
    validity = np.ones((2, 20, 20), np.float32)
    spoiled = np.zeros((2, 20, 20), bool)
    spoiled[0, 5:10, 5:10] = True
    spoiled[:, 14:16, 14:16] = True
    pictures[spoiled] = 255
    mend(pictures, validity, spoiled)
    assert (pictures[:, 5:10, 5:10] == 150).all()
    assert np.allclose(pictures[:, 14:16, 14:16], 100, atol=2)
    assert (validity[0, 5:10, 5:10] == 0).all() and (validity[:, 14:16, 14:16] > 0).all()
    assert (validity[1, 5:10, 5:10] == 1).all()


def test_a_reference_fades_out_towards_what_it_must_not_lend() -> None:
    pictures = np.stack([np.full((60, 200, 3), level, np.uint8) for level in (50, 150)])
    validity, spoiled = np.ones((2, 60, 200), np.float32), np.zeros((2, 60, 200), bool)
    spoiled[0, :, 100:] = True
    mend(pictures, validity, spoiled)
    row, seen = validity[0, 30], pictures[0, 30, :, 0].astype(int)
    assert (row[:90] == 1).all() and (row[100:] == 0).all()
    assert (np.abs(np.diff(row)) < 0.35).all() and (np.diff(row) <= 0).all()
    assert np.abs(np.diff(seen)).max() < 38  # no edge: what was 50 and 150 side by side
    assert (validity[1] == 1).all()


def lips(points: np.ndarray) -> Any:
    """A surface of lips alone."""
    return SimpleNamespace(regions=np.full(len(points), Region.LIPS, np.uint8))


def test_a_mouth_is_where_any_of_its_poses_has_lips() -> None:
    shut = np.float32([[100, 150], [150, 150], [125, 145], [125, 155]])
    opened = shut + np.float32([[0, 0], [0, 0], [0, 0], [0, 30]])
    found = mouths([shut, opened], lips(shut), SIZE)
    assert found[150, 125] and found[183, 125] and found[150, 97]
    assert not found[200, 125] and not found[150, 80]
    assert not mouths([shut], lips(shut), SIZE)[180, 125]


def boxed(box: bool) -> tuple[Reference, LetterColours, np.ndarray, np.ndarray]:
    """A reference with a word, in a box or without, that was found with lips and teeth above it."""
    picture, place, _ = boxes.scene()
    if not box:
        bare = np.abs(picture.astype(int) - boxes.BLACK).max(2) < 40
        picture = np.where((place & bare)[..., None], boxes.SKIN, picture).astype(np.uint8)
    spoiled = boxes.generous(place, slice(65, 93), slice(27, 36))
    points = np.float32([[60, 18], [98, 18], [98, 45], [60, 45]])
    identity = np.array([[1.0, 0, 0], [0, 1, 0]])
    reference = Reference(0, picture, identity, points, np.ones(4, np.float32), spoiled)
    lower = np.zeros(place.shape, bool)
    lower[60:] = True
    return reference, learn_colours([(picture, spoiled, lower)]), place, points


def test_a_mouth_beside_a_box_may_be_lent_and_nothing_else_that_was_found() -> None:
    reference, colours, place, points = boxed(box=True)
    found = bare_mouth(reference, colours, lips(points))
    assert found is not None and reference.spoiled is not None
    assert found[place].all()
    freed = reference.spoiled & ~found
    assert freed[28:30, 66:92].all()  # lips and teeth well above the box
    assert not freed[32:].any()  # what a codec smears
    assert not freed[:, :59].any() and not freed[:, 100:].any()  # no mouth


def test_letters_that_stand_alone_free_nothing() -> None:
    """They may have the colours of lips: nobody knows where they end."""
    reference, colours, _, points = boxed(box=False)
    assert np.array_equal(bare_mouth(reference, colours, lips(points)), reference.spoiled)
    plain = replace(reference, spoiled=None)
    assert bare_mouth(plain, colours, lips(points)) is None
