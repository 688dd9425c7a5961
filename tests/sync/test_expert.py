"""The expert as a model and as a file."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

from gsmooth_core.errors import ModelError
from gsmooth_core.models import registry
from gsmooth_core.storage.arrays import load_arrays, save_arrays
from gsmooth_core.sync import load_sync_expert
from gsmooth_core.sync.expert import SyncConfig
from gsmooth_core.sync.load import load_expert
from gsmooth_core.sync.model import SyncExpert, save_expert
from gsmooth_core.sync.windows import Lips

SMALL = SyncConfig(components=4, sound=12, width=8, embedding=6)


@pytest.fixture
def expert():
    torch.manual_seed(3)
    made = SyncExpert(SMALL).eval()
    made.basis.copy_(torch.randn(made.basis.shape))
    made.null.fill_(0.5)
    return made


def lips(frames=40, seed=0):
    dice = np.random.default_rng(seed)
    return Lips(dice.normal(size=(frames, 96)).astype(np.float32), np.ones(frames, bool))


def test_embeddings_have_unit_length(expert):
    made = expert.embed_lips(lips())
    assert made.shape == (40, 6)
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)


def test_an_embedding_sees_its_window_and_no_more(expert):
    sound = np.random.default_rng(1).normal(size=(40, 12)).astype(np.float32)
    before = expert.embed_features(sound)
    sound[20] += 5
    changed = np.flatnonzero(np.abs(expert.embed_features(sound) - before).max(axis=1) > 1e-6)
    reach = SMALL.window // 2
    assert (changed.min(), changed.max()) == (20 - reach, 20 + reach)


def test_the_persons_mouth_at_rest_and_its_reach_do_not_matter(expert):
    """Lips that are thicker, or move a little wider, are the same speech."""
    plain = lips()
    other = Lips(plain.shape * 1.2 + np.linspace(-1, 1, 96, dtype=np.float32), plain.valid)
    expert.spread.fill_(10.0)
    np.testing.assert_allclose(expert.embed_lips(other), expert.embed_lips(plain), atol=1e-4)


def test_a_mouth_that_hardly_moves_is_not_blown_up(expert):
    still = Lips(lips().shape * 1e-4, np.ones(40, bool))
    moved = expert.movement(still.shape, still.valid)
    assert np.abs(moved).max() < 0.01


def test_threshold_falls_with_the_root_of_the_length(expert):
    assert expert.threshold(100) == pytest.approx(0.05)
    assert expert.threshold(400) == pytest.approx(0.025)


def test_file_gives_the_same_expert_back(expert, tmp_path):
    path = tmp_path / "own.safetensors"
    save_expert(path, expert, {"note": 1})
    again = load_sync_expert(path)
    assert again.config == SMALL
    np.testing.assert_allclose(
        again.embed_lips(lips()), expert.embed_lips(lips()), atol=5e-3
    )  # half precision
    assert not any(module.training for module in again.modules())


def test_file_is_read_once_until_it_is_replaced(expert, tmp_path):
    path = tmp_path / "own.safetensors"
    save_expert(path, expert, {})
    times = path.stat()
    first = load_sync_expert(path)
    assert load_sync_expert(path) is first
    expert.null.fill_(0.25)
    save_expert(path, expert, {})
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # the same time, the same size
    assert float(load_sync_expert(path).null) == 0.25


def test_damaged_files_are_refused(expert, tmp_path):
    path = tmp_path / "own.safetensors"
    with pytest.raises(ModelError, match="no file"):
        load_expert(path)
    path.write_bytes(b"nothing")
    with pytest.raises(ModelError, match="cannot be read"):
        load_expert(path)
    save_arrays(path, "track", {"a": np.zeros(2)}, {})
    with pytest.raises(ModelError, match="not a sync file"):
        load_expert(path)


@pytest.mark.parametrize("fault", ["nan", "shape", "missing", "setting"])
def test_faulty_content_is_refused(expert, tmp_path, fault):
    path = tmp_path / "own.safetensors"
    save_expert(path, expert, {})
    arrays, meta = load_arrays(path, "sync")
    if fault == "nan":
        arrays["basis"][0, 0] = np.nan
    elif fault == "shape":
        arrays["lips.leave.weight"] = arrays["lips.leave.weight"][:3]
    elif fault == "missing":
        del arrays["sound.enter.weight"]
    else:
        meta["config"]["colour"] = "blue"
    save_arrays(path, "sync", arrays, meta)
    with pytest.raises(ModelError, match=r"no numbers|the shape|is missing|unknown settings"):
        load_expert(path)


def test_shipped_expert_fits_the_shipped_ears():
    """It was trained on what the shipped A2EP's encoder hears; another encoder needs another."""
    path = registry.locate("sync")
    _, meta = load_arrays(path, "sync")
    from gsmooth_core.sync.sound import fingerprint

    np.testing.assert_allclose(fingerprint(), meta["about"]["ears"], atol=0.02)
    assert path.stat().st_size < 5_000_000


def test_weights_that_run_away_together_are_found(expert):
    with torch.no_grad():
        for parameter in expert.parameters():
            parameter.fill_(float("inf"))
    with pytest.raises(ModelError, match="no numbers"):
        expert.embed_lips(lips())
