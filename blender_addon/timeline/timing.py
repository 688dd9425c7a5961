"""Scene frames, source frames and seconds: plain arithmetic, no Blender.

A picture strip shows one source frame a scene frame, whatever rate the file has, while sound is
true to time. So a job runs at the scene's rate: frame i of the job is scene frame `first + i`,
and the speech is cut where the sound strip stands relative to that.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from fractions import Fraction

from ..errors import UserError

MAX_CHANNEL = 128


@dataclass(frozen=True)
class Placement:
    """Where a strip lies, in scene frames.

    Attributes:
        left: first frame that shows the strip.
        right: the frame after its last.
        start: where its content begins (handles may reach beyond it, or cut it).
        length: frames of content.
        trim: frames of the source cut off before `start`.
    """

    left: int
    right: int
    start: float
    length: int
    trim: int = 0


@dataclass(frozen=True)
class Span:
    """Scene frames of a picture strip, and the source frames that stand there.

    Attributes:
        first: scene frame of the first job frame.
        count: number of job frames.
        source: source frame shown at `first`.
    """

    first: int
    count: int
    source: int


@dataclass(frozen=True)
class Cut:
    """Which part of a sound file is heard during a job, in seconds.

    Attributes:
        delay: silence between the first picture and the first sound.
        start: where in the file the sound begins.
        duration: how much of it is used.
    """

    delay: float
    start: float
    duration: float


def picture_span(strip: Placement, still: bool) -> Span:
    """The part of a strip that has frames of its own (handles may reach beyond the content).

    Args:
        strip: where it lies.
        still: one image for all frames.

    Raises:
        UserError: the handles leave no frame of the content.
    """
    first, end = own_frames(strip, still)
    if end <= first:
        raise UserError("The strip shows no frame of its file: check its handles.")
    return Span(first, end - first, 0 if still else first - round(strip.start) + strip.trim)


def around(span: Span, frame: int, count: int) -> Span:
    """The `count` frames of a span around one of them, or all where it has fewer.

    Args:
        span: of a strip that shows one source frame a scene frame.
        frame: scene frame in the middle.
        count: how many.

    Raises:
        UserError: the frame is not one of them.
    """
    end = span.first + span.count
    if not span.first <= frame < end:
        raise UserError("The playhead is not over the clip: move it there.")
    first = max(span.first, min(frame - count // 2, end - count))
    return Span(first, min(count, span.count), span.source + first - span.first)


def own_frames(strip: Placement, still: bool) -> tuple[int, int]:
    """First scene frame that shows one of the strip's own, and the frame after the last."""
    if still:
        return strip.left, strip.right
    start = round(strip.start)
    return max(strip.left, start), min(strip.right, start + strip.length)


def undubbed(dubbed: Span, now: Placement, shift: int, still: bool) -> int:
    """Frames that a strip shows by now and that its dub lacks, since handles were pulled out.

    Args:
        dubbed: the frames that were dubbed, where they lay then.
        now: where the strip lies.
        shift: by how many frames it was moved since.
        still: one image for all frames.
    """
    first, end = own_frames(now, still)
    had = dubbed.first + shift
    common = min(end, had + dubbed.count) - max(first, had)
    return max(0, end - first) - max(0, common)


def speech_cut(
    span: Span, sound: Placement, offset: float, rate: Fraction, whole: bool = False
) -> Cut:
    """The part of a sound strip that is heard over a picture span.

    Args:
        span: the picture.
        sound: where the sound strip lies; its content length does not matter.
        offset: seconds by which Blender delays the content.
        rate: scene frames a second.
        whole: also what is heard after the picture's end.

    Raises:
        UserError: picture and sound do not overlap.
    """
    first, end = _heard(span, sound, whole)
    into_file = float((Fraction(first) - Fraction(sound.start) + sound.trim) / rate) - offset
    late = max(0.0, -into_file)  # the file itself begins later than the strip
    delay = float((first - span.first) / rate) + late
    duration = float((end - first) / rate) - late
    return Cut(round(delay, 6), round(max(0.0, into_file), 6), round(max(0.0, duration), 6))


def mixed_cut(span: Span, sound: Placement, rate: Fraction, whole: bool = False) -> Cut:
    """The same of a sound strip that was mixed into a file, which begins where it is heard first.

    Raises:
        UserError: picture and sound do not overlap.
    """
    first, end = _heard(span, sound, whole)
    delay, duration = float((first - span.first) / rate), float((end - first) / rate)
    return Cut(round(delay, 6), 0.0, round(duration, 6))


def _heard(span: Span, sound: Placement, whole: bool) -> tuple[int, int]:
    """First scene frame in which the sound is heard, and the frame after the last."""
    first, end = max(span.first, sound.left), min(span.first + span.count, sound.right)
    if end <= first:
        raise UserError("The speech does not overlap the clip: move the sound strip over it.")
    return first, sound.right if whole else end


def free_channel(taken: Set[int], channel: int) -> int:
    """The channel with room that is nearest to `channel`; of two the lower one.

    Raises:
        UserError: all channels are taken.
    """
    room = [i for i in range(1, MAX_CHANNEL + 1) if i not in taken]
    if not room:
        raise UserError("All channels are taken: free one for the strip that was dubbed.")
    return min(room, key=lambda i: (abs(i - channel), i))
