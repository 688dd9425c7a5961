"""What a job of strips needs, and where its result will belong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .timing import Cut, Span


@dataclass(frozen=True)
class Speech:
    """What one of several people says.

    Attributes:
        number: of the person.
        strip: name of the sound strip.
        sound: file that begins with the picture; "" while Blender has not mixed it.
    """

    number: int
    strip: str
    sound: str = ""


@dataclass(frozen=True)
class Plan:
    """All that is needed to make a job of strips and to place its result when it is done.

    Names stand for strips, since a strip's address may change while the job runs.

    Attributes:
        scene: name of the scene.
        picture: name of the picture strip.
        speech: name of the sound strip, or "".
        source: file of the picture strip; "" while Blender has not rendered it.
        sound: file of the sound strip, or "", also while Blender has not mixed it.
        left: first scene frame of the picture strip.
        right: the scene frame after its last.
        span: its frames that are dubbed.
        to_end: whether these reach the end of the file.
        cut: the sound that is heard meanwhile.
        rate: frames a second at which the frames are shown, "N/D".
        anchor: scene frame of the first frame of the picture strip's file.
        files: files whose pictures the strip shows.
        still: whether the source is a picture that stands in the whole strip.
        speeches: where several people speak, what each says, instead of `speech`.
        rendered: whether the source is a file that Blender rendered of the strip.
        mixed: whether the sound is a file that Blender mixed of the strip.
        tag: custom property of both strips, see `following`; "" in plans of earlier versions.
    """

    scene: str
    picture: str
    speech: str
    source: str
    sound: str
    left: int
    right: int
    span: Span
    to_end: bool
    cut: Cut | None
    rate: str
    anchor: int
    tag: str
    files: tuple[str, ...]
    rendered: bool
    mixed: bool
    still: bool
    speeches: tuple[Speech, ...] = ()

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Plan:
        """The plan that `asdict` wrote."""
        cut = Cut(**values["cut"]) if values["cut"] else None
        span = Span(**values["span"])
        since = {  # for plans of earlier versions
            "anchor": span.first - span.source,
            "tag": "",
            "files": [values["source"]],
            "rendered": False,
            "mixed": False,
            "still": False,
            "speeches": [],
        }
        since |= {name: values[name] for name in since if values.get(name) is not None}
        since["files"] = tuple(since["files"])
        since["speeches"] = tuple(Speech(**said) for said in since["speeches"])
        return cls(**values | since | {"span": span, "cut": cut})
