"""The rest of a video around the frames that are dubbed: copied where it can be, else encoded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gsmooth_core.job.events import Cancelled, Message, Notice, OnEvent, raise_if
from gsmooth_core.job.journal import Journal, fingerprint
from gsmooth_core.job.names import JobFile
from gsmooth_core.job.notices import wish_of
from gsmooth_core.job.segments import Segment
from gsmooth_core.job.source import Source
from gsmooth_core.job.stage import Stage, result_of
from gsmooth_core.media.encoding.coding import coding_of
from gsmooth_core.media.encoding.encode import SegmentWriter, container_for, travels_into
from gsmooth_core.media.encoding.encoders import Wish
from gsmooth_core.media.encoding.fitting import COARSER, fitted, is_fitted
from gsmooth_core.media.encoding.losses import Loss
from gsmooth_core.media.encoding.pace import times_of
from gsmooth_core.media.joining.copies import (
    Copied,
    copies,
    listing,
    own_number,
    own_references,
    refusal,
    rest_of,
)
from gsmooth_core.media.joining.parameter_sets import Refused
from gsmooth_core.media.joining.weave import Made, see_alike, weave
from gsmooth_core.media.pictures.decode import read_frames, read_planes
from gsmooth_core.media.reading.probe import probe_source
from gsmooth_core.ranges import Ranges, ranges_of
from gsmooth_core.storage.files import write_text
from gsmooth_core.types import Bool

_STAGE = "rest"


class Rest:
    """What a job's output has of its source beside the frames that are made.

    Args:
        source: of the job; where its settings do not ask for the rest, there is none.
        journal: of the job.
        on_event: told about what is kept.
        cancelled: asked before every frame.
    """

    def __init__(
        self, source: Source, journal: Journal, on_event: OnEvent, cancelled: Cancelled
    ) -> None:
        self.source, self._journal = source, journal
        self._emit, self._cancelled = on_event, cancelled
        self._asked = source.job.settings.keep_rest
        self._kept: list[Copied] = []
        self._all_copied = False
        self._trial: Future[Wish] | None = None
        self.late: list[Notice] = []
        """What was said only when the pictures were put together."""

    @cached_property
    def refusal(self) -> str:
        """Why no packet can be copied; "" where some can."""
        read = probe_source(self.source.clip.path)
        return refusal(read, container_for(self.source.job.output).muxer, self._wish)

    @property
    def notices(self) -> list[Notice]:
        """What is said before the work begins."""
        why = (self.refusal or self._nothing_fits()) if self._asked else ""
        return [_notice(why)] if why else []

    @contextmanager
    def tried_meanwhile(self) -> Iterator[Callable[[], None]]:
        """Find the rate factor beside what the caller does from when it calls what it is given.

        Not where packets are copied: there may be nothing to encode.
        """
        with ThreadPoolExecutor(1, "rate") as thread:

            def begin() -> None:
                if self._trial is None and not self._asked and self._tries:
                    stage = self._rate(self._wish)
                    if self._journal.noted(stage.name, fingerprint(**stage.inputs)) is None:
                        self._trial = thread.submit(self._fitted)

            yield begin

    @cached_property
    def encoding(self) -> Wish:
        """How the frames that are made are encoded, so that they fit the copied ones."""
        clip, wish = self.source.clip, self._wish
        if self._tries:
            wish = replace(wish, crf=result_of(self._rate(wish), self._journal))
        copies_some = self._asked and not self.refusal
        if not copies_some:
            return wish
        return wish.beside(own_number(clip.path), own_references(clip.path))

    @property
    def _tries(self) -> bool:
        source = self.source
        return is_fitted(self._wish, source.clip, source.job.output, source.taken)

    def _fitted(self) -> Wish:
        source, job = self.source, self.source.job
        return fitted(self._wish, source.clip, job.output, job.start_frame, source.taken)

    def _rate(self, wish: Wish) -> Stage[int]:
        """The stage that finds the rate factor: a trial, which is kept with the job."""
        job, coarsest = self.source.job, wish.crf + COARSER
        video = self.source.pictures_stamp()
        return Stage(
            name="rate",
            file=JobFile.RATE,
            inputs={"video": video, "wish": repr(wish), "suffix": job.output.suffix},
            make=lambda: (self._trial.result() if self._trial else self._fitted()).crf,
            save=lambda path, factor: write_text(path, f"{factor}\n"),
            load=lambda path: _number_in(path, wish.crf, coarsest),
        )

    @cached_property
    def coded(self) -> list[str]:
        """The encoder's arguments, which all pieces of one stream share: it has one header.

        A folder may hold pieces of an older GSmooth, which encoded otherwise.
        """
        container = container_for(self.source.job.output)
        if not container.video or self._all_copied:
            return []
        read = probe_source(self.source.clip.path)
        return list(coding_of(read, container.muxer, self.encoding).encoder)

    def plan(self, wanted: Bool) -> list[tuple[int, int]] | None:
        """Choose what is copied.

        Args:
            wanted: (T,) the job's frames that get a new face.

        Returns:
            [first, end) of the job's frames that are encoded; None for all.
        """
        if not self._asked:
            return None
        first, count = self.source.job.start_frame, self.source.count
        if not self.refusal:
            self._kept = self._copies(wanted)
            share = sum(copy.end - copy.first for copy in self._kept)
            text = (
                f"{share} of {self.source.clip.frame_count} frames are copied as they are stored."
            )
            self._emit(Message("info", text))
        made = rest_of(self.source.clip.frame_count, self._kept)
        self._all_copied = not made
        bounds = ((max(a - first, 0), min(b - first, count)) for a, b in made)
        return [(a, b) for a, b in bounds if a < b]

    def _copies(self, wanted: Bool) -> list[Copied]:
        """What is copied where (T,) `wanted` of the job's frames get a new face."""
        first, changed = self.source.job.start_frame, np.zeros(self.source.clip.frame_count, bool)
        changed[first : first + self.source.count] = wanted
        return copies(listing(self.source.clip.path), changed)

    def _nothing_fits(self) -> str:
        """Why there is nothing to copy beside the job's frames, should all get a new face."""
        count = self.source.count
        if count == self.source.clip.frame_count or self._copies(np.ones(count, bool)):
            return ""
        return "no picture from which a player could begin stands where it would help"

    def lost(self, loss: Loss) -> None:
        """Take note of a loss that was found when the output was put together."""
        self.late = [*self.late, Notice(loss.what, loss.text)]
        self._emit(self.late[-1])

    def stamp(self) -> dict[str, Any]:
        """What identifies what is copied, for fingerprints."""
        if not self._kept:
            return {}
        return {"kept": self.copied(), "video": self.source.pictures_stamp()["video"]}

    def copied(self) -> Ranges:
        """[first, last] of the output's frames that are copied."""
        return [(copy.first, copy.end - 1) for copy in self._kept]

    def pieces(self, segments: Sequence[Segment]) -> list[Made]:
        """All frames that are encoded, those around the job's, too.

        Raises:
            CancelledError: the user stopped it.
            MediaError: they cannot be read or written.
        """
        at = self.source.job.start_frame - self.source.first
        made = [Made(s.path, s.start + at, s.end - s.start) for s in segments]
        if not self._asked:
            return made
        left = np.ones(self.source.clip.frame_count, bool)
        for first, end in [(c.first, c.end) for c in self._kept]:
            left[first:end] = False
        for piece in made:
            left[piece.first : piece.first + piece.count] = False
        size = self.source.job.settings.chunk_frames
        around = [
            self._around(first, min(size, last + 1 - first))
            for a, last in ranges_of(left)
            for first in range(a, last + 1, size)
        ]
        return sorted([*made, *around], key=lambda piece: piece.first)

    @contextmanager
    def pictures(self, segments: Sequence[Segment]) -> Iterator[tuple[list[Path], bool]]:
        """Files that hold the output's pictures, and whether their frames have their times already.

        Raises:
            GSmoothError: as `pieces`.
        """
        made, target = self.pieces(segments), self._journal.folder / JobFile.WOVEN
        try:
            files = self._woven(made, target, segments)
            yield files, files == [target]
        finally:
            target.unlink(missing_ok=True)

    def _woven(self, made: list[Made], target: Path, segments: Sequence[Segment]) -> list[Path]:
        clip, output = self.source.clip, self.source.job.output
        if not self._kept and not clip.paced:
            return [piece.path for piece in made]
        read, container = probe_source(clip.path), container_for(output)
        muxer = coding_of(read, container.muxer, self._wish).muxer
        times, tick = times_of(clip)
        try:
            weave(target, clip.path, self._kept, made, muxer, times.tolist(), tick)
            if self._kept:
                see_alike(target, clip, self._kept)
        except Refused as why:
            self._kept = []
            self.late = [_notice(str(why))]
            self._emit(self.late[0])
            return [piece.path for piece in self.pieces(segments)]
        return [target]

    def _around(self, first: int, count: int) -> Made:
        """Encode some of the source's frames as they are, in a file that is kept."""
        suffix = ".mp4" if container_for(self.source.job.output).video else ""
        path = self._journal.folder / f"rest_{first:07d}{suffix}"
        video = self.source.pictures_stamp()["video"]
        inputs = fingerprint(video=video, encoding=self.coded, first=first, count=count)
        if not self._journal.finished(_STAGE, inputs, path, first):
            self._encode(path, first, count)
            self._journal.record(_STAGE, inputs, path, first)
        return Made(path, first, count)

    def _encode(self, path: Path, first: int, count: int) -> None:
        source, output = self.source, self.source.job.output
        stored = travels_into(probe_source(source.clip.path), output) is not None
        frames: Iterator[Any] = (read_planes if stored else read_frames)(source.clip, first, count)
        with SegmentWriter(path, source.shown, output, wish=self.encoding, stored=stored) as writer:
            for frame in frames:
                raise_if(self._cancelled)
                writer.write(frame)

    @property
    def _wish(self) -> Wish:
        return wish_of(self.source.job)


def _number_in(path: Path, least: int, most: int) -> int:
    text = path.read_text(errors="replace").strip()
    return min(max(int(text), least), most) if re.fullmatch("[0-9]{1,3}", text) else least


def _notice(why: str) -> Notice:
    text = f"Frames that stay as they are cannot be copied and are encoded anew: {why}."
    return Notice("copy", text)
