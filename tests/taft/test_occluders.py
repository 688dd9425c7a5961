"""An occluder stays where it is, lends no pixels, and does not unmask anything."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from gsmooth_core.mafb.crop import crop_transforms
from gsmooth_core.mafb.occlusion.occluders import Occluders, packed
from gsmooth_core.taft.composition import ComposeSettings
from gsmooth_core.taft.generators import generator as g
from gsmooth_core.taft.lending.references import ReferenceSettings
from gsmooth_core.taft.translate import FaceTranslator
from tests.mafb.occlusion import made
from tests.taft import scene
from tests.taft.small import SMALL, stirred

SIZE = 256


@pytest.fixture(scope="module")
def occluders() -> Occluders:
    """Where the disc is, with a little room around it."""
    transforms = crop_transforms(made.clip(), scene.face_model(), SIZE)
    masks = {}
    for frame in made.HIDDEN:
        disc = cv2.dilate(made.disc(frame).astype(np.uint8) * 255, np.ones((5, 5)))
        masks[frame] = cv2.warpAffine(disc, transforms[frame], (SIZE, SIZE)) > 127
    return packed(masks.items(), SIZE)


def translator(pictures, occluders, generator=None, whole: bool = False) -> FaceTranslator:
    settings = ComposeSettings(whole_face=whole, references=ReferenceSettings(bank=8))
    words = made.clip().expression[::-1].copy()
    generator = generator or stirred(SMALL["default"])
    args = (made.clip(), scene.face_model(), words, pictures.__getitem__, generator, settings)
    return FaceTranslator(*args, device="cpu", occluders=occluders)


@pytest.mark.parametrize("whole", [False, True])
def test_poison_under_the_mask_changes_nothing(occluders, whole: bool) -> None:
    pictures = list(made.hidden())
    rng = np.random.default_rng(0)
    for frame in (8, 11, 13):
        clean = translator(pictures, occluders, whole=whole).translate(frame, pictures[frame])
        assert clean.hidden.sum() > 1000
        poisoned = pictures[frame].copy()
        poisoned[clean.hidden] = rng.integers(0, 256, (int(clean.hidden.sum()), 3))
        source = [p if n != frame else poisoned for n, p in enumerate(pictures)]
        again = translator(source, occluders, whole=whole).translate(frame, poisoned)
        assert np.array_equal(again.frame, clean.frame)
        assert np.array_equal(again.mask, clean.mask)


def test_it_stays_to_the_last_pixel(occluders) -> None:
    pictures = made.hidden()
    with_them, without = translator(pictures, occluders), translator(pictures, None)
    for frame in (10, 13):
        disc = cv2.erode(made.disc(frame).astype(np.uint8), np.ones((3, 3))) > 0
        done = with_them.translate(frame, pictures[frame])
        assert np.array_equal(done.frame[disc], pictures[frame][disc])
        painted = without.translate(frame, pictures[frame]).frame[disc]
        assert np.abs(painted.astype(int) - pictures[frame][disc]).mean() > 30


def test_the_face_around_it_is_made_as_if_it_were_not_there(occluders) -> None:
    generator = g.build(SMALL["default"]).eval()
    hidden, bare = (
        translator(pictures, occluders, generator) for pictures in (made.hidden(), made.bare())
    )
    frame = 11
    beside = cv2.dilate(made.disc(frame).astype(np.uint8), np.ones((9, 9))) == 0
    a = hidden.translate(frame, made.hidden()[frame])
    b = bare.translate(frame, made.bare()[frame])
    where = a.mask & beside
    assert np.abs(a.frame.astype(int) - b.frame)[where].mean() < 1.5


def test_hidden_frames_lend_nothing(occluders) -> None:
    members = {r.frame for r in translator(made.hidden(), occluders).composer.bank.values()}
    assert members
    assert not members & set(made.HIDDEN)


def test_frames_that_have_none_are_made_as_ever(occluders) -> None:
    one = packed([(11, occluders.mask(11, SIZE))], SIZE)
    dub = translator(made.bare(), one)
    plain = translator(made.bare(), None)
    plain.composer.bank, plain.composer.choice = dub.composer.bank, dub.composer.choice
    plain.grain, plain.sharpness = dub.grain, dub.sharpness
    a, b = (d.translate(3, made.bare()[3]) for d in (dub, plain))
    assert np.array_equal(a.frame, b.frame)


@pytest.fixture(scope="module")
def always() -> Occluders:
    """The disc's place in each frame, were it there for the whole clip."""
    transforms = crop_transforms(made.clip(), scene.face_model(), SIZE)
    return packed(
        (
            (n, cv2.warpAffine(grown(n).astype(np.uint8) * 255, transforms[n], (SIZE, SIZE)) > 127)
            for n in range(made.FRAMES)
        ),
        SIZE,
    )


def grown(frame: int) -> np.ndarray:
    return cv2.dilate(made.disc(frame).astype(np.uint8), np.ones((5, 5))) > 0


def covered(colour: tuple[int, int, int]) -> list[np.ndarray]:
    """The clip with a disc of a colour in all of its frames."""
    pictures = enumerate(made.bare())
    return [np.where(made.disc(n)[..., None], np.uint8(colour), p) for n, p in pictures]


def test_what_is_there_in_all_frames_is_never_lent_either(always) -> None:
    generator = g.build(SMALL["default"]).eval()
    dark, bright = covered((20, 20, 20)), covered((240, 250, 230))
    for frame in (4, 12, 19):
        a, b = (
            translator(pictures, always, generator).translate(frame, pictures[frame])
            for pictures in (dark, bright)
        )
        beside = ~grown(frame)
        assert (a.mask & beside).sum() > 1000
        assert np.array_equal(a.mask, b.mask)
        apart = np.abs(a.frame.astype(int) - b.frame)[a.mask & beside]
        assert apart.mean() < 0.5
        lent = translator(dark, None, generator).translate(frame, dark[frame])
        shows = lent.mask & beside
        assert np.abs(lent.frame.astype(int) - a.frame)[shows].mean() > 2  # without it, the disc is


def test_what_is_before_the_face_is_not_taken_for_letters(always) -> None:
    pictures = covered((20, 20, 20))
    bank = translator(pictures, always).composer.bank.values()
    assert bank
    for reference in bank:
        assert reference.spoiled is None
        assert reference.before is not None and reference.before.any()
        assert np.array_equal(reference.hidden, reference.before)
        letters = np.zeros_like(reference.before)
        letters[:3] = True
        both = replace(reference, spoiled=letters)
        assert np.array_equal(both.hidden, letters | reference.before)
