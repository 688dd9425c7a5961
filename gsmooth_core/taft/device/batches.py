"""Frames in batches on a device, while the processor's cores begin the next and lay the last."""

from __future__ import annotations

import os
from collections import defaultdict, deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple, Protocol, cast

import torch
from torch import Tensor, nn

from gsmooth_core.taft.compose import Composer
from gsmooth_core.taft.device.lend import DeviceBank, as_picture, lend
from gsmooth_core.taft.generators.interface import Generator as Network
from gsmooth_core.taft.generators.interface import GeneratorInput
from gsmooth_core.taft.lending.lend import Begun
from gsmooth_core.taft.lending.masked import MaskedFrame
from gsmooth_core.taft.mouth.soft_line import soft_line, softened
from gsmooth_core.taft.translated import Translated
from gsmooth_core.taft.warping.box import Corners
from gsmooth_core.types import Float, Image

_MOST_THREADS = 8
_Started = tuple[int, Image, "Future[Begun | None]"]


class Dub(Protocol):
    """What translates single frames, and the steps of it."""

    composer: Composer
    generator: Network

    def begin(self, index: int, frame: Image) -> Begun | None:
        """A frame that is to be made, as far as it goes without references."""
        ...

    def lay(
        self, index: int, frame: Image, masked: MaskedFrame, members: tuple[int, ...], new: Float
    ) -> Translated:
        """Lay the new crop (H, W, 3) over a frame."""
        ...

    def translate(self, index: int, frame: Image) -> Translated:
        """Do all of it, alone."""
        ...


class _Seen(NamedTuple):
    """One frame for the generator: (1, C, H, W) or (1, K, C, H, W) each."""

    frame: int
    inputs: GeneratorInput[Tensor]
    members: tuple[int, ...]


def translate_batches(
    dub: Dub, bank: DeviceBank, frames: Iterable[tuple[int, Image]], size: int
) -> Generator[tuple[Image, Translated]]:
    """Each (index, frame) in order: the frame, and what becomes of it.

    Args:
        dub: makes single frames.
        bank: its references, see `bank_of`.
        frames: number and (H, W, 3) RGB.
        size: frames that are made at once; at most three times as many are held.
    """
    ahead: deque[list[_Started]] = deque()
    threads = min(_MOST_THREADS, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads, "compose") as pool:
        rest = iter(frames)
        while group := list(islice(rest, size)):
            ahead.append([(i, frame, pool.submit(dub.begin, i, frame)) for i, frame in group])
            if len(ahead) > 1:
                yield from _made(dub, bank, pool, ahead.popleft())
        while ahead:
            yield from _made(dub, bank, pool, ahead.popleft())


def bank_of(dub: Dub) -> DeviceBank:
    """The references of a clip, on its generator's device."""
    device = next(cast(nn.Module, dub.generator).parameters()).device
    return DeviceBank(dub.composer.bank, device)


def _made(
    dub: Dub, bank: DeviceBank, pool: ThreadPoolExecutor, group: Sequence[_Started]
) -> Generator[tuple[Image, Translated]]:
    begun = {index: found for index, _, started in group if (found := started.result())}
    pictures = new_faces(dub, bank, list(begun.values()))
    laid: list[tuple[Image, Future[Translated]]] = []
    for index, frame, _ in group:
        if index in pictures:
            members, new = pictures[index]
            laid.append((frame, pool.submit(_laid, dub, begun[index], frame, members, new)))
        else:  # nothing to make, or letters, which are looked at one by one
            laid.append((frame, pool.submit(dub.translate, index, frame)))
    for frame, done in laid:
        yield frame, done.result()


def _laid(dub: Dub, begun: Begun, frame: Image, members: tuple[int, ...], new: Float) -> Translated:
    masked = begun.masked
    line = soft_line(begun.scene.drawing, begun.weights, masked.under.scale)
    return dub.lay(begun.frame, frame, masked, members, softened(new, line))


@torch.inference_mode()
def new_faces(
    dub: Dub, bank: DeviceBank, begun: Sequence[Begun]
) -> dict[int, tuple[tuple[int, ...], Float]]:
    """Of each frame the numbers of its references, and its new crop (H, W, 3)."""
    alike: dict[tuple[int, Corners], list[_Seen]] = defaultdict(list)
    for count in sorted({len(each.places) for each in begun}):
        for seen in _lent(dub, bank, [b for b in begun if len(b.places) == count]):
            box = dub.composer.grown.get(seen.frame, dub.composer.box)
            alike[seen.inputs.references.shape[1], box].append(seen)
    made: dict[int, tuple[tuple[int, ...], Float]] = {}
    for (_, box), group in alike.items():
        for seen, picture in zip(
            group, _generated(cast(nn.Module, dub.generator), group, box), strict=True
        ):
            made[seen.frame] = seen.members, as_picture(picture)
    return made


def _lent(dub: Dub, bank: DeviceBank, begun: Sequence[Begun]) -> list[_Seen]:
    """Frames with equally many references, ready for the generator."""
    batch = bank.batch(begun)
    lent = lend(batch, bank)
    hidden, seen = (~batch.known).float()[:, None], []
    for n, each in enumerate(begun):
        kept = lent.kept[n].cpu().numpy()
        taken = torch.cat([lent.kept[n], lent.kept[n].new_ones(1)])
        inputs = GeneratorInput(
            lent.image[n : n + 1],
            hidden[n : n + 1],
            batch.hints[n : n + 1],
            lent.references[n, taken][None],
            lent.validity[n, taken][None, :, None],
        )
        seen.append(_Seen(each.frame, inputs, dub.composer.kept(each.frame, kept)[0]))
    return seen


def _generated(generator: nn.Module, group: Sequence[_Seen], box: Corners) -> Tensor:
    """(B, 3, H, W) crops with the generator's picture in a box of them."""
    x0, y0, x1, y1 = box
    inputs = GeneratorInput(*map(torch.cat, zip(*(seen.inputs for seen in group), strict=True)))
    pictures = inputs.blend.clone()
    pictures[..., y0:y1, x0:x1] = generator(
        GeneratorInput(*(tensor[..., y0:y1, x0:x1] for tensor in inputs))
    )
    return pictures
