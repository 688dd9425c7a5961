"""Which patches are the face itself: pressed lips, a raised chin, creases.

Lips that are pressed, pushed out or rolled in lie where the mesh has skin, and a chin that is
raised differs in every texel. Neither is before the face, and three things tell. What is before a
face came from beyond it: it reaches the outline of what is seen. Where it does not, it has a colour
that neither lips nor skin have. And it looks like nothing that this face shows elsewhere in the
clip when it moves in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import binary_fill_holes

from gsmooth_core.face.morphable import Region
from gsmooth_core.mafb.occlusion.appearance import AppearanceModel, relit
from gsmooth_core.mafb.occlusion.canonical import CanonicalMap
from gsmooth_core.mafb.occlusion.moved import Texels, fit_moved, unexplained
from gsmooth_core.mafb.occlusion.patches import parts
from gsmooth_core.types import Bool, FaceTrack, Float

_HALF = 0.5
_BESIDE = 2  # frames around a patch in which the thing may just be visible; a run has no such gap
_JUDGED = 5  # frames of a run that are looked at


@dataclass(frozen=True)
class OwnSettings:
    """When a patch is the face's own.

    The fields' names are part of a job's fingerprints: keep them.

    Attributes:
        rim: width of the face's outline, in texels.
        reaches: texels of the outline that a patch covers which came from beyond.
        other: difference (logarithm) from every colour of lips and skin around them, from which
            on a colour is another thing's.
        unexplained: share of its z-score that the face's movement must leave of another thing's.
    """

    rim: int = 2
    reaches: int = 6
    other: float = 0.15
    unexplained: float = 0.94


def without_own(
    patches: Mapping[int, Bool],
    canonical: CanonicalMap,
    appearance: AppearanceModel,
    track: FaceTrack,
    texels: Callable[[int], Texels],
    sample: Mapping[int, Texels],
    settings: OwnSettings | None = None,
) -> dict[int, Bool]:
    """What of some patches is before the face.

    Args:
        patches: frame number -> (TEXELS, TEXELS) texels that look unusual (`Patches.find`).
        canonical: the face's map, C texels.
        appearance: the clip's appearance model of it.
        track: the track of the clip.
        texels: looks up those of a frame; asked in ascending order.
        sample: those of some of the clip's frames.
        settings: the thresholds; the defaults by default.

    Returns:
        the frames that are left, with the parts of their patches that are.
    """
    settings = settings or OwnSettings()
    look = _Look(canonical, appearance, settings)
    left, unusual = dict[int, Bool](), dict[int, Texels]()
    for frame in sorted(patches):
        seen = texels(frame)
        if (patch := look.from_beyond(patches[frame], seen)).any():
            left[frame], unusual[frame] = patch, seen
    near = {n + shift for n in patches for shift in range(-_BESIDE, _BESIDE + 1)}
    bare = {n: shown for n, shown in sample.items() if n not in near and shown[1].any()}
    moved = fit_moved(canonical, appearance, track, bare) if left else None
    if moved is None:
        return left
    found: dict[int, Bool] = {}
    for run in runs_of(left):
        judged = np.array(run)[np.linspace(0, len(run) - 1, min(_JUDGED, len(run))).astype(int)]
        shown = [(n, left[n], unusual[n]) for n in judged.tolist()]
        share = unexplained(moved, canonical, appearance, track, shown)
        if share >= settings.unexplained:
            found |= {n: left[n] for n in run}
    return found


def runs_of(frames: Iterable[int]) -> list[list[int]]:
    """Frame numbers in runs, within which one frame may lack."""
    runs: list[list[int]] = []
    for frame in sorted(frames):
        if runs and frame - runs[-1][-1] <= _BESIDE:
            runs[-1].append(frame)
        else:
            runs.append([frame])
    return runs


class _Look:
    """Tells what comes from beyond a face by its place and by its colours."""

    def __init__(
        self, canonical: CanonicalMap, appearance: AppearanceModel, settings: OwnSettings
    ) -> None:
        self.canonical, self.appearance, self.settings = canonical, appearance, settings
        lips = canonical.regions == Region.LIPS
        around = (canonical.regions == Region.LOWER_FACE) & canonical.replaced
        self._palette = appearance.colour[lips | around]
        self._outline = self._rim(np.ones_like(lips))

    def from_beyond(self, patch: Bool, texels: Texels) -> Bool:
        """(TEXELS, TEXELS) the parts that reach an outline, or have no colour of this mouth."""
        rim = self._outline | self._rim(texels[1])
        found = np.zeros_like(patch)
        for part in parts(patch):
            if (part & rim).sum() >= self.settings.reaches or self._other(part, texels):
                found |= part
        return found

    def _rim(self, known: Bool) -> Bool:
        """The band along the outline of what is known (C,) of the map, whatever holes it has."""
        image = self.canonical.image(known).astype(np.uint8)
        solid = cv2.morphologyEx(image, cv2.MORPH_OPEN, np.ones((3, 3)))
        whole = np.asarray(binary_fill_holes(solid), np.uint8)
        across = np.ones((2 * self.settings.rim + 1,) * 2)
        inner = cv2.erode(whole, across, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        return np.asarray((whole > 0) & (inner == 0))

    def _other(self, part: Bool, texels: Texels) -> bool:
        """Whether most of a part has colours that are neither the lips' nor those around them."""
        where = part[self.canonical.places] & texels[1]
        if not where.any():
            return False
        seen = (self.appearance.colour + relit(self.canonical, self.appearance, *texels))[where]
        return bool((_apart(seen, self._palette) > self.settings.other).mean() > _HALF)


def _apart(colours: Float, palette: Float) -> Float:
    """(N,) by how much each of some colours (N, 3) differs from the nearest of a palette (P, 3)."""
    nearest = [np.abs(palette - colour).max(1).min() for colour in colours]
    return np.array(nearest, np.float32)
