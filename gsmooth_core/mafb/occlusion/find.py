"""Find what passes before the lower face of a clip.

The clip is its own measure: each place of the skin has a usual colour in it, and where a large
patch has another one for some frames, something is before it. So a thing that is there for the
whole clip cannot be found, and in a still picture there is nothing to compare with. Nothing is
looked for above the lower face.

Some frames are read for the usual look, then all of them, and those with an occluder once more for
its outline. What is kept of a frame is how unusual its cells are: some 5 MB a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.face.render import face_surface
from gsmooth_core.mafb.crop import crop_transforms
from gsmooth_core.mafb.occlusion.chart import SAMPLED, Chart, chart_of, sample
from gsmooth_core.mafb.occlusion.occluders import Occluders, packed
from gsmooth_core.mafb.occlusion.outline import SIZE, Outliner
from gsmooth_core.mafb.occlusion.patches import Patches, PatchSettings
from gsmooth_core.mafb.occlusion.usual import Usual, deviation, usual_look
from gsmooth_core.types import Bool, FaceTrack, Float, FrameSource, Image, Opened


@dataclass(frozen=True)
class OcclusionSettings:
    """How occluders are found.

    Attributes:
        fewest: usable frames without which a clip has no usual look.
        sample: frames from which that is taken, at most.
        patches: what counts as hidden.
    """

    fewest: int = 12
    sample: int = 300
    patches: PatchSettings = field(default_factory=PatchSettings)


def find_occluders(
    opened: Opened,
    track: FaceTrack,
    model: MorphableModel,
    settings: OcclusionSettings | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Occluders:
    """What is before the lower face, in the frames with a usable face.

    Args:
        opened: opens the clip.
        track: the clip's face.
        model: the track's face model.
        settings: how.
        on_progress: called with the number of frames done, and again for each outline.
    """
    settings, tell = settings or OcclusionSettings(), on_progress or _silent
    usable = np.flatnonzero(track.usable)
    if len(usable) < settings.fewest:
        return packed([], SIZE)
    surface = face_surface(model, track.identity)
    looks = _Looks(chart_of(surface), track, crop_transforms(track, model, SAMPLED))
    some = usable[np.linspace(0, len(usable) - 1, min(settings.sample, len(usable))).astype(int)]
    with opened() as source:
        known = {frame: looks.of(frame, source(frame)) for frame in some.tolist()}
    colours, seen = (np.stack(each) for each in zip(*known.values(), strict=True))
    if not seen.any():
        return packed([], SIZE)
    usual = usual_look(looks.chart, colours, seen)
    with opened() as source:
        away = _deviations(looks, usual, known, source, tell)
    patches = Patches(looks.chart, away, settings.patches).find()
    outliner = Outliner(looks.chart, usual, surface, track, model)
    with opened() as source:
        return packed(_outlines(outliner, looks, patches, source, tell), SIZE)


@dataclass(frozen=True)
class _Looks:
    """Looks up the C cells of a clip's face; see `chart.sample`."""

    chart: Chart
    track: FaceTrack
    transforms: Float

    def of(self, frame: int, picture: Image) -> tuple[Image, Bool]:
        """(C, 3) colours in a frame, and (C,) which of them are seen."""
        return sample(self.chart, self.track, frame, picture, self.transforms[frame])


def _deviations(
    looks: _Looks,
    usual: Usual,
    known: dict[int, tuple[Image, Bool]],
    source: FrameSource,
    tell: Callable[[int], None],
) -> NDArray[np.float16]:
    """(T, C) see `usual.deviation`; NaN also where no face is usable.

    A frame whose look is `known` is not read again.
    """
    count = len(looks.track)
    away = np.full((count, len(looks.chart.regions)), np.nan, np.float16)
    for frame in np.flatnonzero(looks.track.usable).tolist():
        colours, seen = known.get(frame) or looks.of(frame, source(frame))
        if seen.any():
            away[frame] = deviation(looks.chart, usual, colours, seen)
        tell(frame + 1)
    return away


def _outlines(
    outliner: Outliner,
    looks: _Looks,
    patches: dict[int, Bool],
    source: FrameSource,
    tell: Callable[[int], None],
) -> Iterator[tuple[int, Bool]]:
    """Frame number and outline of what is before the face in it."""
    for frame, patch in patches.items():
        picture = source(frame)
        yield frame, outliner.outline(frame, picture, *looks.of(frame, picture), patch)
        tell(len(looks.track))


def _silent(_done: int) -> None:
    pass
