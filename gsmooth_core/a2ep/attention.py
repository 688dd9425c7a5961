"""Attention with a bias that says who may look at whom (eq. 3 and 4)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def audio_bias(queries: int, keys: int, sigma1: int, sigma2: int) -> Tensor:
    """B_{a,e} of eq. 4: frame i sees the audio frames i - sigma1 <= j < i + sigma2.

    The paper bounds j by T - 1 as well, which would leave the last frame nothing to look at
    when sigma1 = 0; the bound here is T.

    Args:
        queries: number of expression frames.
        keys: T, number of audio frames.
        sigma1: frames back.
        sigma2: frames ahead, the own one included.

    Returns:
        (queries, keys), 0 or -inf.
    """
    i = torch.arange(queries)[:, None]
    j = torch.arange(keys)[None]
    allowed = (j >= i - sigma1) & (j < i + sigma2)
    return torch.zeros(queries, keys).masked_fill(~allowed, float("-inf"))


def history_bias(frames: int, history: int) -> Tensor:
    """(frames, frames) causal bias: frame i sees itself and the `history` - 1 frames before it."""
    i = torch.arange(frames)[:, None]
    j = torch.arange(frames)[None]
    allowed = (j <= i) & (j > i - history)
    return torch.zeros(frames, frames).masked_fill(~allowed, float("-inf"))


class BiasedAttention(nn.Module):
    """BiasAtt of eq. 3 with several heads: softmax(Q K^T / sqrt(d) + B) V."""

    def __init__(self, d: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(d, d)
        self.key = nn.Linear(d, d)
        self.value = nn.Linear(d, d)
        self.out = nn.Linear(d, d)

    def split(self, x: Tensor) -> Tensor:
        """(B, N, d) -> (B, heads, N, d / heads)."""
        B, N, d = x.shape
        return x.view(B, N, self.heads, d // self.heads).transpose(1, 2)

    def keys_values(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, N, d) -> K and V, (B, heads, N, d / heads) each."""
        return self.split(self.key(x)), self.split(self.value(x))

    def attend(self, x: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:
        """Queries from x (B, N, d) on ready keys and values; bias (N, M) -> (B, N, d)."""
        mixed = F.scaled_dot_product_attention(self.split(self.query(x)), k, v, attn_mask=bias)
        return self.out(mixed.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def forward(self, x: Tensor, memory: Tensor, bias: Tensor | None = None) -> Tensor:
        """(B, N, d) queries, (B, M, d) memory -> (B, N, d)."""
        return self.attend(x, *self.keys_values(memory), bias)
