"""The diagonal contrast: its matrix, its encoder on mouths drawn here, its use as a loss."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from training import footage
from training.footage import Sample
from training.split import Part
from training.taft import contrast, data, prepare
from training.taft.objective import PATCH

FRAMES = 6


def drawn(openings: np.ndarray, speaker: float) -> torch.Tensor:
    """(N, 3, *PATCH) mouths: a dark ellipse as tall as they are open, on skin of some shade."""
    y, x = np.mgrid[: PATCH[0], : PATCH[1]].astype(np.float32)
    high = 2 + 20 * openings[:, None, None]
    inside = ((y - 32) / high) ** 2 + ((x - 48) / 30) ** 2 < 1
    grey = torch.from_numpy(np.where(inside, 0.1, speaker).astype(np.float32))
    return grey[:, None].repeat(1, 3, 1, 1)


def hits(encoder: torch.nn.Module, clip: contrast.Pairs) -> float:
    """How many times more often than by chance a mouth's sound is the likest of its clip."""
    with torch.inference_mode():
        alike = encoder(clip.mouths) @ clip.sounds.T
    found = alike.argmax(1) == torch.arange(len(alike), device=alike.device)
    return float(found.float().mean()) * len(alike)


def clip(seed: int, speaker: float) -> contrast.Pairs:
    """Frames whose sound says how far the mouth is open, in no order."""
    order = np.random.default_rng(seed).permutation(FRAMES)
    return contrast.Pairs(drawn(order / FRAMES, speaker), torch.eye(FRAMES)[order])


@pytest.fixture(scope="module")
def encoder() -> contrast.MouthEncoder:
    return contrast.learned([clip(0, 0.5), clip(1, 0.8)], seed=0, steps=40)


def test_the_diagonal_holds_the_positives_both_ways() -> None:
    rng = np.random.default_rng(0)
    mouths, sounds = (rng.normal(size=(5, 3)).astype(np.float32) for _ in range(2))
    pairs = contrast.Pairs(torch.from_numpy(mouths), torch.from_numpy(sounds))
    alike = np.exp(mouths.astype(np.float64) @ sounds.T / 0.1)
    naive = [
        -(np.log(alike[n, n] / alike[n].sum()) + np.log(alike[n, n] / alike[:, n].sum())) / 2
        for n in range(5)
    ]
    np.testing.assert_allclose(contrast.diagonal(pairs), naive, rtol=1e-3, atol=1e-3)


def test_mouths_of_somebody_unseen_are_found_by_their_sound(encoder) -> None:
    new = clip(7, 0.65)
    assert hits(encoder, new) > 3  # times chance
    turned = contrast.Pairs(new.mouths, new.sounds.roll(3, 0))
    assert hits(encoder, turned) < 2


def test_a_seed_decides_and_the_encoder_learns_no_more(encoder) -> None:
    other = contrast.learned([clip(0, 0.5), clip(1, 0.8)], seed=0, steps=2)
    again = contrast.learned([clip(0, 0.5), clip(1, 0.8)], seed=0, steps=2)
    for a, b in zip(other.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
    assert not any(parameter.requires_grad for parameter in encoder.parameters())


@pytest.fixture
def samples(tmp_path: Path) -> data.Samples:
    """A clip whose sound is known, and one whose is not."""
    pairs, folders = clip(0, 0.5), []
    for name in ("heard", "silent"):
        region = np.zeros((FRAMES, 96, 128), np.uint8)
        region[:, 40:48, 60:68] = 2  # around the same middle as the mouths that are drawn
        truth = np.full((FRAMES, 96, 128, 3), 128, np.uint8)
        truth[:, 11:75, 15:111] = np.rint(pairs.mouths.permute(0, 2, 3, 1).numpy() * 255)
        arrays = {"truth": truth, "region": region, "mask": region}
        arrays |= {"references": truth[:, None], "validity": region[:, None]}
        folder = tmp_path / name
        folder.mkdir()
        for field, array in arrays.items():
            np.save(folder / f"{field}.npy", array)
        folders.append(folder)
    np.save(folders[0] / "sound.npy", pairs.sounds.numpy())
    return data.Samples(folders)


def test_pairs_are_read_where_the_sound_is_known(samples: data.Samples) -> None:
    heard, silent = contrast.read_pairs(samples)
    assert silent is None
    truth = clip(0, 0.5)
    assert torch.allclose(heard.mouths, truth.mouths, atol=1 / 255)
    assert torch.equal(heard.sounds, truth.sounds)


def test_a_made_mouth_must_be_told_from_the_others_of_its_clip(
    samples, encoder, monkeypatch
) -> None:
    monkeypatch.setattr(contrast, "learned", lambda *_: encoder)
    loss = contrast.Contrast(samples, seed=0)
    true = clip(0, 0.5).mouths
    places = [(0, n) for n in range(FRAMES)]
    right, wrong = loss(true, places), loss(true.roll(3, 0), places)
    assert right < wrong - 0.5
    single = torch.stack([loss(true[n : n + 1], [(0, n)]) for n in range(FRAMES)])
    assert torch.allclose(single.mean(), right, atol=1e-4)
    made = true[:2].clone().requires_grad_()
    (push,) = torch.autograd.grad(loss(made, [(0, 4), (1, 4)]), made)
    assert push[0].abs().max() > 0
    assert push[1].abs().max() == 0  # nobody knows what it sounds like


def test_without_any_sound_there_is_no_contrast(samples, caplog) -> None:
    samples.sounds = [None, None]
    loss = contrast.Contrast(samples, seed=0)
    assert loss(torch.rand(2, 3, *PATCH), [(0, 1), (1, 1)]) == 0
    assert "no clip has sound" in caplog.text


class Rows:
    """An expert whose vectors are the numbers of their windows."""

    def embed_sound(self, audio: np.ndarray) -> np.ndarray:
        return np.arange(len(audio) // 640, dtype=np.float32)[:, None]


def test_a_frame_is_heard_while_it_is_seen(monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(prepare, "load_expert", lambda _: Rows())

    def audio(path: Path, rate: int, start: float) -> np.ndarray:
        asked.append((path, rate, start))
        return np.zeros(16000)

    monkeypatch.setattr(footage, "read_audio", audio)
    sample = Sample(Path("a.mp4"), "a", 2.5, trusted=True, part=Part.TRAIN)
    at_25, at_50 = (prepare.heard(sample, [0, 7, 20, 90], fps) for fps in (25.0, 50.0))
    assert at_25[:, 0].tolist() == [0, 7, 20, 24]
    assert at_50[:, 0].tolist() == [0, 3, 10, 24]
    assert asked[0] == (Path("a.mp4"), 16000, 0.1)
    assert prepare.heard(replace(sample, trusted=False), [0], 25.0) is None
