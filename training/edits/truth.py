"""What is true of an edit, as a JSON file beside it."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

from training.edits.make import Edit


def save_truth(path: Path, edit: Edit) -> None:
    """Write all that is known of an edit but its pictures."""
    names = [f.name for f in fields(Edit) if f.name != "frames"]
    path.write_text(json.dumps({name: getattr(edit, name) for name in names}) + "\n")


def load_truth(path: Path) -> Edit:
    """Read what `save_truth` wrote; the edit has no pictures."""
    values = json.loads(path.read_text())
    for name in ("dissolves", "fades", "lights"):
        values[name] = [tuple(entry) for entry in values[name]]
    values["source"] = [tuple(tuple(o) for o in origins) for origins in values["source"]]
    return Edit(**values)
