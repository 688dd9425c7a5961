"""The generators on the card against the processor."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from gsmooth_core.taft.generators import generator as g
from gsmooth_core.taft.generators.checkpoint import load_generator
from gsmooth_core.taft.translate import FaceTranslator
from tests.gpu import made
from tests.gpu.generator import pictures, references_of
from tests.gpu.levels import as_levels, levels_apart
from tests.gpu.precision import without_tf32
from tests.taft import scene
from tests.taft.small import SMALL, stirred

pytestmark = pytest.mark.gpu
FRAMES = 10


def both(model, inputs, card):
    """Pictures of one generator on the processor and on the card."""
    places = (copy.deepcopy(model).on(device) for device in ("cpu", str(card)))
    return [pictures(placed, inputs) for placed in places]


@pytest.mark.parametrize("size", [(256, 256), (192, 224), (512, 512)])
def test_the_shipped_generator_makes_the_same_pictures(card, size) -> None:
    model = load_generator()
    ours, theirs = both(model, made.crops(1, *size, references_of(model)), card)
    assert levels_apart(as_levels(ours.numpy()), as_levels(theirs.numpy())).agree
    assert ours.std() > 0.05  # a picture, and not grey


@pytest.mark.parametrize("preset", g.PRESETS)
def test_without_tf32_presets_agree_to_a_thousandth(card, preset) -> None:
    model = stirred(SMALL[preset])
    with without_tf32():
        ours, theirs = both(model, made.crops(2, 64, 96, references_of(model)), card)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-3)


def test_a_batch_is_its_crops_one_by_one(card) -> None:
    model = load_generator().on(str(card))
    inputs = made.crops(3, 128, 128, references_of(model))
    together = pictures(model, inputs)
    for n in range(3):
        alone = pictures(model, g.GeneratorInput(*(part[n : n + 1] for part in inputs)))
        torch.testing.assert_close(together[n : n + 1], alone, rtol=0, atol=4e-3)


def test_gradients_are_those_of_the_processor(card) -> None:
    inputs = made.crops(2, 64, 64, 3)
    found = []
    with without_tf32():
        for device in (torch.device("cpu"), card):
            model = stirred(SMALL["default"]).to(device)
            model(made.on(inputs, device)).square().sum().backward()
            found.append(torch.cat([p.grad.flatten().cpu() for p in model.parameters()]))
    assert float(found[0].norm()) > 0
    assert float((found[0] - found[1]).norm() / found[0].norm()) < 1e-3


def test_frames_on_the_card_are_those_of_the_processor(card) -> None:
    clip = scene.track(FRAMES)
    frames = scene.pictures(clip)
    target = np.clip(1.2 * clip.expression[::-1], 0, 1).astype(np.float32)
    made_there = [
        FaceTranslator(
            clip,
            scene.face_model(),
            target,
            frames.__getitem__,
            stirred(SMALL["default"]),
            device=device,
        )
        .translate(3, frames[3])
        .frame.astype(int)
        for device in ("cpu", str(card))
    ]
    assert np.abs(made_there[0] - made_there[1]).max() <= 2
    assert np.abs(made_there[0] - frames[3]).max() > 20  # else nothing was translated
