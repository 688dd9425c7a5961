"""Bars around a picture are found to the line, walls behind heads are none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsmooth_core.tracking.shots.bars import BarFinder, beside_mouths
from gsmooth_core.types import Image, Int

WIDTH, HEIGHT = 192, 144
SHOT = 12


def room(seed: int = 0) -> Image:
    noise = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 30, 220, cv2.NORM_MINMAX)


def barred(sides: tuple[int, ...], colour: tuple[int, ...] = (0, 0, 0), seed: int = 0) -> Image:
    """A room between bars of so many lines: left, top, right, bottom."""
    left, top, right, bottom = sides
    picture = np.full((HEIGHT, WIDTH, 3), colour, np.uint8)
    inner = np.s_[top : HEIGHT - bottom, left : WIDTH - right]
    picture[inner] = room(seed)[inner]
    return picture


def coded(picture: Image, quality: int = 80) -> Image:
    good, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert good
    return cv2.imdecode(packed, cv2.IMREAD_COLOR)


def areas(frames: list[Image], shot: Int | None = None) -> Int | None:
    finder = BarFinder()
    for frame in frames:
        finder.see(frame)
    return finder.areas(np.zeros(len(frames), np.int32) if shot is None else shot)


@settings(max_examples=25, deadline=None)
@given(
    st.tuples(*[st.sampled_from([0, 4, 11, 30])] * 4),
    st.sampled_from([(0, 0, 0), (255, 255, 255), (16, 60, 120)]),
)
def test_bars_are_found_to_the_line(sides: tuple[int, ...], colour: tuple[int, ...]) -> None:
    found = areas([barred(sides, colour, seed) for seed in range(SHOT)])
    left, top, right, bottom = (n + n % 2 for n in sides)  # whole samples of 4:2:0's colour
    if not any(sides):
        assert found is None
    else:
        assert found.tolist() == [[left, top, WIDTH - right, HEIGHT - bottom]] * SHOT


def test_a_codec_moves_their_end_by_two_lines_at_most() -> None:
    sides = np.array([0, 21, 13, 27])
    found = areas([coded(barred(tuple(sides), seed=seed)) for seed in range(SHOT)])
    assert found is not None
    wrong = found[0] * [1, 1, -1, -1] + [0, 0, WIDTH, HEIGHT] - sides
    assert wrong.min() >= 0 and wrong.max() <= 3  # into the picture, never into the bar


def test_a_wall_behind_a_head_is_no_bar() -> None:
    frames = []
    for n in range(SHOT):
        frame = np.full((3 * HEIGHT, 3 * WIDTH, 3), 250, np.uint8)
        middle = 3 * WIDTH // 2 + round(9 * np.sin(n)), 3 * HEIGHT // 2
        cv2.ellipse(frame, middle, (105, 135), 0, 0, 360, (90, 120, 180), -1)
        frames.append(frame)
    assert areas(frames) is None


@pytest.mark.parametrize("shown", [0, 255])
def test_a_plain_frame_within_a_shot_changes_nothing(shown: int) -> None:
    frames = [barred((0, 20, 0, 20), seed=n) for n in range(4 * SHOT)]
    frames[16] = np.full_like(frames[0], shown)
    assert areas(frames).tolist() == [[0, 20, WIDTH, HEIGHT - 20]] * len(frames)
    assert areas([frames[16]] * SHOT) is None


def test_subtitles_in_a_bar_leave_it_one() -> None:
    frames = [barred((0, 0, 0, 36), seed=n) for n in range(4 * SHOT)]
    for frame in frames[SHOT : 2 * SHOT]:
        cv2.putText(frame, "words", (70, HEIGHT - 12), 0, 0.5, (255, 255, 255), 1)
    assert areas(frames).tolist() == [[0, 0, WIDTH, HEIGHT - 36]] * len(frames)


def test_bars_that_come_and_go_within_a_shot_are_none() -> None:
    frames = [barred((0, 20 if n < SHOT else 0, 0, 0), seed=n) for n in range(2 * SHOT)]
    assert areas(frames) is None


def test_each_shot_has_its_own() -> None:
    frames = [barred((0, 20, 0, 20))] * SHOT + [room()] * SHOT + [barred((30, 0, 30, 0))] * SHOT
    found = areas(frames, np.repeat(np.int32([0, 1, 2]), SHOT))
    assert found[:SHOT].tolist() == [[0, 20, WIDTH, HEIGHT - 20]] * SHOT
    assert found[SHOT : 2 * SHOT].tolist() == [[0, 0, WIDTH, HEIGHT]] * SHOT
    assert found[2 * SHOT :].tolist() == [[30, 0, WIDTH - 30, HEIGHT]] * SHOT


@pytest.mark.parametrize(
    ("depth", "share", "bar"), [(8, 0.3, True), (8, 0.7, False), (40, 0.1, False)]
)
def test_a_mouth_in_a_bar_says_that_it_is_none(depth: int, share: float, bar: bool) -> None:
    """One that sinks a little into a letterbox is imagined there; a speaker stays, or is deep."""
    count = 10
    found = np.tile(np.int32([0, 20, WIDTH, HEIGHT - 50]), (2 * count, 1))
    mouths = np.full((2 * count, 2), (WIDTH / 2, 60), np.float32)
    mouths[: round(share * count), 1] = HEIGHT - 50 + depth
    mouths[count + 3] = np.nan
    far, shot = np.full(2 * count, 20, np.float32), np.repeat(np.int32([0, 1]), count)
    left = beside_mouths(found, mouths, far, shot, (WIDTH, HEIGHT))
    expected = HEIGHT - 50 if bar else HEIGHT
    assert left[:count].tolist() == [[0, 20, WIDTH, expected]] * count
    assert left[count:].tolist() == found[count:].tolist()
