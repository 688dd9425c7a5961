"""The training loop on a small regression: limits, resuming, averaging, validation, seeds."""

from __future__ import annotations

import copy
import logging
import re
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

pytest.importorskip("accelerate")

from gsmooth_core.errors import InputError
from training.engine import Engine, Schedule, Task, drawn
from training.progress import learning_rate

PLAIN = Schedule(steps=12, rate=0.05, warm_up=3, check=4, seed=1)
TRUTH = torch.tensor([[1.0, -2.0, 3.0]])


class StoppedError(Exception):
    pass


class Model(nn.Module):
    """A line with dropout, and one number beside it whose gradient is large."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.line = nn.Linear(3, 1)
        self.other = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.line(nn.functional.dropout(x, 0.2, self.training)) + self.other


def task(model: Model | None = None, **changes: object) -> Task[Tensor]:
    model = model or Model()

    def loss(now: nn.Module, x: Tensor) -> dict[str, Tensor]:
        total = 100 * (now(x) - x @ TRUTH.T).square().mean()
        return {"half": total / 2, "total": total}

    def score(now: nn.Module) -> float:
        assert not now.training
        return float((now.line.weight - TRUTH).abs().sum().detach())

    optimiser = torch.optim.SGD(model.parameters(), 1.0, momentum=0.5)
    batches = drawn(lambda rng: torch.from_numpy(rng.normal(size=(8, 3)).astype(np.float32)), 1)
    return replace(Task(model, optimiser, batches, loss, score), **changes)


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("average", [None, 0.9])
@pytest.mark.parametrize("stopped", [5, 8, 11])
def test_a_stopped_run_ends_where_an_uninterrupted_one_does(
    tmp_path: Path, average: float | None, stopped: int
) -> None:
    schedule = replace(PLAIN, average=average)
    whole = Engine(task(), schedule)
    expected = whole.run()
    plain = task()

    def failing(now: nn.Module, x: Tensor) -> dict[str, Tensor]:
        if first.progress.step == stopped:
            raise StoppedError
        return plain.loss(now, x)

    first = Engine(replace(plain, loss=failing), schedule, tmp_path / "state.pt")
    with pytest.raises(StoppedError):
        first.run()
    again = Engine(task(), schedule, tmp_path / "state.pt")
    assert again.progress.step == stopped // 4 * 4
    assert same(again.run(), expected)
    assert again.progress.history == whole.progress.history


def test_validation_comes_first_last_and_every_few_steps_and_the_best_is_kept() -> None:
    scores = iter([9.0, 3.0, 1.0, 2.0])
    seen: list[nn.Module] = []

    def score(now: nn.Module) -> float:
        seen.append(copy.deepcopy(now))
        return next(scores)

    engine = Engine(task(validate=score), replace(PLAIN, steps=10))
    best = engine.run()
    assert engine.progress.history == [(0, 9.0), (4, 3.0), (8, 1.0), (10, 2.0)]
    assert (engine.progress.best, engine.progress.best_step) == (1.0, 8)
    assert same(best, seen[2])
    assert not same(best, seen[3])


def test_without_validation_the_last_step_is_what_comes_out() -> None:
    model = Model()
    engine = Engine(task(model, validate=None), PLAIN)
    assert engine.run() is model
    assert engine.progress.step == 12
    assert not model.training


def test_the_average_follows_the_module_closely_at_first() -> None:
    engine = Engine(task(), replace(PLAIN, average=0.25))
    kept = copy.deepcopy(engine.task.module)
    for step, x in enumerate(islice(engine.task.batches(0, 0), 6)):
        engine.step(x)
        decay = min(0.25, (1 + step) / (10 + step))
        with torch.no_grad():
            for old, now in zip(kept.parameters(), engine.module.parameters(), strict=True):
                old.copy_(decay * old + (1 - decay) * now)
    for a, b in zip(engine.judged.parameters(), kept.parameters(), strict=True):
        torch.testing.assert_close(a, b)
    assert not same(engine.judged, engine.module)


def test_a_gradient_is_held_to_its_norm_in_the_part_that_is_named() -> None:
    """Plain descent moves by rate times gradient, so the step tells the gradient."""
    model = Model()
    engine = Engine(task(model, clipped=model.line), replace(PLAIN, warm_up=1, clip=0.5))
    before = copy.deepcopy(model)
    engine.step(next(engine.task.batches(0, 0)))
    moved = [a - b for a, b in zip(model.line.parameters(), before.line.parameters(), strict=True)]
    norm = torch.cat([part.detach().flatten() for part in moved]).norm()
    assert float(norm) == pytest.approx(0.05 * 0.5, rel=1e-4)
    assert abs(float((model.other - before.other).detach())) > 0.05 * 0.5


def test_the_rate_is_the_schedules() -> None:
    engine = Engine(task(), replace(PLAIN, floor=0.1))
    rates = []
    for step, x in enumerate(islice(engine.task.batches(0, 0), 12)):
        engine.step(x)
        rates.append(
            (engine.optimiser.param_groups[0]["lr"], learning_rate(step, 0.05, 3, step / 12, 0.1))
        )
    assert all(found == expected for found, expected in rates)


def test_time_that_is_over_ends_it_and_leaves_a_state(tmp_path: Path) -> None:
    state = tmp_path / "state.pt"
    engine = Engine(task(), replace(PLAIN, minutes=0.0), state)
    engine.run()
    assert engine.progress.step == 0
    assert Engine(task(), PLAIN, state).progress.history == engine.progress.history != []


def test_the_state_of_another_training_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state.pt"
    Engine(task(), PLAIN, state).run()
    with pytest.raises(InputError, match="another training"):
        Engine(task(), replace(PLAIN, average=0.9), state)


def test_a_seed_decides_what_is_random_in_the_loop() -> None:
    runs = [Engine(task(), replace(PLAIN, seed=seed)).run() for seed in (1, 1, 2)]
    assert same(runs[0], runs[1])
    assert not same(runs[0], runs[2])  # dropout


def test_chance_is_another_at_each_step() -> None:
    rolled: list[float] = []
    plain = task()

    def loss(now: nn.Module, x: Tensor) -> dict[str, Tensor]:
        rolled.append(float(torch.rand(())))
        return plain.loss(now, x)

    Engine(replace(plain, loss=loss), PLAIN).run()
    assert len(set(rolled)) == len(rolled) == 12


def test_batches_depend_on_step_rank_and_seed_alone() -> None:
    def first(step: int, rank: int, seed: int = 3) -> list[float]:
        batches = drawn(lambda rng: float(rng.random()), seed)(step, rank)
        return list(islice(batches, 4))

    assert first(2, 0) == [*first(0, 0)[2:], *first(4, 0)[:2]]
    assert len({*first(0, 0), *first(0, 1), *first(0, 0, 4)}) == 12


def test_smoothed_terms_are_shown(caplog: pytest.LogCaptureFixture) -> None:
    shown: list[float] = []
    plain = task()

    def loss(now: nn.Module, x: Tensor) -> dict[str, Tensor]:
        terms = plain.loss(now, x)
        shown.append(float(terms["half"]))
        return terms

    with caplog.at_level(logging.INFO):
        Engine(replace(plain, loss=loss), replace(PLAIN, steps=25)).run()
    smooth = shown[0]
    for value in shown:
        smooth = 0.97 * smooth + 0.03 * value
    told = re.search(r"step 25: half (\S+)  total", caplog.text)
    assert told
    assert float(told[1]) == pytest.approx(smooth, rel=1e-4)


def test_a_rate_may_follow_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the minutes gone is half of the cosine, whatever the step."""
    now = [0.0]
    monkeypatch.setattr("training.engine.time.monotonic", lambda: now[0])
    schedule = replace(PLAIN, steps=10**6, warm_up=1, minutes=2.0, floor=0.2, by_clock=True)
    engine = Engine(task(), schedule)
    rates = []
    for now[0] in (0.0, 60.0, 119.0, 130.0):
        engine.step(torch.ones(8, 3))
        rates.append(engine.optimiser.param_groups[0]["lr"])
    assert rates == pytest.approx([0.05, 0.05 * 0.6, 0.05 * 0.2, 0.05 * 0.2], abs=1e-5)
