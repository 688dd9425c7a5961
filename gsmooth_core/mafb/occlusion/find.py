"""Find what passes in front of the lower face of a clip.

The clip is its own yardstick: every place on the skin has a colour that is usual for it, and where
a large patch has another one for some frames, something is in front of it, unless it is the face's
own (`own`). So an object that is there for the whole clip cannot be found, and a still picture
offers nothing to compare with. Only the lower face is searched.

Some frames are read to fit the appearance model, then all of them for their z-scores, the unusual
ones to tell what is the face's own, and the occluded ones for the outline; those at which something
else has looked are not read for their texels. Only the z-scores are kept: some 5 MB a minute.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.face.render import face_surface
from gsmooth_core.mafb.occlusion.appearance import AppearanceModel, fit_appearance, z_scores
from gsmooth_core.mafb.occlusion.canonical import SAMPLED, texels_in_crop
from gsmooth_core.mafb.occlusion.glimpses import Glimpses
from gsmooth_core.mafb.occlusion.hands import HandSearch
from gsmooth_core.mafb.occlusion.occluders import Occluders, packed
from gsmooth_core.mafb.occlusion.outline import SIZE, Outliner
from gsmooth_core.mafb.occlusion.own import OwnSettings, without_own
from gsmooth_core.mafb.occlusion.patches import Patches, PatchSettings
from gsmooth_core.models.threads import all_threads
from gsmooth_core.types import Bool, FaceTrack, FrameSource, Image, Opened

_MUCH = 0.15  # share of the texels that dubbing replaces
_AHEAD = 8  # frames whose texels wait to be compared with what is usual
_ORDINARY = 1.0  # z-score of a texel that looks as usual


@dataclass(frozen=True)
class OcclusionSettings:
    """How occluders are found. The fields' names are part of a job's fingerprints: keep them.

    Attributes:
        fewest: usable frames that a clip needs for an appearance model.
        sample: largest number of frames that the model is fitted to.
        patches: what counts as occluded.
        own: what of that is the face itself.
        hands: how hands are looked for besides (`hands.find_hands`).
    """

    fewest: int = 12
    sample: int = 300
    patches: PatchSettings = field(default_factory=PatchSettings)
    own: OwnSettings = field(default_factory=OwnSettings)
    hands: HandSearch = field(default_factory=HandSearch)


def find_occluders(
    opened: Opened,
    track: FaceTrack,
    model: MorphableModel,
    settings: OcclusionSettings | None = None,
    on_progress: Callable[[int], None] | None = None,
    captions: Occluders | None = None,
    glimpses: Glimpses | None = None,
) -> Occluders:
    """Find what is in front of the lower face, in the frames with a usable face.

    Args:
        opened: opens the clip; it is read up to four times.
        track: the track of the clip, T frames.
        model: the face model that the track was fitted with.
        settings: thresholds; the defaults by default.
        on_progress: called with the number of frames done, then with T for each outline.
        captions: what was burned in; it is no occluder, and says nothing about the skin.
        glimpses: of the same track, what was seen of the face in frames that were read before.

    Returns:
        the masks of the occluded frames; none where the clip is too short to have an
        appearance model.
    """
    settings, on_progress = settings or OcclusionSettings(), on_progress or _silent
    usable = np.flatnonzero(track.usable)
    if len(usable) < settings.fewest:
        return packed([], SIZE)
    sampler = _Sampler(glimpses or Glimpses(track, model), captions)
    canonical, surface = sampler.glimpses.canonical, face_surface(model, track.identity)
    some = usable[np.linspace(0, len(usable) - 1, min(settings.sample, len(usable))).astype(int)]
    with opened() as source:
        known = {frame: sampler.texels(frame, source) for frame in some.tolist()}
    colours, seen = (np.stack(each) for each in zip(*known.values(), strict=True))
    if not seen.any():
        return packed([], SIZE)
    appearance = fit_appearance(canonical, colours, seen)
    with opened() as source:
        z = _z_scores(sampler, appearance, known, source, on_progress)
    patches = Patches(canonical, z, settings.patches, sampler.much_lettered()).find()
    if patches:
        with opened() as source:
            texels = sampler.looking(known, source)
            own = canonical, appearance, track, texels, known, settings.own
            patches = without_own(patches, *own)
    outliner = Outliner(canonical, appearance, surface, track, model)
    with opened() as source:
        return packed(_outlines(outliner, sampler, patches, source, on_progress), SIZE)


@dataclass(frozen=True)
class _Sampler:
    """Looks up the C texels of a clip's face beside its captions."""

    glimpses: Glimpses
    captions: Occluders | None = None

    def texels(self, frame: int, source: FrameSource) -> tuple[Image, Bool]:
        """(C, 3) colours in a frame, and (C,) which of them are seen."""
        colours, seen = self.glimpses.texels(frame, source)
        return colours, seen & ~self.lettered(frame)

    def looking(
        self, known: dict[int, tuple[Image, Bool]], source: FrameSource
    ) -> Callable[[int], tuple[Image, Bool]]:
        """Looks texels up that are not `known`."""
        return lambda frame: known.get(frame) or self.texels(frame, source)

    def much_lettered(self) -> Bool:
        """(T,) frames in which letters hide a good part of what dubbing replaces."""
        found = np.zeros(len(self.glimpses.track), bool)
        for frame in self.captions.frames.tolist() if self.captions else []:
            found[frame] = self.lettered(frame)[self.glimpses.canonical.replaced].mean() > _MUCH
        return found

    def lettered(self, frame: int) -> Bool:
        """(C,) texels that letters hide in a frame."""
        own = self.glimpses
        if not self.captions or frame not in self.captions.frames:
            return np.zeros(len(own.canonical.regions), bool)
        mask = self.captions.mask(frame, SAMPLED)
        at = texels_in_crop(own.canonical, own.track, frame, own.transforms[frame])
        column, row = np.rint(at).clip(0, SAMPLED - 1).astype(np.intp).T
        return np.asarray(mask[row, column], bool)


def _z_scores(
    sampler: _Sampler,
    appearance: AppearanceModel,
    known: dict[int, tuple[Image, Bool]],
    source: FrameSource,
    on_progress: Callable[[int], None],
) -> NDArray[np.float16]:
    """(T, C) z-scores of all frames (`appearance.z_scores`); NaN also where no face is usable.

    A frame whose texels are `known` is not read again.
    """
    track, canonical = sampler.glimpses.track, sampler.glimpses.canonical
    z = np.full((len(track), len(canonical.regions)), np.nan, np.float16)

    def score(frame: int, colours: Image, seen: Bool) -> None:
        if seen.any():
            z[frame] = z_scores(canonical, appearance, colours, seen)
            # Under letters nothing stands out; left out, the lips beside them would.
            z[frame, sampler.lettered(frame)] = _ORDINARY

    waiting: deque[tuple[int, Future[None]]] = deque()

    def first() -> None:
        frame, scored = waiting.popleft()
        scored.result()
        on_progress(frame + 1)

    with ThreadPoolExecutor(all_threads(), "occluders") as threads:
        for frame in np.flatnonzero(track.usable).tolist():
            texels = known.get(frame) or sampler.texels(frame, source)
            waiting.append((frame, threads.submit(score, frame, *texels)))
            if len(waiting) > _AHEAD:
                first()
        while waiting:
            first()
    return z


def _outlines(
    outliner: Outliner,
    sampler: _Sampler,
    patches: dict[int, Bool],
    source: FrameSource,
    on_progress: Callable[[int], None],
) -> Iterator[tuple[int, Bool]]:
    """Number of each occluded frame, and the mask of the occluder in it."""
    mosaics = sampler.glimpses.mosaics  # of which all stays, to the last square
    for frame in sorted(patches.keys() | mosaics):
        if frame in mosaics:
            yield frame, np.ones((SIZE, SIZE), bool)
        else:
            texels = sampler.texels(frame, source)
            yield frame, outliner.outline(frame, source(frame), *texels, patches[frame])
        on_progress(len(sampler.glimpses.track))


def _silent(_done: int) -> None:
    pass
