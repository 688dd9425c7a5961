"""Which texels are occluded, judged by their z-scores.

Two signs are looked for. A plain one: a patch in which every texel is far from its usual colour (a
microphone, paper, dark hair). A faint one, for hands, whose colour is that of a face: a region the
size of a fingertip or more in which most texels are a little off, over several frames. The creases
of a smile, the shadows of a mouth and hair beside the cheek are small, brief, or at the outline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, label, maximum

from gsmooth_core.face.morphable import Region
from gsmooth_core.mafb.occlusion.canonical import CanonicalMap
from gsmooth_core.types import Bool, Float


@dataclass(frozen=True)
class PatchSettings:
    """What counts as occluded, in z-scores and texels (see `canonical.TEXELS`).

    Both signs have hysteresis: a high threshold to begin with, lower ones to go on in space and
    time. The fields' names are part of a job's fingerprints: keep them.

    Attributes:
        plain: z-score of every texel in the core of a plain patch.
        plain_cells: how many texels of the part that dubbing replaces such a core covers at least.
        plain_on: how many suffice in a frame next to one that has a plain patch.
        plain_edge: z-score down to which the patch extends around its core.
        faint: root mean square z-score of a region that starts a faint patch.
        faint_on: one that continues it in the frames before and after.
        faint_edge: root mean square z-score of a neighbourhood that belongs to the patch.
        faint_cells: how many texels of the region such a patch covers at least.
        most: z-score at which a single texel is clipped, so that a few cannot make a region.
        region: side of a region, in texels.
        place: side of a neighbourhood, in texels.
        frames: number of frames over which faint signs are gathered, odd.
        lasting: number of frames for which they have to be there.
        gap: width in texels of gaps that are closed, and of the margin around a plain patch in
            which nothing is taken for a faint one.
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
    """Finds the occluded texels of a clip's frames.

    Args:
        canonical: the face's map, C texels.
        z: (T, C) z-scores (`appearance.z_scores`); NaN where nothing is seen.
        settings: what counts as occluded.
        plain_only: (T,) frames that show too little of the face to look for faint signs.
    """

    def __init__(
        self,
        canonical: CanonicalMap,
        z: NDArray[np.float16],
        settings: PatchSettings,
        plain_only: Bool | None = None,
    ) -> None:
        self.canonical, self.z, self.settings = canonical, z, settings
        self._plain_only = plain_only
        self._replaced = canonical.image(canonical.replaced)
        self._skin = canonical.image(canonical.skin)
        # Lips change colour as they open, and the upper face is never replaced: neither may
        # start a patch.
        self._lower = canonical.image(canonical.regions == Region.LOWER_FACE) & self._replaced

    def find(self) -> dict[int, Bool]:
        """Frame number -> (TEXELS, TEXELS) occluded texels, for the frames that have any."""
        frames = range(len(self.z))
        # Plain patches first: a hand's faint sign must not come from the microphone it holds.
        found = self._plain_patches()
        strength = np.array([self._strength(frame, found) for frame in frames], np.float32)
        if self._plain_only is not None:
            strength[self._plain_only] = 0
        for frame in np.flatnonzero(lasting(strength, self.settings)):
            faint = self._faint(int(frame), found)
            if faint.any():
                found[int(frame)] = found.get(int(frame), np.zeros_like(faint)) | faint
        return {frame: self._whole(found[frame]) for frame in sorted(found)}

    def _picture(self, frame: int) -> Float:
        """(TEXELS, TEXELS) z-scores, 0 where nothing is seen."""
        picture: Float = self.canonical.image(np.nan_to_num(self.z[frame]).astype(np.float32))
        return picture

    def _whole(self, patch: Bool) -> Bool:
        """The patch without gaps: lips behind a hand are occluded too, whatever their z-scores."""
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (self.settings.gap,) * 2)
        closed = cv2.morphologyEx(patch.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
        return np.asarray(binary_fill_holes(closed), bool)

    def _plain_patches(self) -> dict[int, Bool]:
        """Frames with a plain patch, and those before and after that show less of it."""
        s, frames = self.settings, range(len(self.z))
        found = {n: plain for n in frames if (plain := self._plain(n, s.plain_cells)).any()}
        # An object enters and leaves by the edge of the face, where it covers few texels: follow
        # it forward, then backward, for as long as the lower count is met.
        for order, step in ((frames, -1), (reversed(frames), 1)):
            for frame in order:
                if frame not in found and frame + step in found:
                    plain = self._plain(frame, s.plain_on)
                    if plain.any():
                        found[frame] = plain
        return found

    def _plain(self, frame: int, fewest: int) -> Bool:
        """(TEXELS, TEXELS) plain patches with at least `fewest` texels on the lower face."""
        s, picture = self.settings, self._picture(frame)
        cores = parts((picture > s.plain) & self._skin)
        cores = [part for part in cores if (part & self._lower).sum() >= fewest]
        core = _union(cores, picture.shape)
        wider = parts(picture > s.plain_edge) if cores else []
        return _union([part for part in wider if (part & core).any()], picture.shape)

    def _strength(self, frame: int, found: dict[int, Bool]) -> float:
        """The largest score of any region of the lower face."""
        return float(self._regions(frame, found)[self._lower].max(initial=0))

    def _regions(self, frame: int, found: dict[int, Bool]) -> Float:
        """(TEXELS, TEXELS) root mean square z-score of the region around each, over some frames."""
        s, half = self.settings, self.settings.frames // 2
        around = np.arange(frame - half, frame + half + 1).clip(0, len(self.z) - 1)
        squares, known = zip(*(self._clipped(int(t), found, s.most) for t in around), strict=True)
        return self._mean(np.sum(squares, 0), np.sum(known, 0), s.region, self._replaced)

    def _clipped(self, frame: int, found: dict[int, Bool], most: float) -> tuple[Float, Float]:
        """(TEXELS, TEXELS) squared z-scores, and 1 where known; neither near a plain patch."""
        known = self.canonical.image(np.isfinite(self.z[frame])).astype(np.float32)
        if frame in found:
            around = np.ones((self.settings.gap,) * 2, np.uint8)
            known[cv2.dilate(found[frame].astype(np.uint8), around) > 0] = 0
        return np.minimum(self._picture(frame), most) ** 2 * known, known

    def _mean(self, squares: Float, known: Float, across: int, where: Bool) -> Float:
        """(TEXELS, TEXELS) root mean over the known texels of a square, `across` wide."""
        total = cv2.blur(squares * where, (across, across))
        share = cv2.blur(known * where, (across, across))
        # Where less than a fifth of the square is known, the rest counts as usual.
        mean: Float = np.sqrt(total / np.maximum(share, 0.2)) * (where & (known > 0))
        return mean

    def _faint(self, frame: int, found: dict[int, Bool]) -> Bool:
        """(TEXELS, TEXELS) faint patches: regions say that there is one, neighbourhoods where."""
        s = self.settings
        core = self._regions(frame, found) > s.faint_on
        squares, known = self._clipped(frame, found, 1.5 * s.most)
        places = self._mean(squares, known, s.place, np.ones_like(core))
        patches = [p for p in parts(places > s.faint_edge) if (p & core).sum() >= s.faint_cells]
        return _union(patches, core.shape)


def lasting(strength: Float, settings: PatchSettings) -> Bool:
    """The frames of those runs above `faint_on` that last and somewhere exceed `faint`.

    Args:
        strength: (T,) the frames' largest region scores.
        settings: the thresholds.

    Returns:
        (T,)
    """
    run, count = label(strength > settings.faint_on)  # 0 where there is none
    long = np.bincount(run, minlength=count + 1) >= settings.lasting
    high = np.asarray(maximum(strength, run, range(count + 1))) > settings.faint
    lasts: Bool = (long & high)[run] & (run > 0)
    return lasts


def parts(mask: Bool) -> list[Bool]:
    """The 4-connected components of a mask."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    return [labels == n for n in range(1, count)]


def _union(masks: Sequence[Bool], shape: tuple[int, ...]) -> Bool:
    return np.any(masks, 0) if len(masks) else np.zeros(shape, bool)
