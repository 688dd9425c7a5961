"""Training from a pack: samples held on one device, what is packed, and a short run of it all."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from gsmooth_core.storage.arrays import save_track
from gsmooth_core.taft.generators import generator as g
from gsmooth_core.taft.generators.checkpoint import load_generator, save_generator
from tests.taft import scene
from training.footage import Footage, Sample
from training.taft import critic, data, pack, packed, unpack, validate
from training.taft.losses import Trunk
from training.taft.objective import PATCH, mouth_patches
from training.taft.store import STORED, VARIANTS, Store, with_masks

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def arrays() -> list[dict[str, np.ndarray]]:
    """Samples of a drawn clip with their masks."""
    clip = scene.track(40)
    pictures = scene.pictures(clip)
    made = [
        data.sample_arrays(composition, truth, 6)
        for composition, truth in data.composed(
            pictures, clip, scene.face_model(), [0, 20, 39], data.reconstruction()
        )
    ]
    return with_masks(made, np.random.default_rng(0))


@pytest.fixture(scope="module")
def folder(arrays: list[dict[str, np.ndarray]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("taft") / "drawn"
    data.store(place, arrays, STORED)
    return place


def test_every_sample_has_its_own_mask_and_others(arrays: list[dict[str, np.ndarray]]) -> None:
    for sample in arrays:
        assert sample["mask"].shape == sample["alpha"].shape == (VARIANTS, *sample["region"].shape)
        assert (sample["alpha"][sample["mask"] > 0] == 255).all()
    sums = {int(mask.sum()) for sample in arrays for mask in sample["mask"]}
    assert len(sums) > VARIANTS


def test_batches_are_windows_of_the_samples(folder: Path) -> None:
    store = Store([folder], CPU, 3)
    batch = store.draw(5)
    side = data.WINDOW
    assert batch.inputs.references.shape == (5, 7, 3, side, side)
    assert batch.inputs.validity.shape == (5, 7, 1, side, side)
    assert batch.inputs.hints.sum(1).max() == 1
    assert set(batch.inputs.mask.unique().tolist()) == {0, 1}
    assert all(part.min() >= 0 and part.max() <= 1 for part in (batch.truth, batch.alpha))
    hidden = (batch.inputs.mask > 0).expand_as(batch.truth)
    assert torch.equal(batch.inputs.blend[~hidden], batch.truth[~hidden])
    assert not torch.equal(batch.inputs.blend[hidden], batch.truth[hidden])


def test_one_light_falls_on_truth_and_references(folder: Path, monkeypatch) -> None:
    plain, lit = Store([folder], CPU, 3), Store([folder], CPU, 3)
    monkeypatch.setattr(plain, "_light", lambda _s, size, n: 2 * (torch.ones(size, n, 1, 1, 1),))
    a, b = plain.draw(4), lit.draw(4)
    change = [
        (y.mean((-1, -2, -3)) - x.mean((-1, -2, -3))).reshape(4, -1).mean(1)
        for x, y in ((a.truth, b.truth), (a.inputs.references, b.inputs.references))
    ]
    assert change[0].abs().max() > 0.01
    assert torch.allclose(*change, atol=0.03)


def test_mouths_are_cut_around_the_mouth(folder: Path) -> None:
    batch = Store([folder], CPU, 1).draw(6)
    mouths, truths = mouth_patches(batch.mouth.expand(-1, 3, -1, -1), batch)
    assert mouths.shape == truths.shape == (6, 3, *PATCH)
    whole = batch.mouth.sum((1, 2, 3))
    assert (mouths[:, 0].sum((1, 2)) > 0.9 * whole).all()
    assert (whole > 50).all()


def test_nothing_of_the_truth_under_a_mask_is_given(folder: Path) -> None:
    clean, poisoned = Store([folder], CPU, 2), Store([folder], CPU, 2)
    under = (poisoned.arrays["mask"] > 0).all(1)[:, None].expand_as(poisoned.arrays["truth"])
    poisoned.arrays["truth"][under] = 7
    a, b = clean.draw(3), poisoned.draw(3)
    for name in ("references", "validity", "hints", "mask"):
        assert torch.equal(getattr(a.inputs, name), getattr(b.inputs, name))
    hidden = (a.inputs.mask > 0).expand_as(a.truth)
    assert torch.equal(a.inputs.blend[hidden], b.inputs.blend[hidden])


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A drawn clip as a video file."""
    path = tmp_path / "drawn.mp4"
    pictures = scene.pictures(scene.track(40))
    height, width = pictures[0].shape[:2]
    code = cv2.VideoWriter_fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(path), code, 25.0, (width, height))
    for picture in pictures:
        writer.write(np.ascontiguousarray(picture[..., ::-1]))
    writer.release()
    return path


def test_a_clip_is_packed_with_its_track_and_read_again(film: Path, tmp_path: Path) -> None:
    shot, exposed = np.arange(40, dtype=np.int32) // 8, np.linspace(0, 1, 40, dtype=np.float32)
    people = shot[:, None] % 2 == 0
    area = np.tile(np.int32([0, 10, scene.WIDTH, scene.HEIGHT]), (40, 1))
    clip = replace(scene.track(40), shot=shot, people=people, exposed=exposed, area=area)
    (tmp_path / "tracks").mkdir()
    save_track(tmp_path / "tracks" / "drawn.safetensors", clip)
    (tmp_path / "pack").mkdir()
    size = pack.pack_clip(Sample(film, "nobody", 0, False), tmp_path, tmp_path / "pack", 1.0)
    packed_film = tmp_path / "pack" / "drawn.mp4"
    track, pictures = unpack.packed_track(packed_film), list(unpack.pictures(packed_film))
    assert size == sum(path.stat().st_size for path in (tmp_path / "pack").iterdir())
    assert 25 <= len(track) == len(pictures) < 40
    np.testing.assert_array_equal(track.expression, clip.expression[: len(track)])
    np.testing.assert_array_equal(track.shot, shot[: len(track)])
    np.testing.assert_array_equal(track.area, area[: len(track)])
    np.testing.assert_array_equal(track.exposed, exposed[: len(track)])
    np.testing.assert_array_equal(track.people, people[: len(track)])
    assert track.fps == Fraction(25)
    assert not track.landmarks.any()
    truth = scene.pictures(clip)[len(track) - 1]
    assert np.abs(pictures[-1].astype(float) - truth).mean() < 12


def test_a_film_whose_frames_another_reader_numbers_differently_is_left_out(
    film: Path, tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "tracks").mkdir()
    save_track(tmp_path / "tracks" / "drawn.safetensors", scene.track(40))
    (tmp_path / "pack").mkdir()
    monkeypatch.setattr(
        pack, "pictures", lambda path: (pictures := list(unpack.pictures(path)))[1:] + pictures[:1]
    )
    assert pack.pack_clip(Sample(film, "nobody", 0, False), tmp_path, tmp_path / "pack", 9) == 0
    assert not list((tmp_path / "pack").iterdir())


def test_the_packed_trunk_sees_what_the_whole_one_does(tmp_path: Path) -> None:
    torch.manual_seed(0)
    widths = [3, 8, 8, 16, 16, 32, *[32] * 8]
    pairs = [(0.3 * torch.randn(b, a, 3, 3), 0.1 * torch.randn(b)) for a, b in pairwise(widths)]
    trunk = Trunk(pairs, unpack.STAGES, blur=True)
    pack.pack_trunk(trunk, tmp_path / "trunk.safetensors")
    again, image = unpack.packed_trunk(tmp_path / "trunk.safetensors"), torch.rand(1, 3, 32, 32)
    for a, b in zip(trunk(image), again(image), strict=True):
        assert (a - b).abs().mean() < 0.01 * a.mean()


class Colours(nn.Module):
    """A stand-in for the perceptual trunk."""

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        return [images]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A small checkpoint of the default preset to start from; presets are small."""
    for name in ("default", "detail"):
        monkeypatch.setitem(g.PRESETS, name, replace(g.PRESETS[name], width=8, max_width=16))
    torch.manual_seed(5)
    save_generator(tmp_path / "init.safetensors", g.build(g.PRESETS["default"]))
    return tmp_path / "init.safetensors"


SETTINGS = packed.PackedSettings(batch=2, steps=6, learning_rate=2e-3)


def trainer_of(
    settings: packed.PackedSettings, folder: Path, init: Path, minutes: float = 5.0
) -> packed.PackedTrainer:
    store = Store([folder], CPU, 0)
    return packed.PackedTrainer(settings, packed.WEIGHTS, Colours(), store, init, minutes)


def test_a_run_starts_from_a_checkpoint_and_leaves_one(
    folder: Path, small: Path, tmp_path: Path
) -> None:
    trainer, start = trainer_of(SETTINGS, folder, small), load_generator(small).state_dict()
    begun = trainer.generator.state_dict()
    assert all(torch.equal(begun[name], value) for name, value in start.items())
    assert packed.train(trainer, tmp_path) == 6
    made = load_generator(tmp_path / "taft.safetensors")
    assert made.config == g.PRESETS["detail"]
    changed = made.state_dict()
    assert not torch.equal(changed["gain.weight"], torch.zeros_like(changed["gain.weight"]))
    assert not torch.equal(changed["look.weight"], start["look.weight"])


def test_what_is_kept_is_a_mean_of_the_weights(folder: Path, small: Path) -> None:
    trainer = trainer_of(replace(SETTINGS, average=0.9), folder, small)
    engine = trainer.engine()
    kept = engine.run().state_dict()["look.weight"]
    last, first = (m.state_dict()["look.weight"] for m in (trainer.generator, load(small)))
    assert 0 < (kept - first).norm() < (last - first).norm()


def load(path: Path) -> nn.Module:
    return load_generator(path)


def test_a_critic_is_heard_after_a_while(folder: Path, small: Path, monkeypatch) -> None:
    now = [100.0]
    monkeypatch.setattr(packed.time, "monotonic", lambda: now[0])
    trainer = trainer_of(replace(SETTINGS, adversarial=0.1, judged=0.5), folder, small, minutes=10)
    batch = trainer.store.draw(2)
    terms = []
    for now[0] in (390.0, 410.0):
        found = trainer.terms(trainer.generator, batch)
        terms.append({name: float(term.detach()) for name, term in found.items()})
    assert terms[0]["photo"] == terms[1]["photo"]
    assert terms[0]["total"] != pytest.approx(terms[1]["total"], abs=1e-3)


def test_a_critic_learns_what_is_true(folder: Path) -> None:
    batch = Store([folder], CPU, 0).draw(2)
    judge, (true, _) = critic.Judge(CPU, 2e-3), mouth_patches(batch.truth, batch)
    before = judge.critic(true).mean()
    for _ in range(30):
        judge.learn(torch.rand(2, 3, *PATCH), true)
    after = judge.critic(true).mean()
    assert after > before + 0.1
    assert judge.fooled(torch.rand(2, 3, *PATCH)) > -after


def test_a_run_ends_when_its_time_is_over(folder: Path, small: Path, tmp_path: Path) -> None:
    trainer = trainer_of(replace(SETTINGS, steps=10**9), folder, small, minutes=0.05)
    begun = time.monotonic()
    assert packed.train(trainer, tmp_path) > 0
    assert time.monotonic() - begun < 60


def test_the_program_unpacks_and_trains(
    film: Path, small: Path, tmp_path: Path, monkeypatch
) -> None:
    place = tmp_path / "pack"
    place.mkdir()
    film.rename(place / "drawn.mp4")
    pack.pack_track(place / "drawn.mp4", scene.track(40))
    monkeypatch.setattr(unpack, "load_face_model", scene.face_model)
    monkeypatch.setattr(unpack, "workers", Here)
    monkeypatch.setattr(packed, "packed_trunk", lambda _path: Colours())
    words = ["packed", "--pack", str(place), "--output", str(tmp_path / "out"), "--steps", "2"]
    more = ["--batch", "2", "--every", "15", "--init", str(small)]
    monkeypatch.setattr("sys.argv", [*words, *more])
    packed.main()
    assert len(Store(sorted((tmp_path / "taft-samples").iterdir()), CPU, 0)) == 3
    first = (tmp_path / "out" / "log.txt").read_text(encoding="utf-8").splitlines()[0]
    assert json.loads(first)["steps"] == 2
    assert load_generator(tmp_path / "out" / "taft.safetensors").config.width == 8


class Here:
    """A pool of processes that works in this one."""

    def __init__(self, *_: object) -> None:
        self.map = map

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def test_checkpoints_are_measured_beside_the_shipped_one(
    arrays: list[dict[str, np.ndarray]], small: Path, tmp_path: Path, monkeypatch
) -> None:
    plain = [{**sample, "mask": sample["mask"][0]} for sample in arrays]
    data.store(tmp_path / "clip", plain)
    monkeypatch.setattr(validate, "folders", lambda *_: [tmp_path / "clip"])
    figures = validate.validate([small], Footage(tmp_path), tmp_path, 2)
    assert list(figures) == ["shipped", tmp_path.name]
    assert figures["shipped"].mouth_psnr > figures[tmp_path.name].mouth_psnr - 5
    whole = validate.validate([], Footage(tmp_path), tmp_path, 9)["shipped"]
    assert whole != figures["shipped"]
