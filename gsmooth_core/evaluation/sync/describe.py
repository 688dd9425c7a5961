"""A measurement of sync in words, and as plain JSON."""

from __future__ import annotations

import math
from typing import Any

from gsmooth_core.sync.offset import SyncResult
from gsmooth_core.types import Float

SHORT_SECONDS = 6.0


def describe(found: SyncResult) -> str:
    """One or two sentences about where the sound lies and how sure that is."""
    confidence = f"confidence {found.confidence:.2f}"
    if not found.sure:
        return (
            f"Lips and sound do not fit well enough to say ({confidence}, "
            f"{found.threshold:.2f} is what a wrong sound may reach)."
        )
    frames = found.offset_frames
    if frames == 0:
        return f"Picture and sound are in sync ({confidence})."
    count = f"{abs(frames)} frame{'s' if abs(frames) > 1 else ''}"
    side = "late" if frames > 0 else "early"
    return f"The sound is {count} {side} ({abs(found.offset_seconds):.2f} s), {confidence}."


def advice(found: SyncResult, seconds: float) -> str:
    """What may help when the measurement is unsure; "" when it is not."""
    if found.sure:
        return ""
    if seconds < SHORT_SECONDS:
        return f"Only {seconds:.1f} seconds show a face: {SHORT_SECONDS:.0f} are dependable."
    return "The voice may be somebody else's, or nobody speaks in the picture."


def to_json(found: SyncResult) -> dict[str, Any]:
    """The measurement as a JSON object; what is no number becomes null."""
    return {
        "offset_frames": found.offset_frames,
        "offset_seconds": round(found.offset_seconds, 4),
        "confidence": round(found.confidence, 4),
        "threshold": round(found.threshold, 4),
        "sure": found.sure,
        "expert": found.expert,
        "centre": found.centre,
        "distances": _numbers(found.distances),
        "per_second": _numbers(found.per_second),
    }


def _numbers(values: Float) -> list[float | None]:
    return [round(float(v), 4) if math.isfinite(v) else None for v in values]
