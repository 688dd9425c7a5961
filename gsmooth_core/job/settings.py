"""Settings of a dub: every default and limit stands here and nowhere else."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import Field, asdict, dataclass, field, fields
from typing import Any, Self

from gsmooth_core.errors import InputError
from gsmooth_core.text import printable

PRESETS = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow",
)  # fmt: skip

CODECS = ("h264", "hevc", "av1", "vp9", "prores", "dnxhr", "mjpeg", "qtrle", "ffv1")

LENGTHS = ("trim", "hold", "loop", "ping-pong", "stretch")
"""What is done where speech and picture are not equally long; `job/length.py` does it."""

_SHOWN = 200  # letters of a wrong value
_FILE = r"[^\0\n]{1,4096}"

FACE_NUMBER = "[1-9][0-9]?"
"""Regular expression of a person's number."""

TRACK = "auto|[1-9][0-9]?"
"""Regular expression of a sound track."""

MODEL_SETTINGS = ("face_model", "a2ep", "taft")
"""Settings that name a model or its file."""

RETIRED = ("seed",)
"""Settings of older jobs that nothing depends on any more."""

_ONCE_ADAPTED = 180.0  # seconds: about what `adapt` meant when it was a switch


def setting(
    default: Any,
    text: str,
    *,
    choices: tuple[object, ...] = (),
    limits: tuple[float, float] = (-math.inf, math.inf),
    pattern: str = "",
) -> Any:
    """A field that knows what it means and what it may be.

    Args:
        default: its value unless the user says otherwise; its type is the field's.
        text: what it does, in a person's words.
        choices: the only allowed values, when there are few.
        limits: smallest and largest allowed number.
        pattern: regular expression of the allowed words.
    """
    meta = {"text": text, "choices": choices, "limits": limits, "pattern": pattern}
    return field(default=default, metadata=meta)


@dataclass(frozen=True)
class Settings:
    """Fields made by `setting`, which are checked when they are set and read from JSON."""

    def __post_init__(self) -> None:
        for known in fields(self):
            object.__setattr__(self, known.name, checked(known, getattr(self, known.name)))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Settings out of a JSON object; what is not in it keeps its default.

        Raises:
            InputError: an unknown name, or a value of the wrong kind or out of bounds.
        """
        known = [known.name for known in fields(cls)]
        values = {n: value for n, value in values.items() if n in known or n not in RETIRED}
        for name in values:
            if name not in known:
                near = difflib.get_close_matches(str(name), known, 1)
                hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(known)}."
                raise InputError(f"There is no setting '{name}'.", hint)
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """All settings as a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class DubSettings(Settings):
    """How a dub is made; what each one means stands in its `text`."""

    strength: float = setting(
        1.0, "how far the mouth moves: 1 as predicted, less is calmer", limits=(0.0, 2.0)
    )
    smoothing: float = setting(
        0.0, "calms the movement over time: 0 as predicted", limits=(0.0, 1.0)
    )
    style: bool = setting(True, "speak as this person does, where the clip's own speech shows how")
    face: str = setting(
        "largest",
        "whose face: largest, speaker (who speaks in the video's own sound), or a number as "
        "`gsmooth faces` of the same frames gives it",
        pattern=rf"largest|speaker|{FACE_NUMBER}",
    )
    mask: str = setting("lower_face", "what is replaced", choices=("lower_face", "face"))
    crop_size: int | str = setting(
        "auto", "side of the face picture that is made, in pixels", choices=("auto", 256, 384, 512)
    )
    occluders: bool = setting(
        True, "leave a hand or a microphone that passes before the mouth where it is"
    )
    grain: bool = setting(
        True, "lay noise like the clip's own on what is made, so that it is as alive as the skin"
    )
    sharpness: bool = setting(
        True, "give what is made as much fine detail as the clip has, measured on its own frames"
    )
    shutter: float = setting(
        0.0,
        "share of a picture's time in which the camera's shutter is open: the new mouth is blurred "
        "as far as the head moves in it; .33 is usual in a room, 0 is for none",
        limits=(0.0, 1.0),
    )
    draft: bool = setting(
        False, "a first look: without the network that makes the picture, in half the time"
    )
    adapt: float = setting(
        0.0,
        "seconds that may be spent on learning this person's mouth from the clip first",
        limits=(0.0, 86400.0),
    )
    codec: str = setting(
        "auto",
        "codec of the output: auto is as the source's, where the output can hold it",
        choices=("auto", *CODECS),
    )
    quality: str = setting(
        "auto",
        "auto: by crf, held near the source's size (H.264 1.5 times it, others up to 4); "
        "crf: by that alone; or lossless",
        choices=("auto", "crf", "lossless"),
    )
    depth: int | str = setting(
        "auto", "bits a sample of the output: auto is as the source", choices=("auto", 8, 10, 12)
    )
    crf: int = setting(14, "quality of the encoder, lower is better and larger", limits=(0, 51))
    preset: str = setting("medium", "speed of the encoder", choices=PRESETS)
    chunk_frames: int = setting(
        64, "frames between two points from which a job can go on", limits=(1, 4096)
    )
    intra: bool = setting(
        False,
        "let every frame of the output stand alone, so that an edit makes only the frames it "
        "touches; three to five times as large",
    )
    timing: str = setting(
        "constant",
        "where the video's frame rate varies: constant, by repeating pictures, or keep: each "
        "picture at its own time",
        choices=("constant", "keep"),
    )
    keep_rest: bool = setting(
        False,
        "write the whole video, what is not dubbed as it is stored where it can be copied; without "
        "a number of frames as many are dubbed as the speech lasts",
    )
    length: str = setting(
        "trim",
        "where speech and picture are not equally long: trim the speech, hold the last picture, "
        "show the picture again (loop, or ping-pong: there and back), or stretch it (.9 to 1.1)",
        choices=LENGTHS,
    )
    keep_source_audio: bool = setting(False, "keep the video's own sound in the output")
    audio_track: str = setting(
        "auto",
        "which sound track of the speech's file is heard: 1, 2, ... or auto (the one with speech)",
        pattern=TRACK,
    )
    source_audio_track: str = setting(
        "auto",
        "which of the video's own sound tracks is its speech, whose place the new one takes: "
        "1, 2, ... or auto",
        pattern=TRACK,
    )
    reference_gap: float = setting(
        0.0,
        "seconds around a frame from which it borrows no pixels, for fair measurements",
        limits=(0.0, 60.0),
    )
    device: str = setting(
        "auto", "auto, cpu, cuda, cuda:N or mps", pattern=r"auto|cpu|mps|cuda(:\d+)?"
    )
    tracker: str = setting(
        "fit",
        "how the face is followed: our fit, or your R-Net",
        choices=("fit", "rnet"),
    )
    looks: int = setting(
        4,
        "in how many ways a face is looked at, mirrored and moved a little: the mean is steadier "
        "and truer; 1 is the quickest, more than 2 take turns while the face hardly moves",
        limits=(1, 4),
    )
    face_model: str = setting("face_model", "the 3D face: a model's name or file", pattern=_FILE)
    a2ep: str = setting("a2ep", "speech to expression: a model's name or file", pattern=_FILE)
    taft: str = setting("taft", "blend to photo: a model's name or file", pattern=_FILE)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """As `Settings.from_json`; jobs of before `adapt` had a length are read, too."""
        adapts = values.get("adapt")
        if isinstance(adapts, bool):
            values = {**values, "adapt": _ONCE_ADAPTED if adapts else 0.0}
        return super().from_json(values)


def checked(known: Field[Any], value: Any) -> Any:
    """`value` as the field's type, when it is allowed.

    Raises:
        InputError: of the wrong kind or out of bounds.
    """
    choices, pattern = known.metadata["choices"], known.metadata["pattern"]
    if choices:
        if value not in choices or isinstance(value, bool):
            allowed = ", ".join(str(choice) for choice in choices)
            raise InputError(f"'{_short(value)}' is no {known.name}.", f"Choose one of: {allowed}.")
        return value
    if isinstance(known.default, bool):
        if not isinstance(value, bool):
            raise InputError(f"{known.name} is '{_short(value)}'.", "It is either true or false.")
        return value
    if pattern:
        value = str(value) if type(value) is int else value  # as JSON gives the number of a face
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise InputError(
                f"'{_short(value)}' is no {known.name}.", f"It is {known.metadata['text']}."
            )
        return value
    return _number(known, value)


def _short(value: Any) -> str:
    """A value as it is named in an error, however long it is."""
    return printable(str(value)[:_SHOWN]).replace("\n", " ")


def _number(known: Field[Any], value: Any) -> float | int:
    whole = isinstance(known.default, int)
    allowed = int if whole else (int, float)
    low, high = known.metadata["limits"]
    if isinstance(value, bool) or not isinstance(value, allowed) or not low <= value <= high:
        kind = "whole number" if whole else "number"
        raise InputError(
            f"{known.name} is '{_short(value)}'.", f"It is a {kind} from {low} to {high}."
        )
    return value if whole else float(value)


@dataclass(frozen=True)
class AnimateSettings(Settings):
    """How a photo moves; what each one means stands in its `text`."""

    mode: str = setting(
        "full",
        "full: the whole photo; crop: the head alone; still: the head rests and blinks",
        choices=("full", "crop", "still"),
    )
    motion: str = setting(
        "auto",
        "how the head moves: auto (as people do to such speech), or a video or track to follow",
        pattern=_FILE,
    )
    head: float = setting(1.0, "how far the head moves: 1 as people do", limits=(0.0, 2.0))
    blink: float = setting(1.0, "how often the eyes blink: 1 as people do", limits=(0.0, 3.0))
    brows: float = setting(1.0, "how far the brows move: 1 as people do", limits=(0.0, 2.0))
    style: int = setting(
        -1, "manner of moving, from 0 (calm) on; -1 leaves it to the seed", limits=(-1, 9999)
    )
    seed: int = setting(0, "another seed moves otherwise", limits=(0, 2**31 - 1))
    size: int = setting(
        4096, "pixels of the longer side at which the photo is animated, at most", limits=(64, 4096)
    )
