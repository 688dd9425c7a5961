"""What goes along from a source into an output beside the picture: sounds, subtitles, and so on.

Streams are copied packet by packet where the output's container can hold them as they are. What it
can hold in another form is put into that form, and what it cannot hold is told as a `Loss`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from gsmooth_core.media.encoding.losses import Loss
from gsmooth_core.media.joining.containers import TEXT, Holds, holds
from gsmooth_core.media.joining.timecode import later
from gsmooth_core.media.joining.trial import refused
from gsmooth_core.media.reading.description import Description, Stream, check_readable, describe

_WHAT = {"audio": "sound", "subtitle": "subtitles", "cover": "cover"}


@dataclass(frozen=True)
class Carried:
    """A source whose other streams an output shall have.

    Attributes:
        path: the source.
        start_frame: its frame that is the output's first.
        fps: its frame rate.
        replaced: which of its sounds the new one takes the place of, from 0; None keeps all.
        in_step: whether the output shows its frames once each, at its own rate; streams that go
            with time are left out otherwise.
    """

    path: Path
    start_frame: int = 0
    fps: Fraction = Fraction(25)
    replaced: int | None = None
    in_step: bool = True

    @property
    def replaced_stream(self) -> int | None:
        """Number, among all streams, of the sound that is replaced."""
        if self.replaced is None:
            return None
        return _numbered(describe(self.path), "audio")[self.replaced][0]


@dataclass(frozen=True)
class Taken:
    """How one stream is taken.

    Attributes:
        index: its number among all streams of the file.
        kind: "audio", "subtitle", "cover" or "attachment".
        place: its number among those of its kind.
        coding: "copy", "sound" (coded anew as the output's container wants), or a coding's name.
    """

    index: int
    kind: str
    place: int
    coding: str = "copy"


@dataclass(frozen=True)
class Plan:
    """What is taken of a source, and what is not.

    Attributes:
        sounds: in their order; the replaced one is not among them.
        others: subtitles, covers, attachments.
        timecode: of the output's first frame, or "".
        losses: what is not, or not as it was.
    """

    sounds: tuple[Taken, ...]
    others: tuple[Taken, ...]
    timecode: str
    losses: tuple[Loss, ...]


def plan(carried: Carried, muxer: str) -> Plan:
    """Find out what of a source an output can have.

    Args:
        carried: the source, and how it is used.
        muxer: ffmpeg's name of the output's container.

    Raises:
        MediaError: the source cannot be read.
    """
    file, room = describe(carried.path), holds(muxer)
    losses: list[Loss] = []
    sounds = _sounds(file, carried, room, losses)
    others = [*_subtitles(file, carried, room, losses), *_beside(file, room, losses)]
    bad = _refused(carried.path, muxer, [*sounds, *others])
    for taken in (*sounds, *others):
        if taken.index in bad:
            text = f"A stream ({taken.kind} {taken.place + 1}) is left out: the output refuses it."
            losses.append(Loss(_WHAT[taken.kind], text))
    sounds, others = ([t for t in group if t.index not in bad] for group in (sounds, others))
    losses += _lost(file, carried, room)
    code = file.timecode if room.timecode else ""
    timecode = later(code, carried.start_frame, carried.fps) if code else ""
    return Plan(tuple(sounds), tuple(others), timecode, tuple(losses))


def tags_fit(carried: Carried, path: Path, track: int) -> bool:
    """Whether a new sound can have the tags of the one whose place it takes.

    It has none of them where its own file says that it is in another language, or has no sound.

    Args:
        carried: the source.
        path: the file of the new sound.
        track: which of its sounds, from 0.
    """
    index, sounds = carried.replaced_stream, describe(path).sounds
    if track >= len(sounds):
        return False
    said = sounds[track].language
    was = "" if index is None else describe(carried.path).streams[index].language
    return index is not None and said in ("", "und", was)


def _refused(path: Path, muxer: str, taken: list[Taken]) -> set[int]:
    """What the container does not take after all."""
    tried = [(t.index, t.coding) for t in taken if t.kind != "attachment" and t.coding != "sound"]
    return refused(path, check_readable(path), muxer, tried)


def _numbered(file: Description, kind: str) -> list[tuple[int, int, Stream]]:
    """(number in the file, number of its kind, stream) of the streams of a kind."""
    found = [(index, s) for index, s in enumerate(file.streams) if s.kind == kind]
    return [(index, place, stream) for place, (index, stream) in enumerate(found)]


def _sounds(file: Description, carried: Carried, room: Holds, losses: list[Loss]) -> list[Taken]:
    taken = []
    for index, place, sound in _numbered(file, "audio"):
        if place == carried.replaced:
            continue
        name = f"Sound track {place + 1}{_spoken(sound)}"
        if not room.sounds:
            losses.append(Loss("sound", f"{name} is left out: images hold no sound."))
        elif not carried.in_step:
            text = f"{name} is left out: it does not fit pictures shown at another time."
            losses.append(Loss("sound", text))
        elif sound.coding in room.sounds:
            taken.append(Taken(index, "audio", place))
        elif sound.decodable:
            text = f"{name} is coded anew: the output cannot hold {sound.coding}."
            losses.append(Loss("sound", text))
            taken.append(Taken(index, "audio", place, "sound"))
        else:
            losses.append(Loss("sound", f"{name} is left out: it cannot be read here."))
    return taken


def _subtitles(file: Description, carried: Carried, room: Holds, losses: list[Loss]) -> list[Taken]:
    taken = []
    for index, place, stream in _numbered(file, "subtitle"):
        name = f"Subtitle track {place + 1}{_spoken(stream)}"
        if carried.in_step and stream.coding in room.subtitles:
            taken.append(Taken(index, "subtitle", place))
        elif carried.in_step and stream.coding in TEXT and room.text:
            taken.append(Taken(index, "subtitle", place, room.text))
            if stream.coding in ("ass", "ssa"):
                text = f"{name} loses its styles: the output holds plain text alone."
                losses.append(Loss("subtitles", text))
        else:
            why = (
                f"the output cannot hold {stream.coding or 'its kind'}"
                if carried.in_step
                else "it does not fit pictures shown at another time"
            )
            losses.append(Loss("subtitles", f"{name} is left out: {why}."))
    return taken


def _beside(file: Description, room: Holds, losses: list[Loss]) -> list[Taken]:
    """Covers and attached files."""
    covers = [(index, place) for index, place, s in _numbered(file, "video") if s.cover]
    fonts = _numbered(file, "attachment")
    if covers and not room.covers:
        losses.append(Loss("cover", "The cover picture is left out: the output cannot hold one."))
    if fonts and not room.attachments:
        text = f"{len(fonts)} attached files (such as fonts) are left out: the output holds none."
        losses.append(Loss("attachments", text))
    taken = [Taken(index, "cover", place) for index, place in covers if room.covers]
    if room.attachments:
        taken += [Taken(index, "attachment", place) for index, place, _ in fonts]
    return taken


def _lost(file: Description, carried: Carried, room: Holds) -> list[Loss]:
    """What else there is and nobody can take along."""
    pictures = [s for s in file.streams if s.kind == "video" and not s.cover]
    data, losses = data_streams(file), []
    if len(pictures) > 1:
        text = f"Only the first of {len(pictures)} video streams is dubbed; the others are left out"
        losses.append(Loss("video", f"{text}."))
    if data:
        text = f"{data} streams of data (such as a camera's) are left out."
        losses.append(Loss("data", text))
    if file.chapters and not (room.chapters and carried.in_step):
        losses.append(Loss("chapters", f"{file.chapters} chapters are left out."))
    if file.timecode and not room.timecode:
        text = f"The time code ({file.timecode}) is left out: the output cannot hold one."
        losses.append(Loss("timecode", text))
    return losses


def data_streams(file: Description) -> int:
    """How many streams of data there are beside those of a time code and of chapters."""
    # QuickTime files have a stream of each, which are made anew.
    own = bool(file.timecode) + (bool(file.chapters) and file.container.startswith("mov"))
    return max(0, sum(s.kind == "data" for s in file.streams) - own)


def _spoken(stream: Stream) -> str:
    return f" ({stream.language})" if stream.language not in ("", "und") else ""
