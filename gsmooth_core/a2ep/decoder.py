"""Audio features and past expressions -> expressions, one frame after another (Sec. IV-B)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gsmooth_core.a2ep.attention import BiasedAttention, audio_bias, history_bias
from gsmooth_core.a2ep.config import A2EPConfig


def positional_encoding(period: int, d: int) -> Tensor:
    """(period, d) table of PE(t): sines in the even, cosines in the odd channels."""
    angles = torch.arange(period)[:, None] * torch.exp(
        torch.arange(0, d, 2) * (-math.log(10_000.0) / d)
    )
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)  # (period, d)


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
        window = 2 * config.context + 1
        self.audio = nn.Conv1d(config.encoder_width, d, window)
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
        self.direct = nn.Conv1d(config.encoder_width, E, window) if config.direct else None
        self.drop = nn.Dropout(config.dropout)
        self.register_buffer("scale", torch.ones(E))
        self.register_buffer("positions", positional_encoding(config.period, d), persistent=False)

    @property
    def audio_width(self) -> int:
        """Channels of `project`."""
        return self.config.d + (0 if self.direct is None else self.config.components)

    def embed_audio(self, features: Tensor) -> Tensor:
        """`project` for all frames of (B, T, F); the ends see their own edge repeated."""
        c = self.config.context
        first, last = features[:, :1].expand(-1, c, -1), features[:, -1:].expand(-1, c, -1)
        return self.project(torch.cat([first, features, last], dim=1))

    def project(self, features: Tensor) -> Tensor:
        """(B, T + 2 context, F) features -> (B, T, d + E): F_a, then the direct path's beta.

        Without a direct path it is F_a alone, (B, T, d).
        """
        x = features.transpose(1, 2)  # (B, F, T + 2 context)
        paths = [self.audio(x)] if self.direct is None else [self.audio(x), self.direct(x)]
        return torch.cat(paths, dim=1).transpose(1, 2)

    def embed_history(self, previous: Tensor, style: Tensor, first: int = 0) -> Tensor:
        """Eq. 2 for frames `first`...: (B, T, E) beta_{t-1}, (B, styles) -> (B, T, d)."""
        t = torch.arange(first, first + previous.shape[1]) % self.config.period
        embedded = self.embed(previous / self.scale) + self.style(style)[:, None]
        return self.drop(embedded + self.positions[t])  # type: ignore[no-any-return]

    def head(self, e: Tensor, audio: Tensor) -> Tensor:
        """Feed-forward and output layer: (B, T, d) and `project`'s (B, T, d + E) -> (B, T, E)."""
        e = e + self.drop(self.feed(self.feed_norm(e)))
        beta = self.out(self.out_norm(e))
        if self.direct is not None:
            beta = beta + audio[..., self.config.d :]
        return beta * self.scale  # type: ignore[no-any-return]

    def forward(self, audio: Tensor, previous: Tensor, style: Tensor, first: int = 0) -> Tensor:
        """All frames at once, given what came before each of them.

        Args:
            audio: (B, T, d + E) of `embed_audio`.
            previous: (B, T, E) beta_{t-1} of each frame.
            style: (B, styles) one-hot, or zeros for no style.
            first: t of the first frame.

        Returns:
            (B, T, E) expressions.
        """
        T = audio.shape[1]
        e = self.embed_history(previous, style, first)
        past = history_bias(T, self.config.history).to(audio)
        norm = self.self_norm(e)
        e = e + self.drop(self.self_attention(norm, norm, past))
        near = audio_bias(T, T, self.config.sigma1, self.config.sigma2).to(audio)
        e = e + self.drop(
            self.cross_attention(self.cross_norm(e), audio[..., : self.config.d], near)
        )
        return self.head(e, audio)

    def start(self, batch: int = 1) -> DecoderState:
        """The state before the first frame: no history, beta = 0 (sos)."""
        width = self.config.d // self.config.heads
        empty = self.scale.new_zeros(batch, self.config.heads, 0, width)
        return DecoderState(0, self.scale.new_zeros(batch, len(self.scale)), empty, empty)

    def step(
        self, state: DecoderState, audio: Tensor, keys: Tensor, values: Tensor, style: Tensor
    ) -> Tensor:
        """One frame; `state` moves on.

        Args:
            state: what came before.
            audio: (B, 1, d + E) `project` of this frame.
            keys: (B, heads, n, d / heads) cross-attention keys of the frames eq. 4 allows.
            values: likewise.
            style: (B, styles).

        Returns:
            (B, E) the frame's expression.
        """
        e = self.embed_history(state.previous[:, None], style, state.frame)  # (B, 1, d)
        norm = self.self_norm(e)
        k, v = self.self_attention.keys_values(norm)
        k, v = torch.cat([state.keys, k], 2), torch.cat([state.values, v], 2)
        e = e + self.self_attention.attend(norm, k, v)
        e = e + self.cross_attention.attend(self.cross_norm(e), keys, values)
        beta = self.head(e, audio)[:, 0]
        past = slice(max(k.shape[2] - self.config.history + 1, 0), None)
        state.keys, state.values = k[:, :, past], v[:, :, past]
        state.previous, state.frame = beta, state.frame + 1
        return beta

    def run(
        self, state: DecoderState, audio: Tensor, style: Tensor, first: int, count: int
    ) -> Tensor:
        """Frames `first`..., each fed the one before it.

        Args:
            state: what came before frame `first`.
            audio: (B, T, d + E) of `project`, with the frames around that eq. 4 allows.
            style: (B, styles).
            first: index in `audio` of the first frame to make.
            count: how many.

        Returns:
            (B, count, E).
        """
        keys, values = self.cross_attention.keys_values(audio[..., : self.config.d])
        made = []
        for i in range(first, first + count):
            near = slice(max(i - self.config.sigma1, 0), i + self.config.sigma2)
            beta = self.step(
                state, audio[:, i : i + 1], keys[:, :, near], values[:, :, near], style
            )
            made.append(beta)
        return torch.stack(made, dim=1)
