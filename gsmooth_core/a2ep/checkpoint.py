"""What a checkpoint of A2EP holds, and how it is tried, whatever engine runs it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gsmooth_core.a2ep.config import HINT, A2EPConfig
from gsmooth_core.a2ep.interface import SpeechModel
from gsmooth_core.a2ep.mel import BLOCK
from gsmooth_core.errors import ModelError
from gsmooth_core.models.modelfile import ModelSource
from gsmooth_core.models.tables import plausible_array
from gsmooth_core.storage.arrays import Arrays

KIND = "a2ep"
LIMITS = {
    "decoder.scale": (1e-6, 100),  # the decoder divides by it
    "decoder.mean": (-2, 2),
    "usual": (1e-6, 10),
    "gain": (0, 10),
    "rest": (-2, 2),
    "silence": (-10, 10),
}
_TRIAL = 20  # frames beside those that the closing of the lips is heard from


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint of A2EP holds.

    Attributes:
        source: the file.
        arrays: its tables.
        config: sizes and choices.
        names: E components that are predicted.
        all_names: components of the face model they belong to.
        meta: all that its header says.
    """

    source: ModelSource
    arrays: Arrays
    config: A2EPConfig
    names: tuple[str, ...]
    all_names: tuple[str, ...]
    meta: dict[str, Any]


def read_checkpoint(path: Path) -> Checkpoint:
    """What a checkpoint holds, its header held against limits.

    Raises:
        ModelError: missing, damaged, of another kind, or its header does not fit itself.
    """
    source = ModelSource(path, "A2EP checkpoint", HINT)
    arrays, meta = source.arrays(KIND)
    names, all_names = source.names(meta, "names"), source.names(meta, "all_names")
    config = A2EPConfig.from_dict(source.entry(meta, "config"), source)
    check_components(config, names, all_names)
    return Checkpoint(source, arrays, config, names, all_names, meta)


def sizes(config: A2EPConfig) -> dict[str, Any]:
    """What of a configuration shapes the networks."""
    return {name: value for name, value in asdict(config).items() if name != "dropout"}


def check_components(
    config: A2EPConfig, names: tuple[str, ...], all_names: tuple[str, ...]
) -> None:
    """See that a model names the components that it predicts.

    Raises:
        ModelError: it does not.
    """
    if len(names) != config.components or not set(names) <= set(all_names):
        raise ModelError(
            f"The A2EP checkpoint names {len(names)} components and predicts {config.components}.",
            "Train it again, or reinstall GSmooth.",
        )


def try_model(source: ModelSource, model: SpeechModel) -> None:
    """See that a model makes numbers of a second of sound.

    Raises:
        ModelError: it does not run, or makes values that are no numbers, or absurd.
    """
    decoder, frames = model.decoder, _TRIAL + 2 * model.decoder.context
    time = np.arange(frames * BLOCK, dtype=np.float32) / (frames * BLOCK)
    features = model.encoder.listen((0.1 * np.sin(2000 * time**2)).astype(np.float32), frames)
    style, heard = np.zeros(model.config.styles, np.float32), decoder.heard(features)
    curves = decoder.spoken(decoder.start(), heard, style, 0, _TRIAL)
    logits = model.voice_logits(features), model.closing_logits(features)
    for made in (features, curves, *logits):
        plausible_array(source, made)
