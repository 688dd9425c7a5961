"""What a fit keeps between its steps."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from training.progress import Progress, learning_rate, save_state


def test_the_best_validation_is_kept_whatever_comes_after() -> None:
    model, progress = nn.Linear(2, 2), Progress()
    kept = []
    for step, score in enumerate((3.0, 1.0, 2.0)):
        with torch.no_grad():
            model.weight.fill_(step)
        progress.step = step
        progress.note(score, model)
        kept.append(float(progress.kept["weight"][0, 0]))
    assert kept == [0.0, 1.0, 1.0]
    assert (progress.best, progress.best_step) == (1.0, 1)
    assert progress.history == [(0, 3.0), (1, 1.0), (2, 2.0)]


def test_the_rate_rises_then_falls_to_nothing() -> None:
    rates = [learning_rate(step, 0.1, 10, step / 100) for step in range(101)]
    peak = rates.index(max(rates))
    assert 5 <= peak <= 12
    assert rates[:peak] == sorted(rates[:peak])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[100] == pytest.approx(0, abs=1e-9)


def test_the_cosine_ends_at_the_floor() -> None:
    rates = [learning_rate(step, 2.0, 1, step / 40, 0.05) for step in range(60)]
    assert rates[0] == 2.0
    assert rates[20] == pytest.approx(2.0 * (0.05 + 0.95 / 2))
    assert rates[40:] == pytest.approx([0.1] * 20)  # no second hill


def test_a_stop_while_writing_leaves_the_state_before(tmp_path, monkeypatch) -> None:
    path = tmp_path / "state.pt"
    save_state(path, {"step": 1})

    def stop(state: object, target: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", stop)
    with pytest.raises(KeyboardInterrupt):
        save_state(path, {"step": 2})
    assert torch.load(path, weights_only=True) == {"step": 1}
