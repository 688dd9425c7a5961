"""A2EP whole: audio encoder, decoder, what it needs to know of faces; and its checkpoint."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gsmooth_core.a2ep.config import HINT, A2EPConfig
from gsmooth_core.a2ep.decoder import ExpressionDecoder
from gsmooth_core.a2ep.encoders import build_encoder, wav2vec_settings
from gsmooth_core.a2ep.mel import BLOCK
from gsmooth_core.errors import ModelError
from gsmooth_core.models import registry
from gsmooth_core.models.checkpoints import load_network, tried
from gsmooth_core.models.modelfile import ModelSource
from gsmooth_core.storage.arrays import save_arrays
from gsmooth_core.types import Float

_LIMITS = {
    "decoder.scale": (1e-6, 100),  # the decoder divides by it
    "usual": (1e-6, 10),
    "gain": (0, 10),
    "rest": (-2, 2),
    "silence": (-10, 10),
}
_TRIAL = 20  # frames beside those that the closing of the lips is heard from


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
        if len(names) != E or not set(names) <= set(all_names):
            raise ModelError(
                f"The A2EP checkpoint names {len(names)} components and predicts {E}.",
                "Train it again, or reinstall GSmooth.",
            )
        self.config = config
        self.names = names
        self.all_names = all_names
        self.encoder_settings = encoder_settings
        self.encoder = build_encoder(config, encoder_settings)
        self.decoder = ExpressionDecoder(config)
        self.voice = nn.Linear(config.encoder_width, 1)
        self.closing = nn.Conv1d(config.encoder_width, 1, 2 * self.decoder.context + 1)
        for name in ("rest", "silence", "opening", "way"):
            self.register_buffer(name, torch.zeros(E))
        self.register_buffer("gram", torch.eye(E, device="cpu"))  # see `whisper.sinusoids`
        self.register_buffer("usual", torch.ones(()))
        self.register_buffer("gain", torch.ones(()))

    def array(self, name: str) -> Float:
        """A buffer as a numpy array."""
        tensor: Tensor = getattr(self, name)
        return tensor.cpu().numpy()


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
    source = ModelSource(path, "A2EP checkpoint", HINT)
    arrays, meta = source.arrays("a2ep")
    names, all_names = source.names(meta, "names"), source.names(meta, "all_names")
    config = A2EPConfig.from_dict(source.entry(meta, "config"), source)
    settings = None
    if config.encoder == "wav2vec2":
        settings = wav2vec_settings(meta.get("encoder_settings") or {}, source)
    model = load_network(source, lambda: A2EP(config, names, all_names, settings), arrays, _LIMITS)
    tried(source, lambda: _trial(model))
    return model


def _trial(model: A2EP) -> Tensor:
    """What the model makes of a second of sound, all of it in a row."""
    decoder, frames = model.decoder, _TRIAL + 2 * model.decoder.context
    time = torch.arange(frames * BLOCK) / (frames * BLOCK)
    features = model.encoder(0.1 * torch.sin(2000 * time**2)[None], frames)  # (1, T, F)
    style = features.new_zeros(1, model.config.styles)
    curves = decoder.run(decoder.start(), decoder.hear_all(features), style, 0, _TRIAL)
    closing = model.closing(features.transpose(1, 2))
    return torch.cat([t.flatten() for t in (features, curves, model.voice(features), closing)])


@lru_cache(maxsize=4)
def _load_once(path: Path, stamp: tuple[int, int, int]) -> A2EP:
    return load_checkpoint(path)


def load_a2ep(name_or_path: str | Path = "a2ep") -> A2EP:
    """The shipped model, or a checkpoint of the user; read once a process.

    Args:
        name_or_path: a name of `registry.MODELS`, or a checkpoint made by `save_checkpoint`.

    Raises:
        ModelError: see `load_checkpoint`.
    """
    path = registry.resolve(name_or_path)
    return _load_once(path, registry.stamp(path))
