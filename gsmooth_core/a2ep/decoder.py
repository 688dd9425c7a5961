"""Audio features and past expressions -> expressions, one frame after another (Sec. IV-B)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gsmooth_core.a2ep import positions
from gsmooth_core.a2ep.attention import BiasedAttention, audio_bias, history_bias
from gsmooth_core.a2ep.config import A2EPConfig
from gsmooth_core.types import Float


def positional_encoding(period: int, d: int) -> Tensor:
    """(period, d) table of PE(t): sines in the even, cosines in the odd channels."""
    return torch.from_numpy(positions.positional_encoding(period, d))


@dataclass
class DecoderState:
    """What the decoder remembers between frames; its size does not grow with time.

    Attributes:
        frame: t, the frame that comes next.
        previous: (B, E) beta_{t-1} as the model gave it; zeros at the start (sos).
        keys: (B, heads, n, d / heads) of the last n < history frames.
        values: likewise.
    """

    frame: int
    previous: Tensor
    keys: Tensor
    values: Tensor


class ExpressionDecoder(nn.Module):
    """Expression encoder (eq. 2) and biased cross-attention decoder (eq. 3 and 4).

    Attributes:
        scale: (E,) typical size of each component; history is divided by it, output multiplied.
        positions: (period, d) PE(t).
    """

    scale: Tensor
    positions: Tensor

    def __init__(self, config: A2EPConfig) -> None:
        super().__init__()
        d, E = config.d, config.components
        self.config = config
        self.direct = (
            nn.Conv1d(config.encoder_width, E, 2 * config.context + 1) if config.direct else None
        )
        self.audio = nn.Linear(E if config.direct else config.encoder_width, d)
        self.embed = nn.Linear(E, d)
        self.style = nn.Linear(config.styles, d, bias=False)
        self.self_norm = nn.LayerNorm(d)
        self.self_attention = BiasedAttention(d, config.heads)
        self.cross_norm = nn.LayerNorm(d)
        self.cross_attention = BiasedAttention(d, config.heads)
        self.feed_norm = nn.LayerNorm(d)
        self.feed = nn.Sequential(
            nn.Linear(d, config.feed_forward),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.feed_forward, d),
        )
        self.out_norm = nn.LayerNorm(d)
        self.out = nn.Linear(d, E)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        self.drop = nn.Dropout(config.dropout)
        self.register_buffer("scale", torch.ones(E))
        self.register_buffer("positions", positional_encoding(config.period, d), persistent=False)

    @property
    def context(self) -> int:
        """Frames on either side that `hear` needs."""
        return self.config.context if self.direct is not None else 0

    @property
    def heard_width(self) -> int:
        """W, channels of `hear`."""
        return self.config.components if self.direct is not None else self.config.encoder_width

    def hear(self, features: Tensor) -> Tensor:
        """(B, T + 2 context, F) features -> (B, T, W): the ridge's beta, or the features."""
        if self.direct is None:
            return features
        return self.direct(features.transpose(1, 2)).transpose(1, 2)  # type: ignore[no-any-return]

    def embed_audio(self, heard: Tensor) -> Tensor:
        """(B, T, W) of `hear` -> F_a (B, T, d)."""
        return self.audio(heard if self.direct is None else heard / self.scale)  # type: ignore[no-any-return]

    def embed_history(self, previous: Tensor, style: Tensor, first: int = 0) -> Tensor:
        """Eq. 2 for frames `first`...: (B, T, E) beta_{t-1}, (B, styles) -> (B, T, d)."""
        t = torch.arange(first, first + previous.shape[1]) % self.config.period
        return self._embedded(previous, style, self.positions[t])

    def _embedded(self, previous: Tensor, style: Tensor, position: Tensor) -> Tensor:
        embedded = self.embed(previous / self.scale) + self.style(style)[:, None]
        return self.drop(embedded + position)  # type: ignore[no-any-return]

    def head(self, e: Tensor, heard: Tensor) -> Tensor:
        """Feed-forward and output layer: (B, T, d) and `hear`'s (B, T, W) -> (B, T, E)."""
        e = e + self.drop(self.feed(self.feed_norm(e)))
        beta = self.out(self.out_norm(e)) * self.scale
        return beta if self.direct is None else beta + heard  # type: ignore[no-any-return]

    def forward(self, heard: Tensor, previous: Tensor, style: Tensor, first: int = 0) -> Tensor:
        """All frames at once, given what came before each of them.

        Args:
            heard: (B, T, W) of `hear`.
            previous: (B, T, E) beta_{t-1} of each frame.
            style: (B, styles) one-hot, or zeros for no style.
            first: t of the first frame.

        Returns:
            (B, T, E) expressions.
        """
        T = heard.shape[1]
        e = self.embed_history(previous, style, first)
        past = history_bias(T, self.config.history).to(e)
        norm = self.self_norm(e)
        e = e + self.drop(self.self_attention(norm, norm, past))
        near = audio_bias(T, T, self.config.sigma1, self.config.sigma2).to(e)
        e = e + self.drop(self.cross_attention(self.cross_norm(e), self.embed_audio(heard), near))
        return self.head(e, heard)

    def start(self, batch: int = 1) -> DecoderState:
        """The state before the first frame: no history, beta = 0 (sos)."""
        width = self.config.d // self.config.heads
        empty = self.scale.new_zeros(batch, self.config.heads, 0, width)
        return DecoderState(0, self.scale.new_zeros(batch, len(self.scale)), empty, empty)

    def step(
        self, state: DecoderState, heard: Tensor, keys: Tensor, values: Tensor, style: Tensor
    ) -> Tensor:
        """Make one frame and advance `state`.

        Args:
            state: keys, values and output of the frames before this one.
            heard: (B, 1, W) audio features of this frame.
            keys: (B, heads, n, d / heads) cross-attention keys of the frames eq. 4 allows.
            values: (B, heads, n, d / heads) the values of the same frames.
            style: (B, styles).

        Returns:
            (B, E) the frame's expression.
        """
        position = self.positions[state.frame % self.config.period]
        before = (state.previous, state.keys, state.values)
        beta, k, v = self.next(heard, (keys, values), position, style, before)
        past = slice(max(k.shape[2] - self.config.history + 1, 0), None)
        state.keys, state.values = k[:, :, past], v[:, :, past]
        state.previous, state.frame = beta, state.frame + 1
        return beta

    def next(
        self,
        heard: Tensor,
        near: tuple[Tensor, Tensor],
        position: Tensor,
        style: Tensor,
        before: tuple[Tensor, Tensor, Tensor],
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One frame, of what is remembered of those before it; see `step`.

        Args:
            heard: (B, 1, W)
            near: cross-attention keys and values.
            position: (d,) PE(t) of the frame.
            style: (B, styles)
            before: (B, E) the frame before, and the keys and values of the history.

        Returns:
            (B, E) the frame, and the history's keys and values with its own.
        """
        previous, keys, values = before
        e = self._embedded(previous[:, None], style, position)  # (B, 1, d)
        norm = self.self_norm(e)
        k, v = self.self_attention.keys_values(norm)
        k, v = torch.cat([keys, k], 2), torch.cat([values, v], 2)
        e = e + self.self_attention.attend(norm, k, v)
        e = e + self.cross_attention.attend(self.cross_norm(e), *near)
        return self.head(e, heard)[:, 0], k, v

    def run(
        self, state: DecoderState, heard: Tensor, style: Tensor, first: int, count: int
    ) -> Tensor:
        """Make `count` frames, each fed with the one before it.

        Args:
            state: keys, values and output of the frames before `first`.
            heard: (B, T, W) audio features, including the neighbours that eq. 4 allows.
            style: (B, styles).
            first: index in `heard` of the first frame to make.
            count: number of frames to make.

        Returns:
            (B, count, E).
        """
        keys, values = self.cross_attention.keys_values(self.embed_audio(heard))
        made = []
        for i in range(first, first + count):
            near = slice(max(i - self.config.sigma1, 0), i + self.config.sigma2)
            beta = self.step(
                state, heard[:, i : i + 1], keys[:, :, near], values[:, :, near], style
            )
            made.append(beta)
        return torch.stack(made, dim=1)

    # -- as others use it: arrays in, arrays out ------------------------------------------------

    @torch.inference_mode()
    def heard(self, features: Float) -> Float:
        """(T + 2 context, F) features -> (T, W); see `FrameDecoder`."""
        made: Float = self.hear(self._tensor(features)[None])[0].cpu().numpy()
        return made

    @torch.inference_mode()
    def spoken(
        self, state: DecoderState, heard: Float, style: Float, first: int, count: int
    ) -> Float:
        """(count, E) frames; see `FrameDecoder`."""
        if self.direct is not None and not self.out.weight.any() and not self.out.bias.any():
            state.frame += count  # a decoder that adds nothing need not be asked
            return heard[first : first + count]
        tensors = (self._tensor(heard)[None], self._tensor(style)[None])
        made: Float = self.run(state, *tensors, first, count)[0].cpu().numpy()
        return made

    def _tensor(self, array: Float) -> Tensor:
        return torch.from_numpy(array).to(self.scale)
