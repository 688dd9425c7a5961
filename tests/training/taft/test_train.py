"""TAFT's training on a clip that is drawn here: samples, augmentation, figures, a resumed run."""

from __future__ import annotations

import logging
import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from gsmooth_core.taft.compose import Composer
from gsmooth_core.taft.generators import generator as g
from gsmooth_core.taft.generators.checkpoint import load_generator, save_generator
from tests.taft import scene
from tests.taft.small import SMALL
from training.engine import Engine
from training.split import Part
from training.taft import contrast, data, measure, train
from training.taft.prepare import VALIDATION_FRAMES, chosen_frames
from training.taft.presets import weights_of

FRAMES = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Samples of a drawn clip, made as training makes them."""
    clip = scene.track(FRAMES)
    pictures = scene.pictures(clip)
    settings = data.reconstruction()
    composer = Composer(clip, scene.face_model(), clip.expression, pictures.__getitem__, settings)
    made = []
    for frame in (0, 1, 20, 21, 39):
        composition = composer.compose(frame, pictures[frame])
        assert all(abs(member - frame) / 25 > data.GAP for member in composition.members)
        under = composition.masked.under
        truth = under.cut(under.part(pictures[frame]))
        made.append(data.sample_arrays(composition, truth, 6))
    place = tmp_path_factory.mktemp("taft") / "drawn"
    data.store(place, made)
    return place


class Colours(nn.Module):
    """A stand-in for the perceptual trunk."""

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        return [images]


def test_samples_are_what_was_composed(folder: Path) -> None:
    samples = data.Samples([folder])
    assert len(samples) == 5
    x0, y0, x1, y1 = data.BOX
    for n in range(len(samples)):
        sample = samples[n]
        assert sample["truth"].shape == (y1 - y0, x1 - x0, 3)
        assert sample["references"].shape == (7, y1 - y0, x1 - x0, 3)
        assert set(np.unique(sample["region"])) >= {0, 1, 3}
        batch = data.tensors(sample, sample["mask"] > 0)
        hidden = batch.inputs.mask[0, 0] > 0
        assert torch.equal(batch.inputs.blend[0][:, ~hidden], batch.truth[0][:, ~hidden])
        assert (batch.alpha[0, 0][hidden] == 1).all()


def test_a_batch_knows_nothing_under_its_mask(folder: Path) -> None:
    sample = data.Samples([folder])[2]
    clean = data.tensors(sample, sample["mask"] > 0)
    poisoned = dict(sample, truth=np.where(sample["mask"][..., None] > 0, 7, sample["truth"]))
    again = data.tensors(poisoned, sample["mask"] > 0)
    for a, b in zip(clean.inputs, again.inputs, strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(clean.truth, again.truth)


def test_the_papers_generator_is_given_another_frame_as_it_is(folder: Path) -> None:
    samples, plain = data.Samples([folder], fixed=True), data.Samples([folder])
    batch = data.tensors(samples[1], samples[1]["mask"] > 0)
    other = torch.from_numpy(plain[3]["truth"]).permute(2, 0, 1) / 255
    assert torch.allclose(batch.inputs.references, other[None, None])
    assert torch.equal(
        batch.inputs.blend, data.tensors(plain[1], plain[1]["mask"] > 0).inputs.blend
    )
    augmented = data.augmented(samples[1], np.random.default_rng(0))
    assert augmented.inputs.references.shape[1] == 1


def test_augmentation_keeps_shapes_and_draws_masks_anew(folder: Path) -> None:
    sample = data.Samples([folder])[1]
    rng = np.random.default_rng(0)
    batches = [data.augmented(sample, rng) for _ in range(6)]
    side = data.WINDOW
    for batch in batches:
        assert batch.truth.shape == (1, 3, side, side)
        assert batch.inputs.references.shape == (1, 7, 3, side, side)
        assert batch.mouth.sum() > 50
        assert all(torch.isfinite(part).all() for part in batch.inputs)
    assert len({int(batch.inputs.mask.sum()) for batch in batches}) > 3
    joined = data.collate(batches)
    assert joined.inputs.validity.shape == (6, 7, 1, side, side)
    assert torch.equal(joined.truth[4], batches[4].truth[0])


def test_a_perfect_picture_has_perfect_figures(folder: Path) -> None:
    samples = data.Samples([folder])
    truths = iter([torch.from_numpy(samples[n]["truth"]).float() / 255 for n in range(5)])
    quality = measure.measure(samples, lambda _: next(truths).permute(2, 0, 1)[None])
    assert quality.mouth_psnr == quality.mask_psnr == 60
    assert quality.mouth_ssim == pytest.approx(1)
    assert quality.flicker == pytest.approx(1)
    assert quality.laplacian == pytest.approx(1)
    assert quality.mouth_bands == quality.mask_bands == pytest.approx((1, 1, 1, 1))


def test_figures_tell_warps_from_noise_and_blur(folder: Path) -> None:
    samples = data.Samples([folder])
    warped = measure.measure(samples, measure.untrained)
    noise = measure.measure(
        samples, lambda x: (measure.untrained(x) + 0.1 * torch.randn_like(x.blend)).clamp(0, 1)
    )
    blur = measure.measure(
        samples, lambda x: nn.functional.avg_pool2d(measure.untrained(x), 9, 1, 4)
    )
    assert warped.mouth_psnr > max(noise.mouth_psnr, blur.mouth_psnr) + 1
    for bands in ("mouth_bands", "mask_bands"):
        blurred, plain, noisy = (getattr(quality, bands)[0] for quality in (blur, warped, noise))
        assert blurred < plain < noisy
    assert blur.laplacian < warped.laplacian < noise.laplacian
    means = measure.average([warped, noise])
    assert means.mouth_bands[1] == pytest.approx((warped.mouth_bands[1] + noise.mouth_bands[1]) / 2)
    assert noise.flicker > warped.flicker


def test_baselines_are_what_they_are_called() -> None:
    torch.manual_seed(0)
    x = g.GeneratorInput(
        torch.rand(1, 3, 8, 8),
        torch.ones(1, 1, 8, 8),
        torch.zeros(1, 3, 8, 8),
        torch.rand(1, 3, 3, 8, 8),
        torch.tensor([0.9, 0.5, 0.0]).reshape(1, 3, 1, 1, 1).expand(1, 3, 1, 8, 8).clone(),
    )
    assert torch.allclose(measure.nearest(x), x.references[:, 0], atol=3e-3)
    assert torch.allclose(measure.mean(x), x.references[:, :2].mean(1), atol=1e-3)


def test_validation_clips_give_a_run_of_frames_and_training_clips_a_spread() -> None:
    clip = scene.without_face(scene.track(200), 100)
    run = chosen_frames(clip, Part.VALIDATION, 10)
    assert len(run) == VALIDATION_FRAMES
    assert 100 not in run
    assert max(np.diff(run)) <= 2
    spread = chosen_frames(clip, Part.TRAIN, 10)
    assert len(spread) <= 10
    assert spread[-1] - spread[0] > 150


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    config = g.GeneratorConfig(width=8, max_width=16)
    monkeypatch.setitem(g.PRESETS, "default", config)


@pytest.mark.usefixtures("small")
def test_training_learns_and_goes_on_where_it_stopped(folder: Path, tmp_path: Path, caplog) -> None:
    samples = data.Samples([folder])
    settings = train.TrainSettings(batch=2, steps=8, warm_up=2, save_every=4, learning_rate=2e-3)
    first = train.Trainer(settings, samples, Colours())
    assert train.train(first, tmp_path).progress.step == 8
    longer = train.TrainSettings(batch=2, steps=12, warm_up=2, save_every=4, learning_rate=2e-3)
    second = train.Trainer(longer, samples, Colours())
    with caplog.at_level(logging.INFO):
        assert train.train(second, tmp_path).progress.step == 12
    assert "going on from step 8" in caplog.text
    weights = [dict(t.generator.named_parameters())["look.weight"] for t in (first, second)]
    assert not torch.equal(*weights)
    save_generator(tmp_path / "taft.safetensors", second.generator)
    assert load_generator(tmp_path / "taft.safetensors").config.width == 8


@pytest.mark.usefixtures("small")
def test_long_clips_are_drawn_more_often_but_less_than_linearly(folder: Path) -> None:
    clip = data.Samples([folder]).clips[0]
    samples = data.Samples([])
    assert train._clip_balanced(samples).size == 0  # whoever makes batches elsewhere has none here
    samples.clips = [{"mask": clip["mask"][:4]}, {"mask": np.zeros((16, 2, 2))}]
    chance = train._clip_balanced(samples)
    assert len(chance) == len(clip["mask"][:4]) + 16
    assert chance.sum() == pytest.approx(1)
    few, many = chance[:-16].sum(), chance[-16:].sum()
    assert many / few == pytest.approx((16 / len(clip["mask"][:4])) ** 0.5)


def test_a_seed_decides_on_weights_and_on_samples(folder: Path) -> None:
    samples = data.Samples([folder])

    def start(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        made = train.Trainer(train.TrainSettings(batch=2, seed=seed), samples, Colours())
        return made.generator.state_dict()["look.weight"], next(made.batches()).truth

    (weights, truth), again, other = start(0), start(0), start(1)
    assert torch.equal(weights, again[0])
    assert torch.equal(truth, again[1])
    assert not torch.equal(weights, other[0])
    assert not torch.equal(truth, other[1])


def test_g4g_learns_with_all_its_terms_or_without_some(
    folder: Path, tmp_path: Path, monkeypatch
) -> None:
    heard = tmp_path / "heard"
    shutil.copytree(folder, heard)
    np.save(heard / "sound.npy", np.eye(5, 8, dtype=np.float32))
    monkeypatch.setitem(g.PRESETS, "g4g", SMALL["g4g"])
    monkeypatch.setattr(contrast, "STEPS", 3)
    samples, weights = data.Samples([heard]), replace(weights_of("g4g"), contrast=1.0)
    settings = train.TrainSettings("g4g", batch=1, warm_up=1, weights=weights)

    def step(*without: str) -> tuple[set[str], g.GeneratorConfig]:
        trainer = train.Trainer(replace(settings, without=without), samples, Colours())
        engine = Engine(trainer.task(), settings.schedule)
        return set(engine.step(next(trainer.batches()))), engine.judged.config

    terms, config = step()
    assert {"scales", "contrast"} <= terms
    assert config == SMALL["g4g"]
    terms, config = step("contrast", "scales")
    assert not {"scales", "contrast"} & terms
    assert config == replace(SMALL["g4g"], scales=1)


@pytest.mark.usefixtures("small")
def test_a_run_that_goes_on_sees_the_batches_of_one_that_was_not_stopped(folder: Path) -> None:
    trainer = train.Trainer(train.TrainSettings(batch=1), data.Samples([folder]), Colours())
    whole = list(islice(trainer.batches(), 3))
    later = next(trainer.batches(step=2))
    assert torch.equal(later.truth, whole[2].truth)
    assert later.places == whole[2].places
    assert not torch.equal(whole[0].truth, whole[1].truth)


class Painted(nn.Module):
    """A stand-in for the generator: always the same picture, which can be learned."""

    def __init__(self, picture: torch.Tensor) -> None:
        super().__init__()
        self.picture = nn.Parameter(picture)

    def forward(self, _inputs: g.GeneratorInput) -> torch.Tensor:
        return self.picture


@pytest.fixture
def trainer(small: None, folder: Path) -> train.Trainer:
    """As it is by default, but for the batch and a generator that takes no time."""
    return train.Trainer(train.TrainSettings(batch=2), data.Samples([folder]), Colours())


def taught(trainer: train.Trainer, batch: data.Batch, picture: torch.Tensor) -> tuple:
    """The loss's terms for a picture, and which way each of its pixels is pushed."""
    painted = Painted(picture)
    terms = trainer.terms(painted, batch)
    terms["total"].backward()
    return {name: float(term.detach()) for name, term in terms.items()}, painted.picture.grad


def test_nothing_is_asked_of_a_picture_where_the_frame_stays(trainer: train.Trainer) -> None:
    """Only what will be pasted is judged: elsewhere any picture is as good as another."""
    batch = next(trainer.batches())
    kept = (batch.alpha == 0).expand_as(batch.truth)
    torch.manual_seed(0)
    picture = torch.rand_like(batch.truth)
    terms, push = taught(trainer, batch, picture)
    assert kept.float().mean() > 0.1
    assert (push[kept] == 0).all()
    assert (push[(batch.alpha == 1).expand_as(push)] != 0).float().mean() > 0.95
    other = torch.where(kept, torch.rand_like(picture), picture)
    assert taught(trainer, batch, other)[0] == pytest.approx(terms, rel=1e-5)


def test_the_same_error_costs_three_times_as_much_in_the_mouth(trainer: train.Trainer) -> None:
    """Of the photometric loss, by the paper's plain mean elsewhere (eq. 10)."""
    batch = next(trainer.batches())
    pasted = batch.alpha == 1
    costs = []
    for place in (pasted & (batch.mouth == 1), pasted & (batch.mouth == 0)):
        assert place.sum() > 500
        picture = batch.truth + 0.2 * place
        error = 0.2 * float(place.float().mean())
        costs.append(taught(trainer, batch, picture)[0]["photo"] / error)
    assert costs == pytest.approx([3, 1], rel=1e-4)


@pytest.mark.usefixtures("small")
def test_a_repeated_batch_is_learned(folder: Path) -> None:
    samples = data.Samples([folder])
    settings = train.TrainSettings(batch=2, warm_up=1, learning_rate=3e-3, steps=1000)
    trainer = train.Trainer(settings, samples, Colours())
    batch = next(trainer.batches())
    engine = Engine(trainer.task(), settings.schedule)
    losses = [float(engine.step(batch)["total"]) for _ in range(15)]
    assert losses[-1] < 0.8 * losses[0]
