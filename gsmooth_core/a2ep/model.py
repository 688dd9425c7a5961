"""A2EP in torch: audio encoder, decoder, what it needs to know of faces; and its checkpoint."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gsmooth_core.a2ep.checkpoint import LIMITS, check_components, read_checkpoint, try_model
from gsmooth_core.a2ep.config import A2EPConfig
from gsmooth_core.a2ep.decoder import ExpressionDecoder
from gsmooth_core.a2ep.encoders import build_encoder, wav2vec_settings
from gsmooth_core.a2ep.expnet import ExpNet
from gsmooth_core.models.checkpoints import load_network
from gsmooth_core.storage.arrays import save_arrays
from gsmooth_core.types import Float


class A2EP(nn.Module):
    """Speech to expression (Sec. IV-B).

    Attributes:
        config: sizes and choices.
        names: E components that are predicted.
        all_names: components of the face model they belong to.
        encoder: samples -> features.
        decoder: features -> expressions around a speaker's mean, at unit amplitude.
        voice: features -> logit of somebody speaking.
        closing: features -> logit that the lips touch.
        rest: (E,) resting mouth of the average person.
        silence: (E,) where the resting mouth lies among the decoder's outputs.
        gram: (E, E) squared movement of the mouth's vertices (eq. 8).
        opening: (E,) how far each component opens the lips.
        way: (E,) opening direction: how a mouth moves when its lips open by one, so that
            `opening @ way` is 1. The name is that of the checkpoint's tensor.
        usual: () amplitude of the average speaker.
        gain: () factor that brings the decoder's cautious movements to that amplitude.
    """

    rest: Tensor
    silence: Tensor
    gram: Tensor
    opening: Tensor
    way: Tensor
    usual: Tensor
    gain: Tensor

    def __init__(
        self,
        config: A2EPConfig,
        names: tuple[str, ...],
        all_names: tuple[str, ...],
        encoder_settings: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        E = config.components
        check_components(config, names, all_names)
        self.config = config
        self.names = names
        self.all_names = all_names
        self.encoder_settings = encoder_settings
        self.encoder = build_encoder(config, encoder_settings)
        self.decoder = build_decoder(config)
        self.voice = nn.Linear(config.encoder_width, 1)
        self.closing = nn.Conv1d(config.encoder_width, 1, 2 * self.decoder.context + 1)
        for name in ("rest", "silence", "opening", "way"):
            self.register_buffer(name, torch.zeros(E))
        self.register_buffer("gram", torch.eye(E, device="cpu"))  # see `whisper.sinusoids`
        self.register_buffer("usual", torch.ones(()))
        self.register_buffer("gain", torch.ones(()))

    def array(self, name: str) -> Float:
        """A table of the checkpoint as a numpy array."""
        made: Float = self.state_dict()[name].cpu().numpy()
        return made

    @torch.inference_mode()
    def voice_logits(self, features: Float) -> Float:
        """(T, F) features -> (T,); see `SpeechModel`."""
        made: Float = self.voice(self._tensor(features))[:, 0].cpu().numpy()
        return made

    @torch.inference_mode()
    def closing_logits(self, features: Float) -> Float:
        """(T + 2 context, F) features -> (T,); see `SpeechModel`."""
        made: Float = self.closing(self._tensor(features).T[None])[0, 0].cpu().numpy()
        return made

    def _tensor(self, array: Float) -> Tensor:
        return torch.from_numpy(array).to(self.usual)


def build_decoder(config: A2EPConfig) -> ExpressionDecoder | ExpNet:
    """The decoder that `config` names, at its start."""
    return ExpNet(config) if config.decoder == "expnet" else ExpressionDecoder(config)


def save_checkpoint(path: Path, model: A2EP, about: dict[str, Any]) -> None:
    """Write the model; the encoder in half precision.

    Args:
        path: target file.
        model: to write.
        about: anything worth keeping: figures, steps, data.
    """
    arrays = {name: tensor.cpu().numpy() for name, tensor in model.state_dict().items()}
    halved = {
        name: array.astype(np.float16) if name.startswith("encoder.") else array
        for name, array in arrays.items()
    }
    meta = {
        "config": asdict(model.config),
        "names": model.names,
        "all_names": model.all_names,
        "encoder_settings": model.encoder_settings,
        "about": about,
    }
    save_arrays(path, "a2ep", halved, meta)


def load_checkpoint(path: Path) -> A2EP:
    """Read a model that `save_checkpoint` wrote, in evaluation mode.

    Raises:
        ModelError: missing, damaged, of another kind, or its arrays do not fit its own header.
    """
    read = read_checkpoint(path)
    config, settings = read.config, None
    if config.encoder == "wav2vec2":
        settings = wav2vec_settings(read.meta.get("encoder_settings") or {}, read.source)

    def build() -> A2EP:
        return A2EP(config, read.names, read.all_names, settings)

    model = load_network(read.source, build, read.arrays, LIMITS)
    try_model(read.source, model)
    return model
