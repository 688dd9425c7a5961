"""Settings that are kept with the scene."""

from collections.abc import Iterable
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..errors import UserError
from ..review import quality
from ..timeline import selection
from .output_settings import OutputSettings

PERSON, SPEAKER = "gsmooth_person", "gsmooth_speaker"
"""Custom properties of a strip: whose face is dubbed in it. Those of the scene are for strips
without their own, and for scripts that set them before they select a strip."""


def _strip(scene: bpy.types.Scene) -> Any:
    try:
        return selection.select(scene, need_speech=False).picture
    except UserError:
        return None


def _kept(settings: Any, name: str, most: int) -> int:
    """A number of the selected strip, else of the scene."""
    return _noted((_strip(settings.id_data), settings.id_data), name, most)


def _noted(owners: Iterable[Any], name: str, most: int) -> int:
    """The number that the first of these has; 0 where none has it."""
    for owner in owners:
        value = owner.get(name) if owner is not None else None
        if type(value) is int and 0 <= value <= most:
            return value
    return 0


def _keep(settings: Any, name: str, value: int) -> None:
    strip = _strip(settings.id_data)
    (settings.id_data if strip is None else strip)[name] = value


class GSmoothSettings(OutputSettings, bpy.types.PropertyGroup):
    """How the next dub is made."""

    strength: FloatProperty(
        name="Strength",
        description="How far the mouth moves: 1 as predicted, less is calmer, more is livelier",
        default=1.0,
        min=0.0,
        max=2.0,
        soft_min=0.5,
        soft_max=1.5,
    )
    smoothing: FloatProperty(
        name="Smoothing",
        description="Calms the movement over time: 0 as predicted",
        default=0.0,
        min=0.0,
        max=1.0,
    )
    style: BoolProperty(
        name="Speak Like This Person",
        description="Learn from the clip's own speech how this person's mouth speaks, where lips "
        "and sound of it belong together",
        default=True,
    )
    mask: EnumProperty(
        name="Area",
        description="Which part of the face is made new",
        items=(
            ("lower_face", "Lower Face", "Mouth, chin and cheeks"),
            ("face", "Whole Face", "From the forehead down"),
        ),
        default="lower_face",
    )
    occluders: BoolProperty(
        name="Keep What Passes Before",
        description="Leave a hand or a microphone that passes before the mouth where it is",
        default=True,
    )
    looks: IntProperty(
        name="Looks per Face",
        description="In how many ways each face is looked at: the mean is steadier and truer. 1 is "
        "the quickest, more than 2 take turns while the face hardly moves",
        default=4,
        min=1,
        max=4,
    )
    grain: BoolProperty(
        name="Match Grain",
        description="Lay noise like the clip's own on what is made, as on the skin around it",
        default=True,
    )
    sharpness: BoolProperty(
        name="Match Sharpness",
        description="Give what is made as much fine detail as the clip has, measured on its own "
        "frames",
        default=True,
    )
    shutter: FloatProperty(
        name="Motion Blur",
        description="Share of a picture's time in which the camera's shutter is open: the new "
        "mouth is blurred as far as the head moves in it. 0.33 is usual in a room, 0 is for none",
        default=0.0,
        min=0.0,
        max=1.0,
    )
    person: IntProperty(
        name="Person",
        description="Whose face is dubbed where several are seen: 0 for who takes up most of the "
        "picture, else a number as Find People counts them. Kept with the selected strip",
        default=0,
        min=0,
        max=99,
        get=lambda self: _kept(self, PERSON, 99),
        set=lambda self, value: _keep(self, PERSON, min(max(value, 0), 99)),
    )
    speaker: BoolProperty(
        name="Who Speaks",
        description="With Person 0: dub whoever speaks in the clip's own sound, also in turns, "
        "instead of who takes up most of the picture. Kept with the selected strip",
        default=False,
        get=lambda self: bool(_kept(self, SPEAKER, 1)),
        set=lambda self, value: _keep(self, SPEAKER, int(value)),
    )
    length: EnumProperty(
        name="Length",
        description="What is done where the speech is longer than the clip",
        items=(
            ("trim", "Trim", "The dubbed strip is as long as the clip; the speech is cut"),
            ("hold", "Hold", "The last picture stands until the speech ends"),
            ("loop", "Loop", "The clip begins again until the speech ends"),
            ("ping-pong", "Ping-Pong", "The clip goes back and forth until the speech ends"),
            ("stretch", "Stretch", "The clip plays up to 10 % slower or faster, to end with it"),
        ),
        default="trim",
    )
    photo: EnumProperty(
        name="Photo",
        description="What moves where the clip is a still picture",
        items=(
            ("mouth", "Mouth", "The mouth alone"),
            ("still", "Blink", "Mouth, eyes and brows; the head rests"),
            ("full", "Head", "The head moves and the eyes blink, as people do while they speak"),
            ("crop", "Crop", "As Head, and the picture shows the head alone"),
        ),
        default="mouth",
    )
    head: FloatProperty(
        name="Head",
        description="How far the head of a photo moves: 1 as people do",
        default=1.0,
        min=0.0,
        max=2.0,
    )
    blink: FloatProperty(
        name="Blink",
        description="How often the eyes of a photo blink: 1 as people do, 0 never",
        default=1.0,
        min=0.0,
        max=3.0,
    )
    brows: FloatProperty(
        name="Brows",
        description="How far the brows of a photo move: 1 as people do while they speak, 0 not",
        default=1.0,
        min=0.0,
        max=2.0,
    )
    movement: StringProperty(
        name="Movement",
        description="A video whose head the photo follows; empty for one that goes with the speech",
        subtype="FILE_PATH",
    )
    seed: IntProperty(
        name="Seed",
        description="Another seed moves head and eyes of a photo in another way",
        default=0,
        min=0,
    )
    adapt: FloatProperty(
        name="Learn This Mouth",
        description="Time that may be spent on learning from the clip itself first; 0 for none",
        default=0.0,
        min=0.0,
        soft_max=600.0,
        step=3000,
        subtype="TIME_ABSOLUTE",
    )
    replace: BoolProperty(
        name="Replace Strip",
        description="Remove the old strip instead of muting it on another channel",
        default=False,
    )
    mute_own_sound: BoolProperty(
        name="Mute Own Sound",
        description="Mute the sound that comes from the clip itself, as far as the dub reaches",
        default=True,
    )

    check: BoolProperty(
        name="Check Quality",
        description="Judge each dub as a viewer would when it is made, and mark where to look",
        default=False,
    )
    marks: EnumProperty(
        name="Markers",
        description="Which findings are marked on the timeline",
        items=(
            ("all", "All", "Whatever deserves a look"),
            ("poor", "Poor", "What looks poor, and nothing else"),
            ("none", "None", "No markers"),
        ),
        default="all",
        update=lambda self, _context: quality.mark(self.id_data),
    )

    def face_of(self, strip: Any = None) -> dict[str, Any]:
        """Whose face is dubbed in a strip, else in the one that is selected."""
        if strip is None:
            return {"person": self.person, "speaker": self.speaker}
        owners = (strip, self.id_data)
        return {"person": _noted(owners, PERSON, 99), "speaker": bool(_noted(owners, SPEAKER, 1))}


def register() -> None:
    """Give every scene its settings."""
    bpy.types.Scene.gsmooth = PointerProperty(type=GSmoothSettings)


def unregister() -> None:
    """Take them away again."""
    del bpy.types.Scene.gsmooth


CLASSES = (GSmoothSettings,)
