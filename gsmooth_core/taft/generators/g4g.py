"""The preset of G4G (arXiv 2402.18122): align, deform, fuse, on top of fusion by frequency.

Its three visual networks, built for a stage where the mesh has done the coarse work already:

- *fine-grained alignment*: features of the landmarks (here the mesh's regions, I_b's mask) take
  on the identity of the references by adaptive instance normalisation and residual blocks;
- *multi-scale perception*: features of the references are deformed from coarse to fine, under a
  mask for each scale, and each scale makes a picture that is supervised in training;
- *deformation fusion*: a last network smooths the contour and takes artefacts away.

Its sound guides the face through the mesh, which speech drives (A2EP), and through the diagonal
contrast of training (`training.taft.contrast`). Every block ends in a layer that begins at zero:
untrained, this is preset "detail", whose weights it is started from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gsmooth_core.taft.generators.detail import DetailGenerator
from gsmooth_core.taft.generators.fusion import FAINT, SLOPE, conv3, shift, split, zeroed
from gsmooth_core.taft.generators.interface import HINTS, GeneratorConfig, GeneratorInput

_SPREAD = 1e-4  # least variance of a feature that is normalised
_FARTHEST = 0.5  # of a deformation at a scale, in pixels of that scale
_PATCH = 4  # side in pixels of what the fusing network makes at once
_WIDTH = 32  # its features


class Deformed(NamedTuple):
    """What deformation makes of K references.

    Attributes:
        flow: (B*K, 2, H/4, W/4) in pixels of the whole resolution.
        score: (B*K, 1, H/4, W/4) sum of the scales' masks, as logarithms.
        pictures: (B, 3, H/n, W/n) of each scale, coarsest first; only in training.
    """

    flow: Tensor
    score: Tensor
    pictures: tuple[Tensor, ...]


class G4gGenerator(DetailGenerator):
    """`DetailGenerator` with alignment, deformation and fusion of G4G; each can be left out.

    Attributes:
        coarse: pictures of the coarser scales of the last forward pass in training mode, coarsest
            first; what the multi-scale supervision is computed from.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__(config)
        levels = range(1, config.scales + 1)  # 1 is a quarter of the resolution
        widths = [min(config.width * 2**level, config.max_width) for level in levels]
        self.align = Alignment(config.width, widths) if config.alignment and levels else None
        self.deform = Deformation(config.width, widths) if config.deformation and levels else None
        self.mend = Mending(config.max_residual) if config.fusion else None
        self.coarse: tuple[Tensor, ...] = ()

    def forward(self, x: GeneratorInput[Tensor]) -> Tensor:
        """Return (B, 3, H, W) picture, 0..1."""
        looks = self._look(x)
        smaller = _halvings(looks, self.config.scales)
        decoded, *coarser = self._scales(x, looks, smaller)
        logits, flow, more = self._weighed(x, looks, decoded)
        if self.deform is not None:
            done = self.deform(x, smaller, coarser)
            self.coarse = done.pictures
            flow = flow + _resized(done.flow, flow.shape[-2:])
            score = _resized(done.score, x.blend.shape[-2:])
            logits = logits + split(score, logits.shape[1])
        picture = self._fused(x, logits, flow, more, decoded)
        if self.mend is not None:
            picture = picture + self.mend(picture, x)
        return self._finished(picture, decoded)

    def _scales(
        self, x: GeneratorInput[Tensor], looks: Tensor, smaller: Sequence[Tensor]
    ) -> list[Tensor]:
        """Features of the new face at each scale, finest first, aligned to the identity."""
        skips = self._encoded(x, looks)
        if self.align is not None:
            for level, aligned in enumerate(self.align(x, smaller[0]), 1):
                skips[level] = skips[level] + aligned
        made = [skips.pop()]
        for up in self.up:
            made.insert(0, up(made[0], skips.pop()))
        return made


class Alignment(nn.Module):
    """Intra-modal alignment: the pose of the landmarks in the identity of the references.

    AdaIN(p, r) = sigma(r) (p - mu(p)) / std(p) + mu(r), where p are features of the pose, and
    mu(r) and sigma(r) come from the mean and deviation of the references' features; then a
    residual block.

    Args:
        inputs: features of a reference.
        widths: features at each scale, finest first.
    """

    def __init__(self, inputs: int, widths: Sequence[int]) -> None:
        super().__init__()
        chain = zip((1 + HINTS, *widths), widths, strict=False)
        self.pose = nn.ModuleList(conv3(a, b, 2) for a, b in chain)
        self.style = nn.ModuleList(nn.Linear(2 * inputs, 2 * width) for width in widths)
        self.residual = nn.ModuleList(zeroed(conv3(width, width)) for width in widths)

    def forward(self, x: GeneratorInput[Tensor], looks: Tensor) -> list[Tensor]:
        """What is added to the features of the new face: (B, C', H/4, W/4), ...

        Args:
            x: the batch.
            looks: (B*K, C, H/4, W/4) features of each reference.
        """
        identity = _identity(looks, x.validity)  # (B, 2 C)
        pose, made = F.avg_pool2d(torch.cat([x.mask, x.hints], 1), 2), []
        for step, style, residual in zip(self.pose, self.style, self.residual, strict=True):
            pose = F.leaky_relu(step(pose), SLOPE)
            scale, mean = style(identity)[..., None, None].chunk(2, 1)
            made.append(residual(F.leaky_relu(_normal(pose) * (1 + scale) + mean, SLOPE)))
        return made


class Deformation(nn.Module):
    """Multi-scale perception: references are deformed and masked from coarse to fine.

    Args:
        inputs: features of a reference.
        widths: features of the new face at each scale, finest first.
    """

    def __init__(self, inputs: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.new = nn.ModuleList(nn.Conv2d(width, inputs, 1) for width in widths)
        self.own = nn.ModuleList(conv3(inputs, inputs) for _ in widths)
        self.move = nn.ModuleList(zeroed(conv3(inputs, 3)) for _ in widths)  # flow, mask

    def forward(self, x: GeneratorInput[Tensor], looks: Tensor, new: Sequence[Tensor]) -> Deformed:
        """Deform the references of a batch.

        Args:
            x: the batch.
            looks: (B*K, C, H/4, W/4) features of each reference, then at half of it, ...
            new: features of the new face in the same sizes; further ones do not count.
        """
        count, pictures = x.references.shape[1], []
        flow, score = (looks[-1].new_zeros(len(looks[-1]), n, 1, 1) for n in (2, 1))
        for level in reversed(range(len(looks))):
            seen, pixels = looks[level], 4 * 2**level  # of the whole resolution
            flow, score = (_resized(part, seen.shape[-2:]) for part in (flow, score))
            if level < len(looks) - 1:  # as the coarser scales have deformed them
                seen = shift(seen, flow / pixels)
            both = split(self.own[level](seen), count) + self.new[level](new[level])[:, None]
            moved = self.move[level](F.leaky_relu(both.flatten(0, 1), SLOPE))
            flow = flow + torch.tanh(moved[:, :2]) * _FARTHEST * pixels
            score = score + moved[:, 2:]
            if self.training:
                pictures.append(_picture(x, flow / pixels, score, pixels))
        return Deformed(flow, score, tuple(pictures))


class Mending(nn.Module):
    """Deformation fusion: smooths the contour, takes artefacts away, at three scales.

    Args:
        most: largest correction of a colour.
    """

    def __init__(self, most: float) -> None:
        super().__init__()
        self.most = most
        self.first = nn.Conv2d(3 + 3 + 1, _WIDTH, 2 * _PATCH, _PATCH, _PATCH // 2)
        self.fine = zeroed(conv3(_WIDTH, 3 * _PATCH**2))
        self.down = nn.ModuleList(conv3(_WIDTH, _WIDTH, 2) for _ in range(2))
        self.wide = nn.ModuleList(zeroed(conv3(_WIDTH, 3)) for _ in range(2))

    def forward(self, picture: Tensor, x: GeneratorInput[Tensor]) -> Tensor:
        """(B, 3, H, W) what is added to the picture, which is seen beside I_b and its mask."""
        seen = F.leaky_relu(self.first(torch.cat([picture, x.blend, x.mask], 1)), SLOPE)
        added = F.pixel_shuffle(self.fine(seen), _PATCH)
        for down, wide in zip(self.down, self.wide, strict=True):
            seen = F.leaky_relu(down(seen), SLOPE)
            added = added + _resized(wide(seen), picture.shape[-2:])
        return torch.tanh(added) * self.most


def _picture(x: GeneratorInput[Tensor], flow: Tensor, score: Tensor, pixels: int) -> Tensor:
    """(B, 3, H/n, W/n) the references of one scale, deformed, as its masks choose among them."""
    count = x.references.shape[1]
    moved = shift(F.avg_pool2d(x.references.flatten(0, 1), pixels), flow)
    seen = F.avg_pool2d(x.validity.flatten(0, 1), pixels)
    weight = torch.softmax(split(score + torch.log(seen + FAINT), count), 1)
    return (split(moved, count) * weight).sum(1)


def _identity(looks: Tensor, validity: Tensor) -> Tensor:
    """(B, 2 C) mean and deviation of the references' features, where they can be believed.

    Args:
        looks: (B*K, C, h, w)
        validity: (B, K, 1, H, W)
    """
    count, pixels = validity.shape[1], validity.shape[-1] // looks.shape[-1]
    weight = F.avg_pool2d(validity.flatten(0, 1), pixels) + FAINT
    total = _summed(weight, count)
    mean = _summed(looks * weight, count) / total
    apart = (looks - mean.repeat_interleave(count, 0)[..., None, None]) ** 2
    return torch.cat([mean, torch.sqrt(_summed(apart * weight, count) / total + _SPREAD)], 1)


def _summed(x: Tensor, count: int) -> Tensor:
    """(B, C) mean over pixels, summed over references, of (B*K, C, h, w)."""
    return split(F.adaptive_avg_pool2d(x, 1), count).sum(1).flatten(1)


def _normal(features: Tensor) -> Tensor:
    """(B, C, h, w) features of mean 0 and deviation 1 over their pixels."""
    apart = features - features.mean((2, 3), keepdim=True)
    return apart / torch.sqrt((apart**2).mean((2, 3), keepdim=True) + _SPREAD)


def _halvings(features: Tensor, count: int) -> list[Tensor]:
    """The features at half their size, at a quarter, ..."""
    made: list[Tensor] = []
    for _ in range(count):
        features = F.avg_pool2d(features, 2)
        made.append(features)
    return made


def _resized(x: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(x, tuple(size), mode="bilinear", align_corners=False)
