"""Train A2EP: `python -m training.a2ep --preset default --footage DIR --cache DIR --output DIR`.

Reads what `training.prepare` made. Writes `a2ep.safetensors` (the checkpoint), `figures.json`
(validation speakers, clip by clip) and `state.pt`, from which a stopped run goes on. With
`accelerate launch -m training.a2ep ...` it runs on many devices.
"""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import asdict, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from gsmooth_core.a2ep import A2EPConfig
from gsmooth_core.a2ep.decoder import ExpressionDecoder
from gsmooth_core.a2ep.expnet import ExpNet
from gsmooth_core.a2ep.loss import VertexLoss
from gsmooth_core.a2ep.mel import BLOCK
from gsmooth_core.a2ep.model import A2EP, save_checkpoint
from gsmooth_core.errors import InputError
from gsmooth_core.face.load import load_face_model
from gsmooth_core.types import Float
from training.a2ep.batches import Lesson, draw, weights_of
from training.a2ep.data import Reading, Utterance, driven_names, folds_of, of_part, read_cache
from training.a2ep.expnet import ExpNetStudent, train_expnet
from training.a2ep.face import SpeechFace, speech_face
from training.a2ep.finish import finish
from training.a2ep.fit import Student, fit_task
from training.a2ep.measure import Figures
from training.a2ep.plans import PLANS, Plan, Supervision
from training.a2ep.ridge import cross_fit
from training.a2ep.validate import table
from training.engine import Engine
from training.footage import Footage, add_footage, chosen_footage
from training.prepare import chosen_encoder, load_speech
from training.split import Part

SPOKEN = 150  # frames of a clip that can hold a pause
MOST_GAIN = 10.0  # what a checkpoint may have: who needs more has learned nothing to be made louder
AMPLITUDE = 0.7  # of the true one that a prediction is given; lips that close add to it

log = logging.getLogger(__name__)


def sound_blocks(audio: Float, frames: int) -> Float:
    """(S,) samples -> (frames, 640)."""
    audio = audio[: frames * BLOCK]
    return np.pad(audio, (0, frames * BLOCK - len(audio))).reshape(frames, BLOCK)


def make_lessons(
    utterances: list[Utterance], plan: Plan, cache: Path, styles: list[str]
) -> tuple[list[Lesson], Float | None]:
    """What the decoder learns from, and the weights of the ridge that hears first (or None)."""
    weights: Float | None = None
    if plan.config.direct:
        folds = folds_of(utterances, plan.folds)
        weights, heard = cross_fit(utterances, folds, plan.config.context, plan.penalty)
    elif plan.train_encoder:
        sounds = (
            load_speech(cache / "speech" / f"{u.sample.stem}.safetensors") for u in utterances
        )
        heard = [
            (sound_blocks(audio, len(u.takes[0].valid)),)
            for u, audio in zip(utterances, sounds, strict=True)
        ]
    else:
        heard = [tuple(take.features for take in u.takes) for u in utterances]
    lessons = [
        Lesson(
            tuple(parts),
            tuple(take.targets for take in u.takes[: len(parts)]),
            tuple(take.valid for take in u.takes[: len(parts)]),
            styles.index(u.sample.speaker),
        )
        for u, parts in zip(utterances, heard, strict=True)
    ]
    return lessons, weights


def loss_of(supervision: Supervision, face: SpeechFace) -> VertexLoss:
    """Eq. 8, or what takes its place."""
    if supervision.vertices:
        return VertexLoss(face.basis, face.model.mouth_mask, supervision.lambda_mouth)
    return VertexLoss.of_components(len(face.names), float(np.trace(face.gram)))


def new_decoder(
    config: A2EPConfig, utterances: list[Utterance], weights: Float | None
) -> ExpressionDecoder:
    """A decoder at its start: component sizes from the data, the ridge in its direct path."""
    decoder = ExpressionDecoder(config)
    moved = np.concatenate([u.takes[0].targets[u.takes[0].valid] for u in utterances])
    decoder.scale.copy_(torch.from_numpy(moved.std(axis=0) + 1e-4))
    if decoder.direct is not None and weights is not None:
        window, width = 2 * config.context + 1, config.encoder_width
        kernel = weights.T.reshape(-1, window, width).transpose(0, 2, 1)  # (E, F, window)
        decoder.direct.weight.data.copy_(torch.from_numpy(kernel.copy()))
        nn.init.zeros_(decoder.direct.bias)  # type: ignore[arg-type]
    return decoder


@torch.inference_mode()
def speak(student: Student, lesson: Lesson) -> Tensor:
    """(T, E) what the student says of a clip, free-running and without a style."""
    device = next(student.parameters()).device
    heard = torch.from_numpy(np.ascontiguousarray(lesson.heard[0]))[None].to(device)
    if student.encoder is not None:
        heard = student.encoder(heard.flatten(1), heard.shape[1])
    decoder = student.decoder
    style = torch.zeros(1, decoder.config.styles, device=device)
    return decoder.run(decoder.start(), heard, style, 0, heard.shape[1])[0].cpu()


def products(made: Tensor, lesson: Lesson, loss: VertexLoss) -> tuple[float, float, float]:
    """<p, p>, <p, y>, <y, y> of prediction and truth in eq. 8's measure of vertices."""
    valid = torch.from_numpy(lesson.valid[0])
    p, y = made[valid], torch.from_numpy(lesson.targets[0])[valid]
    pairs = ((p, p), (p, y), (y, y))
    gram = loss.gram.cpu()
    pp, py, yy = (float(torch.einsum("te,ef,tf->", a, gram, b)) for a, b in pairs)
    return pp, py, yy


def held_out_error(student: Student, lessons: list[Lesson], loss: VertexLoss) -> float:
    """Share of the vertices' movement that is missed at the best amplitude, mean over clips.

    The amplitude does not count: a cautious model would win by moving too little. It is set
    afterwards (`held_out_gain`).
    """
    found = [products(speak(student, lesson), lesson, loss) for lesson in lessons]
    return float(np.mean([1 - py * abs(py) / max(pp * yy, 1e-12) for pp, py, yy in found]))


def held_out_gain(student: Student, lessons: list[Lesson], loss: VertexLoss) -> float:
    """Factor that gives predictions of held-out speakers `AMPLITUDE` of their true movement."""
    return gain_of(np.array([products(speak(student, lesson), lesson, loss) for lesson in lessons]))


def gain_of(found: Float) -> float:
    """The same, of (clips, 3) `products`."""
    gain = AMPLITUDE * float(np.mean(np.sqrt(found[:, 2] / np.maximum(found[:, 0], 1e-12))))
    return min(gain, MOST_GAIN)


def train(
    plan: Plan,
    utterances: list[Utterance],
    face: SpeechFace,
    cache: Path,
    output: Path,
    encoder: nn.Module,
) -> tuple[Student | ExpNetStudent, float]:
    """Train on the utterances; their held-out fold decides when to stop.

    Returns:
        the student at its best step, and the gain for its output.

    Raises:
        InputError: the utterances are of one person.
    """
    styles = sorted({u.sample.speaker for u in utterances})
    if len(set(folds_of(utterances, plan.folds))) < 2:
        raise InputError(
            "All clips to train on show one person.",
            "Another is needed, who is held out to choose the best step.",
        )
    config = replace(plan.config, components=len(face.names), styles=len(styles))
    if config.decoder == "expnet":
        return _train_expnet(replace(plan, config=replace(config, styles=1)), utterances, face,
                             cache, output)  # fmt: skip
    lessons, weights = make_lessons(utterances, plan, cache, styles)
    torch.manual_seed(plan.fit.seed)
    student = Student(
        new_decoder(config, utterances, weights), encoder if plan.train_encoder else None
    )
    loss = loss_of(plan.supervision, face)
    taught, judged = split_lessons(lessons, folds_of(utterances, plan.folds), plan)
    chances, fit = weights_of(taught), plan.fit
    task = fit_task(
        student,
        loss.to(Accelerator().device),
        fit,
        lambda rng: draw(taught, chances, fit.batch, fit.frames, len(styles), config.period, rng),
        lambda now: held_out_error(cast(Student, now), judged, loss),
    )
    best = cast(Student, Engine(task, fit.schedule, output / "state.pt").run())
    return best.cpu(), held_out_gain(best, judged, loss)


def _train_expnet(
    plan: Plan, utterances: list[Utterance], face: SpeechFace, cache: Path, output: Path
) -> tuple[ExpNetStudent, float]:
    """`train` of a plan whose decoder is ExpNet."""
    styles = sorted({u.sample.speaker for u in utterances})
    pairs = list(zip(utterances, folds_of(utterances, plan.folds), strict=True))
    taught = [(u, styles.index(u.sample.speaker)) for u, fold in pairs if fold != plan.held_out]
    held_out = [u for u, fold in pairs if fold == plan.held_out]
    long = [u for u in held_out if u.takes[0].valid.sum() > plan.fit.frames] or held_out
    torch.manual_seed(plan.fit.seed)
    state = output / "state.pt"
    student, found = train_expnet(ExpNet(plan.config), taught, long, face, cache, plan.fit, state)
    return student, gain_of(found)


def split_lessons(
    lessons: list[Lesson], folds: list[int], plan: Plan
) -> tuple[list[Lesson], list[Lesson]]:
    """Those that teach, and those of held-out speakers that are long enough to judge by."""
    pairs = list(zip(lessons, folds, strict=True))
    taught = [lesson for lesson, fold in pairs if fold != plan.held_out]
    held_out = [lesson for lesson, fold in pairs if fold == plan.held_out]
    return taught, [x for x in held_out if x.valid[0].sum() > plan.fit.frames] or held_out


def build(
    plan: Plan,
    utterances: list[Utterance],
    face: SpeechFace,
    cache: Path,
    output: Path,
    encoder: nn.Module,
    all_names: tuple[str, ...],
) -> A2EP:
    """Train on the utterances and make a whole model of it, ready to speak."""
    student, gain = train(plan, utterances, face, cache, output, encoder)
    folds = folds_of(utterances, plan.folds)
    long = [u for u in utterances if len(u.weights) > SPOKEN] or utterances
    spoken = [load_speech(cache / "speech" / f"{u.sample.stem}.safetensors") for u in long]
    return finish(student, gain, encoder, utterances, face, all_names, folds, spoken)


def run(
    plan: Plan, footage: Footage, cache: Path, output: Path, encoder_name: str | None
) -> dict[str, Figures]:
    """Train, write the checkpoint, validate; returns the figures of the validation clips."""
    output.mkdir(parents=True, exist_ok=True)
    model = load_face_model()
    face = speech_face(model, driven_names(model.expression_names))
    name, encoder = chosen_encoder(plan.config.encoder if encoder_name is None else encoder_name)
    reading = Reading(plan.config.normalise, plan.supervision.template)
    utterances = read_cache(footage, cache, name, face, reading)
    training = of_part(utterances, Part.TRAIN)
    if not training:
        raise InputError(
            "The cache holds no clip to train on.", "Run `python -m training.prepare`."
        )
    whole = build(plan, training, face, cache, output, encoder, model.expression_names)
    figures = table(whole, face, cache, of_part(utterances, Part.VALIDATION))
    about = {"preset": asdict(plan), "figures": {k: asdict(v) for k, v in figures.items()}}
    if Accelerator().is_main_process:
        save_checkpoint(output / "a2ep.safetensors", whole, about)
        text = json.dumps(about["figures"], indent=1)
        (output / "figures.json").write_text(text, encoding="utf-8")
    return figures


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.a2ep", description="Train speech to expression."
    )
    parser.add_argument("--preset", choices=sorted(PLANS), default="default")
    add_footage(parser)
    parser.add_argument("--cache", type=Path, required=True, help="what training.prepare made")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--encoder", help="a wav2vec 2.0 folder, for the paper's preset")
    parser.add_argument("--steps", type=int, help="optimiser steps; the preset says otherwise")
    parser.add_argument("--seed", type=int, default=0, help="of initialisation and batches")
    return parser.parse_args()


def main() -> None:
    """Entry point."""
    options = parse()
    plan = PLANS[options.preset]
    steps = plan.fit.steps if options.steps is None else options.steps
    plan = replace(plan, fit=replace(plan.fit, steps=steps, seed=options.seed))
    figures = run(plan, chosen_footage(options), options.cache, options.output, options.encoder)
    for stem, row in figures.items():
        log.info("%-32s %s", stem[:32], row.row())
    log.info("%-32s %s", "mean", Figures.mean(list(figures.values())).row())
