"""Training steps on the card: they teach, and how long one takes."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from gsmooth_core.a2ep import A2EPConfig
from gsmooth_core.a2ep.decoder import ExpressionDecoder
from gsmooth_core.a2ep.encoders import Wav2VecFrames
from gsmooth_core.a2ep.mel import BLOCK
from gsmooth_core.face.load import load_face_model
from gsmooth_core.sync.expert import SyncConfig
from gsmooth_core.sync.model import SyncExpert
from tests.gpu import made
from tests.gpu.clock import timed
from tests.gpu.part import Part
from training.a2ep.batches import Batch as SpeechBatch
from training.a2ep.data import driven_names
from training.a2ep.face import speech_face
from training.a2ep.fit import Student
from training.a2ep.fit import fit_task as speech_task
from training.a2ep.plans import PLANS, Supervision
from training.a2ep.train import loss_of
from training.engine import Engine
from training.sync.fit import Batch as SyncBatch
from training.sync.fit import FitSettings as SyncSettings
from training.sync.fit import fit_task as sync_task
from training.taft.data import WINDOW, Samples
from training.taft.data import Batch as TaftBatch
from training.taft.losses import Trunk
from training.taft.train import Trainer, TrainSettings

STEPS, LONG = 30, 150
"""Steps after which a loss on one batch is lower; A2EP's decoder starts nearly right."""
STYLES = 40
SMALL_WAV2VEC = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
                 "intermediate_size": 64, "conv_dim": [32] * 7}  # fmt: skip
"""For a rehearsal; the defaults are wav2vec 2.0 base."""
VGG16 = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)


def run(part: Part) -> None:
    logging.basicConfig(level=logging.WARNING)
    taft, speech, sync = ((2,), 2, 4) if part.quick else ((4, 32), 32, 64)
    for batch in taft:
        with part.attempt(f"taft_batch{batch}"):
            taught(part, f"taft_batch{batch}", batch, taft_step(part.device, batch))
    with part.attempt("a2ep"):
        taught(part, f"a2ep_batch{speech}", speech, a2ep_step(speech), LONG)
    with part.attempt("a2ep_paper"):
        paper, small = (1, SMALL_WAV2VEC) if part.quick else (8, {})
        step = paper_step(paper, 25 if part.quick else 100, small)
        taught(part, f"a2ep_paper_batch{paper}", paper, step)
    with part.attempt("sync"):
        taught(part, f"sync_batch{sync}", sync, sync_step(sync))


def taught(
    part: Part, name: str, batch: int, step: Callable[[], float], steps: int = STEPS
) -> None:
    """Take steps on one batch: the loss falls; then time more of them."""
    losses = [step() for _ in range(5 if part.quick else steps)]
    part.figure(f"{name}_loss", {"first": losses[0], "last": losses[-1]})
    part.check(f"{name}: losses are numbers", holds=all(map(math.isfinite, losses)))
    if not part.quick:
        fell = np.mean(losses[-5:]) < np.mean(losses[:5])
        part.check(f"{name}: the loss falls", holds=bool(fell))
    timing = timed(step, part.device, 1.0)
    part.figure(f"{name}_step", {**vars(timing), "samples_per_second": timing.per_second(batch)})
    if part.device.type == "cuda":
        part.figure(f"{name}_peak_mib", torch.cuda.max_memory_allocated(part.device) / 2**20)
        torch.cuda.reset_peak_memory_stats(part.device)


def trunk() -> Trunk:
    """Of VGG-16's shape, three stages, with noise for weights."""
    dice = torch.Generator().manual_seed(0)
    pairs = zip((3, *VGG16), VGG16, strict=False)
    layers = [
        (torch.randn(b, a, 3, 3, generator=dice) * (2 / (9 * a)) ** 0.5, torch.zeros(b))
        for a, b in pairs
    ]
    return Trunk(layers, 3, blur=True)


def taft_step(device: torch.device, batch: int) -> Callable[[], float]:
    """Steps of the shipped preset on windows as in training."""
    trainer = Trainer(TrainSettings(batch=batch), Samples([]), trunk())
    if trainer.device.type != device.type:
        raise RuntimeError(f"accelerate took {trainer.device}, not {device}")
    return steps_on(Engine(trainer.task(), trainer.settings.schedule), taft_batch(batch))


def steps_on(engine: Engine[Any], batch: object) -> Callable[[], float]:
    """Steps on one batch; each gives the loss."""
    return lambda: float(engine.step(batch)["total"])


def taft_batch(batch: int) -> TaftBatch:
    """Windows whose truth is the references' mean, somewhat brighter."""
    inputs = made.crops(batch, WINDOW, WINDOW, 7)
    truth = (inputs.references.mean(1) * 0.9 + 0.1).clamp(0, 1)
    mouth = torch.zeros_like(inputs.mask)
    mouth[..., WINDOW // 2 : -WINDOW // 4, WINDOW // 3 : -WINDOW // 3] = 1
    return TaftBatch(inputs, truth, inputs.mask, mouth)


def speech_batch(heard: Tensor, components: int) -> SpeechBatch:
    """(B, T, W) of what is heard; the truth follows it and is larger."""
    size, frames = heard.shape[:2]
    dice = torch.Generator().manual_seed(1)
    targets = 1.5 * heard[..., :components] + 0.02 * torch.randn(
        size, frames, components, generator=dice
    )
    style = torch.eye(STYLES)[torch.arange(size) % STYLES]
    return SpeechBatch(heard, targets, torch.ones(size, frames), style, 3)


def speech_engine(
    config: A2EPConfig, plan: str, encoder: Wav2VecFrames | None, batch: SpeechBatch
) -> Engine[SpeechBatch]:
    """A student and its engine by a plan's settings, on the device that accelerate takes."""
    model = load_face_model()
    face = speech_face(model, driven_names(model.expression_names))
    config = replace(config, components=len(face.names), styles=STYLES)
    torch.manual_seed(0)
    student = Student(ExpressionDecoder(config), encoder)
    student.decoder.scale.fill_(0.2 if encoder is None else 1.0)  # the size of what is heard
    settings = replace(PLANS[plan].fit, steps=1000)
    loss = loss_of(Supervision(), face).to(Accelerator().device)
    task = speech_task(student, loss, settings, lambda _: batch, lambda _: 0.0)
    return Engine(task, settings.schedule)


def a2ep_step(batch: int) -> Callable[[], float]:
    """Steps of the default plan: the decoder alone learns."""
    plan = PLANS["default"]
    dice = torch.Generator().manual_seed(0)
    heard = 0.2 * torch.randn(batch, plan.fit.frames, components(), generator=dice)
    lesson = speech_batch(heard, components())
    return steps_on(speech_engine(plan.config, "default", None, lesson), lesson)


def components() -> int:
    """How many components speech drives."""
    return len(driven_names(load_face_model().expression_names))


def paper_step(batch: int, frames: int, settings: dict[str, Any]) -> Callable[[], float]:
    """Steps of the paper's plan: wav2vec 2.0 learns as well; its weights start as noise."""
    encoder = Wav2VecFrames(settings)
    width = encoder.wav2vec.config.hidden_size
    config = replace(PLANS["paper"].config, encoder_width=width)
    dice = torch.Generator().manual_seed(0)
    sound = 0.1 * torch.randn(batch, frames, BLOCK, generator=dice)
    lesson = speech_batch(sound, components())
    return steps_on(speech_engine(config, "paper", encoder, lesson), lesson)


def sync_step(batch: int) -> Callable[[], float]:
    """Steps of the sync expert; lips and sound are mixtures of the same curves."""
    config, settings = SyncConfig(), SyncSettings(batch=batch)
    torch.manual_seed(0)
    task = sync_task(SyncExpert(config), settings, [], lambda _: 0.0)
    curves = torch.randn(batch, settings.frames, 8)
    lips, sound = (curves @ torch.randn(8, n) for n in (config.components, config.sound))
    lesson = SyncBatch(lips, sound, torch.ones(batch, settings.frames, dtype=torch.bool))
    return steps_on(Engine(task, settings.schedule), lesson)
