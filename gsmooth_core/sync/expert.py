"""The sync expert: lips and sound as vectors that lie close together when they belong together.

This is the inter-modal alignment of G4G in small: two encoders, one for windows of lips and one
for windows of sound, trained so that in the matrix of similarities between all windows the
diagonal stands out (`training.sync`). Lips are shapes of landmarks, so the picture's size, light
and sharpness do not matter, and it runs in a moment on any processor.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from gsmooth_core.face.landmarks import SPEECH_POINTS
from gsmooth_core.models.modelfile import ModelSource
from gsmooth_core.models.tables import plausible_array
from gsmooth_core.networks.onnx import OnnxNetwork, Tables
from gsmooth_core.storage.arrays import Arrays
from gsmooth_core.sync.face import Face
from gsmooth_core.sync.sound import hear
from gsmooth_core.sync.windows import Lips, read_lips
from gsmooth_core.types import Bool, Float

KIND = "sync"
_HINT = "Train it again, or reinstall GSmooth."
_CONFIG_LIMITS: dict[str, tuple[Any, ...]] = {
    "components": (1, 2 * len(SPEECH_POINTS)),
    "sound": (1, 8192),
    "width": (1, 4096),
    "embedding": (1, 4096),
    "kernels": (1, 99),
    "dropout": (0, 1),
}
LIMITS = {
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


class OwnExpert(ABC):
    """Our own lip-sound expert, whatever engine runs its two networks.

    Args:
        source: the file that it is from, for the words of errors.

    Attributes:
        config: sizes.
    """

    name = "gsmooth"
    wants_pictures = False
    config: SyncConfig
    source: ModelSource

    @abstractmethod
    def array(self, name: str) -> Float:
        """A table of the checkpoint.

        "basis" (96, K) are the principal components of the mouth's movement and "spread" (K,) their
        usual size, "sound_mean" and "sound_spread" (F,) are of the sound's features, and "null" ()
        is c of the threshold c / sqrt(frames), see `training.sync.evaluate`.
        """

    @abstractmethod
    def encode_lips(self, movement: Float) -> Float:
        """(T, K) of `movement` -> (T, D) vectors of unit length."""

    @abstractmethod
    def encode_sound(self, features: Float) -> Float:
        """(T, F) of `standardise` -> (T, D) vectors of unit length."""

    def movement(self, shape: Float, valid: Bool) -> Float:
        """Mouth shapes as movements around the clip's mean, at the usual amplitude.

        Args:
            shape: (T, 96) of `read_lips`.
            valid: (T,)

        Returns:
            (T, K)
        """
        known = shape[valid] if valid.any() else shape
        moved = (shape - known.mean(axis=0)) @ self.array("basis") / self.array("spread")
        amplitude = float(np.sqrt(((moved[valid] if valid.any() else moved) ** 2).mean()))
        unit: Float = (moved / np.clip(amplitude, *AMPLITUDES)).astype(np.float32)
        return unit

    def standardise(self, features: Float) -> Float:
        """(T, F) features of sound at unit variance."""
        out: Float = (features - self.array("sound_mean")) / self.array("sound_spread")
        return out.astype(np.float32)

    def embed_face(self, face: Face) -> tuple[Float, Bool]:
        """(T, D) of the lips' windows at 25 a second, and (T,) where a face was seen."""
        lips = read_lips(face.landmarks, face.fps)
        return self.embed_lips(lips), lips.valid

    def embed_lips(self, lips: Lips) -> Float:
        """(T, D) of the lips' windows."""
        made = self.encode_lips(self.movement(lips.shape, lips.valid))
        return plausible_array(self.source, made)

    def embed_features(self, features: Float) -> Float:
        """(T, F) features of sound -> (T, D)."""
        return plausible_array(self.source, self.encode_sound(self.standardise(features)))

    def embed_sound(self, audio: Float) -> Float:
        """(S,) samples at 16 kHz -> (T, D)."""
        return self.embed_features(hear(audio))

    def threshold(self, frames: int) -> float:
        """Confidence that the wrong sound reaches in one clip of twenty of this many frames."""
        return float(self.array("null")) / math.sqrt(max(1, frames))


AMPLITUDES = (0.4, 2.5)
"""A face that moves less or more than this is left as it is: it may not speak at all."""


class GraphExpert(OwnExpert):
    """The expert run by ONNX Runtime.

    Args:
        source: the file that it is from.
        config: sizes.
        tables: of the checkpoint, checked.
    """

    def __init__(self, source: ModelSource, config: SyncConfig, tables: Tables) -> None:
        self.source, self.config, self._tables = source, config, tables
        self._lips = OnnxNetwork(source, KIND, "lips", tables, "cpu")
        self._sound = OnnxNetwork(source, KIND, "sound", tables, "cpu")

    def array(self, name: str) -> Float:
        """A table of the checkpoint."""
        return self._tables[name]

    def encode_lips(self, movement: Float) -> Float:
        """(T, K) -> (T, D)."""
        made: Float = self._lips(movement[None])[0][0]
        return made

    def encode_sound(self, features: Float) -> Float:
        """(T, F) -> (T, D)."""
        made: Float = self._sound(features[None])[0][0]
        return made


def read_expert(path: Path) -> tuple[ModelSource, Arrays, SyncConfig]:
    """Tables and sizes of a file.

    Raises:
        ModelError: missing, damaged, of another kind, or of sizes that cannot be.
    """
    source = ModelSource(path, "sync expert", _HINT)
    arrays, meta = source.arrays(KIND)
    config = source.settings(SyncConfig, source.entry(meta, "config"), _CONFIG_LIMITS)
    if not all(kernel % 2 for kernel in config.kernels):
        raise source.refused(f"'kernels' are {config.kernels}, and not all odd")
    return source, arrays, config


def sizes(config: SyncConfig) -> dict[str, Any]:
    """What of a configuration shapes the networks."""
    return {name: value for name, value in asdict(config).items() if name != "dropout"}
