"""What of a clip its dub has not as it was: kept with the dubbed strip, while that lasts."""

from __future__ import annotations

from typing import Any

from ..worker.events import shown

NOTED = "gsmooth_notices"
"""Custom property of a dubbed strip: a notice a line."""
_MOST = 20


def note(strip: Any, result: dict[str, Any]) -> None:
    """Keep the notices of a worker's answer with the strip that shows its clip."""
    told: Any = result.get("notices")
    rows = told if isinstance(told, list) else []
    texts = [shown(row.get("text")) for row in rows[:_MOST] if isinstance(row, dict)]
    lines = [" ".join(text.split()) for text in texts if text]
    if lines:
        strip[NOTED] = "\n".join(lines)
    else:
        strip.pop(NOTED, None)


def of_strip(strip: Any) -> list[str]:
    """The notices of a strip; a blend file may be a stranger's."""
    noted = strip.get(NOTED) if strip is not None else None
    return shown(noted).split("\n")[:_MOST] if isinstance(noted, str) and noted else []
