"""How ExpNet learns: single windows, a reference frame of the same clip, and lids by their blink.

Losses and weights are the paper's, as far as they can be: coefficients (of the lips, from our
tracked pictures, where the paper has a network's that knows lips alone), landmarks of the lips in
the paper's pixels, and the lids' opening against the blink that is asked for. The lip-reading loss
is missing: there is no lip-reading network here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import Tensor, nn

from gsmooth_core.a2ep.components import LIDS, mirror_order
from gsmooth_core.a2ep.expnet import ExpNet
from gsmooth_core.face.mouth import eye_distance
from gsmooth_core.portrait.lid_check import EYES, opening
from gsmooth_core.storage.arrays import load_track
from gsmooth_core.types import Bool, Float
from training.a2ep.batches import chances
from training.a2ep.data import AMPLITUDE_RANGE, Utterance, at_times, driven_curves, frame_times
from training.a2ep.face import LIPS, SpeechFace
from training.a2ep.fit import FitSettings
from training.engine import Engine, Task, drawn

COEFFICIENTS, LANDMARKS, BLINK = 2.0, 0.01, 4.0
"""The paper's weights."""

EYES_APART = 90.0
"""Pixels between the outer eye corners in the paper's pictures of 224 x 224."""

OPEN = 90
"""Percentile of a clip's lid openings that counts as open."""

JUDGED = 250
"""Frames of each held-out clip that choose the best step."""


@dataclass(frozen=True)
class Shown:
    """One way to hear a clip, and what is seen in it.

    Attributes:
        features: (T + 2 context, F) their ends repeated.
        expression: (T, E + 2) the person's own, its two sides averaged; the lids last.
        blink: (T,) how far the eyes are shut, 0..1, as the picture shows it.
        valid: (T,) frames with a usable face.
    """

    features: Float
    expression: Float
    blink: Float
    valid: Bool


@dataclass(frozen=True)
class Windows:
    """N frames, each by itself.

    Attributes:
        features: (N, 2 context + 1, F)
        reference: (N, E + 2) expression of another frame of the clip.
        expression: (N, E + 2)
        blink: (N,) what is asked of the lids.
    """

    features: Tensor
    reference: Tensor
    expression: Tensor
    blink: Tensor

    def to(self, device: torch.device) -> Windows:
        """The same on another device."""
        return Windows(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


def blinks_of(landmarks: Float) -> Float:
    """(T, 478, 2) -> (T,) how far the eyes are shut, by what the clip has for open."""
    apart = np.stack([opening(points).mean() for points in np.nan_to_num(landmarks)])
    shown = np.isfinite(landmarks).all(axis=(1, 2))
    usual = float(np.percentile(apart[shown], OPEN)) if shown.any() else 1.0
    return np.asarray(np.clip(1 - apart / max(usual, 1e-6), 0, 1), np.float32)


def shown_in(utterance: Utterance, cache: Path, face: SpeechFace, context: int) -> list[Shown]:
    """The takes of a clip as ExpNet sees them."""
    track = load_track(cache / "tracks" / f"{utterance.sample.stem}.safetensors")
    seen = np.column_stack([driven_curves(track, LIDS), blinks_of(track.landmarks)])
    mean = (utterance.mean + utterance.mean[mirror_order(face.names)]) / 2
    amplitude = np.clip(utterance.amplitude, *AMPLITUDE_RANGE)
    found = []
    for take in utterance.takes:
        times = frame_times(len(take.valid), take.speed)
        eyes, _ = at_times(seen, track.usable, float(track.fps), times)
        own = np.column_stack([take.targets * amplitude + mean, eyes[:, : len(LIDS)]])
        padded = np.pad(take.features, ((context, context), (0, 0)), mode="edge")
        found.append(Shown(padded, own.astype(np.float32), eyes[:, -1], take.valid))
    return found


def draw(
    clips: Sequence[Sequence[Shown]],
    often: NDArray[np.float64],
    size: int,
    context: int,
    rng: np.random.Generator,
) -> Windows:
    """Draw `size` frames; half of them are asked for any blink, the others for the true one."""
    rows = []
    for index in rng.choice(len(clips), size, p=often):
        shown = clips[index][int(rng.integers(len(clips[index])))]
        at, other = rng.choice(np.flatnonzero(shown.valid), 2)
        blink = float(rng.random()) if rng.random() < 0.5 else float(shown.blink[at])
        window = shown.features[at : at + 2 * context + 1]
        rows.append((window, shown.expression[other], shown.expression[at], np.float32(blink)))
    columns = (np.stack(column).astype(np.float32) for column in zip(*rows, strict=True))
    return Windows(*(torch.from_numpy(column) for column in columns))


class ExpNetStudent(nn.Module):
    """What is trained.

    Args:
        decoder: to train.
    """

    def __init__(self, decoder: ExpNet) -> None:
        super().__init__()
        self.decoder = decoder
        self.encoder: nn.Module | None = None  # features are the cache's

    def forward(self, batch: Windows) -> Tensor:
        """(N, E + 2) expressions."""
        heard = self.decoder.hear(batch.features)
        return self.decoder(heard, batch.reference, batch.blink[:, None])[:, 0]  # type: ignore[no-any-return]


class ExpNetLoss(nn.Module):
    """Coefficients and landmarks of the lips, and the lids against the blink asked for.

    Args:
        face: the mean face with what speech drives.
        scale: (E,) typical size of each component.
    """

    lips: Tensor
    lids: Tensor
    rest: Tensor
    scale: Tensor

    def __init__(self, face: SpeechFace, scale: Tensor) -> None:
        super().__init__()
        model = face.model
        pixels = EYES_APART / eye_distance(face.landmarks[None])[0]
        places = [model.expression_names.index(name) for name in LIDS]
        shut = model.landmarks(model.mean[None] + model.expression_basis[places])
        self.register_buffer("scale", scale.clone())
        self.register_buffer("lips", torch.from_numpy(face.landmark_basis[:, list(LIPS)] * pixels))
        self.register_buffer("lids", torch.from_numpy(shut - face.landmarks))
        self.register_buffer("rest", torch.from_numpy(face.landmarks))

    def openings(self, lids: Tensor) -> Tensor:
        """(N, 2) lids -> (N, 2) height over width of each eye, over that of the open one."""
        made = self._ratio(self.rest + torch.einsum("nl,lkc->nkc", lids, self.lids))
        return made / self._ratio(self.rest[None])

    @staticmethod
    def _ratio(points: Tensor) -> Tensor:
        found = []
        for left, right, pairs in EYES:
            heights = [points[:, a, 1] - points[:, b, 1] for a, b in pairs]
            width = torch.linalg.vector_norm(points[:, left] - points[:, right], dim=-1)
            found.append(torch.stack(heights).mean(0) / width)
        return torch.stack(found, dim=1)

    def forward(self, made: Tensor, batch: Windows) -> dict[str, Tensor]:
        """(N, E + 2) -> the terms and their sum."""
        count = len(self.scale)
        error = made[:, :count] - batch.expression[:, :count]
        coefficients = (error / self.scale).square().mean()
        landmarks = torch.einsum("ne,elc->nlc", error, self.lips)[..., :2].square().sum(-1).mean()
        blink = (self.openings(made[:, count:]) - (1 - batch.blink[:, None])).abs().mean()
        total = COEFFICIENTS * coefficients + LANDMARKS * landmarks + BLINK * blink
        return {"coefficients": coefficients, "landmarks": landmarks, "blink": blink,
                "total": total}  # fmt: skip


def moved(net: ExpNet, shown: Shown) -> tuple[Float, Float]:
    """(T, E) what the net says of a clip's valid frames, and the truth, each around its mean."""
    frames = slice(0, JUDGED)
    first = int(np.flatnonzero(shown.valid)[0])
    heard = net.heard(shown.features[: JUDGED + 2 * net.context])
    made = net.expressed(net.start(shown.expression[first]), heard, 0, len(heard))
    valid, count = shown.valid[frames], len(net.scale)
    said, true = made[valid, :count], shown.expression[frames][valid, :count]
    return said - said.mean(axis=0), true - true.mean(axis=0)


def products(net: ExpNet, clips: Sequence[Shown], gram: Float) -> Float:
    """(clips, 3) <p, p>, <p, y>, <y, y> of predicted and true movement (see `train.products`)."""
    net.eval()
    pairs = (moved(net, shown) for shown in clips)
    return np.array([[np.sum(a @ gram * b) for a, b in ((p, p), (p, y), (y, y))] for p, y in pairs])


def missed(net: ExpNet, clips: Sequence[Shown], gram: Float) -> float:
    """Share of the vertices' movement that is missed at the best amplitude, mean over clips."""
    pp, py, yy = products(net, clips, gram).T
    return float(np.mean(1 - py * np.abs(py) / np.maximum(pp * yy, 1e-12)))


def new_net(net: ExpNet, clips: Sequence[Sequence[Shown]]) -> ExpNet:
    """A net at its start: sizes and mean of what it is to make."""
    own = np.concatenate([shown[0].expression[shown[0].valid] for shown in clips])
    around = np.concatenate(
        [shown[0].expression[shown[0].valid] - shown[0].expression[shown[0].valid].mean(axis=0)
         for shown in clips]
    )  # fmt: skip
    net.mean.copy_(torch.from_numpy(own.mean(axis=0)))
    net.scale.copy_(torch.from_numpy(around.std(axis=0)[: len(net.scale)] + 1e-4))
    return net


def train_expnet(
    net: ExpNet,
    taught: Sequence[tuple[Utterance, int]],
    judged: Sequence[Utterance],
    face: SpeechFace,
    cache: Path,
    fit: FitSettings,
    state: Path,
) -> tuple[ExpNetStudent, Float]:
    """Train a new net.

    Args:
        net: at its start.
        taught: clips to learn from, and the number of who speaks in each.
        judged: clips of others, who decide which step was the best.
        face: of the mean person.
        cache: what `training.prepare` made.
        fit: how.
        state: file that a stopped training goes on from.

    Returns:
        the student at its best step; (clips, 3) its `products` on the judged clips.
    """
    context = net.context
    clips = [shown_in(u, cache, face, context) for u, _ in taught]
    others = [shown_in(u, cache, face, context)[0] for u in judged]
    often = chances([shown[0].valid for shown in clips], [style for _, style in taught])
    student = ExpNetStudent(new_net(net, clips))
    loss = ExpNetLoss(face, net.scale).to(Accelerator().device)
    optimiser = torch.optim.AdamW(student.parameters(), fit.rate, weight_decay=fit.weight_decay)
    task = Task(
        student,
        optimiser,
        drawn(lambda rng: draw(clips, often, fit.batch, context, rng), fit.seed),
        lambda now, batch: loss(now(here := batch.to(loss.rest.device)), here),
        lambda now: missed(cast(ExpNetStudent, now).decoder, others, face.gram),
    )
    best = cast(ExpNetStudent, Engine(task, fit.schedule, state).run()).cpu()
    return best, products(best.decoder, others, face.gram)


def of_first_frame(net: ExpNet, utterance: Utterance, cache: Path, face: SpeechFace) -> Float:
    """(T, E) what is said of a clip with its first usable frame for a reference, nothing else."""
    (shown,) = shown_in(replace(utterance, takes=utterance.takes[:1]), cache, face, net.context)
    reference = shown.expression[int(np.flatnonzero(shown.valid)[0])]
    heard = net.heard(shown.features)
    made = net.expressed(net.start(reference), heard, 0, len(heard))
    return made[:, : len(net.scale)]
