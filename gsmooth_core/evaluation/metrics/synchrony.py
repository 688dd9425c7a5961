"""Sync of lips and sound, when there is an expert and something to judge."""

from __future__ import annotations

from fractions import Fraction

from gsmooth_core.errors import NoFaceError, NoSpeechError
from gsmooth_core.evaluation.metrics.figures import Figures
from gsmooth_core.models import registry
from gsmooth_core.sync import SyncResult, measure_sync
from gsmooth_core.types import Float


def sync_of(landmarks: Float, fps: Fraction, audio: Float | None) -> SyncResult | None:
    """How lips and sound fit; None without the expert's weights, a face, or something to hear.

    Args:
        landmarks: (T, 478, 2), NaN where there is no face.
        fps: frames per second.
        audio: (S,) 16 kHz, heard with the picture; None for none.
    """
    if audio is None or "sync" not in registry.MODELS or registry.find("sync") is None:
        return None
    try:
        return measure_sync(landmarks, fps, audio)
    except (NoFaceError, NoSpeechError):
        return None


def sync_figures(result: SyncResult | None) -> Figures:
    """The figures "sync" and "offset"."""
    if result is None:
        return {"sync": None, "offset": None}
    return {"sync": result.confidence, "offset": float(result.offset_frames)}
