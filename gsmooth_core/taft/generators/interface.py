"""What every generator is: its dimensions, the batch it is given, and how it is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, Self, TypeVar

from gsmooth_core.types import Float

T = TypeVar("T")

HINTS = 3
"""Channels of `GeneratorInput.hints`: lips, mouth interior, skin."""


@dataclass(frozen=True)
class GeneratorConfig:
    """Dimensions of a generator; stored in its checkpoint.

    Attributes:
        preset: "default" (fusion), "detail" (fusion by frequency), "g4g" (detail, with G4G's
            blocks) or "paper".
        references: how many references it is meant to be given.
        warped: whether it takes references warped to the new face, or one as it is.
        width: channels of the finest level.
        max_width: channels of the coarsest level.
        levels: number of downsamplings.
        max_flow: largest correction of a reference's warp, in crop pixels (both fusions).
        max_residual: largest correction of a colour, 0..1 (both fusions).
        sharpness: how many times more decided the choice for detail is than that for colour, to
            begin with ("detail", "g4g").
        alignment: whether the references' identity modulates the new pose ("g4g").
        deformation: whether references are deformed and masked scale by scale ("g4g").
        fusion: whether a network of its own mends contour and seams at the end ("g4g").
        scales: number of scales below the finest that alignment and deformation work at, the
            finest of them a quarter of the resolution ("g4g"); at most `levels`.
    """

    preset: str = "default"
    references: int = 6
    warped: bool = True
    width: int = 24
    max_width: int = 128
    levels: int = 3
    max_flow: float = 3.0
    max_residual: float = 0.25
    sharpness: float = 3.0
    alignment: bool = False
    deformation: bool = False
    fusion: bool = False
    scales: int = 0


PRESETS: dict[str, GeneratorConfig] = {
    "default": GeneratorConfig(),
    "detail": GeneratorConfig("detail"),
    "g4g": GeneratorConfig("g4g", alignment=True, deformation=True, fusion=True, scales=3),
    "paper": GeneratorConfig("paper", 1, warped=False, width=64, max_width=256),
}


class GeneratorInput(NamedTuple, Generic[T]):
    """A batch for a generator, of arrays or tensors T; H and W are multiples of 16, colours 0..1.

    Attributes:
        blend: (B, 3, H, W) I_b of eq. 9.
        mask: (B, 1, H, W) M_f.
        hints: (B, HINTS, H, W) what the new face shows at a pixel.
        references: (B, K, 3, H, W) other frames of the clip.
        validity: (B, K, 1, H, W) 0..1, how far each reference pixel can be believed.
    """

    blend: T
    mask: T
    hints: T
    references: T
    validity: T


class Generator(Protocol):
    """A network that makes faces of compositions, whatever engine runs it."""

    config: GeneratorConfig

    @property
    def card(self) -> bool:
        """Whether it works on a graphics card, where many frames at once are best."""
        ...

    def on(self, device: str | None = None) -> Self:
        """The generator itself, on a device; None is the best."""
        ...

    def paint(self, x: GeneratorInput[Float]) -> Float:
        """(B, 3, H, W) pictures, 0..1."""
        ...
