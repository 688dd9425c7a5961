"""PoseVAE learns from windows that are what they say, and goes on where it ended."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.motion import made
from training.motion.posetrain import BATCH, Drawer, Lesson, pose_maker, train
from training.motion.posevae import FRAMES, PoseConfig, PoseVAE, Windows


@pytest.fixture(scope="module")
def library():
    return made.library((1.0, 3.0), 400)


@pytest.fixture(scope="module")
def trained(library):
    return train(library, 250, 1.0)


def test_windows_are_stretches_of_the_library_or_their_mirror_images(library):
    drawer = Drawer(library, library.motion.std(axis=0))
    batch = drawer(np.random.default_rng(0))
    assert batch.moved.shape == (BATCH, FRAMES, 6)
    place, speed = batch.before.numpy()[:, :6], batch.before.numpy()[:, 6:]
    way = np.concatenate(
        [(place - speed)[:, None], place[:, None], batch.moved.numpy() + place[:, None]], 1
    )
    mirrored = 0
    for window, style in zip(way * drawer.spread, batch.style, strict=True):
        first, last = library.begin[style], library.begin[style + 1]
        clip = library.motion[first:last]
        for side in (1, -1):
            flipped = clip * (1, side, side, side, 1, 1)
            at = np.abs(flipped[: -FRAMES - 1] - window[0]).sum(axis=1).argmin()
            if np.allclose(flipped[at : at + FRAMES + 2], window, atol=1e-5):
                mirrored += side < 0
                break
        else:
            pytest.fail("a window is nowhere in its clip")
    assert 15 < mirrored < 49


def test_the_losses_fall(library, trained):
    batch = Drawer(library, library.motion.std(axis=0))(np.random.default_rng(7))
    new = PoseVAE(trained.config, library.motion.std(axis=0))
    torch.manual_seed(0)
    before, after = (Lesson()(vae, batch) for vae in (new, trained))
    assert after["place"] < 0.6 * before["place"]
    assert after["step"] < before["step"]
    assert set(after) == {"total", "place", "step", "kl", "fooled"}


def test_the_divergence_is_that_of_normal_distributions(library):
    vae = PoseVAE(PoseConfig(2), library.motion.std(axis=0))
    batch = Drawer(library, library.motion.std(axis=0))(np.random.default_rng(1))
    mean, log_variance = vae.encode(batch)
    found = torch.distributions.Normal(mean, (log_variance / 2).exp())
    wanted = torch.distributions.kl_divergence(found, torch.distributions.Normal(0.0, 1.0)).mean()
    assert float(Lesson()(vae, batch)["kl"].detach()) == pytest.approx(float(wanted), rel=1e-4)


def test_a_decoder_that_says_nothing_goes_on_at_the_speed_it_came_with(library):
    vae = PoseVAE(PoseConfig(2), library.motion.std(axis=0))
    torch.nn.init.zeros_(vae.decoder[-1].weight)
    torch.nn.init.zeros_(vae.decoder[-1].bias)
    before = torch.arange(12.0)[None]
    batch = Windows(torch.empty(0), before, torch.zeros(1, FRAMES), torch.tensor([1]))
    moved = vae.decode(torch.zeros(1, 32), batch)[0].detach()
    np.testing.assert_allclose(moved[3], 4 * before[0, 6:], rtol=1e-5)


@pytest.mark.parametrize("count", [1, 32, 100])
def test_movements_are_as_long_as_the_speech_and_of_their_seed(trained, count):
    make, energy = pose_maker(trained), np.ones(count, np.float32)
    first = make(energy, 1)
    assert first.shape == (count, 6)
    np.testing.assert_array_equal(first, make(energy, 1))
    assert np.abs(first - make(energy, 2)).max() > 0


def test_windows_are_joined_without_a_jump(trained):
    moved = pose_maker(trained)(np.ones(400, np.float32), 3)[:, :3]
    steps = np.linalg.norm(np.diff(moved, axis=0), axis=1)
    joins = steps[FRAMES - 1 :: FRAMES]
    assert joins.max() < 1.5 * np.delete(steps, np.s_[FRAMES - 1 :: FRAMES]).max()
