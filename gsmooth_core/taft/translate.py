"""Target Adaptive Face Translation in use: frames of a clip in, frames with the new mouth out."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from gsmooth_core.data import Bool, FaceTrack, Float, Image
from gsmooth_core.face_model import MorphableModel
from gsmooth_core.taft.compose import Composer, ComposeSettings, Composition, ReferenceSource
from gsmooth_core.taft.generator import GeneratorConfig, GeneratorInput

_AHEAD = 2  # frames that are composed while the generator is at work on another


@dataclass(frozen=True)
class Translated:
    """A finished frame.

    Attributes:
        frame: (H, W, 3) uint8 RGB; outside of `mask` it is the given frame, bit by bit.
        mask: (H, W) bool, what may have been changed: M_f and its soft rim.
        hidden: (H, W) bool, the pixels of the given frame that nothing has looked at.
        members: frame numbers of the references; empty for a frame that passed untouched.
    """

    frame: Image
    mask: Bool
    hidden: Bool = field(repr=False)
    members: tuple[int, ...] = ()


class FaceTranslator:
    """Gives the frames of one clip a new expression.

    Args:
        track: the clip's face.
        model: the track's face model.
        target: (T, E) the expression that each frame should show.
        source: frame number -> (H, W, 3) uint8 RGB; called for at most `references.bank` frames,
            in ascending order, while this object is made.
        generator: from `checkpoint.load_generator`.
        settings: what is replaced, and how; the number and the kind of references are the
            generator's own.
        device: of the generator; by default CUDA where there is one.

    Raises:
        InputError: the target does not fit the track.
    """

    def __init__(
        self,
        track: FaceTrack,
        model: MorphableModel,
        target: Float,
        source: ReferenceSource,
        generator: nn.Module,
        settings: ComposeSettings | None = None,
        device: str | None = None,
    ) -> None:
        self.track = track
        self.config = cast(GeneratorConfig, generator.config)
        settings = suited(settings or ComposeSettings(), self.config)
        self.composer = Composer(track, model, target, source, settings)
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.generator = generator.to(self.device)
        self.generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        _leave_cores()

    def translate(self, index: int, frame: Image) -> Translated:
        """Return frame number `index` with its new expression.

        A frame without a usable face comes back as it is.
        """
        return self._finish(frame, self._compose(index, frame))

    def translate_all(
        self, frames: Iterable[tuple[int, Image]]
    ) -> Generator[tuple[Image, Translated]]:
        """Each (index, frame) in order: the frame, and what `translate` makes of it.

        The next frames are composed on a second thread while the generator works on one: neither
        waits for the other, and no more than a few frames are held.
        """
        waiting: deque[tuple[Image, Future[Composition | None]]] = deque()
        with ThreadPoolExecutor(1, "compose") as thread:
            for index, frame in frames:
                waiting.append((frame, thread.submit(self._compose, index, frame)))
                if len(waiting) > _AHEAD:
                    yield self._first(waiting)
            while waiting:
                yield self._first(waiting)

    def _first(
        self, waiting: deque[tuple[Image, Future[Composition | None]]]
    ) -> tuple[Image, Translated]:
        frame, composed = waiting.popleft()
        return frame, self._finish(frame, composed.result())

    def _compose(self, index: int, frame: Image) -> Composition | None:
        return self.composer.compose(index, frame) if self.track.usable[index] else None

    def _finish(self, frame: Image, composition: Composition | None) -> Translated:
        if composition is None:
            nothing = np.zeros(frame.shape[:2], bool)
            return Translated(frame, nothing, nothing)
        picture = self._generate(composition)
        veiled = composition.veiled
        new, mask = veiled.reveal(frame, picture, self.composer.rim / veiled.under.scale)
        hidden = np.zeros(frame.shape[:2], bool)
        veiled.under.part(hidden)[...] = veiled.hidden
        return Translated(new, mask, hidden, composition.members)

    def _generate(self, composition: Composition) -> Float:
        """(size, size, 3) the new face; the generator sees the box of the clip's masks alone."""
        x0, y0, x1, y1 = self.composer.box
        picture = composition.blend.image.copy()
        inputs = GeneratorInput(
            *(
                part[..., y0:y1, x0:x1].to(self.device)
                for part in generator_input(composition, self.config)
            )
        )
        with torch.inference_mode():
            made = self.generator(inputs)[0].permute(1, 2, 0)  # (H, W, 3)
        picture[y0:y1, x0:x1] = made.cpu().numpy()
        return picture


def _leave_cores() -> None:
    """Keep torch off half of the cores: composing and encoding go on there at the same time.

    Threads of torch burn the core they wait on. On two busy cores, two of them took four times the
    processor time of one, and were slower.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))


def suited(settings: ComposeSettings, config: GeneratorConfig) -> ComposeSettings:
    """The settings with the references that a generator was made for."""
    if not config.warped:
        return replace(settings, fixed=True)
    return replace(settings, references=replace(settings.references, count=config.references))


def generator_input(composition: Composition, config: GeneratorConfig) -> GeneratorInput:
    """A batch of one for a generator."""
    blend, fixed = composition.blend, composition.fixed
    references, validity = blend.references, blend.validity
    if not config.warped and fixed is not None:
        references, validity = fixed[None], np.ones((1, *fixed.shape[:2]), np.float32)
    return GeneratorInput(
        _planes(blend.image)[None],
        torch.from_numpy(blend.mask)[None, None],
        _planes(composition.hints)[None],
        _planes(references)[None],
        torch.from_numpy(validity)[None, :, None],
    )


def _planes(image: Float) -> Tensor:
    """(..., H, W, C) -> (..., C, H, W)."""
    return torch.from_numpy(image).movedim(-1, -3)
