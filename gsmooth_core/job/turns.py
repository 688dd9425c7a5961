"""Curves of someone who is dubbed in some frames alone: they begin and end in the clip's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.ndimage import distance_transform_edt

from gsmooth_core.types import Bool, Expression, FaceTrack, Float

_FADE = 0.16  # seconds in which the mouth goes over from its own movement to the new one


def at_turns(target: Expression, track: FaceTrack, turns: Bool) -> Expression:
    """The curves of `target` in a person's turns, faded from and to those of the track.

    Args:
        target: what the person would show in all frames.
        track: what the person shows in the clip.
        turns: (T,) frames in which the person is dubbed.
    """
    weight = fade(turns, float(track.fps))[:, None]
    values = track.expression + weight * (target.values - track.expression)
    return replace(target, values=values.astype(np.float32))


def fade(turns: Bool, fps: float) -> Float:
    """(T,) 0..1: 0 outside of turns, rising to 1 from their edges; no edge where the clip ends."""
    if turns.all():
        return np.ones(len(turns), np.float32)
    inside = distance_transform_edt(turns) / (1 + _FADE * fps)
    return np.asarray(np.clip(inside, 0, 1), np.float32)
