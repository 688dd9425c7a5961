"""Arithmetic of scene frames, source frames and seconds."""

from __future__ import annotations

from fractions import Fraction

import pytest

from blender_addon.errors import UserError
from blender_addon.timeline.timing import (
    Cut,
    Placement,
    Span,
    free_channel,
    picture_span,
    speech_cut,
    undubbed,
)

PAL = Fraction(25)


def span_by_frames(strip):
    """Twin of `picture_span` that asks every scene frame for itself."""
    shown = {}
    for frame in range(strip.left, strip.right):
        source = frame - int(strip.start)
        if 0 <= source < strip.length:
            shown[frame] = source + strip.trim
    return shown


@pytest.mark.parametrize(
    "strip",
    [
        Placement(11, 51, 11, 40),
        Placement(21, 31, 11, 40),
        Placement(1, 90, 11, 40),
        Placement(5, 20, 11, 40),
        Placement(26, 40, 16, 35, trim=5),
        Placement(-10, 3, -20, 40),
    ],
)
def test_span_holds_the_frames_that_the_strip_shows(strip):
    span = picture_span(strip, still=False)
    expected = span_by_frames(strip)
    assert {span.first + i: span.source + i for i in range(span.count)} == expected


def test_still_fills_its_handles():
    assert picture_span(Placement(5, 25, 5, 1), still=True) == Span(5, 20, 0)


@pytest.mark.parametrize("shift", [0, 7, -20])
@pytest.mark.parametrize("handles", [(21, 31), (18, 36), (5, 60), (25, 28), (33, 40), (60, 70)])
def test_undubbed_frames_are_those_that_the_dub_does_not_have(handles, shift):
    dubbed = picture_span(Placement(21, 31, 11, 40), still=False)
    had = {dubbed.source + i for i in range(dubbed.count)}
    now = Placement(handles[0] + shift, handles[1] + shift, 11 + shift, 40)
    missing = set(span_by_frames(now).values()) - had
    assert undubbed(dubbed, now, shift, still=False) == len(missing)


def test_still_that_grew_lacks_what_was_added():
    assert undubbed(Span(5, 20, 0), Placement(2, 30, 2, 1), 0, still=True) == 8


def test_strip_beyond_its_content_is_refused():
    with pytest.raises(UserError, match="handles"):
        picture_span(Placement(60, 70, 11, 40), still=False)


def heard_by_frames(span, sound, offset, rate):
    """Twin of `speech_cut`: second of the file heard in the middle of each job frame, or None."""
    seconds = []
    for i in range(span.count):
        at = Fraction(2 * (span.first + i) + 1, 2)
        second = float((at - Fraction(sound.start) + sound.trim) / rate) - offset
        inside = sound.left <= at < sound.right and second >= 0
        seconds.append(second if inside else None)
    return seconds


@pytest.mark.parametrize("rate", [PAL, Fraction(30000, 1001), Fraction(60)])
@pytest.mark.parametrize(
    ("sound", "offset"),
    [
        (Placement(1, 60, 1, 59), 0.0),
        (Placement(21, 96, 21, 75), 0.0),
        (Placement(31, 45, 21, 75), 0.0),
        (Placement(-40, 30, -40, 75), 0.0),
        (Placement(11, 60, 16, 75, trim=5), 0.0),
        (Placement(15, 60, 15, 75), 0.5),
        (Placement(15, 60, 15, 75), -0.5),
        (Placement(15, 45, 15, 75), 0.25),  # begins later and ends with its strip all the same
        (Placement(15, 18, 15, 75), 0.5),  # ends before it begins
    ],
)
def test_speech_is_heard_where_the_timeline_has_it(rate, sound, offset):
    span = Span(11, 40, 0)
    cut = speech_cut(span, sound, offset, rate)
    assert cut.duration == 0 or cut.delay + cut.duration <= float(span.count / rate) + 1e-5
    for i, expected in enumerate(heard_by_frames(span, sound, offset, rate)):
        at = float(Fraction(2 * i + 1, 2) / rate)
        inside = cut.delay <= at < cut.delay + cut.duration
        assert inside == (expected is not None)
        if expected is not None:
            assert cut.start + at - cut.delay == pytest.approx(expected, abs=1e-5)


def test_speech_elsewhere_is_refused():
    with pytest.raises(UserError, match="overlap"):
        speech_cut(Span(11, 40, 0), Placement(60, 70, 60, 10), 0.0, PAL)


def test_the_whole_of_a_speech_goes_on_after_the_picture():
    span, sound = Span(11, 40, 0), Placement(21, 96, 21, 75)
    assert speech_cut(span, sound, 0.0, PAL, whole=True) == Cut(0.4, 0.0, 3.0)
    assert speech_cut(span, sound, 0.0, PAL) == Cut(0.4, 0.0, 1.2)


def test_cut_of_matching_strips_is_plain():
    assert speech_cut(Span(1, 50, 0), Placement(1, 51, 1, 50), 0.0, PAL) == Cut(0.0, 0.0, 2.0)


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        (set(), 4),
        ({4}, 3),
        ({3, 4}, 5),
        ({2, 3, 4, 5}, 6),
        ({3, 4, 5, 6}, 2),
        (set(range(1, 7)), 7),
    ],
)
def test_nearest_channel_with_room_below_before_above(taken, expected):
    assert free_channel(taken, 4) == expected


def test_no_channel_left():
    with pytest.raises(UserError, match="channels"):
        free_channel(set(range(1, 129)), 2)
