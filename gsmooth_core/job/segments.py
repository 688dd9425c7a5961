"""The segments of a job: which of their frames stand, and which have to be made.

Each segment is noted with the keys of its frames (`taft/frame_keys.py`). A frame whose key is
still the same stays as it is, bit by bit, where every frame stands alone in its file (the setting
`intra`, or pictures); otherwise its whole segment is made anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gsmooth_core.job.journal import Journal, fingerprint
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.media.encoding.encode import container_for, segment_path
from gsmooth_core.types import Bool

_STAGE = "segment"
Key = tuple[str, str]


class Segment(NamedTuple):
    """A segment: its number, its frames start .. end - 1, and its file."""

    number: int
    start: int
    end: int
    path: Path

    @property
    def frames(self) -> slice:
        """Its frames among all."""
        return slice(self.start, self.end)


class Segments:
    """What a job has of its frames.

    Args:
        journal: of the job.
        output: the final output, whose suffix decides the codec.
        count: T, frames of the job.
        settings: of the job.
        inputs: fingerprint of all that every frame depends on.
        runs: [first, end) of the frames that are made; None for all.
    """

    def __init__(
        self,
        journal: Journal,
        output: Path,
        count: int,
        settings: DubSettings,
        inputs: str,
        runs: Sequence[tuple[int, int]] | None = None,
    ) -> None:
        # Segments of other runs have other frames under the same numbers.
        self._inputs = inputs if runs is None else fingerprint(inputs=inputs, runs=runs)
        self._journal, self._count = journal, count
        self._alone = settings.intra or not container_for(output).video
        size, parts = settings.chunk_frames, [(0, count)] if runs is None else runs
        bounds = [
            (at, min(at + size, end)) for start, end in parts for at in range(start, end, size)
        ]
        self._all = [
            Segment(number, *bound, segment_path(journal.folder, number, output))
            for number, bound in enumerate(bounds)
        ]
        self._notes = {s.number: notes for s in self._all if (notes := self._noted(s))}
        # A segment whose file was lost is made as it was, so that it fits its neighbours.
        self._once = {s.number: notes for s in self._all if (notes := self._noted(s, lost=True))}

    def __iter__(self) -> Iterator[Segment]:
        return iter(self._all)

    @property
    def boxes(self) -> list[Any]:
        """The parts of the crops that the generator saw, one a person; empty without a segment."""
        for notes in self._once.values():
            return list(notes["boxes"])
        return []

    def outside(self, segment: Segment) -> int:
        """The largest change of a pixel outside its mask that was noted."""
        return int(self._notes.get(segment.number, {"outside": 0})["outside"])

    def stands(self, segment: Segment) -> bool:
        """Whether there is a whole file, of whatever curves."""
        return segment.number in self._notes

    def edited(self, keys: Sequence[Key]) -> Bool:
        """(T,) frames that were made with other curves of their own."""
        pairs = zip(self._known(self._once), keys, strict=True)
        return np.array([known is not None and known[0] != key[0] for known, key in pairs])

    def to_make(self, keys: Sequence[Key]) -> Bool:
        """(T,) frames that have to be made: those with other keys, or all of their segments."""
        other = np.array([k != key for k, key in zip(self._known(self._notes), keys, strict=True)])
        wanted = np.zeros(len(keys), bool)
        for segment in self._all:
            frames = wanted[segment.frames]
            frames[:] = other[segment.frames]
            if frames.any() and not (self._alone and self.stands(segment)):
                frames[:] = True
        return wanted

    def touched(self, keys: Sequence[Key], made: Bool) -> Bool:
        """(T,) frames that are made again though their own curves are the same."""
        known = self._known(self._notes)
        same = [k is not None and k[0] == key[0] for k, key in zip(known, keys, strict=True)]
        return np.array(same) & made

    def record(
        self, segment: Segment, keys: Sequence[Key], boxes: Sequence[object], outside: int
    ) -> None:
        """Note a finished segment."""
        where = _STAGE, self._inputs, segment.path, segment.number
        self._journal.record(
            *where,
            outside=max(outside, self.outside(segment)),
            boxes=list(boxes),
            keys=["/".join(key) for key in keys[segment.frames]],
        )

    def _known(self, noted: Mapping[int, dict[str, Any]]) -> list[Key | None]:
        """(T,) the keys of the frames of the segments that are noted."""
        known: list[Key | None] = [None] * self._count
        for segment in self._all:
            if notes := noted.get(segment.number):
                known[segment.frames] = _keys(notes)
        return known

    def _noted(self, segment: Segment, *, lost: bool = False) -> dict[str, Any] | None:
        if lost:
            notes = self._journal.noted(_STAGE, self._inputs, segment.number)
        else:
            where = _STAGE, self._inputs, segment.path, segment.number
            notes = self._journal.finished(*where)
        count = segment.end - segment.start
        return notes if notes and len(notes.get("keys", ())) == count else None


def _keys(notes: dict[str, Any]) -> list[Key | None]:
    pairs = (str(key).partition("/") for key in notes["keys"])
    return [(curves, rest) for curves, _, rest in pairs]
