"""Find what passes before the lower face of a clip.

The clip is its own measure: each place of the skin has a usual colour in it, and where a large
patch has another one for some frames, something is before it. So a thing that is there for the
whole clip cannot be found, and in a still picture there is nothing to compare with. Nothing is
looked for above the lower face.

The frames are read once in full, and those with an occluder a second time for its outline. What
is kept of a frame are the colours of its cells: some 12 MB a minute.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.crop import crop_transforms, window
from gsmooth_core.data import Bool, FaceTrack, Image
from gsmooth_core.face_model import MorphableModel
from gsmooth_core.occlusion.chart import SAMPLED, Chart, chart_of, sample
from gsmooth_core.occlusion.occluders import Occluders, packed
from gsmooth_core.occlusion.outline import SIZE, outline
from gsmooth_core.occlusion.patches import Patches, PatchSettings
from gsmooth_core.occlusion.usual import Usual, deviation, usual_look
from gsmooth_core.render import FaceSurface, face_surface

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
        on_progress: called with the number of frames done.
    """
    settings = settings or OcclusionSettings()
    if track.usable.sum() < settings.fewest:
        return packed({}, SIZE)
    surface = face_surface(model, track.identity)
    chart = chart_of(surface)
    with opened() as source:
        cells = _gather(chart, track, model, source, on_progress)
    usual = usual_look(chart, cells.colours[track.usable], cells.seen[track.usable])
    away = _deviations(chart, usual, cells)
    patches = Patches(chart, away, settings.patches).find()
    with opened() as source:
        masks = _outlined(chart, usual, surface, track, model, source, cells, patches)
    return packed(masks, SIZE)


def _gather(
    chart: Chart,
    track: FaceTrack,
    model: MorphableModel,
    source: Callable[[int], Image],
    on_progress: Callable[[int], None] | None,
) -> _Colours:
    transforms = crop_transforms(track, model, SAMPLED)
    colours = np.zeros((len(track), len(chart.regions), 3), np.uint8)
    seen = np.zeros(colours.shape[:2], bool)
    for frame in np.flatnonzero(track.usable).tolist():
        picture = source(frame)
        colours[frame], seen[frame] = sample(chart, track, frame, picture, transforms[frame])
        if on_progress:
            on_progress(frame + 1)
    return _Colours(colours, seen)


def _deviations(chart: Chart, usual: Usual, cells: _Colours) -> NDArray[np.float16]:
    """(T, C) see `usual.deviation`; NaN also where no face is usable."""
    away = np.full(cells.seen.shape, np.nan, np.float16)
    for frame in np.flatnonzero(cells.seen.any(1)):
        away[frame] = deviation(chart, usual, cells.colours[frame], cells.seen[frame])
    return away


def _outlined(
    chart: Chart,
    usual: Usual,
    surface: FaceSurface,
    track: FaceTrack,
    model: MorphableModel,
    source: Callable[[int], Image],
    cells: _Colours,
    patches: dict[int, Bool],
) -> dict[int, Bool]:
    """Frame number -> (SIZE, SIZE) outline of what is before the face."""
    transforms, masks = crop_transforms(track, model, SIZE), {}
    for frame, patch in patches.items():
        picture = source(frame)
        under = window(transforms[frame], SIZE, *picture.shape[:2])
        look = cells.colours[frame], cells.seen[frame]
        masks[frame] = outline(
            chart, usual, surface, track, frame, under, picture, look, patch
        )
    return masks
