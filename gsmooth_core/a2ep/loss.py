"""The vertex loss on the template face (eq. 5 to 8), with the mouth weighed up (eq. 14, 15)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from gsmooth_core.types import Bool, Float

LAMBDA_MOUTH = 1.8


class VertexLoss(nn.Module):
    """Mean squared vertex error of S_pred against S_gt, lambda_m on the mouth's vertices.

    Both shapes stand on one template (eq. 6 and 7), so it cancels: what is left is
    B_exp (beta_pred - beta_gt), and its masked square is a quadratic form with a small matrix
    E x E. No vertex is ever computed.

    Attributes:
        gram: (E, E) B_exp^T (lambda_m M + (1 - M)) B_exp / N.
    """

    gram: Tensor

    def __init__(self, basis: Float, mouth: Bool, lambda_mouth: float = LAMBDA_MOUTH) -> None:
        """Take (E, N, 3) B_exp and (N,) the mouth mask M of eq. 15."""
        super().__init__()
        weight = torch.where(torch.from_numpy(mouth), lambda_mouth, 1.0).double()
        B = torch.from_numpy(basis).double()
        gram = torch.einsum("anc,n,bnc->ab", B, weight, B) / len(weight)
        self.register_buffer("gram", gram.float(), persistent=False)

    @classmethod
    def of_components(cls, count: int, size: float) -> VertexLoss:
        """The loss on `count` components themselves, for comparison; `size` is the gram's trace."""
        loss = cls(np.zeros((count, 1, 3), np.float32), np.zeros(1, bool))
        loss.gram = torch.eye(count) * (size / count)
        return loss

    def forward(self, predicted: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
        """(B, T, E) twice, (B, T) weights of the frames -> mean over the valid frames."""
        error = predicted - truth
        square = torch.einsum("bte,ef,btf->bt", error, self.gram, error)
        return (square * valid).sum() / valid.sum().clamp_min(1.0)
