"""The sync expert: lips and sound as vectors that lie close together when they belong together.

This is the inter-modal alignment of G4G in small: two encoders, one for windows of lips and one
for windows of sound, trained so that in the matrix of similarities between all windows the
diagonal stands out (`training.sync`). Lips are shapes of landmarks, so the picture's size, light
and sharpness do not matter, and it runs in a moment on any processor.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsmooth_core.face.landmarks import SPEECH_POINTS
from gsmooth_core.models.checkpoints import load_network, plausible
from gsmooth_core.models.modelfile import ModelSource
from gsmooth_core.storage.arrays import save_arrays
from gsmooth_core.sync.face import Face
from gsmooth_core.sync.sound import hear
from gsmooth_core.sync.windows import Lips, read_lips
from gsmooth_core.types import Bool, Float

_HINT = "Train it again, or reinstall GSmooth."
_CONFIG_LIMITS: dict[str, tuple[Any, ...]] = {
    "components": (1, 2 * len(SPEECH_POINTS)),
    "sound": (1, 8192),
    "width": (1, 4096),
    "embedding": (1, 4096),
    "kernels": (1, 99),
    "dropout": (0, 1),
}
_LIMITS = {
    "spread": (1e-6, 100),  # both are divided by
    "sound_spread": (1e-6, 1e4),
    "null": (0, 1e3),
}


class LipSound(Protocol):
    """What `measure_sync` needs of an expert.

    Attributes:
        name: which expert it is; its figures mean nothing beside another's.
        wants_pictures: whether it needs the frames, beside landmarks.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def wants_pictures(self) -> bool: ...  # noqa: D102

    def embed_face(self, face: Face) -> tuple[Float, Bool]:
        """(T, D) of the lips' windows at 25 a second, and (T,) where a face was seen."""
        ...

    def embed_sound(self, audio: Float) -> Float:
        """(S,) samples at 16 kHz -> (T, D), T windows at 25 a second."""
        ...

    def threshold(self, frames: int) -> float:
        """Confidence that the wrong sound rarely reaches on this many frames."""
        ...


@dataclass(frozen=True)
class SyncConfig:
    """Sizes of the expert; stored in its checkpoint.

    Attributes:
        components: principal components of the mouth's shape that are looked at.
        sound: features a frame of sound (`sync.sound`).
        width: hidden features.
        embedding: D, size of the vectors that are compared.
        kernels: frames that each layer sees; together the window.
        dropout: of features in training.
    """

    components: int = 16
    sound: int = 512
    width: int = 64
    embedding: int = 32
    kernels: tuple[int, ...] = (5, 5, 3)
    dropout: float = 0.2

    @property
    def window(self) -> int:
        """Frames that one embedding sees."""
        return 1 + sum(kernel - 1 for kernel in self.kernels)


class WindowEncoder(nn.Module):
    """Sequences to vectors of unit length, each from the window of frames around its own."""

    def __init__(self, channels: int, config: SyncConfig) -> None:
        super().__init__()
        width = config.width
        self.enter = nn.Linear(channels, width)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, width, kernel, padding=kernel // 2) for kernel in config.kernels
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in config.kernels)
        self.leave = nn.Linear(width, config.embedding)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, D)."""
        x = self.dropout(self.enter(x))
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            mixed = convolution(x.transpose(1, 2)).transpose(1, 2)  # (B, T, W)
            x = self.dropout(x + F.gelu(norm(mixed)))
        return F.normalize(self.leave(x), dim=-1)


class SyncExpert(nn.Module):
    """Our own lip-sound expert.

    Attributes:
        config: sizes.
        basis: (96, K) principal components of the mouth's movement.
        spread: (K,) their usual size.
        sound_mean, sound_spread: (F,) of the sound's features.
        null: () c of the threshold c / sqrt(frames), see `training.sync.evaluate`.
    """

    name = "gsmooth"
    wants_pictures = False
    basis: Tensor
    spread: Tensor
    sound_mean: Tensor
    sound_spread: Tensor
    null: Tensor

    def __init__(self, config: SyncConfig, source: ModelSource | None = None) -> None:
        super().__init__()
        self.config = config
        self._source = source or ModelSource(Path("sync.safetensors"), "sync expert", _HINT)
        self.lips = WindowEncoder(config.components, config)
        self.sound = WindowEncoder(config.sound, config)
        self.register_buffer("basis", torch.zeros(2 * len(SPEECH_POINTS), config.components))
        self.register_buffer("spread", torch.ones(config.components))
        self.register_buffer("sound_mean", torch.zeros(config.sound))
        self.register_buffer("sound_spread", torch.ones(config.sound))
        self.register_buffer("null", torch.zeros(()))

    def movement(self, shape: Float, valid: Bool) -> Float:
        """Mouth shapes as movements around the clip's mean, at the usual amplitude.

        Args:
            shape: (T, 96) of `read_lips`.
            valid: (T,)

        Returns:
            (T, K)
        """
        known = shape[valid] if valid.any() else shape
        moved = (shape - known.mean(axis=0)) @ self.basis.numpy() / self.spread.numpy()
        amplitude = float(np.sqrt(((moved[valid] if valid.any() else moved) ** 2).mean()))
        unit: Float = (moved / np.clip(amplitude, *AMPLITUDES)).astype(np.float32)
        return unit

    def standardise(self, features: Float) -> Float:
        """(T, F) features of sound at unit variance."""
        out: Float = (features - self.sound_mean.numpy()) / self.sound_spread.numpy()
        return out.astype(np.float32)

    def embed_face(self, face: Face) -> tuple[Float, Bool]:
        """(T, D) of the lips' windows at 25 a second, and (T,) where a face was seen."""
        lips = read_lips(face.landmarks, face.fps)
        return self.embed_lips(lips), lips.valid

    @torch.inference_mode()
    def embed_lips(self, lips: Lips) -> Float:
        """(T, D) of the lips' windows."""
        x = torch.from_numpy(self.movement(lips.shape, lips.valid))
        return self._checked(self.lips(x[None])[0])

    @torch.inference_mode()
    def embed_features(self, features: Float) -> Float:
        """(T, F) features of sound -> (T, D)."""
        return self._checked(self.sound(torch.from_numpy(self.standardise(features))[None])[0])

    def _checked(self, made: Tensor) -> Float:
        """(T, D) vectors as an array, when they are some."""
        vectors: Float = plausible(self._source, made).numpy()
        return vectors

    def embed_sound(self, audio: Float) -> Float:
        """(S,) samples at 16 kHz -> (T, D)."""
        return self.embed_features(hear(audio))

    def threshold(self, frames: int) -> float:
        """Confidence that the wrong sound reaches in one clip of twenty of this many frames."""
        return float(self.null) / math.sqrt(max(1, frames))


AMPLITUDES = (0.4, 2.5)
"""A face that moves less or more than this is left as it is: it may not speak at all."""


def save_expert(path: Path, expert: SyncExpert, about: dict[str, Any]) -> None:
    """Write the expert in half precision, and anything worth keeping about it."""
    arrays = {
        name: tensor.cpu().numpy().astype(np.float16 if tensor.ndim > 1 else np.float32)
        for name, tensor in expert.state_dict().items()
    }
    save_arrays(path, "sync", arrays, {"config": asdict(expert.config), "about": about})


def load_expert(path: Path) -> SyncExpert:
    """Read what `save_expert` wrote, in evaluation mode.

    Raises:
        ModelError: missing, damaged, of another kind, or its arrays do not fit its own header.
    """
    source = ModelSource(path, "sync expert", _HINT)
    arrays, meta = source.arrays("sync")
    config = source.settings(SyncConfig, source.entry(meta, "config"), _CONFIG_LIMITS)
    if not all(kernel % 2 for kernel in config.kernels):
        raise source.refused(f"'kernels' are {config.kernels}, and not all odd")
    return load_network(source, lambda: SyncExpert(config, source), arrays, _LIMITS)
