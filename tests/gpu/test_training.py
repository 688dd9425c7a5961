"""The trainings run where accelerate finds a card, and come back from it."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("accelerate")

from gsmooth_core.a2ep import load_checkpoint
from gsmooth_core.evaluation.sync.expert import SyncExpert
from tests.gpu import training
from tests.training.a2ep import speech
from tests.training.sync.test_train import QUICK, SMALL, pair
from training.a2ep import train as a2ep
from training.a2ep.plans import PLANS
from training.sync.fit import Fitter, draw, lesson_of
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


def test_sync_steps_are_those_of_the_processor(card) -> None:
    pairs = [pair(n, f"speaker{n}") for n in range(4)]
    start = new_expert(SMALL, pairs, 0)
    lessons = [lesson_of(p, start) for p in pairs]
    losses = []
    for device in (torch.device("cpu"), card):
        fitter = Fitter(copy.deepcopy(start).to(device), QUICK)
        batches = (draw(lessons, QUICK, np.random.default_rng(n)) for n in range(8))
        losses.append([fitter.step(batch) for batch in batches])
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    assert isinstance(start, SyncExpert)


def test_taft_learns_on_the_card(card) -> None:
    step = training.taft_step(card, 2)
    losses = [step() for _ in range(12)]
    assert np.isfinite(losses).all()
    assert np.mean(losses[-3:]) < np.mean(losses[:3])
