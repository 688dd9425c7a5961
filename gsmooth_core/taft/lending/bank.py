"""Reading the frames that lend to others: what is kept of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from gsmooth_core.face.render import FaceSurface, pose_face, visibility
from gsmooth_core.mafb.crop import window
from gsmooth_core.mafb.occlusion.occluders import Occluders
from gsmooth_core.models.threads import all_threads
from gsmooth_core.taft.lending.shelf import Shelf
from gsmooth_core.taft.lending.spoiled import spoiled_part
from gsmooth_core.taft.warping.body import beside_face, coarse_grey
from gsmooth_core.taft.warping.warp import Reference
from gsmooth_core.types import FaceTrack, Float, FrameSource, Image

Held = Mapping[int, Reference] | None
"""What is kept of some frames already, by their numbers; None for nothing."""


class _Own(NamedTuple):
    """A frame's own face in its crop: fields of `Reference` that no pixel has a part in."""

    points: Float
    visible: Float
    clear: Image


class BankReader:
    """Reads references of one clip.

    Args:
        track: the track of the clip.
        surface: the person's face.
        transforms: (T, 2, 3) from frames to crops.
        size: side of the crops.
        captions: what was burned in.
        occluders: what is before the face.
        shelf: keeps their pixels.
        held: frames that are not read.
    """

    def __init__(
        self,
        track: FaceTrack,
        surface: FaceSurface,
        transforms: Float,
        size: int,
        captions: Occluders | None,
        occluders: Occluders | None,
        shelf: Shelf,
        held: Held = None,
    ) -> None:
        self._track, self._surface, self._transforms = track, surface, transforms
        self._size, self._shelf = size, shelf
        self._captions, self._occluders = captions, occluders
        # Of letters less is spoiled than was found, by what the frames that were read teach.
        self._held = {} if held is None or captions else held

    def read(self, source: FrameSource, frames: Sequence[int]) -> Iterator[Reference]:
        """What is kept of each of some frames, at the frame's own resolution.

        Their faces are drawn on other threads while their pictures are read.

        Args:
            source: gives the frames; each is asked for once, in the order of `frames`.
            frames: numbers of them, ascending.
        """
        missing = [frame for frame in frames if frame not in self._held]
        with ThreadPoolExecutor(all_threads(), "draw") as pool:
            drawn = pool.map(self._drawn, missing)
            for frame in frames:
                own = self._held.get(frame)
                yield own or self._kept(source(frame), frame, next(drawn))

    def _drawn(self, frame: int) -> _Own:
        track, surface, size = self._track, self._surface, self._size
        posed = pose_face(surface, track, frame, track.expression[frame], self._transforms[frame])
        visible, covered = visibility(surface, posed, size)
        return _Own(posed.seen[:, :2].copy(), visible, beside_face(covered))

    def _kept(self, picture: Image, frame: int, own: _Own) -> Reference:
        transform = self._transforms[frame].astype(np.float64)
        under = window(transform, self._size, self._track.area_of(frame))
        linear = np.linalg.inv(transform[:, :2])
        offset = -linear @ transform[:, 2] - np.array(under.box[:2])
        letters, before = (
            spoiled_part(masks, frame, under) if masks else None
            for masks in (self._captions, self._occluders)
        )
        bare = letters is None and before is None
        return Reference(
            frame=frame,
            image=self._shelf.keep(np.ascontiguousarray(under.part(picture))),
            to_image=np.column_stack([linear, offset]),
            points=own.points,
            visible=own.visible,
            spoiled=None if letters is None else self._shelf.keep(letters),
            coarse=coarse_grey(picture, under) if bare else None,
            clear=own.clear,
            before=None if before is None else self._shelf.keep(before),
        )
