"""The audio encoders that A2EP can stand on, all giving 25 features a second."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gsmooth_core.a2ep.config import A2EPConfig
from gsmooth_core.a2ep.features import FPS
from gsmooth_core.a2ep.mel import BLOCK, HOP, SAMPLE_RATE
from gsmooth_core.a2ep.whisper import WhisperDims, WhisperEncoder, log_mel
from gsmooth_core.errors import ModelError
from gsmooth_core.models.checkpoints import (
    load_network,
    read_safetensors,
    read_torch,
    table_of_weights,
)
from gsmooth_core.models.modelfile import ModelSource
from gsmooth_core.storage.files import read_json
from gsmooth_core.types import Float

STRIDE = 320  # samples a feature, for both encoders
WAV2VEC_FIELD = 400  # samples that the first wav2vec 2.0 feature sees

_HINT = "Give a folder with config.json and model.safetensors, such as wav2vec2-base."
_ACTIVATIONS = ("gelu", "gelu_new", "relu", "silu")
_LIMITS: dict[str, tuple[Any, ...]] = {
    "hidden_size": (1, 4096),
    "num_hidden_layers": (1, 48),
    "num_attention_heads": (1, 64),
    "intermediate_size": (1, 16384),
    "hidden_act": _ACTIVATIONS,
    "hidden_dropout": (0, 1),
    "layer_norm_eps": (1e-12, 1e-2),
    "feat_extract_norm": ("group", "layer"),
    "feat_extract_activation": _ACTIVATIONS,
    "conv_dim": (1, 4096),
    "conv_stride": (1, 64),
    "conv_kernel": (1, 64),
    "num_conv_pos_embeddings": (1, 1024),
    "num_conv_pos_embedding_groups": (1, 1024),
    "mask_time_prob": (0, 1),
    "mask_feature_prob": (0, 1),
}


@dataclass(frozen=True)
class Wav2VecSettings:
    """What of a transformers `Wav2Vec2Config` says how the network is built; nothing else is read.

    The defaults are those of wav2vec 2.0 base, and the names those of transformers.
    """

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout: float = 0.1
    layer_norm_eps: float = 1e-5
    feat_extract_norm: str = "group"
    feat_extract_activation: str = "gelu"
    conv_dim: tuple[int, ...] = (512,) * 7
    conv_stride: tuple[int, ...] = (5, 2, 2, 2, 2, 2, 2)
    conv_kernel: tuple[int, ...] = (10, 3, 3, 3, 3, 2, 2)
    conv_bias: bool = False
    num_conv_pos_embeddings: int = 128
    num_conv_pos_embedding_groups: int = 16
    do_stable_layer_norm: bool = False
    mask_time_prob: float = 0.05
    mask_feature_prob: float = 0.0


def wav2vec_settings(values: Any, source: ModelSource) -> dict[str, Any]:
    """The settings of wav2vec 2.0 in a header or a config.json, without all others.

    Args:
        values: what the file holds.
        source: the file, for the words of the errors.

    Raises:
        ModelError: a setting is of the wrong type or out of its limits, or the features do not
            come 50 times a second.
    """
    if not isinstance(values, dict):
        raise source.refused("it is no table of settings")
    known = {field.name for field in fields(Wav2VecSettings)}
    read = {name: value for name, value in values.items() if name in known}
    settings = source.settings(Wav2VecSettings, read, _LIMITS)
    if settings.hidden_size % settings.num_attention_heads:
        raise source.refused(f"'num_attention_heads' is {settings.num_attention_heads}")
    if len({len(settings.conv_dim), len(settings.conv_stride), len(settings.conv_kernel)}) > 1:
        raise source.refused("'conv_dim', 'conv_stride' and 'conv_kernel' are not of one length")
    steps = [math.prod(settings.conv_stride[:i]) for i in range(len(settings.conv_stride))]
    field = 1 + sum((k - 1) * step for k, step in zip(settings.conv_kernel, steps, strict=True))
    if (math.prod(settings.conv_stride), field) != (STRIDE, WAV2VEC_FIELD):
        raise source.refused("'conv_stride' and 'conv_kernel' are not those of wav2vec 2.0")
    return {n: list(v) if isinstance(v, tuple) else v for n, v in asdict(settings).items()}


def interpolate(features: Tensor, positions: Tensor) -> Tensor:
    """Linear interpolation in time (the resampling layer of Sec. IV-B).

    Args:
        features: (B, K, F) samples of a curve at 0, 1, ..., K - 1.
        positions: (T,) where to read it; beyond the ends the end values hold.

    Returns:
        (B, T, F).
    """
    last = features.shape[1] - 1
    at = positions.to(features).clamp(0, last)
    low = at.floor().long().clamp(max=max(last - 1, 0))
    high = (low + 1).clamp(max=last)
    weight = (at - low)[None, :, None]
    return features[:, low] * (1 - weight) + features[:, high] * weight


def frame_centres(frames: int, rate: float, first: float = 0.0) -> Tensor:
    """(frames,) positions of frame centres on a `rate` Hz axis whose sample 0 is at `first` s."""
    return ((torch.arange(frames, dtype=torch.float64) + 0.5) / FPS - first) * rate


class TorchFrames(nn.Module):
    """An encoder in torch: (B, frames * 640) samples and `frames` -> (B, frames, F)."""

    @torch.inference_mode()
    def listen(self, samples: Float, frames: int) -> Float:
        """(frames * 640,) samples -> (frames, F), on the encoder's own device."""
        weights = next(self.parameters(), None)
        device = "cpu" if weights is None else weights.device
        made: Float = self(torch.from_numpy(samples)[None].to(device), frames)[0].cpu().numpy()
        return made


class WhisperFrames(TorchFrames):
    """Whisper's hidden states, read at the middle of each frame."""

    def __init__(self, dims: WhisperDims) -> None:
        super().__init__()
        self.whisper = WhisperEncoder(dims)

    def forward(self, audio: Tensor, frames: int) -> Tensor:
        """(B, frames * 640) -> (B, frames, D)."""
        hidden = self.whisper(audio)
        return interpolate(hidden, frame_centres(frames, SAMPLE_RATE / STRIDE))


class MelFrames(TorchFrames):
    """The spectrogram alone, averaged over each frame; it knows nothing of the frames around."""

    def forward(self, audio: Tensor, frames: int) -> Tensor:
        """(B, frames * 640) -> (B, frames, 80)."""
        mel = log_mel(audio).transpose(1, 2)  # (B, 4 frames, 80)
        return mel.reshape(len(mel), frames, BLOCK // HOP, -1).mean(dim=2)


class SpectrogramFrames(TorchFrames):
    """The spectrogram, its four columns of each frame side by side: what ExpNet looks at."""

    def forward(self, audio: Tensor, frames: int) -> Tensor:
        """(B, frames * 640) -> (B, frames, 4 * 80), the earliest column first."""
        mel = log_mel(audio).transpose(1, 2)  # (B, 4 frames, 80)
        return mel.reshape(len(mel), frames, -1)


class Wav2VecFrames(TorchFrames):
    """wav2vec 2.0 as the paper uses it: convolutions, interpolation to the frames, transformer.

    Args:
        settings: fields of a transformers `Wav2Vec2Config`.

    Raises:
        ModelError: see `wav2vec_settings`.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        from transformers import Wav2Vec2Config, Wav2Vec2Model  # slow to import, rarely needed

        source = ModelSource(Path("config.json"), "wav2vec 2.0 configuration", _HINT)
        self.wav2vec = Wav2Vec2Model(Wav2Vec2Config(**wav2vec_settings(settings, source)))

    @classmethod
    def from_folder(cls, folder: Path) -> Wav2VecFrames:
        """Load a checkpoint folder in the transformers layout (config.json and weights).

        Raises:
            ModelError: the folder holds no such checkpoint, or a damaged one.
        """
        weights = next((folder / n for n in _WEIGHTS if (folder / n).exists()), None)
        if weights is None or not (folder / "config.json").exists():
            raise ModelError(f"'{folder}' holds no wav2vec 2.0 checkpoint.", _HINT)
        about = ModelSource(folder / "config.json", "wav2vec 2.0 configuration", _HINT)
        settings = wav2vec_settings(read_json(about.path, ModelError), about)
        source = ModelSource(weights, "wav2vec 2.0 checkpoint", _HINT)
        state = _base_state(source)
        masked = "wav2vec.masked_spec_embed" in state  # used in training alone; not all keep it
        settings |= {"mask_time_prob": 0.05 * masked, "mask_feature_prob": 0.0}
        return load_network(source, lambda: cls(settings), state)

    def forward(self, audio: Tensor, frames: int) -> Tensor:
        """(B, frames * 640) -> (B, frames, D); needs at least 400 samples."""
        conv = self.wav2vec.feature_extractor(standardise(audio)).transpose(1, 2)  # (B, K, 512)
        middle = WAV2VEC_FIELD / 2 / SAMPLE_RATE
        conv = interpolate(conv, frame_centres(frames, SAMPLE_RATE / STRIDE, first=middle))
        hidden, _ = self.wav2vec.feature_projection(conv)
        return self.wav2vec.encoder(hidden).last_hidden_state  # type: ignore[no-any-return]


_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_PREFIX = "wav2vec2."  # before the names of the network inside one with a head
_NORM = {"weight_g": "parametrizations.weight.original0",
         "weight_v": "parametrizations.weight.original1"}  # fmt: skip


def _base_state(source: ModelSource) -> dict[str, Tensor]:
    """Weights of wav2vec 2.0 without a head, under the names of `Wav2VecFrames`."""
    safe = source.path.suffix == ".safetensors"
    state = read_safetensors(source) if safe else table_of_weights(source, read_torch(source))
    if any(name.startswith(_PREFIX) for name in state):
        state = {n.removeprefix(_PREFIX): t for n, t in state.items() if n.startswith(_PREFIX)}
    named = {}
    for name, tensor in state.items():
        stem, _, last = name.rpartition(".")
        named[f"wav2vec.{stem}.{_NORM[last]}" if last in _NORM else f"wav2vec.{name}"] = tensor
    return named


def standardise(audio: Tensor) -> Tensor:
    """(B, S) -> zero mean and unit variance, which wav2vec 2.0 was trained with."""
    spread = audio.var(dim=-1, keepdim=True, correction=0)
    return (audio - audio.mean(dim=-1, keepdim=True)) / torch.sqrt(spread + 1e-7)


def build_encoder(config: A2EPConfig, settings: dict[str, Any] | None = None) -> TorchFrames:
    """The encoder that `config` names, with random weights.

    Args:
        config: of the model.
        settings: wav2vec 2.0's own configuration.

    Raises:
        ModelError: there is no such encoder, or its settings are no wav2vec 2.0's.
    """
    if config.encoder == "whisper":
        dims = WhisperDims(config.encoder_width, config.encoder_heads, config.encoder_depth)
        return WhisperFrames(dims)
    if config.encoder == "wav2vec2":
        return Wav2VecFrames(settings or {})
    if config.encoder == "mel":
        return MelFrames()
    if config.encoder == "spectrogram":
        return SpectrogramFrames()
    hint = "Use whisper, wav2vec2, mel or spectrogram."
    raise ModelError(f"There is no audio encoder '{config.encoder}'.", hint)
