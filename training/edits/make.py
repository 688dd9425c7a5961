"""Made edits of footage, with what is true of them: cuts, dissolves, fades, flashes, light.

Every frame knows its picture: which frame of which clip it is. What a detector must find follows
from how the edit was put together, frame by frame, before a codec saw it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from gsmooth_core.media import probe, read_frames
from gsmooth_core.types import Image, Int
from training.edits.light import LIGHTS, camera, in_light

SMALL = 480, 270
"""Width and height of an edit whose shots alone are looked for."""

Size = tuple[int, int]
Origin = tuple[str, int]
"""Name of a clip's file, and the number of its frame."""

_OTHER_CAMERA = 0.4  # share of the stretches that the second camera films
DISSOLVE, FADE, CUT, JUMP = "dissolve", "fade", "cut", "jump"

OWN_CUTS = {
    "2010030151-satya-video_dubbing__speech": {74, 258, 358, 493, 698, 727, 1143, 1211},
    "sstzal-DFRF__dataset_vids_cnn2_25fps": {176, 1429},
}
"""First frames of shots behind the cuts that clips have themselves, as seen by eye."""


@dataclass
class Edit:
    """An edit and its truth.

    Attributes:
        frames: (H, W, 3) each.
        person: speaker of each frame; "" where two are mixed.
        cuts: first frames of shots after a hard cut, those of the clips themselves with them.
        jumps: the same where the shot goes on later in the same take.
        dissolves: (first, last) mixed frame each.
        fades: (first, last) black frame between two pictures each.
        flashes: frames of flashes.
        lamps: frames at which only the light changes.
        lights: (kind, first, last) of slow changes of light, and of stretches that another
            camera filmed.
        source: what each frame shows; two pictures where they are mixed.
    """

    frames: list[Image] = field(default_factory=list)
    person: list[str] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    jumps: list[int] = field(default_factory=list)
    dissolves: list[tuple[int, int]] = field(default_factory=list)
    fades: list[tuple[int, int]] = field(default_factory=list)
    flashes: list[int] = field(default_factory=list)
    lamps: list[int] = field(default_factory=list)
    lights: list[tuple[str, int, int]] = field(default_factory=list)
    source: list[tuple[Origin, ...]] = field(default_factory=list)

    @property
    def shot(self) -> Int:
        """(T,) number of the shot, -1 in a dissolve; a fade's black belongs to what follows."""
        starts = np.zeros(len(self.frames), np.int32)
        starts[[*self.cuts, *self.jumps, *(a for a, _ in self.fades)]] = 1
        starts[[b + 1 for _, b in self.dissolves]] = 1
        number = np.cumsum(starts).astype(np.int32)
        for first, last in self.dissolves:
            number[first : last + 1] = -1
        return number


@dataclass(frozen=True)
class Take:
    """A clip to cut from: file, speaker."""

    path: Path
    speaker: str


def make_edit(
    takes: Sequence[Take],
    seed: int,
    shots: int = 8,
    *,
    bars: bool = False,
    size: Size = SMALL,
    lit: bool = False,
) -> Edit:
    """An edit of `shots` stretches of 1-3 s among the takes, joined in various ways.

    Args:
        takes: two or more clips of different people.
        seed: of everything that is drawn by chance.
        shots: number of stretches.
        bars: show whole frames between black bars, instead of their middle.
        size: width and height.
        lit: also two cameras that are graded differently, and light that changes slowly.
    """
    rng, looks = np.random.default_rng(seed), np.random.default_rng(1000 + seed)
    edit, last, other = Edit(), -1, camera(looks)
    begun = [int(rng.integers(0, 20)) for _ in takes]
    for number in range(shots):
        kind = str(rng.choice([CUT, CUT, CUT, DISSOLVE, FADE, JUMP])) if number else CUT
        which = last if kind == JUMP else _other(rng, len(takes), last)
        skip = int(rng.integers(25, 60)) if kind == JUMP else 0
        count = int(rng.integers(25, 75))
        first = begun[which] + skip
        if probe(takes[which].path).frame_count < first + count:
            begun[which], kind = 0, CUT if kind == JUMP else kind
            which = _other(rng, len(takes), last)
            begun[which] = first = min(begun[which], probe(takes[which].path).frame_count - count)
        begun[which] += skip + count
        stretch = _stretch(takes[which], first, count, partial(_contain if bars else _fill, size))
        if lit and looks.random() < _OTHER_CAMERA:
            edit.lights.append(("camera", len(edit.frames), len(edit.frames) + count - 1))
            stretch.frames[:] = map(other, stretch.frames)
        _join(edit, stretch, kind, rng)
        last = which
    _flash(edit, rng)
    _lamp(edit, rng)
    if lit:
        _slow_light(edit, looks)
    edit.cuts = sorted({*edit.cuts, *_own_cuts(edit)})
    return edit


def _other(rng: np.random.Generator, count: int, last: int) -> int:
    return int(rng.choice([n for n in range(count) if n != last]))


def _stretch(take: Take, start: int, count: int, fit: Callable[[Image], Image]) -> Edit:
    frames = [fit(frame) for frame in read_frames(probe(take.path), start, count)]
    source: list[tuple[Origin, ...]] = [((take.path.stem, start + k),) for k in range(count)]
    return Edit(frames, [take.speaker] * count, source=source)


def _own_cuts(edit: Edit) -> Iterator[int]:
    """Where a stretch shows a cut of its clip; none where one of both frames is mixed."""
    for t, shown in enumerate(edit.source[1:], 1):
        if len(shown) == 1 and edit.source[t - 1] == ((shown[0][0], shown[0][1] - 1),):
            stem, number = shown[0]
            if number in OWN_CUTS.get(stem, ()):
                yield t


def _fill(size: Size, frame: Image) -> Image:
    """The middle of a frame, filling the picture."""
    height, width = frame.shape[:2]
    scale = max(size[0] / width, size[1] / height)
    whole = (max(round(width * scale), size[0]), max(round(height * scale), size[1]))
    resized = cv2.resize(frame, whole, interpolation=_kernel(scale))
    left, top = (whole[0] - size[0]) // 2, (whole[1] - size[1]) // 4
    return np.ascontiguousarray(resized[top : top + size[1], left : left + size[0]])


def _kernel(scale: float) -> int:
    return cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC


def _contain(size: Size, frame: Image) -> Image:
    """The whole frame, between bars."""
    height, width = frame.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    whole = (round(width * scale), round(height * scale))
    inner = cv2.resize(frame, whole, interpolation=_kernel(scale))
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    top, left = (size[1] - whole[1]) // 2, (size[0] - whole[0]) // 2
    canvas[top : top + whole[1], left : left + whole[0]] = inner
    return canvas


def _join(edit: Edit, stretch: Edit, kind: str, rng: np.random.Generator) -> None:
    if not edit.frames:
        pass
    elif kind == DISSOLVE:
        _dissolve(edit, stretch, int(rng.integers(8, 20)))
    elif kind == FADE:
        _fade(edit, stretch.frames, int(rng.integers(6, 14)))
    else:
        (edit.jumps if kind == JUMP else edit.cuts).append(len(edit.frames))
    edit.frames += stretch.frames
    edit.person += stretch.person
    edit.source += stretch.source


def _dissolve(edit: Edit, stretch: Edit, length: int) -> None:
    """Mix the end of the edit with the beginning of the stretch, which is taken from it."""
    first = len(edit.frames) - length
    for k in range(length):
        share = (k + 1) / (length + 1)
        mixed = cv2.addWeighted(edit.frames[first + k], 1 - share, stretch.frames[k], share, 0)
        edit.frames[first + k] = np.asarray(mixed, np.uint8)
        edit.person[first + k] = ""
        edit.source[first + k] += stretch.source[k]
    edit.dissolves.append((first, first + length - 1))
    for part in (stretch.frames, stretch.person, stretch.source):
        del part[:length]


def _fade(edit: Edit, stretch: list[Image], length: int) -> None:
    count = len(edit.frames)
    for k in range(length):
        share = k / length
        edit.frames[count - 1 - k] = (edit.frames[count - 1 - k] * share).astype(np.uint8)
        stretch[k] = (stretch[k] * share).astype(np.uint8)
    edit.fades.append((count - 1, count))


def _quiet(edit: Edit, rng: np.random.Generator) -> int | None:
    """A frame well inside a shot."""
    shot = edit.shot
    same = [t for t in range(12, len(shot) - 24) if (shot[t - 12 : t + 24] == shot[t]).all()]
    same = [t for t in same if shot[t] >= 0 and not _near_fade(edit, t)]
    return int(rng.choice(same)) if same else None


def _near_fade(edit: Edit, t: int) -> bool:
    return any(first - 25 < t < last + 25 for first, last in edit.fades)


def _flash(edit: Edit, rng: np.random.Generator) -> None:
    for _ in range(3):
        at = _quiet(edit, rng)
        if at is None:
            continue
        strength = rng.uniform(0.5, 1.0)
        for t in range(at, at + int(rng.integers(1, 4))):
            lit = edit.frames[t] * 1.5 + 255 * strength
            edit.frames[t] = np.minimum(lit, 255).astype(np.uint8)
            edit.flashes.append(t)
            strength *= 0.7


def _lamp(edit: Edit, rng: np.random.Generator) -> None:
    """From one frame on to the shot's end, another light."""
    at = _quiet(edit, rng)
    if at is None or any(abs(at - t) < 15 for t in edit.flashes):
        return
    shot, gain = edit.shot, rng.uniform(0.5, 0.75, 3) ** rng.choice([-1.0, 1.0])
    t = at
    while t < len(shot) and shot[t] == shot[at] and not _near_fade(edit, t):
        edit.frames[t] = np.minimum(edit.frames[t] * gain, 255).astype(np.uint8)
        t += 1
    edit.lamps.append(at)
    if t < len(shot) and shot[t] == shot[at]:
        edit.lamps.append(t)


def _slow_light(edit: Edit, rng: np.random.Generator) -> None:
    """Light that changes over a second or two, once of each kind where a shot has room."""
    for kind, change in LIGHTS.items():
        at = _quiet(edit, rng)
        if at is None:
            continue
        last = at + 23
        gains = change(last - at + 1, rng)  # (T, 3)
        for t in range(at, last + 1):
            edit.frames[t] = in_light(edit.frames[t], gains[t - at])
        edit.lights.append((kind, at, last))
