"""Which places of the face are hidden, from how unusual they are.

Two signs are looked for. A plain one: a patch whose every cell is far from usual (a microphone,
paper, dark hair). A faint one, for hands, whose colour is that of a face: a region as large as a
fingertip and more in which most is a little unusual, over several frames. Creases of a smile,
shadows of a mouth and hair beside the cheek are small, brief or at the outline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, label, maximum

from gsmooth_core.face.morphable import Region
from gsmooth_core.mafb.occlusion.chart import Chart
from gsmooth_core.types import Bool, Float


@dataclass(frozen=True)
class PatchSettings:
    """What counts as hidden; in usual deviations and cells (see `chart.CELLS`).

    Attributes:
        plain: deviation of each cell of a patch that is hidden for sure.
        plain_cells: how many of the cells that dubbing replaces such a patch covers at least.
        plain_on: how many in a frame next to one that has such a patch.
        plain_edge: deviation down to which it goes on around that.
        faint: mean deviation of a region from which on something is before it.
        faint_on: down to which it goes on in the frames before and after.
        faint_edge: of a place, that it is part of what is before the face.
        faint_cells: how many cells of the region such a patch covers at least.
        most: deviation above which a cell does not count for more.
        region: cells across a region.
        place: cells across a place.
        frames: over which faint signs are gathered, odd.
        lasting: frames for which they are there at least.
        gap: cells across a gap that is closed, and around what is plain, where nothing is faint.
    """

    plain: float = 8.0
    plain_cells: int = 25
    plain_on: int = 8
    plain_edge: float = 5.0
    faint: float = 3.2
    faint_on: float = 2.3
    faint_edge: float = 2.2
    faint_cells: int = 20
    most: float = 4.0
    region: int = 13
    place: int = 5
    frames: int = 3
    lasting: int = 5
    gap: int = 7


class Patches:
    """Finds hidden cells in frames of one clip.

    Args:
        chart: the face's map.
        away: (T, C) deviations (`usual.deviation`); NaN where nothing is seen.
        settings: what counts as hidden.
    """

    def __init__(self, chart: Chart, away: NDArray[np.float16], settings: PatchSettings) -> None:
        self.chart, self.away, self.settings = chart, away, settings
        self._replaced = chart.spread(chart.replaced)
        self._skin = chart.spread(chart.skin)
        self._lower = chart.spread(chart.regions == Region.LOWER_FACE) & self._replaced

    def find(self) -> dict[int, Bool]:
        """Frame number -> (CELLS, CELLS) hidden cells, for the frames in which there are any."""
        frames = range(len(self.away))
        found = self._plain_patches()
        strength = np.array([self._strength(frame, found) for frame in frames], np.float32)
        for frame in np.flatnonzero(lasting(strength, self.settings)):
            faint = self._faint(int(frame), found)
            if faint.any():
                found[int(frame)] = found.get(int(frame), np.zeros_like(faint)) | faint
        return {frame: self._whole(found[frame]) for frame in sorted(found)}

    def _picture(self, frame: int) -> Float:
        """(CELLS, CELLS) deviations, 0 where nothing is seen."""
        picture: Float = self.chart.spread(np.nan_to_num(self.away[frame]).astype(np.float32))
        return picture

    def _whole(self, patch: Bool) -> Bool:
        """The patch without gaps: lips within a hand are hidden too, whatever their colour."""
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (self.settings.gap,) * 2)
        closed = cv2.morphologyEx(patch.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
        return np.asarray(binary_fill_holes(closed), bool)

    def _plain_patches(self) -> dict[int, Bool]:
        """Frames with a plain patch, and those before and after in which less of it is seen."""
        s, frames = self.settings, range(len(self.away))
        found = {n: plain for n in frames if (plain := self._plain(n, s.plain_cells)).any()}
        for order, step in ((frames, -1), (reversed(frames), 1)):
            for frame in order:
                if frame not in found and frame + step in found:
                    plain = self._plain(frame, s.plain_on)
                    if plain.any():
                        found[frame] = plain
        return found

    def _plain(self, frame: int, fewest: int) -> Bool:
        s, picture = self.settings, self._picture(frame)
        far = parts((picture > s.plain) & self._skin)
        far = [part for part in far if (part & self._lower).sum() >= fewest]
        sure = _union(far, picture.shape)
        wider = parts(picture > s.plain_edge) if far else []
        return _union([part for part in wider if (part & sure).any()], picture.shape)

    def _strength(self, frame: int, found: dict[int, Bool]) -> float:
        return float(self._regions(frame, found)[self._lower].max(initial=0))

    def _regions(self, frame: int, found: dict[int, Bool]) -> Float:
        """(CELLS, CELLS) root mean square deviation of the region around each cell, over frames."""
        s, half = self.settings, self.settings.frames // 2
        around = np.arange(frame - half, frame + half + 1).clip(0, len(self.away) - 1)
        squares, known = zip(*(self._clipped(int(t), found, s.most) for t in around), strict=True)
        return self._mean(np.sum(squares, 0), np.sum(known, 0), s.region, self._replaced)

    def _clipped(self, frame: int, found: dict[int, Bool], most: float) -> tuple[Float, Float]:
        """(CELLS, CELLS) squared deviations, and 1 where known; not near what is plain."""
        known = self.chart.spread(np.isfinite(self.away[frame])).astype(np.float32)
        if frame in found:
            around = np.ones((self.settings.gap,) * 2, np.uint8)
            known[cv2.dilate(found[frame].astype(np.uint8), around) > 0] = 0
        return np.minimum(self._picture(frame), most) ** 2 * known, known

    def _mean(self, squares: Float, known: Float, across: int, where: Bool) -> Float:
        total = cv2.blur(squares * where, (across, across))
        share = cv2.blur(known * where, (across, across))  # at least a fifth is asked for
        mean: Float = np.sqrt(total / np.maximum(share, 0.2)) * (where & (known > 0))
        return mean

    def _faint(self, frame: int, found: dict[int, Bool]) -> Bool:
        s = self.settings
        core = self._regions(frame, found) > s.faint_on
        squares, known = self._clipped(frame, found, 1.5 * s.most)
        places = self._mean(squares, known, s.place, np.ones_like(core))
        patches = [p for p in parts(places > s.faint_edge) if (p & core).sum() >= s.faint_cells]
        return _union(patches, core.shape)


def lasting(strength: Float, settings: PatchSettings) -> Bool:
    """(T,) frames of those runs above `faint_on` that last and somewhere reach `faint`."""
    run, count = label(strength > settings.faint_on)  # 0 where there is none
    long = np.bincount(run, minlength=count + 1) >= settings.lasting
    high = np.asarray(maximum(strength, run, range(count + 1))) > settings.faint
    lasts: Bool = (long & high)[run] & (run > 0)
    return lasts


def parts(mask: Bool) -> list[Bool]:
    """The connected parts of a mask."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    return [labels == n for n in range(1, count)]


def _union(masks: Sequence[Bool], shape: tuple[int, ...]) -> Bool:
    return np.any(masks, 0) if len(masks) else np.zeros(shape, bool)
