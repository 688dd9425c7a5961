"""Trains the closing head: frames in which the lips of the pictures touch, against all others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize

from gsmooth_core.a2ep.closures import SHUT
from gsmooth_core.types import Bool, Float
from training.a2ep.data import Utterance
from training.a2ep.ridge import balance, windows

PENALTY = 1e-4  # times the mean squared feature window
STEPS = 60
HELD_OUT = 0  # fold of the speakers that set the bias
OPEN = 0.3  # of the 95th percentile of the aperture, from which lips count as apart
FALSE = 0.1  # share of such frames in which the head may say so: the curves have a say as well
TEMPERATURE = 1.5  # of the sigmoid: a doubt of the head is a doubt of the lips


def frames_of(utterances: Sequence[Utterance], context: int) -> Float:
    """(N, (2 context + 1) F) windows of all valid frames of the clips as they are."""
    return np.concatenate(
        [windows(u.takes[0].features, context)[u.takes[0].valid] for u in utterances]
    )


def apertures_of(utterances: Sequence[Utterance]) -> Float:
    """(N,) aperture of the landmarks over each clip's 95th percentile, in the same frames."""
    return np.concatenate([u.seen[u.takes[0].valid] for u in utterances])


def fit(x: Float, touching: Bool, share: Float) -> Float:
    """Logistic regression: (N, D) frames, (N,) labels and weights -> (D + 1,), the bias last."""
    y = np.where(touching, 1.0, -1.0).astype(np.float32)
    share = share / share.sum()
    penalty = np.float32(PENALTY * np.mean(np.einsum("nd,nd->n", x, x)))

    def cost(w: Float) -> tuple[float, Float]:
        w = w.astype(np.float32)
        margin = y * (x @ w[:-1] + w[-1])
        value = float(share @ np.logaddexp(0, -margin) + penalty * w[:-1] @ w[:-1])
        slope = -share * y / (1 + np.exp(np.clip(margin, -50, 50)))
        return value, np.append(x.T @ slope + 2 * penalty * w[:-1], slope.sum()).astype(float)

    start = np.zeros(x.shape[1] + 1)
    found = minimize(cost, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    return np.asarray(found.x, np.float32)


def fit_closing(
    utterances: Sequence[Utterance],
    folds: Sequence[int],
    context: int,
) -> Float:
    """Weights of the head, its bias set so that few open mouths of unheard speakers are shut.

    Args:
        utterances: clips.
        folds: fold of each clip.
        context: frames on either side.

    Returns:
        ((2 context + 1) F + 1,), the bias last; the logit is in units of `TEMPERATURE`.
    """
    parts = list(zip(utterances, folds, balance(utterances), strict=True))
    judged = [u for u, fold, _ in parts if fold == HELD_OUT]
    some = _fit_parts([(u, weight) for u, fold, weight in parts if fold != HELD_OUT], context)
    logits = frames_of(judged, context) @ some[:-1]
    whole = _fit_parts([(u, weight) for u, _, weight in parts], context)
    whole[-1] = -np.quantile(logits[apertures_of(judged) > OPEN], 1 - FALSE)
    return whole / np.float32(TEMPERATURE)


def _fit_parts(parts: Sequence[tuple[Utterance, float]], context: int) -> Float:
    """`fit` over clips, each frame counting the weight of its clip."""
    clips = [u for u, _ in parts]
    share = [np.full(u.takes[0].valid.sum(), weight, np.float32) for u, weight in parts]
    return fit(frames_of(clips, context), apertures_of(clips) < SHUT, np.concatenate(share))
