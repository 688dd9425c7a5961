"""Strips that are meant, by what lasts: an undo, a rename or a saved file leaves no address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy

from . import stacking, strips
from .errors import UserError
from .selection import Selection


@dataclass(frozen=True)
class Target:
    """A picture strip and the speech for it.

    Attributes:
        scene: name of their scene.
        picture: name of the picture strip.
        picture_id: what tells it from others, see `stacking.ID`.
        speech: name of the sound strip.
        speech_id: what tells it from others.
    """

    scene: str
    picture: str
    picture_id: str
    speech: str
    speech_id: str

    @classmethod
    def of(cls, scene: bpy.types.Scene, chosen: Selection) -> Target:
        """Note which strips these are."""
        picture, speech = chosen.picture, chosen.speech
        ids = stacking.identify(picture), stacking.identify(speech)
        return cls(scene.name, picture.name, ids[0], speech.name, ids[1])

    def find(self) -> tuple[bpy.types.Scene, Selection]:
        """The strips, whatever they are called by now, and their scene.

        Raises:
            UserError: one of them is gone.
        """
        for scene in sorted(bpy.data.scenes, key=lambda scene: scene.name != self.scene):
            picture = _find(scene, self.picture, self.picture_id, strips.PICTURES)
            speech = _find(scene, self.speech, self.speech_id, ("SOUND",))
            if picture is not None and speech is not None:
                return scene, Selection(picture, speech)
        raise UserError(f"'{self.picture}' or its speech '{self.speech}' is gone.")


def _find(scene: bpy.types.Scene, name: str, known: str, kinds: tuple[str, ...]) -> Any:
    """Copies have the same mark; the one of that name is meant, or the only one of that mark."""
    alike = [s for s in strips.all_strips(scene) if s.get(stacking.ID) == known and s.type in kinds]
    named = strips.find(scene, name)
    if named is not None and (named in alike or (not alike and named.type in kinds)):
        return named
    return alike[0] if alike else None
