"""Where one shot ends and another begins.

While frames come in, `CutFinder` says at once where the picture changes, so that nobody is
followed across. When all are known, `find_shots` looks at thumbnails of the whole clip: pictures
are compared by their structure, freed of light, so a flash, a lamp or a fade is no cut; what a
flash interrupts goes on behind it; a dissolve mixes what is before it and behind it, and in a wipe
or a push each has a part of the picture.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gsmooth_core.ranges import ranges_of
from gsmooth_core.storage.spool import Spool
from gsmooth_core.tracking.shots.dissolves import find_dissolves, is_in_dissolve
from gsmooth_core.tracking.shots.pictures import (
    SIDE,
    Pictures,
    ShotSettings,
    Thumbnails,
    thumbnail,
)
from gsmooth_core.tracking.shots.wipes import find_wipes, overlaps
from gsmooth_core.types import Bool, Float, Image, Int

MIXED = -1
"""Number of the first dissolve or wipe, which shows two pictures at once; the next is one less."""

_DARK = 40.0  # levels; what is plain and lighter is a flash
_LIT = 10.0  # levels by which a flash brightens the mean


@dataclass(frozen=True)
class CutSettings:
    """What counts as a cut.

    Attributes:
        difference: least mean difference of two thumbnails, 0..1.
        ratio: the difference must also be this many times the usual one of the last frames.
        memory: how many frames are "the last".
    """

    difference: float = 0.08
    ratio: float = 5.0
    memory: int = 12


class CutFinder:
    """Says of each frame whether a new shot begins with it; keeps thumbnails for `find_shots`.

    Args:
        settings: what counts as a cut.
        folder: where the thumbnails lie, see `Spool`.
    """

    def __init__(self, settings: CutSettings | None = None, folder: Path | None = None) -> None:
        self.settings = settings or CutSettings()
        self.thumbnails = Spool(np.uint8, (SIDE, SIDE, 3), folder)
        self._before: Image | None = None
        self._recent: deque[float] = deque(maxlen=self.settings.memory)

    def begins_shot(self, frame: Image) -> bool:
        """Compare a frame (H, W, 3) with the one before; the first one begins a shot."""
        last_picture, self._before = self._before, thumbnail(frame)
        self.thumbnails.add(self._before)
        if last_picture is None:
            return True
        before, now = (np.asarray(t, np.float32) / 255 for t in (last_picture, self._before))
        difference = float(np.abs(now - before).mean())
        usual = float(np.median(self._recent)) if self._recent else 0.0
        # A wipe or a fast pan changes much in several frames running; a cut stands alone.
        last = self._recent[-1] if self._recent else 0.0
        self._recent.append(difference)
        settings = self.settings
        return difference > max(settings.difference, settings.ratio * usual, 2 * last)


def find_shots(thumbnails: Thumbnails, folder: Path | None = None) -> Int:
    """The shot of every frame.

    Args:
        thumbnails: T pictures (32, 32, 3) RGB.
        folder: where what is worked out of them lies, see `Spool`.

    Returns:
        (T,) numbers from 0; of dissolves and wipes, each its own from `MIXED` downwards.
    """
    settings = ShotSettings()
    if not len(thumbnails):
        return np.zeros(0, np.int32)
    pictures = Pictures(thumbnails, folder)
    begins = np.zeros(len(thumbnails) + 1, bool)
    cuts = _cuts(pictures, settings)
    begins[[t for t in cuts if not is_in_dissolve(pictures, t, settings)]] = True
    begins[_through_plain(pictures, settings)] = True
    mixed = find_wipes(pictures, settings)
    for first, last in mixed:
        begins[first : last + 1] = False  # what is pushed away quickly leaps
        begins[last + 1] = True
    begins[[0, -1]] = False
    dissolves = find_dissolves(pictures, begins[:-1], settings)
    mixed += [each for each in dissolves if not overlaps(each, mixed)]
    begins[[last + 1 for _, last in mixed]] = True
    number: Int = np.cumsum(begins[:-1]).astype(np.int32)
    for count, (first, last) in enumerate(sorted(mixed)):
        number[first : last + 1] = MIXED - count
    return number


def _cuts(pictures: Pictures, settings: ShotSettings) -> list[int]:
    """First frames of shots after hard cuts."""
    change = _changes(pictures, settings.flash + 1)
    for t in np.flatnonzero(pictures.plain):  # see `_through_plain`
        change[max(t - settings.flash + 1, 0) : t + settings.flash + 1] = 0
    step = _changes(pictures, 1)
    flash = _flashes(pictures.light, settings.flash)
    least = np.where(flash, settings.beyond, settings.cut)
    found: list[int] = []
    for t in np.argsort(-change):
        if change[t] < settings.jump:
            break
        around = np.concatenate([step[max(t - 6, 0) : t], step[t + 1 : t + 7]])
        alone = change[t] > settings.alone * float(around.max(initial=0))
        alone &= not flash[t]  # something moved behind it
        if (change[t] > least[t] or alone) and not _near(int(t), found, settings.flash):
            found.append(int(t))
    return found


def _flashes(light: Float, longest: int) -> Bool:
    """(T,) frames at which it gets bright for a moment."""
    out = np.zeros(len(light), bool)
    for t in np.flatnonzero(np.diff(light, prepend=light[:1]) > _LIT):
        half = (light[t - 1] + light[t]) / 2
        out[t] = light[t : t + longest].min() < half
    return out


def _near(t: int, others: list[int], reach: int) -> bool:
    return any(abs(t - other) < reach for other in others)


def _changes(pictures: Pictures, reach: int) -> Float:
    """(T,) least difference between any of the `reach` frames before and any from the frame on."""
    count = len(pictures.plain)
    out = np.zeros(count, np.float32)
    for t in range(1, count):
        pairs = pictures.unlike(slice(max(t - reach, 0), t), slice(t, t + reach))
        out[t] = pairs.min(initial=2.0) if pairs.size else 0.0
    return out


def _through_plain(pictures: Pictures, settings: ShotSettings) -> list[int]:
    """Cuts in black (or white) between two pictures, as fades make them."""
    found = []
    for first, last in ranges_of(pictures.plain):
        if first == 0 or last == len(pictures.plain) - 1:
            continue
        # The frames next to black are nearly black themselves, and show more noise than picture.
        before, after = max(first - settings.flash - 1, 0), last + settings.flash + 2
        pairs = pictures.unlike(slice(before, max(first - 1, 1)), slice(last + 2, after))
        dark = bool(pictures.light[first : last + 1].mean() < _DARK)
        if pairs.size and pairs.min() > (settings.cut if dark else settings.white):
            found.append((first + last + 1) // 2)
    return found
