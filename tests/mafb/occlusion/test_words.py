"""A caption keeps its shape as long as its edges stay."""

from __future__ import annotations

import numpy as np

from gsmooth_core.mafb.occlusion.words import bare_of_face, through_time, with_edges

SHAPE = (40, 90)


def box(x: int) -> tuple[np.ndarray, np.ndarray]:
    """A box at a column, and its edges."""
    mask, lines = np.zeros((2, *SHAPE), bool)
    mask[10:30, x : x + 40] = True
    lines[10:30, [x, x + 39]] = True
    return mask, lines


def test_dents_are_filled_and_tails_are_cut_as_long_as_the_edges_stay() -> None:
    whole, lines = box(5)
    found = [whole.copy() for _ in range(9)]
    found[2][20:, 5:25] = False  # as if it faded
    found[6][30:35, 20:22] = True
    agreed = through_time(found, [lines] * 9)
    assert all(np.array_equal(mask, whole) for mask in agreed)


def test_another_word_has_its_own_shape() -> None:
    (one, first), (other, second) = box(5), box(25)
    agreed = through_time([one] * 4 + [other] * 4, [first] * 4 + [second] * 4)
    assert all(np.array_equal(mask, one) for mask in agreed[:4])
    assert all(np.array_equal(mask, other) for mask in agreed[4:])


def test_a_single_frame_stays_as_it_is() -> None:
    whole, lines = box(5)
    assert np.array_equal(through_time([whole], [lines])[0], whole)
    none = np.zeros(SHAPE, bool)
    assert not through_time([none] * 3, [none] * 3)[1].any()


def test_lips_that_were_taken_for_letters_are_given_back() -> None:
    rng = np.random.default_rng(0)
    pictures, found = [], []
    for frame in range(6):
        picture = np.full((*SHAPE, 3), (200, 150, 130), np.float32)
        picture[20:34, 20:70] = (170, 70, 80)
        letters = np.zeros(SHAPE, bool)
        letters[4:12, 5 + 4 * frame : 45 + 4 * frame] = True
        picture[letters] = (250, 230, 20)
        picture += rng.normal(0, 3, picture.shape)
        wide = np.zeros(SHAPE, bool)
        wide[3:13, 4 + 4 * frame : 46 + 4 * frame] = True
        if frame == 2:
            wide[13:34, 20:40] = True
        pictures.append(picture.clip(0, 255).astype(np.uint8))
        found.append(wide)
    bare = bare_of_face(found, pictures, [np.ones(SHAPE, bool)] * 6)
    assert bare[2][4:12, 13:53].all()
    assert bare[2][16:34, 20:40].mean() < 0.05


def test_what_has_few_edges_is_no_word_but_its_dots_are_kept() -> None:
    mask, lines = box(5)
    mask[6:8, 10:12] = True  # a dot over it
    alone = np.zeros(SHAPE, bool)
    alone[20:26, 70:80] = True  # teeth
    lines[20:22, 70:80] = True
    assert np.array_equal(with_edges(mask | alone, lines, 30), mask)
    assert not with_edges(mask | alone, lines, 50).any()
