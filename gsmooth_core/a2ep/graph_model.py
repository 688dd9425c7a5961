"""A2EP run by ONNX Runtime: graphs for what is deep, products of matrices for what is linear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gsmooth_core.a2ep.config import A2EPConfig
from gsmooth_core.a2ep.mel import log_mel
from gsmooth_core.a2ep.positions import positional_encoding, sinusoids
from gsmooth_core.models.modelfile import ModelSource
from gsmooth_core.models.threads import all_threads
from gsmooth_core.networks.onnx import OnnxNetwork, Tables
from gsmooth_core.types import Float

POSITIONS = 1500
"""Rows of Whisper's position table: 30 s at 50 Hz."""


class GraphEncoder:
    """Whisper's hidden states, read at the middle of each frame.

    Args:
        source: the checkpoint, for the words of errors.
        config: of the model.
        tables: of the checkpoint.
    """

    def __init__(self, source: ModelSource, config: A2EPConfig, tables: Tables) -> None:
        self._positions = sinusoids(POSITIONS, config.encoder_width)
        # Nothing else runs while a speech is listened to.
        self._network = OnnxNetwork(source, "a2ep", "listen", tables, "cpu", all_threads())

    def listen(self, samples: Float, frames: int) -> Float:
        """(frames * 640,) samples -> (frames, F)."""
        positions = self._positions[: 2 * frames]
        hidden = self._network(log_mel(samples)[None], positions)[0][0]  # 50 a second
        middle: Float = hidden[1::2]
        return middle


@dataclass
class GraphState:
    """What the decoder remembers between frames; see `decoder.DecoderState`."""

    frame: int
    previous: Float
    keys: Float
    values: Float


class GraphDecoder:
    """The decoder; see `interface.FrameDecoder`.

    Args:
        source: the checkpoint, for the words of errors.
        config: of the model.
        tables: of the checkpoint.
    """

    def __init__(self, source: ModelSource, config: A2EPConfig, tables: Tables) -> None:
        self.config = config
        self._tables = tables
        self._positions = positional_encoding(config.period, config.d)
        self._step = OnnxNetwork(source, "a2ep", "speak", tables, "cpu")
        out = (tables["decoder.out.weight"], tables["decoder.out.bias"])
        self._linear = config.direct and not any(np.any(table) for table in out)

    @property
    def context(self) -> int:
        """Frames on either side that `heard` needs."""
        return self.config.context if self.config.direct else 0

    @property
    def heard_width(self) -> int:
        """W, channels of `heard`."""
        return self.config.components if self.config.direct else self.config.encoder_width

    def start(self) -> GraphState:
        """The state before the first frame."""
        config = self.config
        empty = np.zeros((1, config.heads, 0, config.d // config.heads), np.float32)
        return GraphState(0, np.zeros((1, config.components), np.float32), empty, empty)

    def heard(self, features: Float) -> Float:
        """(T + 2 context, F) features -> (T, W): the ridge's beta, or the features."""
        if not self.config.direct:
            return features
        tables = self._tables
        return convolved(features, tables["decoder.direct.weight"], tables["decoder.direct.bias"])

    def spoken(
        self, state: GraphState, heard: Float, style: Float, first: int, count: int
    ) -> Float:
        """(count, E) frames, each fed with the one before it."""
        if self._linear:
            state.frame += count
            return heard[first : first + count]
        config, made = self.config, []
        for i in range(first, first + count):
            position = self._positions[state.frame % config.period]
            near = heard[max(i - config.sigma1, 0) : i + config.sigma2]
            now = (heard[i : i + 1], near, position, style)
            remembered = (state.previous, state.keys, state.values)
            state.previous, keys, values = self._step(*(x[None] for x in now), *remembered)
            past = slice(max(keys.shape[2] - config.history + 1, 0), None)
            state.keys, state.values = keys[:, :, past], values[:, :, past]
            state.frame += 1
            made.append(state.previous[0])
        return np.stack(made)


class GraphA2EP:
    """The whole model; see `interface.SpeechModel`.

    Args:
        source: the checkpoint, for the words of errors.
        config: sizes and choices.
        names: E components that are predicted.
        all_names: components of the face model they belong to.
        tables: of the checkpoint, checked.
    """

    def __init__(
        self,
        source: ModelSource,
        config: A2EPConfig,
        names: tuple[str, ...],
        all_names: tuple[str, ...],
        tables: Tables,
    ) -> None:
        self.config, self.names, self.all_names = config, names, all_names
        self.encoder = GraphEncoder(source, config, tables)
        self.decoder = GraphDecoder(source, config, tables)
        self._tables = {n: t for n, t in tables.items() if not n.startswith("encoder.")}

    def array(self, name: str) -> Float:
        """A table of the checkpoint."""
        return self._tables[name]

    def voice_logits(self, features: Float) -> Float:
        """(T, F) features -> (T,) logits of somebody speaking."""
        spoken: Float = features @ self._tables["voice.weight"][0] + self._tables["voice.bias"][0]
        return spoken

    def closing_logits(self, features: Float) -> Float:
        """(T + 2 context, F) features -> (T,) logits that the lips touch."""
        weight, bias = self._tables["closing.weight"], self._tables["closing.bias"]
        return convolved(features, weight, bias)[:, 0]


def convolved(features: Float, kernel: Float, bias: Float) -> Float:
    """(T + K - 1, F) features under an (O, F, K) kernel -> (T, O)."""
    outputs, width, window = kernel.shape
    count = len(features) - window + 1
    # One product instead of K: features are read once.
    taps = features @ kernel.transpose(1, 2, 0).reshape(width, -1)  # (F, K * O)
    taps = taps.reshape(-1, window, outputs)
    return np.asarray(sum(taps[k : k + count, k] for k in range(window)) + bias, np.float32)
