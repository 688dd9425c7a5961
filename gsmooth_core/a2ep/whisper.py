"""The encoder of Whisper (Radford et al. 2022) up to a chosen layer, in plain torch.

Its middle layers say more about lips than its last ones, so only the first `depth` layers are
built and stored. Parameter names follow the published model's.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsmooth_core.a2ep import positions
from gsmooth_core.a2ep.mel import DECADES, FFT, HOP, MELS, PEAK, mel_filters

POSITIONS = 1500  # rows of the position table: 30 s at 50 Hz


@dataclass(frozen=True)
class WhisperDims:
    """Sizes of a Whisper encoder; the defaults are those of "base", cut after layer 3."""

    width: int = 512
    heads: int = 8
    depth: int = 3


class Attention(nn.Module):
    """Multi-head self-attention without a key bias, as Whisper has it."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, K, D) -> (B, K, D)."""
        q, k, v = (
            part(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, heads, K, D / heads)
            for part in (self.query, self.key, self.value)
        )
        mixed = F.scaled_dot_product_attention(q, k, v)
        return self.out(mixed.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class Block(nn.Module):
    """A pre-norm transformer layer."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attn = Attention(width, heads)
        self.attn_ln = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.mlp_ln = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, K, D) -> (B, K, D)."""
        x = x + self.attn(self.attn_ln(x))
        return x + self.mlp(self.mlp_ln(x))  # type: ignore[no-any-return]


def log_mel(audio: Tensor, peak: float | None = PEAK) -> Tensor:
    """Whisper's input features.

    Args:
        audio: (B, S) samples at 16 kHz, -1..1.
        peak: log10 power of the loudest point, below which eight decades are kept; None takes
            each row's own maximum, as Whisper does for its 30 s windows.

    Returns:
        (B, 80, S // 160), about -1..1.5.
    """
    window = torch.hann_window(FFT, device=audio.device)
    spectrum = torch.stft(audio, FFT, HOP, window=window, center=True, return_complex=True)
    power = spectrum[..., :-1].abs() ** 2  # (B, 201, S // 160)
    filters = torch.from_numpy(mel_filters()).to(audio)
    log = torch.log10((filters @ power).clamp_min(1e-10))
    top = log.amax(dim=(1, 2), keepdim=True) if peak is None else torch.tensor(peak).to(log)
    return (torch.maximum(log, top - DECADES) + 4.0) / 4.0


def sinusoids(length: int, width: int) -> Tensor:
    """(length, width) sines then cosines over a geometric series of wavelengths."""
    return torch.from_numpy(positions.sinusoids(length, width))


class WhisperEncoder(nn.Module):
    """Audio -> hidden states of layer `depth` at 50 Hz.

    Attributes:
        positions: (1500, D) table; longer audio has to come in windows.
    """

    positions: Tensor

    def __init__(self, dims: WhisperDims) -> None:
        super().__init__()
        self.dims = dims
        self.conv1 = nn.Conv1d(MELS, dims.width, 3, padding=1)
        self.conv2 = nn.Conv1d(dims.width, dims.width, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList(Block(dims.width, dims.heads) for _ in range(dims.depth))
        self.register_buffer("positions", sinusoids(POSITIONS, dims.width), persistent=False)

    def encode_mel(self, mel: Tensor) -> Tensor:
        """(B, 80, 2K) log-mel -> (B, K, D), K at most 1500."""
        return self.encode_at(mel, self.positions[: mel.shape[2] // 2])

    def encode_at(self, mel: Tensor, positions: Tensor) -> Tensor:
        """As `encode_mel`, with the (K, D) rows of the position table."""
        x = F.gelu(self.conv1(mel))
        x = F.gelu(self.conv2(x)).transpose(1, 2)  # (B, K, D)
        x = x + positions.to(x)
        for block in self.blocks:
            x = block(x)
        return x

    def forward(self, audio: Tensor) -> Tensor:
        """(B, S) samples at 16 kHz and `SPEECH_LEVEL` -> (B, S // 320, D)."""
        return self.encode_mel(log_mel(audio))
