import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gsmooth_core.a2ep.attention import BiasedAttention, audio_bias, history_bias
from tests.a2ep.small import lively


@given(st.integers(1, 12), st.integers(0, 5), st.integers(1, 5))
def test_bias_is_equation_4(T, sigma1, sigma2):
    made = audio_bias(T, T, sigma1, sigma2)
    for i in range(T):
        for j in range(T):
            seen = max(i - sigma1, 0) <= j < min(i + sigma2, T)
            assert made[i, j] == (0.0 if seen else -math.inf)


def test_paper_setting_sees_its_own_frame_alone():
    assert torch.equal(audio_bias(5, 5, 0, 1) == 0, torch.eye(5, dtype=torch.bool))


@given(st.integers(1, 12), st.integers(1, 14))
def test_history_is_causal_and_bounded(T, history):
    made = history_bias(T, history)
    for i in range(T):
        for j in range(T):
            assert made[i, j] == (0.0 if i - history < j <= i else -math.inf)


@pytest.mark.parametrize("heads", [1, 4])
def test_attention_equals_equation_3_in_loops(heads):
    layer = lively(BiasedAttention(8, heads))
    x, memory = torch.randn(1, 3, 8), torch.randn(1, 5, 8)
    bias = audio_bias(3, 5, 1, 2)
    q, k, v = layer.query(x)[0], layer.key(memory)[0], layer.value(memory)[0]
    width = 8 // heads
    rows = []
    for i in range(3):
        parts = []
        for h in range(heads):
            s = slice(h * width, (h + 1) * width)
            scores = torch.stack([q[i, s] @ k[j, s] / math.sqrt(width) for j in range(5)])
            parts.append(torch.softmax(scores + bias[i], 0) @ v[:, s])
        rows.append(torch.cat(parts))
    torch.testing.assert_close(layer(x, memory, bias)[0], layer.out(torch.stack(rows)))
