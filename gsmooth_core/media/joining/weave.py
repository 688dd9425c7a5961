"""One video out of copied stretches of a source and of segments that were encoded for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from gsmooth_core.media import ffmpeg
from gsmooth_core.media.encoding.coding import travels_as
from gsmooth_core.media.joining.copies import Copied, Listing, listing, listings, remux
from gsmooth_core.media.joining.parameter_sets import Refused, before_keys, joined
from gsmooth_core.media.pictures.decode import read_frames, read_planes
from gsmooth_core.media.pictures.planes import Planes
from gsmooth_core.media.reading.probe import probe, probe_source
from gsmooth_core.storage.files import atomic
from gsmooth_core.types import Clip, Image

_LOOKED = 6  # stretches whose ends are compared with the source
_BEFORE = 3  # frames before an end from which decoding goes on over it


@dataclass(frozen=True)
class Made:
    """A segment that was encoded: its file, its first frame of the output, and how many."""

    path: Path
    first: int
    count: int


def weave(
    target: Path,
    source: Path,
    kept: Sequence[Copied],
    made: Sequence[Made],
    muxer: str,
    times: Sequence[int],
    tick: Fraction,
) -> None:
    """Write a file of pictures alone.

    Args:
        target: the file.
        source: the video that stretches are copied from.
        kept: these stretches.
        made: all other frames.
        muxer: ffmpeg's name of the container.
        times: (T + 1,) ticks at which each frame is shown, and at which the last one ends.
        tick: in seconds.

    Raises:
        MediaError: it cannot be written.
        Refused: the packets do not fit together.
    """
    ours = listings([segment.path for segment in made])
    header, before, tag = _header(source, kept, ours, muxer)
    pieces = [_copied_piece(source, copy, before[0]) for copy in kept]
    pieces += [_made_piece(*one, before[1]) for one in zip(made, ours, strict=True)]
    pieces.sort(key=lambda piece: piece["at"])
    order = np.array([f for piece in pieces for f in piece["frames"] if f >= 0])
    with atomic(target) as partial:
        plan = {
            "output": ffmpeg.url(partial.absolute()), "muxer": muxer, "formats": ffmpeg.FORMATS,
            "extradata": header, "tag": tag,
            "template": str((source if kept else made[0].path).absolute()), "pieces": pieces,
            "tick": [tick.numerator, tick.denominator], "times": list(times),
            "delay": int((np.arange(len(order)) - order).max(initial=0)),
        }  # fmt: skip
        listed = target.with_name(f"{target.stem}.json")
        with atomic(listed) as partial_list:
            partial_list.write_text(json.dumps(plan))
        try:
            remux("join", str(listed.absolute()))
        finally:
            listed.unlink()


def _header(
    source: Path, kept: Sequence[Copied], made: Sequence[Listing], muxer: str
) -> tuple[str, tuple[str, str], str]:
    """The stream's header, what stands before key packets of the source's and ours, its tag."""
    if not kept or not made:
        return "", ("", ""), ""
    its, ours = listing(source), made[0]
    if its.coding == "h264":
        return joined(its.header, ours.header).hex(), ("", ""), ""
    if its.coding == "hevc":
        before = before_keys(its.header).hex(), before_keys(ours.header).hex()
        return "", before, "hev1" if muxer in ("mp4", "mov") else ""
    return "", ("", ""), ""


def _copied_piece(source: Path, copy: Copied, before: str) -> dict[str, Any]:
    return {
        "path": str(source.absolute()), "at": copy.first, "first": copy.packet,
        "frames": copy.frames, "prefix": before, "anew": copy.anew and copy.first > 0,
    }  # fmt: skip


def _made_piece(segment: Made, listed: Listing, before: str) -> dict[str, Any]:
    frames = (segment.first + listed.frames).tolist()
    return {
        "path": str(segment.path.absolute()), "at": segment.first, "first": 0,
        "frames": frames, "prefix": before, "anew": False,
    }  # fmt: skip


def see_alike(woven: Path, source: Clip, kept: Sequence[Copied]) -> None:
    """See that copied stretches are decoded as in the source at their seams.

    Raises:
        Refused: they are not.
        MediaError: a file cannot be read.
    """
    clip = probe(woven)
    if (clip.frame_count, clip.fps) != (source.frame_count, source.fps):
        raise Refused("players would count its frames otherwise")
    step = max(1, len(kept) // _LOOKED)
    for copy in kept[::step]:
        if copy.first > 0:
            _see_alike(clip, source, copy.first, min(copy.first + _BEFORE, copy.end))
        if copy.end < source.frame_count:
            _see_alike(clip, source, max(copy.first, copy.end - _BEFORE), copy.end)


def _see_alike(woven: Clip, source: Clip, first: int, end: int) -> None:
    """Compare frames first .. end - 1, decoded from some before them on."""
    begin = max(first - _BEFORE, 0)
    stored = travels_as(probe_source(source.path)) is not None
    read: Callable[..., Iterator[Any]] = read_planes if stored else read_frames
    pictures = (read(clip, begin, end - begin) for clip in (woven, source))
    for frame, (one, other) in enumerate(zip(*pictures, strict=True), begin):
        if frame >= first and not _same(one, other):
            raise Refused(f"its frame {frame} would look otherwise")


def _same(one: Image | Planes, other: Image | Planes) -> bool:
    """Whether two pictures are alike in every sample."""
    mine, its = (p.planes if isinstance(p, Planes) else (p,) for p in (one, other))
    return all(np.array_equal(a, b) for a, b in zip(mine, its, strict=True))
