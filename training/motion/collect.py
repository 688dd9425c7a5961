"""The movements of the training people, as the library that stitching draws from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gsmooth_core.errors import InputError
from gsmooth_core.motion.library import MotionLibrary, manner
from training.motion.data import Moving

SPEED = 3  # place of the speed in a manner
SAME = 0.95
"""Correlation from which two movements are one that was filmed once."""


def collect(pieces: Sequence[Moving]) -> MotionLibrary:
    """One library of some pieces, the calm ones first.

    Raises:
        InputError: there are none.
    """
    if not pieces:
        raise InputError("There is no movement to learn from.", "Run `python -m training.prepare`.")
    ranked = sorted(pieces, key=lambda piece: float(manner(piece.motion)[SPEED]))
    lengths = [len(piece.motion) for piece in ranked]
    return MotionLibrary(
        np.concatenate([piece.motion for piece in ranked]).astype(np.float32),
        np.concatenate([piece.energy for piece in ranked]).astype(np.float32),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32),
        np.concatenate([piece.brow for piece in ranked]).astype(np.float32),
    )


def without_copies(pieces: Sequence[Moving]) -> list[Moving]:
    """The pieces without those that show what a longer one shows, from the same frame on."""
    kept: list[Moving] = []
    for piece in sorted(pieces, key=lambda piece: -len(piece.motion)):
        if not any(_copies(piece, other) for other in kept):
            kept.append(piece)
    return kept


def _copies(piece: Moving, other: Moving) -> bool:
    turns = [one.motion[: len(piece.motion), :3] for one in (piece, other)]
    a, b = (turn - turn.mean(axis=0) for turn in turns)
    return float((a * b).sum()) > SAME * float(np.linalg.norm(a) * np.linalg.norm(b))


def about(pieces: Sequence[Moving]) -> dict[str, int | float]:
    """What the card says of a library: no names."""
    return {
        "people": len({piece.sample.speaker for piece in pieces}),
        "clips": len({piece.sample.stem for piece in pieces}),
        "seconds": round(sum(piece.seconds for piece in pieces), 1),
    }
