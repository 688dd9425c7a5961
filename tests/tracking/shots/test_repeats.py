"""Pictures that a file holds twice are told from faces that rest."""

from __future__ import annotations

from itertools import chain, pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from gsmooth_core.media import probe, read_frames
from gsmooth_core.tracking.shots.repeats import RepeatFinder, repeated
from gsmooth_core.types import Image
from tests.media.made import write_video

WIDTH, HEIGHT = 160, 128
FACE = (40, 24, 120, 104)
COUNT = 48


def pictures(step: float) -> list[Image]:
    """A rough face that sways by a pixel or two a picture over a wall that stays, with noise."""
    rng = np.random.default_rng(3)
    shape = HEIGHT, WIDTH, 3
    wall, face = (gaussian_filter(rng.normal(0, 90, shape), (s, s, 0)) for s in (3, 2))
    y, x = np.indices(shape[:2])
    made = []
    for n in range(COUNT):
        away = step * 6 * np.sin(n / 6), step * 4 * np.cos(n / 7)
        oval = ((x - 80 - away[0]) / 32) ** 2 + ((y - 64 - away[1]) / 38) ** 2 < 1
        matrix = np.float32([[1, 0, away[0]], [0, 1, away[1]]])
        moved = cv2.warpAffine(face, matrix, (WIDTH, HEIGHT))
        seen = 120 + np.where(oval[..., None], moved, wall) + rng.normal(0, 1, shape)
        made.append(np.rint(seen.clip(0, 255)).astype(np.uint8))
    return made


def told(frames: list[Image], faces: list[tuple[int, int, int, int]]) -> list[bool]:
    finder = RepeatFinder()
    for frame in frames:
        finder.see(frame, faces)
    return finder.repeated().tolist()


HELD = {
    "24 in 30": [n for n in range(COUNT) for _ in range(1 + (n % 4 == 3))],
    "25 in 50": [n for n in range(COUNT) for _ in range(2)],
    "on threes": [n for n in range(COUNT // 2) for _ in range(3)],
    "each once": list(range(COUNT)),
}


@pytest.mark.parametrize("way", HELD)
@pytest.mark.parametrize("crf", [18, 28])
def test_repeats_are_found_in_a_coded_file(way, crf, tmp_path: Path) -> None:
    numbers = HELD[way]
    shown = pictures(3.0)
    held = np.stack([shown[n] for n in numbers])
    coded = write_video(tmp_path / "v.mp4", held, 30, "-c:v", "libx264", "-crf", crf)
    frames = list(read_frames(probe(coded)))
    expected = [False, *(a == b for a, b in pairwise(numbers))]
    assert told(frames, [FACE]) == expected


def test_a_face_that_hardly_moves_repeats_nothing() -> None:
    assert not any(told(pictures(0.05), [FACE]))


def test_what_is_held_beside_a_face_says_nothing() -> None:
    shown = pictures(1.0)
    for before, picture in zip(shown[::2], shown[1::2], strict=True):
        picture[:, :30] = before[:, :30]
    assert not any(told(shown, [FACE]))
    assert told(shown, [(0, 0, 30, HEIGHT)]) == [False, True] * (COUNT // 2)
    assert not any(told(shown, [(0, 0, 30, HEIGHT), FACE]))  # somebody moves


@pytest.mark.parametrize("times", range(1, 7))
def test_what_stands_for_long_is_a_photo_or_a_frozen_frame(times: int) -> None:
    held = [np.inf, *[4.0] * 12, *[0.0] * times, *[4.0] * 12]
    assert repeated(held).sum() == (times if times <= 3 else 0)


def test_a_face_that_is_lost_before_somebody_who_rests_is_no_repeat() -> None:
    shown, rests = [pictures(1.0)[0]] * 6, (0, 0, 30, HEIGHT)
    gone = shown[0].copy()
    gone[24:104, 40:120] = 120
    finder = RepeatFinder()
    for frame, faces in zip([*shown[:4], gone], [[rests, FACE]] * 4 + [[rests]], strict=True):
        finder.see(frame, faces)
    assert not finder.repeated()[4]


def test_without_a_face_the_whole_picture_counts() -> None:
    shown = list(chain.from_iterable([p, p] for p in pictures(1.0)))
    for faces in ([], [(-50, -50, -10, -10)]):
        assert told(shown, faces) == [False, True] * COUNT


def test_a_stretch_of_rest_is_told_from_repeats_by_what_lies_around() -> None:
    changes = [np.inf, *([4.0, 5.0, 4.0, 5.0, 0.3] * 12)]
    assert repeated(changes).tolist() == [c == 0.3 for c in changes]
    calm = [np.inf, *([0.9, 1.2] * 30)]
    assert not repeated(calm).any()
    assert not repeated([np.inf, *([0.0] * 20)]).any()
    assert repeated([]).tolist() == []
