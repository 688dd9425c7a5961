"""The diagonal contrast of G4G: in the matrix of mouths and sounds of a clip, pairs stand out.

Its inter-modal alignment: rows are the mouths of a clip's frames, columns are their sounds, and
both ways each finds its own among all others of the same clip, so that neither voice nor person
helps (InfoNCE; the diagonal holds the positives). Sound is heard by the sync expert, which stays
as it is; the mouths' encoder learns from true pictures first, then judges the made ones.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.taft.data import Samples
from training.taft.objective import PATCH, around_mouths

TEMPERATURE = 0.1
STEPS = 400
"""Of the mouths' encoder, a clip each; half a minute of one core."""

_WIDTHS = (3, 16, 32, 64, 64)
_SLOPE = 0.1
_RATE = 1e-3
_LIGHT = 0.1  # deviation of the gain
_JITTER = 3  # pixels

log = logging.getLogger(__name__)


class Pairs(NamedTuple):
    """The frames of a clip: (N, 3, *PATCH) mouths, 0..1, or (N, D) of them; (N, D) sounds."""

    mouths: Tensor
    sounds: Tensor


class MouthEncoder(nn.Module):
    """Mouths (N, 3, *PATCH), 0..1 -> (N, D) of unit length.

    Args:
        size: D.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        layers = [
            nn.Sequential(nn.Conv2d(a, b, 3, 2, 1), nn.LeakyReLU(_SLOPE))
            for a, b in pairwise(_WIDTHS)
        ]
        places = PATCH[0] * PATCH[1] >> 2 * len(layers)
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(_WIDTHS[-1] * places, size))

    def forward(self, mouths: Tensor) -> Tensor:
        """Encode."""
        centred = mouths - mouths.mean((1, 2, 3), keepdim=True)
        return F.normalize(self.layers(4 * centred), dim=1)


def diagonal(pairs: Pairs) -> Tensor:
    """(N,) loss of each pair of (N, D) and (N, D): its sound among all sounds, its mouth too."""
    alike = pairs.mouths @ pairs.sounds.T / TEMPERATURE
    return -(alike.log_softmax(1).diagonal() + alike.log_softmax(0).diagonal()) / 2


def learned(clips: Sequence[Pairs], seed: int, steps: int = STEPS) -> MouthEncoder:
    """An encoder of mouths, taught by true pictures and their sounds; it learns no more.

    Args:
        clips: at least one.
        seed: of its weights and of the order.
        steps: a clip each.
    """
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        encoder = MouthEncoder(clips[0].sounds.shape[1]).to(clips[0].mouths.device)
    optimiser = torch.optim.Adam(encoder.parameters(), _RATE)
    for _ in range(steps):
        mouths, sounds = clips[rng.integers(len(clips))]
        loss = diagonal(Pairs(encoder(_varied(mouths, rng)), sounds)).mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return encoder.eval().requires_grad_(requires_grad=False)


def read_pairs(samples: Samples, device: torch.device | None = None) -> list[Pairs | None]:
    """Mouths and sounds of each clip; None where the sound cannot be trusted."""
    read: list[Pairs | None] = []
    for arrays, sounds in zip(samples.clips, samples.sounds, strict=True):
        if sounds is None:
            read.append(None)
            continue
        region = torch.from_numpy(np.array(arrays["region"]))[:, None]
        truth = torch.from_numpy(np.array(arrays["truth"])).movedim(-1, 1).float() / 255
        mouths = around_mouths(truth, ((region == 1) | (region == 2)).float())
        read.append(Pairs(mouths.to(device), torch.from_numpy(sounds).float().to(device)))
    return read


class Contrast:
    """How well made mouths can be told by the sound of their frames.

    Args:
        samples: of training.
        seed: of the encoder.
        device: where batches are.
    """

    def __init__(self, samples: Samples, seed: int, device: torch.device | None = None) -> None:
        clips = read_pairs(samples, device)
        known = [clip for clip in clips if clip is not None]
        self.encoder = learned(known, seed) if known else None
        if self.encoder is None:
            log.warning("no clip has sound: there is no contrast")
            return
        with torch.no_grad():
            self.clips = [c and Pairs(self.encoder(c.mouths), c.sounds) for c in clips]

    def __call__(self, mouths: Tensor, places: Sequence[tuple[int, int]]) -> Tensor:
        """Mean loss of made mouths (B, 3, *PATCH) in the places of the true ones."""
        losses = [mouths.new_zeros(())]
        if self.encoder is not None:
            for made, (clip, n) in zip(self.encoder(mouths), places, strict=True):
                if self.clips[clip] is not None:
                    losses.append(_among(cast(Pairs, self.clips[clip]), made, n))
        return torch.stack(losses).sum() / max(1, len(places))


def _among(clip: Pairs, made: Tensor, n: int) -> Tensor:
    """Loss of one mouth (D,) among the others of its clip."""
    mouths = torch.cat([clip.mouths[:n], made[None], clip.mouths[n + 1 :]])
    return diagonal(Pairs(mouths, clip.sounds))[n]


def _varied(mouths: Tensor, rng: np.random.Generator) -> Tensor:
    """The mouths of a clip moved, mirrored and lit alike."""
    y, x = rng.integers(-_JITTER, _JITTER + 1, 2).tolist()
    mouths = torch.roll(mouths, (y, x), (2, 3))
    mouths = mouths.flip(3) if rng.random() < 0.5 else mouths
    return (mouths * float(np.exp(rng.normal(0, _LIGHT)))).clamp(0, 1)
