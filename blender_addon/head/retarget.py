"""The curves of a head on other characters: which of their shape keys mean the same.

Characters name ARKit's shapes in their own way: `jawOpen`, `JawOpen`, `eyeBlink_L`,
`Head.eyeBlinkLeft`, `blendShape1.eyeBlink_R`. What they lack is told, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bpy

from ..errors import UserError
from . import actions

_SIDES = (("left", "l"), ("right", "r"))
_PARTS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Sent:
    """What came of it on one character.

    Attributes:
        name: of its object.
        keys: shape keys that were given curves.
        lacks: shapes that it has no key for.
        driven: keys that a driver moves, which no curve can.
    """

    name: str
    keys: list[str]
    lacks: list[str]
    driven: list[str]

    def words(self) -> str:
        """A sentence for a person."""
        text = f"'{self.name}' has {len(self.keys)} curves now"
        if self.driven:
            text += f"; moved by drivers, so left alone: {_few(self.driven)}"
        return text + (f"; no shape key for: {_few(self.lacks)}" if self.lacks else "")


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 4} more" if len(names) > 5 else ""
    return ", ".join(names[: 4 if more else 5]) + more


def _plain(name: str) -> str:
    """A shape's name without capitals, separators and the mesh's name before a dot."""
    last = name.rsplit(".", 1)[-1].lower()
    parts = _PARTS.split(last)
    ends = {short: long for long, short in _SIDES}
    if len(parts) > 1 and parts[-1] in ends:
        parts[-1] = ends[parts[-1]]
    return "".join(parts)


def matches(shapes: Sequence[str], keys: Sequence[str]) -> dict[str, str]:
    """Which of a character's keys means which shape; an equal name goes before an alike one.

    Args:
        shapes: ARKit names.
        keys: names of the character's shape keys, without its basis.

    Returns:
        shape -> key, for the shapes that the character has.
    """
    alike: dict[str, str] = {}
    for key in keys:
        # `eyeBlink.L` is Blender's own way to tell sides: what follows the dot is no name
        for plain in (_plain(key), _plain(key.replace(".", "_"))):
            alike.setdefault(plain, key)
    return {
        shape: shape if shape in keys else alike[shape.lower()]
        for shape in shapes
        if shape in keys or shape.lower() in alike
    }


def has_keys(body: Any) -> bool:
    """Whether this object is a mesh with shape keys that can be given curves."""
    keys = body.data.shape_keys if body is not None and body.type == "MESH" else None
    return keys is not None and len(keys.key_blocks) > 1


def send(columns: Mapping[str, Sequence[float]], first: int, body: bpy.types.Object) -> Sent:
    """Give a character the curves that it has shape keys for; its other keys keep theirs.

    Args:
        columns: values of each shape, frame by frame.
        first: scene frame of the first value.
        body: the character's mesh.

    Raises:
        UserError: none of its keys is one of the shapes, or it lies in another file.
    """
    keys = body.data.shape_keys
    if keys.library is not None:
        raise UserError(f"'{body.name}' is linked from another file: make it local first.")
    found = matches(list(columns), [block.name for block in keys.key_blocks[1:]])
    driven = actions.driven(keys) & set(found.values())
    given = {key: columns[shape] for shape, key in found.items() if key not in driven}
    if not found:
        raise UserError(f"'{body.name}' has no shape keys with ARKit's names (jawOpen, ...).")
    actions.put_curves(keys, f"{body.name} speech", first, given)
    lacks = [shape for shape in columns if shape not in found]
    return Sent(body.name, sorted(given), lacks, sorted(driven))
