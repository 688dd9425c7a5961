import numpy as np
import torch

from gsmooth_core.a2ep.loss import LAMBDA_MOUTH, VertexLoss


def naive(basis, mouth, template, predicted, truth, valid):
    """Equations 5 to 8 vertex by vertex: both shapes on the template, squared, mouth weighed."""
    total, frames = 0.0, 0
    for b in range(len(truth)):
        for t in range(truth.shape[1]):
            if not valid[b, t]:
                continue
            S_gt = template + np.einsum("e,enc->nc", truth[b, t], basis)
            S_pred = template + np.einsum("e,enc->nc", predicted[b, t], basis)
            square = ((S_pred - S_gt) ** 2).sum(axis=1)
            total += LAMBDA_MOUTH * square[mouth].sum() + square[~mouth].sum()
            frames += 1
    return total / frames / len(mouth)


def test_loss_is_equation_8():
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(4, 30, 3)).astype(np.float32)
    mouth = rng.random(30) < 0.4
    predicted, truth = rng.normal(size=(2, 2, 6, 4)).astype(np.float32)
    valid = (rng.random((2, 6)) < 0.7).astype(np.float32)
    made = VertexLoss(basis, mouth)(*(torch.from_numpy(x) for x in (predicted, truth, valid)))
    template = rng.normal(size=(30, 3))
    expected = naive(basis, mouth, template, predicted, truth, valid)
    np.testing.assert_allclose(float(made), expected, rtol=1e-5)


def test_no_valid_frame_is_no_loss():
    loss = VertexLoss(np.ones((2, 5, 3), np.float32), np.ones(5, bool))
    assert float(loss(torch.ones(1, 3, 2), torch.zeros(1, 3, 2), torch.zeros(1, 3))) == 0.0
