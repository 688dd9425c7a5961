"""A2EP whole: audio encoder, decoder, what it needs to know of faces; and its checkpoint."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gsmooth_core import models
from gsmooth_core.a2ep.config import A2EPConfig
from gsmooth_core.a2ep.decoder import ExpressionDecoder
from gsmooth_core.a2ep.encoders import build_encoder
from gsmooth_core.data import Float
from gsmooth_core.errors import InputError, ModelError
from gsmooth_core.storage import load_arrays, save_arrays


class A2EP(nn.Module):
    """Speech to expression (Sec. IV-B).

    Attributes:
        config: sizes and choices.
        names: E components that are predicted.
        all_names: components of the face model they belong to.
        encoder: samples -> features.
        decoder: features -> expressions around a speaker's mean, at unit amplitude.
        voice: features -> logit of somebody speaking.
        closing: features -> logit of lips that touch.
        rest: (E,) resting mouth of the average person.
        silence: (E,) where the resting mouth lies among the decoder's outputs.
        gram: (E, E) squared movement of the mouth's vertices (eq. 8).
        opening: (E,) how far each component opens the lips.
        way: (E,) how a mouth moves when its lips open by one (`opening @ way` = 1).
        usual: () amplitude of the average speaker.
        gain: () factor that gives the decoder's cautious movements that amplitude.
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
        self.register_buffer("gram", torch.eye(E))
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
    hint = "Train it again, or reinstall GSmooth."
    try:
        arrays, meta = load_arrays(path, "a2ep")
        names, all_names = tuple(meta["names"]), tuple(meta["all_names"])
        config = A2EPConfig.from_dict(meta["config"])
    except InputError as error:
        raise ModelError(error.message, hint) from error
    except KeyError as error:
        raise ModelError(f"'{path.name}' lacks {error} in its header.", hint) from error
    model = A2EP(config, names, all_names, meta.get("encoder_settings"))
    state = {name: torch.from_numpy(array.astype(np.float32)) for name, array in arrays.items()}
    if bad := [name for name, tensor in state.items() if not bool(tensor.isfinite().all())]:
        raise ModelError(f"'{path.name}' holds values that are no numbers: {bad[0]}.", hint)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"'{path.name}' does not fit its own header: {reason}", hint) from error
    return model.eval()


@cache
def _load_once(path: Path, stamp: float) -> A2EP:
    return load_checkpoint(path)


def load_a2ep(name_or_path: str | Path = "a2ep") -> A2EP:
    """The shipped model, or a checkpoint of the user; read once a process.

    Raises:
        ModelError: see `load_checkpoint`.
    """
    path = models.locate(name_or_path) if name_or_path in models.MODELS else Path(name_or_path)
    stamp = path.stat().st_mtime if path.is_file() else 0.0
    return _load_once(path, stamp)
