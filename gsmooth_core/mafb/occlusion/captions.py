"""Find captions, lower thirds and logos that were burned into a clip over the lower face.

Each shot is searched in blocks of a few seconds, in a strip of the picture around the lower face:
first for edges that keep their place on the screen (`steady`), then for those among them that
cannot be the face's (`graphics`), and last for the letters that they outline (`letters`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.camera import project, rotation_matrix
from gsmooth_core.face.morphable import MorphableModel, Region
from gsmooth_core.face.render import FaceSurface, face_surface
from gsmooth_core.mafb.blend import dilate, within
from gsmooth_core.mafb.crop import crop_transforms, in_frame
from gsmooth_core.mafb.occlusion.graphics import (
    GraphicSettings,
    Outlined,
    lines,
    masks,
    sure_edges,
)
from gsmooth_core.mafb.occlusion.kin import hull_of, related
from gsmooth_core.mafb.occlusion.occluders import Occluders, packed
from gsmooth_core.mafb.occlusion.outline import SIZE
from gsmooth_core.mafb.occlusion.outlined import with_outlines
from gsmooth_core.mafb.occlusion.steady import steady_edges
from gsmooth_core.mafb.occlusion.words import bare_of_face, through_time, with_edges
from gsmooth_core.ranges import shots_of
from gsmooth_core.types import Bool, FaceTrack, Float, FrameSource, Image, Int, Opened

_WORKING = 224  # side in pixels of a face crop at the scale of the search; never enlarged
_STRIP = np.array([[-0.25, 0.35], [1.25, 0.35], [-0.25, 1.05], [1.25, 1.05]])
"""Corners (x, y) of the strip, in sides of the crop."""

_MARGIN = 5  # pixels of a crop: diameter by which letters are grown, for their blurred edges
_AROUND = 71  # pixels: diameter by which the lower face is grown; captions beyond do not matter
_WHOLE = 141  # pixels: diameter within which those that do are kept: a jaw opens
_SPECK = 40  # pixels; less is an edge of the face that letters uncovered
_LIDS = 13  # pixels: diameter by which eyes are grown to their lids
_POINTS = 3  # every third vertex will do
_FEWEST = 6  # frames of a block
_AT_ONCE = 2  # blocks: one is searched while the next is read
_Searched = tuple[range, list[tuple[int, Bool]]]


@dataclass(frozen=True)
class CaptionSettings:
    """How captions are found. The fields' names are part of a job's fingerprints: keep them.

    Attributes:
        block: frames that are searched together.
        overlap: frames that two blocks share.
        graphics: what counts as a caption.
    """

    block: int = 160
    overlap: int = 40
    graphics: GraphicSettings = field(default_factory=GraphicSettings)


def find_captions(
    opened: Opened,
    track: FaceTrack,
    model: MorphableModel,
    settings: CaptionSettings | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Occluders:
    """Find what was burned in over the lower face, in the frames with a usable face.

    Args:
        opened: opens the clip; it is read once.
        track: the track of the clip, T frames.
        model: the face model that the track was fitted with.
        settings: thresholds; the defaults by default.
        on_progress: called with the number of frames done.

    Returns:
        the masks of the captions; none where the face is never usable.
    """
    settings = settings or CaptionSettings()
    if not track.usable.any():
        return packed([], SIZE)
    face, found = _Face(track, model), dict[int, NDArray[np.uint8]]()  # bits: captions may stay

    def search(frames: range, pictures: list[Image], strip: _Strip) -> _Searched:
        return frames, list(_captions(face, strip, frames, pictures, settings.graphics))

    def note(searched: _Searched) -> None:
        for number, mask in searched[1]:
            found[number] = found.get(number, np.uint8(0)) | np.packbits(mask)
        if on_progress:
            on_progress(searched[0][-1] + 1)

    waiting = deque[Future[_Searched]]()
    with opened() as source, ThreadPoolExecutor(_AT_ONCE, "captions") as threads:
        for first, last in _shots(track):
            for block in _blocks(source, face, first, last, settings):
                waiting.append(threads.submit(search, *block))
                if len(waiting) == _AT_ONCE:
                    note(waiting.popleft().result())
        while waiting:
            note(waiting.popleft().result())
    unpacked = ((n, np.unpackbits(found[n]).reshape(SIZE, SIZE) > 0) for n in sorted(found))
    return packed(unpacked, SIZE)


class _Face:
    """Where the points of the face are seen, frame by frame.

    Args:
        track: the track of the clip, T frames.
        model: its face model.
    """

    def __init__(self, track: FaceTrack, model: MorphableModel) -> None:
        self.track, self.usable = track, track.usable
        self.surface: FaceSurface = face_surface(model, track.identity)
        self.transforms = crop_transforms(track, model, _WORKING)
        regions = self.surface.regions
        shown = np.isin(regions, (Region.SKIN, Region.LOWER_FACE, Region.LIPS))
        self.points = np.flatnonzero(shown)[::_POINTS]
        self.lower = np.isin(regions[self.points], (Region.LOWER_FACE, Region.LIPS))
        self.eyes = np.flatnonzero(regions == Region.EYES)[::_POINTS]
        self.lips = np.flatnonzero(regions == Region.LIPS)[::_POINTS]

    def seen(self, points: Int, frames: range) -> Float:
        """(N, V, 2) pixels of vertices; where no face is usable, those of the nearest frame."""
        usable = np.array([n for n in frames if self.usable[n]])
        near = usable[np.abs(usable[None] - np.array(frames)[:, None]).argmin(1)]
        basis, template = self.surface.basis[:, points], self.surface.template[points]
        shape = np.tensordot(self.track.expression[near], basis, 1) + template
        camera = np.einsum("tij,tvj->tvi", rotation_matrix(self.track.rotation[near]), shape)
        camera += self.track.translation[near, None]
        track = self.track
        seen: Float = project(camera, track.focal, track.width, track.height)[..., :2]
        return seen


@dataclass(frozen=True)
class _Strip:
    """A part of the picture, at a smaller scale.

    Attributes:
        low: (2,) its first column and row.
        high: (2,) those after its last.
        scale: its own pixels a pixel of the picture, 1 at most.
    """

    low: Int
    high: Int
    scale: float

    def of(self, picture: Image) -> Image:
        """(h, w, 3) of a picture (H, W, 3)."""
        part = picture[self.low[1] : self.high[1], self.low[0] : self.high[0]]
        if self.scale == 1:
            return np.ascontiguousarray(part)
        size = np.maximum(1, np.round((self.high - self.low) * self.scale)).astype(int)
        return np.asarray(cv2.resize(part, size.tolist(), interpolation=cv2.INTER_AREA))

    def places(self, points: Float) -> Float:
        """(..., 2) its pixels of points of the picture."""
        return ((points - self.low) * np.float32(self.scale)).astype(np.float32)

    def in_crop(self, mask: Bool, transform: Float) -> Bool:
        """(SIZE, SIZE) a mask of it in the crop that `transform` (2, 3) cuts at that size."""
        matrix = transform.astype(np.float64)
        offset = matrix[:, 2] + matrix[:, :2] @ (self.low + 0.5 / self.scale) - 0.5
        matrix = np.column_stack([matrix[:, :2] / self.scale, offset])
        levels = mask.astype(np.uint8) * 255
        return np.asarray(cv2.warpAffine(levels, matrix, (SIZE, SIZE)) > 100)


def _strip(face: _Face, first: int, last: int) -> _Strip:
    """What holds the lower faces of a shot."""
    track, transforms = face.track, face.transforms[first : last + 1].astype(np.float64)
    points = in_frame(transforms, _STRIP * _WORKING).reshape(-1, 2)  # (N, 4, 2) -> (N * 4, 2)
    limit = [track.width, track.height]
    low = np.floor(points.min(0)).clip(0, limit).astype(np.int32)
    high = np.ceil(points.max(0)).clip(0, limit).astype(np.int32)
    scale = np.median(np.hypot(transforms[:, 0, 0], transforms[:, 1, 0]))
    return _Strip(low, high, min(1.0, float(scale)))


def _shots(track: FaceTrack) -> list[tuple[int, int]]:
    """First and last frame of each shot in which a face is usable."""
    return [(a, b) for a, b in shots_of(track) if track.usable[a : b + 1].any()]


def _blocks(
    source: FrameSource, face: _Face, first: int, last: int, settings: CaptionSettings
) -> Iterator[tuple[range, list[Image], _Strip]]:
    """The blocks of a shot: their frames, the strip in each of them, and which strip it is."""
    strip, pictures = _strip(face, first, last), list[Image]()
    if (strip.high - strip.low).min() < _SPECK:
        return
    for frame in range(first, last + 1):
        pictures.append(strip.of(source(frame)))
        if len(pictures) == settings.block or frame == last:
            frames = range(frame + 1 - len(pictures), frame + 1)
            if len(frames) >= _FEWEST and face.usable[frames.start : frames.stop].any():
                yield frames, pictures, strip
            pictures = pictures[-settings.overlap :]


def _captions(
    face: _Face, strip: _Strip, frames: range, pictures: list[Image], settings: GraphicSettings
) -> Iterator[tuple[int, Bool]]:
    """Number of each captioned frame of a block, and the mask in its crop."""
    parts = face.points, face.eyes, face.lips
    seen, eyes, lips = (strip.places(face.seen(points, frames)) for points in parts)
    edges = steady_edges(pictures)
    opens = [_opens(*each, pictures[0].shape[:2]) for each in zip(eyes, lips, strict=True)]
    signs = with_outlines(edges, sure_edges(edges, pictures, seen, settings, opens), pictures)
    if not signs.sure.any():
        return
    known: Outlined = {}
    found = masks(edges, lines(edges, signs, pictures), pictures, known)
    signs = related(edges, signs, found, pictures, seen, settings)
    outlined = lines(edges, signs, pictures)
    lower = [
        hull_of(points[face.lower], p.shape[:2]) for points, p in zip(seen, pictures, strict=True)
    ]
    found = bare_of_face(masks(edges, outlined, pictures, known), pictures, lower)
    found = [
        with_edges(mask, drawing, settings.fewest)
        for mask, drawing in zip(through_time(found, outlined), outlined, strict=True)
    ]
    for frame, mask, points in zip(frames, found, seen, strict=True):
        if not face.usable[frame] or not mask.any():
            continue
        near = _near_lower_face(mask, points[face.lower])
        if near.any():
            larger = face.transforms[frame] * np.float32(SIZE / _WORKING)
            yield frame, dilate(strip.in_crop(near, larger), _MARGIN, _MARGIN)


def _opens(eyes: Float, lips: Float, shape: tuple[int, ...]) -> Bool:
    """(H, W) where lids and lips open and shut, of points of eyes (V, 2) and lips (W, 2)."""
    opens = np.zeros(shape, bool)
    if len(eyes):
        opens |= dilate(hull_of(eyes, shape), _LIDS, _LIDS)
    if len(lips):
        opens |= hull_of(lips, shape)
    return opens


def _near_lower_face(mask: Bool, points: Float) -> Bool:
    """(H, W) a mask without what lies far from the lower face."""
    hull = hull_of(points, mask.shape)
    if (mask & within(hull, _AROUND)).sum() < _SPECK:
        return mask & False
    return mask & within(hull, _WHOLE)
