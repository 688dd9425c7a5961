"""What was measured before on this machine: one line of JSON a measurement, compared with the next.

Only measurements of the same clip, as many frames of it and as many cores are compared.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Any

import platformdirs

from gsmooth_core import __version__

_SAME = ("video", "size", "frames", "cores")


def history_file() -> Path:
    """The user's own file of measurements."""
    return platformdirs.user_state_path("gsmooth", appauthor=False) / "bench.jsonl"


def compared(measured: Mapping[str, Any], video: Path, file: Path) -> dict[str, Any] | None:
    """Note a measurement in a file of them.

    Args:
        measured: a `Bench` as plain values (`asdict`).
        video: the clip that was dubbed.
        file: the measurements so far; it is made where it is not there.

    Returns:
        the last one of the same kind, with `ratio`, how many times as fast this one is; None where
        there is none.

    Raises:
        OSError: the file cannot be read or written.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    entry = {**measured, "size": list(measured["size"]), "generators": None}
    entry |= {"time": now, "version": __version__, "cores": os.cpu_count()}
    entry["video"] = video.absolute().name
    text = _text(file)
    same = [each for each in _entries(text) if all(each.get(k) == entry[k] for k in _SAME)]
    file.parent.mkdir(parents=True, exist_ok=True)
    torn = "\n" if text and not text.endswith("\n") else ""  # its writer was killed
    with file.open("a", encoding="utf-8") as lines:
        lines.write(torn + json.dumps(entry) + "\n")
    return {**same[-1], "ratio": measured["fps"] / same[-1]["fps"]} if same else None


def in_words(before: Mapping[str, Any]) -> str:
    """The comparison with an earlier measurement, in one line."""
    when, version = before["time"][:10], before["version"]
    return (
        f"  {before['ratio']:.2f} times as fast as on {when} (version {version}, "
        f"{before['fps']:.1f} frames a second)"
    )


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def _entries(text: str) -> list[dict[str, Any]]:
    """What can be read of a file's text; what others wrote into it is left out."""
    found = []
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):  # no JSON, or brackets without end
            continue
        if isinstance(entry, dict) and _whole(entry):
            found.append(entry)
    return found


def _whole(entry: dict[str, Any]) -> bool:
    fps, texts = entry.get("fps"), (entry.get("time"), entry.get("version"))
    return isinstance(fps, float) and 0 < fps < inf and all(isinstance(x, str) for x in texts)
