"""Strips that are meant, by what lasts: an undo, a rename or a saved file leaves no address."""

from __future__ import annotations

from dataclasses import dataclass

import bpy

from ..errors import UserError
from . import stacking, strips
from .selection import Selection


@dataclass(frozen=True)
class Target:
    """A picture strip and the speech for it.

    Attributes:
        scene: name of their scene.
        picture: name of the picture strip.
        picture_id: what tells it from others, see `stacking.ID`.
        speech: name of the sound strip, or "".
        speech_id: what tells it from others, or "".
        speeches: instead of it, of each of several people the number, and both of the sound strip.
    """

    scene: str
    picture: str
    picture_id: str
    speech: str
    speech_id: str
    speeches: tuple[tuple[int, str, str], ...] = ()

    @classmethod
    def of(cls, scene: bpy.types.Scene, chosen: Selection) -> Target:
        """Note which strips these are."""
        picture, speech = chosen.picture, chosen.speech
        known = stacking.identify(picture)
        name, said = (speech.name, stacking.identify(speech)) if speech is not None else ("", "")
        several = tuple((n, s.name, stacking.identify(s)) for n, s in chosen.speeches)
        return cls(scene.name, picture.name, known, name, said, several)

    def find(self) -> tuple[bpy.types.Scene, Selection]:
        """The strips, whatever they are called by now, and their scene.

        Raises:
            UserError: one of them is gone.
        """
        scenes = sorted(bpy.data.scenes, key=lambda scene: scene.name != self.scene)
        for scene in scenes:
            picture = stacking.find(scene, self.picture, self.picture_id, strips.PICTURES)
            said = [
                (number, stacking.find(scene, name, known, ("SOUND",)))
                for number, name, known in self._said()
            ]
            if picture is None or any(strip is None for _number, strip in said):
                continue
            if self.speeches:
                return scene, Selection(picture, None, tuple(said))
            return scene, Selection(picture, said[0][1])
        raise UserError(self._gone(scenes[0]))

    def _gone(self, scene: bpy.types.Scene) -> str:
        """Which strip is not there any more."""
        if stacking.find(scene, self.picture, self.picture_id, strips.PICTURES) is None:
            return f"The strip '{self.picture}' is gone."
        said = self._said()
        gone = [n for _number, n, known in said if not stacking.find(scene, n, known, ("SOUND",))]
        names = " and ".join(f"'{name}'" for name in gone)
        return f"Of '{self.picture}' the speech is gone: {names}."

    def _said(self) -> tuple[tuple[int, str, str], ...]:
        return self.speeches or ((0, self.speech, self.speech_id),)
