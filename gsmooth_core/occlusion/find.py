"""Find what passes before the lower face of a clip.

The clip is its own measure: each place of the skin has a usual colour in it, and where a large
patch has another one for some frames, something is before it. So a thing that is there for the
whole clip cannot be found, and in a still picture there is nothing to compare with. Nothing is
looked for above the lower face.

The frames are read once in full, and those with an occluder a second time for its outline. What
is kept of a frame are the colours of its cells: some 17 MB a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.crop import crop_transforms
from gsmooth_core.data import Bool, FaceTrack, Image
from gsmooth_core.face_model import MorphableModel
from gsmooth_core.occlusion.chart import SAMPLED, Chart, chart_of, sample
from gsmooth_core.occlusion.occluders import Occluders, packed
from gsmooth_core.occlusion.outline import SIZE, Outliner
from gsmooth_core.occlusion.patches import Patches, PatchSettings
from gsmooth_core.occlusion.usual import Usual, deviation, usual_look
from gsmooth_core.render import face_surface

Opened = Callable[[], AbstractContextManager[Callable[[int], Image]]]
"""Opens the clip; its frames are asked for in ascending order."""


@dataclass(frozen=True)
class OcclusionSettings:
    """How occluders are found.

    Attributes:
        fewest: usable frames without which a clip has no usual look.
        patches: what counts as hidden.
    """

    fewest: int = 12
    patches: PatchSettings = field(default_factory=PatchSettings)


@dataclass(frozen=True)
class _Colours:
    """What a clip shows of its C cells: colours (T, C, 3), and (T, C) where they are seen."""

    colours: Image
    seen: Bool


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
    if track.usable.sum() < settings.fewest:
        return packed([], SIZE)
    surface = face_surface(model, track.identity)
    chart = chart_of(surface)
    with opened() as source:
        cells = _gather(chart, track, model, source, tell)
    if not cells.seen.any():
        return packed([], SIZE)
    usual = usual_look(chart, cells.colours, cells.seen)
    away = _deviations(chart, usual, cells)
    patches = Patches(chart, away, settings.patches).find()
    outliner = Outliner(chart, usual, surface, track, model)
    with opened() as source:
        return packed(_outlines(outliner, patches, source, cells, tell), SIZE)


def _outlines(
    outliner: Outliner,
    patches: dict[int, Bool],
    source: Callable[[int], Image],
    cells: _Colours,
    tell: Callable[[int], None],
) -> Iterator[tuple[int, Bool]]:
    """Frame number and outline of what is before the face in it."""
    for frame, patch in patches.items():
        look = cells.colours[frame], cells.seen[frame]
        yield frame, outliner.outline(frame, source(frame), *look, patch)
        tell(len(cells.colours))


def _silent(_done: int) -> None:
    pass


def _gather(
    chart: Chart,
    track: FaceTrack,
    model: MorphableModel,
    source: Callable[[int], Image],
    tell: Callable[[int], None],
) -> _Colours:
    transforms = crop_transforms(track, model, SAMPLED)
    colours = np.zeros((len(track), len(chart.regions), 3), np.uint8)
    seen = np.zeros(colours.shape[:2], bool)
    for frame in np.flatnonzero(track.usable).tolist():
        picture = source(frame)
        colours[frame], seen[frame] = sample(chart, track, frame, picture, transforms[frame])
        tell(frame + 1)
    return _Colours(colours, seen)


def _deviations(chart: Chart, usual: Usual, cells: _Colours) -> NDArray[np.float16]:
    """(T, C) see `usual.deviation`; NaN also where no face is usable."""
    away = np.full(cells.seen.shape, np.nan, np.float16)
    for frame in np.flatnonzero(cells.seen.any(1)):
        away[frame] = deviation(chart, usual, cells.colours[frame], cells.seen[frame])
    return away
