"""Training of the sync expert: loss against a twin, drawing, resuming, folds, the CCA."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

pytest.importorskip("accelerate")

from gsmooth_core.errors import InputError
from gsmooth_core.sync.expert import SyncConfig
from gsmooth_core.sync.model import SyncExpert
from gsmooth_core.sync.offset import judge, shifted_distances
from gsmooth_core.sync.windows import Lips
from training.engine import Engine
from training.footage import Sample
from training.sync.cca import correlated_directions, sound_rows, unit, windows
from training.sync.data import Pair, Take, folds_of
from training.sync.evaluate import Row, Trial, summary, text
from training.sync.fit import FitSettings, alignment_loss, draw, lesson_of
from training.sync.train import held_out_loss, new_expert, null_constant, train

SMALL = SyncConfig(components=3, sound=5, width=16, embedding=8, dropout=0.0)
QUICK = FitSettings(steps=60, batch=6, frames=30, warm_up=5, check=20, rate=1e-2)


def pair(seed, speaker, frames=160, folder="clips", trusted=True):
    """Lips of three hidden curves; the sound is a mixture of the same curves, and noise."""
    dice = np.random.default_rng(seed)
    smooth = np.ones(3) / 3
    curves = np.stack([np.convolve(c, smooth, "same") for c in dice.normal(size=(3, frames))], 1)
    shared = np.random.default_rng(0)
    shape = curves @ shared.normal(size=(3, 96)) + dice.normal(size=96)
    sound = curves @ shared.normal(size=(3, 5)) + 0.1 * dice.normal(size=(frames, 5))
    lips = Lips(shape.astype(np.float32), np.ones(frames, bool))
    take = Take(lips, sound.astype(np.float16))
    path = Path("footage") / folder / f"{speaker}_{seed}.mp4"
    return Pair(Sample(path, speaker, 0.0, trusted), (take,))


def unit_rows(seed, *shape):
    torch.manual_seed(seed)
    return F.normalize(torch.randn(*shape), dim=-1)


def test_loss_is_cross_entropy_both_ways():
    """Without blur and without the second term it is what CLIP-like losses are made of."""
    lips, sound = unit_rows(1, 3, 7, 4), unit_rows(2, 3, 7, 4)
    everything = torch.ones(3, 7, dtype=torch.bool)
    logits = 5 * lips.flatten(0, 1) @ sound.flatten(0, 1).T
    target = torch.arange(21)
    expected = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
    found = alignment_loss(lips, sound, everything, torch.tensor(5.0), blur=0, own=0.0)
    torch.testing.assert_close(found, expected)


def test_second_term_knows_one_clip_at_a_time():
    lips, sound = unit_rows(1, 3, 7, 4), unit_rows(2, 3, 7, 4)
    everything = torch.ones(3, 7, dtype=torch.bool)
    found = alignment_loss(lips, sound, everything, torch.tensor(5.0), blur=0, own=1.0)
    alone = [
        alignment_loss(lips[i : i + 1], sound[i : i + 1], everything[:1], torch.tensor(5.0), 0, 0.0)
        for i in range(3)
    ]
    torch.testing.assert_close(found, torch.stack(alone).mean())


def test_neighbours_within_the_blur_are_no_negatives():
    """The loss does not change when a neighbour's sound becomes the same as one's own."""
    lips, sound = unit_rows(1, 1, 9, 4), unit_rows(2, 1, 9, 4)
    everything = torch.ones(1, 9, dtype=torch.bool)
    naive = 0.0
    logits = 5 * lips[0] @ sound[0].T
    for i in range(9):
        for table in (logits, logits.T):
            others = [table[i, j] for j in range(9) if j == i or abs(i - j) > 1]
            naive += float(torch.logsumexp(torch.stack(others), 0) - table[i, i]) / 18
    found = alignment_loss(lips, sound, everything, torch.tensor(5.0), blur=1, own=0.3)
    assert float(found) == pytest.approx(naive, rel=1e-5)


def test_frames_without_a_face_teach_nothing():
    lips, sound = unit_rows(1, 2, 8, 4).requires_grad_(), unit_rows(2, 2, 8, 4)
    valid = torch.rand(2, 8) > 0.4
    alignment_loss(lips, sound, valid, torch.tensor(5.0), 1, 0.5).backward()
    assert (lips.grad[~valid] == 0).all()
    assert (lips.grad[valid].abs().sum(-1) > 0).all()


def test_batches_are_stretches_of_one_clip_and_short_clips_are_filled_up():
    pairs = [pair(1, "a"), pair(2, "b", frames=20)]
    expert = new_expert(SMALL, pairs, 0)
    settings = replace(QUICK, noise=0.0, swing=0.0, batch=40)
    lessons = [lesson_of(p, expert) for p in pairs]
    batch = draw(lessons, settings, np.random.default_rng(0))
    assert batch.lips.shape == (40, 30, 3)
    lengths = set(batch.valid.sum(1).tolist())
    assert lengths == {20, 30}
    whole = lessons[0].takes[0][1]
    for row in range(40):
        if batch.valid[row].all():
            stretch = batch.sound[row].numpy()
            assert any(np.array_equal(stretch, whole[s : s + 30]) for s in range(131))


def test_components_are_those_of_the_movement():
    pairs = [pair(1, "a"), pair(2, "b")]
    expert = new_expert(SMALL, pairs, 0)
    basis = expert.basis.numpy()
    np.testing.assert_allclose(basis.T @ basis, np.eye(3), atol=1e-4)
    shape = pairs[0].takes[0].lips.shape
    moved = shape - shape.mean(axis=0)
    np.testing.assert_allclose(moved @ basis @ basis.T, moved, atol=1e-3)  # rank 3


@pytest.fixture(scope="module")
def trained():
    pairs = [pair(i, f"speaker{i}") for i in range(10)]
    expert, progress = train(pairs, SMALL, QUICK)
    return pairs, expert, progress


def test_training_finds_what_belongs_together(trained):
    _, expert, _ = trained
    stranger = pair(99, "stranger").takes[0]
    lips = expert.embed_lips(stranger.lips)
    sound = expert.embed_features(stranger.sound.astype(np.float32))
    late = np.concatenate([sound[:6], sound])[: len(sound)]
    found = judge(shifted_distances(lips, late, stranger.lips.valid))
    assert found.offset_frames == 6
    assert found.confidence > 3 * expert.threshold(160)


def test_held_out_loss_is_that_of_guessing_before_training():
    pairs = [pair(i, f"speaker{i}") for i in range(3)]
    expert = new_expert(SMALL, pairs, 0).eval()
    with torch.no_grad():  # all windows look the same
        for encoder in (expert.lips, expert.sound):
            encoder.leave.weight.zero_()
            encoder.leave.bias.fill_(1.0)
    untrained = held_out_loss(expert, [lesson_of(p, expert) for p in pairs])
    assert untrained == pytest.approx(np.log(31), rel=1e-4)


def test_best_step_is_kept(trained):
    _, _, progress = trained
    steps, scores = zip(*progress.history, strict=True)
    assert steps == (0, 20, 40, 60)
    assert progress.best == min(scores) < np.log(31)
    assert progress.best_step == steps[int(np.argmin(scores))]


def test_stopped_run_ends_where_an_uninterrupted_one_does(trained, tmp_path):
    pairs, whole, _ = trained
    state = tmp_path / "state.pt"

    class StoppedError(Exception):
        pass

    original, calls = Engine.step, []

    def stop(self, batch):
        calls.append(1)
        if len(calls) == 33:
            raise StoppedError
        return original(self, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "step", stop)
        with pytest.raises(StoppedError):
            train(pairs, SMALL, QUICK, state)
    again, progress = train(pairs, SMALL, QUICK, state)
    assert progress.step == 60
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, atol=1e-5, rtol=1e-4)


def test_another_seed_is_another_expert(trained):
    pairs, whole, _ = trained
    other, _ = train(pairs, SMALL, replace(QUICK, seed=1, steps=20))
    assert not torch.allclose(other.state_dict()["lips.leave.weight"], whole.lips.leave.weight)


def test_one_person_alone_teaches_nobody():
    with pytest.raises(InputError, match="too few people"):
        train([pair(1, "a"), pair(2, "a")], SMALL, QUICK)


def test_threshold_is_rarely_reached_by_wrong_sound(trained):
    pairs, expert, _ = trained
    constant = null_constant(expert, pairs)
    above = total = 0
    for mine in pairs:
        for other in pairs:
            if mine is not other:
                lips = expert.embed_lips(mine.takes[0].lips)
                sound = expert.embed_features(other.takes[0].sound.astype(np.float32))
                found = judge(shifted_distances(lips, sound, mine.takes[0].lips.valid))
                above += found.confidence > constant / 160**0.5
                total += 1
    assert 0 < above / total < 0.1


def test_folds_part_speakers_and_deal_out_those_that_judge():
    pairs = [pair(i, f"long{i % 5}") for i in range(10)]
    pairs += [pair(20 + i, f"short{i}", frames=60) for i in range(5)]
    crowd = pair(40, "crowd", folder="words")
    pairs += [replace(crowd, sample=replace(crowd.sample, many=True))]
    folds = folds_of(pairs, 5)
    assert folds[-1] == -1
    for speaker in {p.sample.speaker for p in pairs[:-1]}:
        assert (
            len({f for p, f in zip(pairs, folds, strict=True) if p.sample.speaker == speaker}) == 1
        )
    assert sorted({f for p, f in zip(pairs, folds, strict=True) if p.judges}) == [0, 1, 2, 3, 4]


def test_only_long_trusted_clips_judge():
    assert pair(1, "a", frames=150).judges
    assert not pair(1, "a", frames=100).judges
    assert not pair(1, "a", trusted=False).judges
    assert not pair(1, "a", folder="words").judges


def test_canonical_directions_find_the_shared_signal():
    dice = np.random.default_rng(0)
    shared = dice.normal(size=(4000, 2)) * (2, 1)
    x = np.concatenate(
        [shared[:, :1] + dice.normal(size=(4000, 1)), dice.normal(size=(4000, 3))], 1
    )
    y = np.concatenate([dice.normal(size=(4000, 2)), shared[:, :1]], 1)
    a, b, correlations = correlated_directions(x - x.mean(0), y - y.mean(0), 2)
    assert correlations[0] == pytest.approx(2 / np.sqrt(5), abs=0.02)  # signal 4, noise 1
    assert correlations[1] < 0.1
    assert abs(np.corrcoef((x @ a)[:, 0], (y @ b)[:, 0])[0, 1]) == pytest.approx(
        correlations[0], abs=0.02
    )
    np.testing.assert_allclose(np.var(x @ a, axis=0), 1, atol=0.05)


def test_windows_hold_three_frames_on_either_side():
    values = np.arange(10, dtype=np.float32)[:, None] * (1, 100)
    made = windows(values)
    assert made.shape == (10, 14)
    np.testing.assert_array_equal(made[5, ::2], [2, 3, 4, 5, 6, 7, 8])
    np.testing.assert_array_equal(made[0, ::2], [0, 0, 0, 0, 1, 2, 3])


def test_sound_rows_are_four_of_13_a_frame():
    audio = np.random.default_rng(0).normal(size=16000).astype(np.float32)
    made = sound_rows(audio)
    assert made.shape == (25, 52)
    np.testing.assert_allclose(np.linalg.norm(unit(made), axis=1), 1, rtol=1e-5)


def row(found, confidence, wrong, truth=2.0, delays=(0, 5, -7)):
    trials = [Trial(d, f, float(f), confidence) for d, f in zip(delays, found, strict=True)]
    return Row("clip", "a", 8.0, True, truth, 1, tuple(trials), tuple(wrong))


def test_summary_counts_delayed_measurements():
    rows = [row((2, 7, -5), 0.4, [0.1, 0.1]), row((2, 9, -4), 0.6, [0.1, 0.7])]
    found = summary(rows)
    assert found["within_1_frame"] == 0.75  # 9 is two frames off
    assert found["within_1_frame_of_manifest"] == 0.5
    assert found["shift_recovered"] == 0.75
    assert (found["confidence"], found["wrong_confidence"]) == pytest.approx((0.5, 0.25))
    assert found["ratio"] == pytest.approx(2.0)
    assert found["above_every_wrong"] == 0.5


def test_table_names_each_expert():
    table = text({"expert": [row((2, 7, -5), 0.4, [0.1])], "cca": [row((2, 7, -5), 0.3, [0.1])]})
    head = table.splitlines()[0]
    assert "expert, long" in head
    assert "cca, long" in head
    assert "| ratio | 4 | 3 |" in table


def test_expert_of_another_size_is_another_model():
    assert SyncConfig().window == 11
    with pytest.raises(RuntimeError):
        SyncExpert(SMALL).load_state_dict(SyncExpert(SyncConfig()).state_dict())
