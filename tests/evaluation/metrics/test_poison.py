"""Generators that look are caught, the program's own is not."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import pytest

from gsmooth_core.errors import LeakError
from gsmooth_core.evaluation.metrics.masks import Masks
from gsmooth_core.evaluation.metrics.poison import Poison, refuse_leaks
from gsmooth_core.taft.composition import ComposeSettings
from gsmooth_core.taft.generators import generator as g
from gsmooth_core.taft.lending.references import ReferenceSettings
from gsmooth_core.taft.translate import FaceTranslator
from tests.taft import scene
from tests.taft.small import SMALL, stirred

FRAMES, GAP = 20, 0.12


@pytest.fixture(scope="module")
def clip():
    return scene.track(FRAMES)


@pytest.fixture(scope="module")
def pictures(clip):
    return scene.pictures(clip)


@pytest.fixture(scope="module")
def masks(clip):
    return Masks(clip, scene.face_model(), clip.expression)


@dataclass
class Done:
    frame: np.ndarray


class Own:
    """The program's way, with an untrained generator and references away from the frame."""

    def __init__(self, clip, source, gap=GAP):
        references = ReferenceSettings(bank=8, gap=gap)
        self.inner = FaceTranslator(
            clip, scene.face_model(), clip.expression, source,
            stirred(SMALL["default"]),
            ComposeSettings(references=references),
        )  # fmt: skip

    def translate(self, index, frame):
        return self.inner.translate(index, frame)


class Copies(Own):
    """Gives back the frame that it should have made."""

    def translate(self, index, frame):
        return Done(frame)


class Peeks(Own):
    """Mixes in a hundredth of what is under the mask."""

    def translate(self, index, frame):
        made = super().translate(index, frame)
        mixed = np.rint(0.98 * made.frame + 0.02 * frame).astype(np.uint8)
        return Done(mixed)


def check(kind, clip, pictures, masks, frames=(5, 14), nearby=int(GAP * 25), **more):
    def make(opened):
        with opened() as source:
            return kind(clip, source, **more)

    refuse_leaks(
        make,
        lambda: nullcontext(pictures.__getitem__),
        masks.in_frame,
        frames,
        nearby,
    )


def test_the_programs_own_way_passes(clip, pictures, masks):
    check(Own, clip, pictures, masks)


@pytest.mark.parametrize("kind", [Copies, Peeks])
def test_a_generator_that_looks_is_refused(clip, pictures, masks, kind):
    with pytest.raises(LeakError, match="frame 5"):
        check(kind, clip, pictures, masks)


def test_borrowing_from_the_next_frame_is_refused(clip, pictures, masks):
    with pytest.raises(LeakError):
        check(Own, clip, pictures, masks, gap=0.0)


def test_there_must_be_something_to_check(clip, pictures):
    with pytest.raises(ValueError, match="nothing is hidden"):
        refuse_leaks(
            lambda opened: Own(clip, pictures.__getitem__),
            lambda: nullcontext(pictures.__getitem__),
            lambda frame: np.zeros((scene.HEIGHT, scene.WIDTH), bool),
            [3],
        )


def test_poison_keeps_to_its_place(pictures, masks):
    hidden = masks.in_frame(5)
    poison = Poison(5, hidden, nearby=2)
    assert np.array_equal(poison(8, pictures[8]), pictures[8])
    here = poison(5, pictures[5])
    assert np.array_equal(here[~hidden], pictures[5][~hidden])
    assert (here[hidden] != pictures[5][hidden]).any(1).mean() > 0.95
    assert (poison(6, pictures[6]) != pictures[6]).any(-1).mean() > 0.95
    assert np.array_equal(here, poison(5, pictures[5]))


@pytest.mark.parametrize("whole", [False, True])
def test_masks_lie_within_what_the_program_hides(clip, pictures, whole):
    settings = ComposeSettings(whole_face=whole, references=ReferenceSettings(bank=4))
    generator = g.build(SMALL["default"]).eval()
    own = FaceTranslator(
        clip, scene.face_model(), clip.expression, pictures.__getitem__, generator, settings
    )
    masks = Masks(clip, scene.face_model(), clip.expression, whole_face=whole)
    for frame in (0, 9):
        hidden = own.translate(frame, pictures[frame]).hidden
        found = masks.in_frame(frame)
        assert not (found & ~hidden).any()
        assert found.sum() > 0.5 * hidden.sum()
