"""The sync expert in torch: what is trained, and what runs where no graph fits."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsmooth_core.face.landmarks import SPEECH_POINTS
from gsmooth_core.models.checkpoints import load_network
from gsmooth_core.models.modelfile import ModelSource
from gsmooth_core.storage.arrays import save_arrays
from gsmooth_core.sync.expert import KIND, LIMITS, OwnExpert, SyncConfig, read_expert
from gsmooth_core.types import Float


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


class SyncExpert(nn.Module, OwnExpert):
    """Our own lip-sound expert; its buffers are the tables of `OwnExpert.array`."""

    basis: Tensor
    spread: Tensor
    sound_mean: Tensor
    sound_spread: Tensor
    null: Tensor

    def __init__(self, config: SyncConfig, source: ModelSource | None = None) -> None:
        super().__init__()
        self.config = config
        self.source = source or ModelSource(Path("sync.safetensors"), "sync expert", "")
        self.lips = WindowEncoder(config.components, config)
        self.sound = WindowEncoder(config.sound, config)
        self.register_buffer("basis", torch.zeros(2 * len(SPEECH_POINTS), config.components))
        self.register_buffer("spread", torch.ones(config.components))
        self.register_buffer("sound_mean", torch.zeros(config.sound))
        self.register_buffer("sound_spread", torch.ones(config.sound))
        self.register_buffer("null", torch.zeros(()))

    def array(self, name: str) -> Float:
        """A table of the checkpoint."""
        made: Float = self.get_buffer(name).numpy()
        return made

    @torch.inference_mode()
    def encode_lips(self, movement: Float) -> Float:
        """(T, K) -> (T, D)."""
        made: Float = self.lips(torch.from_numpy(movement)[None])[0].numpy()
        return made

    @torch.inference_mode()
    def encode_sound(self, features: Float) -> Float:
        """(T, F) -> (T, D)."""
        made: Float = self.sound(torch.from_numpy(features)[None])[0].numpy()
        return made


def save_expert(path: Path, expert: SyncExpert, about: dict[str, Any]) -> None:
    """Write the expert in half precision, and anything worth keeping about it."""
    arrays = {
        name: tensor.cpu().numpy().astype(np.float16 if tensor.ndim > 1 else np.float32)
        for name, tensor in expert.state_dict().items()
    }
    save_arrays(path, KIND, arrays, {"config": asdict(expert.config), "about": about})


def load_module(path: Path) -> SyncExpert:
    """Read what `save_expert` wrote, in evaluation mode.

    Raises:
        ModelError: missing, damaged, of another kind, or its arrays do not fit its own header.
    """
    source, arrays, config = read_expert(path)
    return load_network(source, lambda: SyncExpert(config, source), arrays, LIMITS)
