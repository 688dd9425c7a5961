"""Packets listed and joined without being decoded, on PyAV.

    python gsmooth_core/media/joining/remux.py scan FORMATS FILE...
    python gsmooth_core/media/joining/remux.py join PLAN
    python gsmooth_core/media/joining/remux.py sounds FILE FORMATS TRACK
    python gsmooth_core/media/joining/remux.py lay PLAN

runs in a process of its own, as `describe.py` does, so that a reader that crashes on a hostile
file costs a message and not the job. It imports nothing of GSmooth. `scan` prints the packets of
each file's first moving picture as JSON; `join` writes a file out of stretches of packets of
several files (`copies.py` says which), each with the time that it is given. `sounds` and `lay` do
the same for a sound (`sound_weave.py`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

_LENGTH = 4  # bytes before each unit of H.264 and HEVC that say how long it is
_HEAD = 4  # bytes of a sound's packet that say how it is windowed
# What takes tags that are no text; PyAV 19 and later do so unasked.
_LENIENT: dict[str, Any] = (
    {"metadata_errors": "replace"} if hasattr(av.container.Container, "metadata_errors") else {}
)
_CRA, _BLA = 21, 18
"""Kinds of key pictures of HEVC: with others before it that lean on the past, and without any."""


def main(task: str, *arguments: str) -> int:
    """Do a task; print its answer, or why there is none, as JSON."""
    try:
        said = _TASKS[task](*arguments)
    except (FFmpegError, MemoryError, OSError) as error:
        said = {"error": type(error).__name__, "text": str(error)[:500]}
    json.dump(said, sys.stdout)
    return 0


def scan(formats: str, *paths: str) -> dict[str, Any]:
    """What `files` hold: one process for many of them, since it takes longer to start than they."""
    return {"files": [_scanned(path, formats) for path in paths]}


def _scanned(path: str, formats: str) -> dict[str, Any]:
    """The packets of the first moving picture, in the order in which they are decoded.

    Returns:
        `stamps`: when each is shown; `hidden`: numbers of those that an edit list leaves out;
        `keys`: those that need no other picture; `starts`: those of them from which decoding can
        begin anew; `open`: those that must say so, see `_begun`; `extradata`: hexadecimal.
    """
    stamps: list[int | None] = []
    hidden, keys, starts, opened = [], [], [], []
    with _open(path, formats) as file:
        stream = _picture(file)
        coding = stream.codec_context.codec.canonical_name
        for packet in _packets(file, stream):
            number = len(stamps)
            stamps.append(packet.pts)
            if packet.is_discard:
                hidden.append(number)
            keys += [number] if packet.is_keyframe else []
            if packet.is_keyframe and (kind := _start(packet, coding)):
                starts.append(number)
                opened += [number] if kind == "open" else []
        extradata = stream.codec_context.extradata or b""
        tick = stream.time_base
    return {
        "stamps": stamps, "hidden": hidden, "keys": keys, "starts": starts, "open": opened,
        "coding": coding, "extradata": extradata.hex(), "tick": [tick.numerator, tick.denominator],
    }  # fmt: skip


def join(plan_path: str) -> dict[str, Any]:
    """Write the file that a plan describes.

    The plan holds `output`, `muxer`, `formats`, `template` (the source, whose stream the
    new one is like), `extradata`, `tag`, `tick` (seconds, two numbers), `times` (ticks at which
    each frame is shown, and the end), `delay` (frames by which a packet may be decoded before it
    is shown), and `pieces`: `path`, `first` (number of its first packet), `frames` (which of the
    output each packet is; -1 leaves it out), `prefix` (hexadecimal, before every key packet),
    `anew` (whether its first packet must say that nothing before it is needed).
    """
    plan = json.loads(Path(plan_path).read_text())
    times, delay, tick = plan["times"], plan["delay"], Fraction(*plan["tick"])
    written = 0
    with _open(plan["template"], plan["formats"]) as template:
        like = _picture(template)
        with av.open(plan["output"], "w", format=plan["muxer"]) as target:
            stream = target.add_stream_from_template(like)
            stream.time_base = tick
            if plan["extradata"]:
                stream.codec_context.extradata = bytes.fromhex(plan["extradata"])
            if tag := plan["tag"] or _own_tag(template, like, plan["muxer"]):
                stream.codec_context.codec_tag = tag
            for frame, key, data in _all(plan):
                packet = av.Packet(data)
                packet.pts, packet.dts = times[frame], _decoded_at(times, written, delay)
                packet.duration = times[frame + 1] - times[frame]
                packet.time_base, packet.is_keyframe, packet.stream = tick, key, stream
                target.mux_one(packet)
                written += 1
    return {"written": written}


def sounds(path: str, formats: str, track: str) -> dict[str, Any]:
    """The packets of a sound track.

    Returns:
        `stamps`: when each begins; `heads`: the first bytes of each, hexadecimal; `rate` of the
        samples; `tick`; `extradata`, hexadecimal.
    """
    with _open(path, formats) as file:
        stream = file.streams.audio[int(track)]
        listed = [(packet.pts, bytes(packet)[:_HEAD].hex()) for packet in _packets(file, stream)]
        coder, tick = stream.codec_context, stream.time_base
        return {
            "stamps": [pts for pts, _ in listed], "heads": [head for _, head in listed],
            "rate": coder.sample_rate, "extradata": (coder.extradata or b"").hex(),
            "tick": [tick.numerator, tick.denominator],
        }  # fmt: skip


def lay(plan_path: str) -> dict[str, Any]:
    """Write the sound that a plan describes, from time 0 on.

    The plan holds `output`, `formats`, `samples` (of a packet), and `pieces`: `path`, `track`,
    `first` (number of its first packet) and `count`. The first piece's track is what it is like.
    """
    plan = json.loads(Path(plan_path).read_text())
    written, like = 0, plan["pieces"][0]
    with _open(like["path"], plan["formats"]) as template:
        shape = template.streams.audio[like["track"]]
        tick = Fraction(1, shape.codec_context.sample_rate)
        with av.open(plan["output"], "w", format="mp4") as target:
            stream = target.add_stream_from_template(shape)
            stream.time_base = tick
            for data in _pieces(plan):
                packet = av.Packet(data)
                packet.pts = packet.dts = written * plan["samples"]
                packet.duration, packet.time_base = plan["samples"], tick
                packet.is_keyframe, packet.stream = True, stream
                target.mux_one(packet)
                written += 1
    return {"written": written}


def _pieces(plan: dict[str, Any]) -> Iterator[bytes]:
    for piece in plan["pieces"]:
        with _open(piece["path"], plan["formats"]) as file:
            packets = _packets(file, file.streams.audio[piece["track"]])
            for packet in islice(packets, piece["first"], piece["first"] + piece["count"]):
                yield bytes(packet)


def _own_tag(file: Any, stream: Any, muxer: str) -> str:
    """The tag of a stream's coding, which tells ProRes's profiles apart; "" for the muxer's own."""
    return stream.codec_context.codec_tag if muxer == "mov" == file.format.name[:3] else ""


def _decoded_at(times: list[int], number: int, delay: int) -> int:
    """When packet `number` of all is decoded: never after it is shown, and each after the last."""
    if number >= delay:
        return int(times[number - delay])
    return int(times[0] - (delay - number) * (times[1] - times[0]))


def _all(plan: dict[str, Any]) -> Iterator[tuple[int, bool, bytes]]:
    """Frame, whether it is a key packet, and data of each."""
    with _open(plan["template"], plan["formats"]) as source:
        its = enumerate(_packets(source, _picture(source)))  # its pieces come in their order
        for piece in plan["pieces"]:
            if piece["path"] == plan["template"]:
                yield from _part(its, piece)
                continue
            with _open(piece["path"], plan["formats"]) as file:
                yield from _part(enumerate(_packets(file, _picture(file))), piece)


def _part(
    packets: Iterator[tuple[int, Any]], piece: dict[str, Any]
) -> Iterator[tuple[int, bool, bytes]]:
    first, frames, anew = piece["first"], piece["frames"], piece["anew"]
    prefix = bytes.fromhex(piece["prefix"])
    for number, packet in packets:
        if number >= first and (frame := frames[number - first]) >= 0:
            key, data = packet.is_keyframe, bytes(packet)
            data = _begun(data) if anew and number == first else data
            yield frame, key, (prefix if key else b"") + data
        if number + 1 == first + len(frames):
            return


def _begun(data: bytes) -> bytes:
    """A key picture of HEVC as one from which decoding begins anew: a number in its units' heads.

    By the standard what was decoded before and not yet shown would be lost otherwise.
    """
    changed, at = bytearray(data), 0
    while at + _LENGTH < len(data):
        if data[at + _LENGTH] >> 1 & 63 == _CRA:
            changed[at + _LENGTH] = data[at + _LENGTH] & 0x81 | _BLA << 1
        at += _LENGTH + int.from_bytes(data[at : at + _LENGTH], "big")
    return bytes(changed)


def _start(packet: Any, coding: str) -> str:
    """Whether decoding can begin at a key packet: "", "closed", or "open" (see `_begun`)."""
    if coding not in ("h264", "hevc"):
        return "closed"
    kinds = _units(bytes(packet), coding)
    if coding == "h264":
        return "closed" if 5 in kinds else ""
    if any(16 <= kind <= 20 for kind in kinds):
        return "closed"
    return "open" if _CRA in kinds else ""


def _units(data: bytes, coding: str) -> set[int]:
    """The kinds of a packet's units; none where they are stored in another way."""
    kinds, at = set(), 0
    while at + _LENGTH < len(data):
        head = data[at + _LENGTH]
        kinds.add(head & 31 if coding == "h264" else head >> 1 & 63)
        at += _LENGTH + int.from_bytes(data[at : at + _LENGTH], "big")
    return kinds if at == len(data) else set()


def _open(path: str, formats: str) -> Any:
    options = {"protocol_whitelist": "file", "format_whitelist": formats}
    return av.open(_source(path), options=options, **_LENIENT)


def _source(path: str) -> Any:
    """The file by its name, or opened where its name is none that ffmpeg's libraries take."""
    try:
        return f"file:{path.encode().decode()}"
    except UnicodeEncodeError:
        return Path(path).open("rb")


def _picture(file: Any) -> Any:
    attached = av.stream.Disposition.attached_pic
    return next(s for s in file.streams.video if not s.disposition & attached)


def _packets(file: Any, stream: Any) -> Iterator[Any]:
    return (packet for packet in file.demux(stream) if packet.size)


_TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    "scan": scan,
    "join": join,
    "sounds": sounds,
    "lay": lay,
}

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
