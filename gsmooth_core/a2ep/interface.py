"""What a model of speech is to those who use it: arrays in, arrays out, whatever engine runs it."""

from __future__ import annotations

from typing import Any, Protocol

from gsmooth_core.a2ep.config import A2EPConfig
from gsmooth_core.types import Float


class FrameEncoder(Protocol):
    """What turns samples into features at 25 frames a second."""

    def listen(self, samples: Float, frames: int) -> Float:
        """(frames * 640,) samples at 16 kHz and the usual level -> (frames, F)."""
        ...


class FrameDecoder(Protocol):
    """What turns features into expressions, one frame after another."""

    @property
    def config(self) -> A2EPConfig:
        """Sizes and choices."""
        ...

    @property
    def context(self) -> int:
        """Frames on either side that `heard` needs."""
        ...

    @property
    def heard_width(self) -> int:
        """W, channels of `heard`."""
        ...

    def start(self) -> Any:
        """The state before the first frame; its `frame` is the number of the next one."""
        ...

    def heard(self, features: Float) -> Float:
        """(T + 2 context, F) features -> (T, W) what the decoder listens to."""
        ...

    def spoken(self, state: Any, heard: Float, style: Float, first: int, count: int) -> Float:
        """Make frames, each fed with the one before it.

        Args:
            state: of the frames before `first`; it is advanced.
            heard: (T, W), including the neighbours that eq. 4 allows.
            style: (styles,)
            first: index in `heard` of the first frame to make.
            count: number of frames to make.

        Returns:
            (count, E)
        """
        ...


class SpeechModel(Protocol):
    """Speech to expression (Sec. IV-B)."""

    @property
    def config(self) -> A2EPConfig:
        """Sizes and choices."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """E components that are predicted."""
        ...

    @property
    def all_names(self) -> tuple[str, ...]:
        """Components of the face model they belong to."""
        ...

    @property
    def encoder(self) -> FrameEncoder:
        """Samples to features."""
        ...

    @property
    def decoder(self) -> FrameDecoder:
        """Features to expressions around a speaker's mean, at unit amplitude."""
        ...

    def array(self, name: str) -> Float:
        """A table of the checkpoint, such as "rest"; see `model.A2EP` for what they are."""
        ...

    def voice_logits(self, features: Float) -> Float:
        """(T, F) features -> (T,) logits of somebody speaking."""
        ...

    def closing_logits(self, features: Float) -> Float:
        """(T + 2 context, F) features -> (T,) logits that the lips touch."""
        ...
