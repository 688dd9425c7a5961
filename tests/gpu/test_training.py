"""The trainings run where accelerate finds a card, and come back from it."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("accelerate")

from gsmooth_core.a2ep.model import load_checkpoint
from gsmooth_core.sync.model import SyncExpert
from tests.gpu import training
from tests.training.a2ep import speech
from tests.training.sync.test_train import QUICK, SMALL, pair
from training.a2ep import train as a2ep
from training.a2ep.plans import PLANS
from training.engine import Engine, Task
from training.progress import learning_rate
from training.sync.fit import Batch, draw, fit_task, lesson_of
from training.sync.train import new_expert

pytestmark = pytest.mark.gpu


def test_a2ep_is_trained_from_footage_to_a_checkpoint(card, tmp_path) -> None:
    footage, cache = speech.make(tmp_path / "speech")
    plan = PLANS["no-temporal-audio"]
    fit = replace(plan.fit, steps=4, batch=4, frames=50, check=2, warm_up=2)
    figures = a2ep.run(replace(plan, folds=3, fit=fit), footage, cache, tmp_path, None)
    assert all(np.isfinite(row.aperture_r) for row in figures.values())
    model = load_checkpoint(tmp_path / "a2ep.safetensors")
    assert next(model.parameters()).device.type == "cpu"


def by_hand(task: Task[Batch], step: int, batch: Batch) -> float:
    """The loss, and one step of the optimiser, on the processor."""
    for group in task.optimiser.param_groups:
        group["lr"] = learning_rate(step, QUICK.rate, QUICK.warm_up, step / QUICK.steps)
    loss = task.loss(task.module, batch)["total"]
    task.optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(task.clipped.parameters(), 1.0)
    task.optimiser.step()
    return float(loss.detach())


def test_sync_steps_are_those_of_the_processor(card) -> None:
    pairs = [pair(n, f"speaker{n}") for n in range(4)]
    start = new_expert(SMALL, pairs, 0)
    lessons = [lesson_of(p, start) for p in pairs]
    batches = [draw(lessons, QUICK, np.random.default_rng(n)) for n in range(8)]
    mine = fit_task(copy.deepcopy(start), QUICK, lessons, lambda _: 0.0)
    expected = [by_hand(mine, n, batch) for n, batch in enumerate(batches)]
    engine = Engine(fit_task(copy.deepcopy(start), QUICK, lessons, lambda _: 0.0), QUICK.schedule)
    assert next(engine.module.parameters()).device.type == card.type
    found = [float(engine.step(batch)["total"]) for batch in batches]
    assert found == pytest.approx(expected, rel=0.02)
    assert isinstance(start, SyncExpert)


def test_taft_learns_on_the_card(card) -> None:
    step = training.taft_step(card, 2)
    losses = [step() for _ in range(12)]
    assert np.isfinite(losses).all()
    assert np.mean(losses[-3:]) < np.mean(losses[:3])
