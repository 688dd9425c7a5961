"""Letters are told from the face by their colours, and cut out with soft edges."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gsmooth_core.mafb.occlusion.matte import LetterColours, cut_out, learn_colours
from tests.letters import written

SKIN, LIPS, YELLOW, BLACK = (200, 150, 130), (170, 70, 80), (250, 230, 20), (5, 5, 5)


def face(seed: int = 0) -> np.ndarray:
    picture = np.full((80, 160, 3), SKIN, np.float32)
    picture[30:50, 40:120] = LIPS
    return picture + np.random.default_rng(seed).normal(0, 4, picture.shape)


def lettered(base: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The picture with a word, and how much of each pixel is the word's."""
    outline, fill = (written((80, 160), "OO", (50, 58), 42, width) for width in (3, 1))
    alpha, inner = outline[..., None] / 255, fill[..., None] / 255
    word = np.float32(BLACK) * (1 - inner) + np.float32(YELLOW) * inner
    picture = base * (1 - alpha) + word * alpha
    return np.rint(picture).clip(0, 255).astype(np.uint8), alpha[..., 0]


def generous(alpha: np.ndarray) -> np.ndarray:
    return cv2.morphologyEx((alpha > 0).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((41, 41))) > 0


@pytest.fixture(scope="module")
def colours() -> LetterColours:
    picture, alpha = lettered(face(1))
    bare = np.rint(face(2)).clip(0, 255).astype(np.uint8)
    everywhere, nowhere = np.ones((80, 160), bool), np.zeros((80, 160), bool)
    samples = [(picture, generous(alpha), everywhere), (bare, nowhere, everywhere)]
    return learn_colours(samples)


def test_the_face_inside_of_letters_is_none_of_theirs(colours) -> None:
    picture, alpha = lettered(face())
    wide = generous(alpha)
    letters = colours.letters(picture, wide, 0.9)
    assert letters[alpha >= 0.95].mean() > 0.99
    bare = wide & (alpha == 0)
    assert bare.sum() > 1000 and letters[bare].mean() < 0.03
    assert not (letters & ~wide).any()


def test_what_shows_through_a_box_stays_with_it(colours) -> None:
    picture = face().clip(0, 255).astype(np.uint8)
    box = np.zeros((80, 160), bool)
    box[25:55, 50:110] = True
    picture[box] = picture[box] // 3
    picture[38:42, 70:90] = LIPS  # a bit of the mouth that shines through
    wide = np.zeros_like(box)
    wide[24:56, 49:111] = True
    assert colours.letters(picture, wide, 0.9)[box].all()


def test_letters_lie_over_another_face_as_if_drawn_on_it(colours) -> None:
    picture, alpha = lettered(face())
    other = np.full((80, 160, 3), (90, 120, 200), np.uint8)
    letters = colours.letters(picture, generous(alpha), 0.9)
    laid = cut_out(picture, letters).over(other, np.ones_like(letters))
    wanted = lettered(other.astype(np.float32))[0]
    assert np.array_equal(laid[letters], picture[letters])
    assert np.array_equal(
        laid[cv2.dilate((alpha > 0).astype(np.uint8), np.ones((5, 5))) == 0],
        other[cv2.dilate((alpha > 0).astype(np.uint8), np.ones((5, 5))) == 0],
    )
    apart = np.abs(laid.astype(int) - wanted).max(2)
    assert apart[alpha > 0].mean() < 12 and np.quantile(apart, 0.98) < 40


def test_only_where_asked_for_they_fade_out() -> None:
    picture, _ = lettered(face())
    letters = np.zeros((80, 160), bool)
    letters[30:40, 60:70] = True
    other = np.full((80, 160, 3), 128, np.uint8)
    laid = cut_out(picture, letters).over(other, letters)
    assert np.array_equal(laid[~letters], other[~letters])
    assert np.array_equal(laid[letters], picture[letters])


def test_no_letters_change_nothing(colours) -> None:
    picture = np.rint(face()).clip(0, 255).astype(np.uint8)
    none = np.zeros((80, 160), bool)
    assert not colours.letters(picture, none, 0.9).any()
    assert np.array_equal(cut_out(picture, none).over(picture, ~none), picture)
