"""The audio encoders that A2EP can stand on, all giving 25 features a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gsmooth_core.a2ep.config import A2EPConfig
from gsmooth_core.a2ep.features import frame_centres, interpolate
from gsmooth_core.a2ep.mel import BLOCK, HOP, SAMPLE_RATE, log_mel
from gsmooth_core.a2ep.whisper import WhisperDims, WhisperEncoder
from gsmooth_core.errors import ModelError

STRIDE = 320  # samples a feature, for both encoders
WAV2VEC_FIELD = 400  # samples that the first wav2vec 2.0 feature sees


class WhisperFrames(nn.Module):
    """Whisper's hidden states, read at the middle of each frame."""

    def __init__(self, dims: WhisperDims) -> None:
        super().__init__()
        self.whisper = WhisperEncoder(dims)

    def forward(self, audio: Tensor, frames: int) -> Tensor:
        """(B, frames * 640) -> (B, frames, D)."""
        hidden = self.whisper(audio)
        return interpolate(hidden, frame_centres(frames, SAMPLE_RATE / STRIDE))


class MelFrames(nn.Module):
    """The spectrogram alone, averaged over each frame; it knows nothing of the frames around."""

    def forward(self, audio: Tensor, frames: int) -> Tensor:
        """(B, frames * 640) -> (B, frames, 80)."""
        mel = log_mel(audio).transpose(1, 2)  # (B, 4 frames, 80)
        return mel.reshape(len(mel), frames, BLOCK // HOP, -1).mean(dim=2)


class Wav2VecFrames(nn.Module):
    """wav2vec 2.0 as the paper uses it: convolutions, interpolation to the frames, transformer.

    Args:
        settings: fields of a transformers `Wav2Vec2Config`.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        from transformers import Wav2Vec2Config, Wav2Vec2Model  # slow to import, rarely needed

        self.wav2vec = Wav2Vec2Model(Wav2Vec2Config(**settings))

    @classmethod
    def from_folder(cls, folder: Path) -> Wav2VecFrames:
        """Load a checkpoint folder in the transformers layout (config.json and weights).

        Raises:
            ModelError: the folder holds no such checkpoint.
        """
        from transformers import Wav2Vec2Model

        try:
            model = Wav2Vec2Model.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(
                f"'{folder}' holds no wav2vec 2.0 checkpoint: {error}",
                "Give a folder with config.json and model.safetensors.",
            ) from error
        frames = cls(model.config.to_dict())
        frames.wav2vec.load_state_dict(model.state_dict())
        return frames

    def forward(self, audio: Tensor, frames: int) -> Tensor:
        """(B, frames * 640) -> (B, frames, D); needs at least 400 samples."""
        conv = self.wav2vec.feature_extractor(standardise(audio)).transpose(1, 2)  # (B, K, 512)
        middle = WAV2VEC_FIELD / 2 / SAMPLE_RATE
        conv = interpolate(conv, frame_centres(frames, SAMPLE_RATE / STRIDE, first=middle))
        hidden, _ = self.wav2vec.feature_projection(conv)
        return self.wav2vec.encoder(hidden).last_hidden_state  # type: ignore[no-any-return]


def standardise(audio: Tensor) -> Tensor:
    """(B, S) -> zero mean and unit variance, which wav2vec 2.0 was trained with."""
    spread = audio.var(dim=-1, keepdim=True, correction=0)
    return (audio - audio.mean(dim=-1, keepdim=True)) / torch.sqrt(spread + 1e-7)


def build_encoder(config: A2EPConfig, settings: dict[str, Any] | None = None) -> nn.Module:
    """The encoder that `config` names, with random weights.

    Args:
        config: of the model.
        settings: wav2vec 2.0's own configuration.

    Raises:
        ModelError: there is no such encoder.
    """
    if config.encoder == "whisper":
        dims = WhisperDims(config.encoder_width, config.encoder_heads, config.encoder_depth)
        return WhisperFrames(dims)
    if config.encoder == "wav2vec2":
        return Wav2VecFrames(settings or {})
    if config.encoder == "mel":
        return MelFrames()
    hint = "Use whisper, wav2vec2 or mel."
    raise ModelError(f"There is no audio encoder '{config.encoder}'.", hint)
