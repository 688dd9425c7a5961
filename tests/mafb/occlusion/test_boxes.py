"""A box keeps all of its own and nothing of a mouth beside it, whatever its colours are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gsmooth_core.mafb.occlusion.boxes import beside_boxes, with_boxes
from tests.letters import written

SHAPE = (80, 160)
SKIN, BLACK, WHITE = (200, 150, 130), (5, 5, 5), (245, 245, 245)
ALL = np.ones(SHAPE, bool)
ROWS, COLUMNS = slice(35, 60), slice(40, 120)


def scene(text: str = "HELLO", opacity: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A word in a black box below an open mouth, the box, and what has no colour of skin.

    Teeth and the dark of the mouth have none either.
    """
    rng = np.random.default_rng(0)
    picture = np.full((*SHAPE, 3), SKIN, np.float32)
    picture[20:35, 64:94] = WHITE
    picture[22:35, 74:80] = BLACK
    box = np.zeros(SHAPE, bool)
    box[ROWS, COLUMNS] = True
    dark = (1 - opacity) * picture + opacity * np.float32(BLACK)
    picture[box] = dark[box]
    letters = written(SHAPE, text, (50, 54), 21, 0.5)
    picture += (np.float32(WHITE) - picture) * (letters[..., None] / np.float32(255))
    picture += rng.normal(0, 3, picture.shape)
    levels = picture.clip(0, 255).astype(np.uint8)
    return levels, box, np.abs(levels.astype(int) - SKIN).max(2) > 40


def generous(box: np.ndarray, mouth: slice, rows: slice) -> np.ndarray:
    """What is found of a box: a strip around it, and a part of the mouth above."""
    found = cv2.dilate(box.astype(np.uint8), np.ones((5, 5))) > 0
    found[rows, mouth] = True
    return found


@pytest.mark.parametrize("rows", [slice(31, 36), slice(27, 36)])
def test_a_mouth_that_ends_where_a_box_begins_is_none_of_it(rows) -> None:
    picture, box, alike = scene()
    captioned = generous(box, slice(65, 93), rows)
    assert (alike & captioned & ~box).sum() > 60  # colours alone do not tell
    assert np.array_equal(with_boxes(alike & captioned, captioned, picture, ALL), box)


def test_what_is_as_dark_as_the_box_at_one_side_costs_nothing_of_it() -> None:
    picture, box, alike = scene()
    picture[:, :45] = BLACK  # hair behind its left end
    alike[:, :45] = True
    captioned = generous(box, slice(65, 93), slice(31, 36))
    kept = with_boxes(alike & captioned, captioned, picture, ALL)
    assert kept[box].all() and not kept[:34].any()


def test_a_box_keeps_what_shows_through_it() -> None:
    picture, box, alike = scene(opacity=0.6)
    alike[45:55, 100:110] = False  # a bright bit that shines through
    captioned = generous(box, slice(0, 0), slice(0, 0))
    kept = with_boxes(alike & captioned, captioned, picture, ALL)
    assert kept[box].all() and (kept & ~box).sum() == 0


def test_letters_are_no_box() -> None:
    """Thick ones side by side, with straight sides: nothing of them is cut off."""
    word = written(SHAPE, "HIM", (40, 60), 40, 3) > 127
    picture = np.where(word[..., None], BLACK, SKIN).astype(np.uint8)
    captioned = cv2.dilate(word.astype(np.uint8), np.ones((9, 9))) > 0
    assert with_boxes(word, captioned, picture, ALL)[word].all()


def test_two_boxes_of_different_length_are_both_kept() -> None:
    picture = np.full((*SHAPE, 3), SKIN, np.uint8)
    boxes = np.zeros(SHAPE, bool)
    boxes[20:40, 30:130] = boxes[40:60, 60:100] = True
    picture[boxes] = BLACK
    captioned = cv2.dilate(boxes.astype(np.uint8), np.ones((5, 5))) > 0
    assert with_boxes(boxes, captioned, picture, ALL)[boxes].all()


def test_nothing_found_stays_nothing() -> None:
    none = np.zeros(SHAPE, bool)
    assert not with_boxes(none, none, scene()[0], ALL).any()
    assert not beside_boxes(none, none, scene()[0]).any()


def test_what_lies_beside_a_box_goes_only_where_it_is_asked_for() -> None:
    picture, box, alike = scene()
    captioned = generous(box, slice(65, 93), slice(27, 36))
    left = np.zeros(SHAPE, bool)
    left[:, :80] = True
    kept = with_boxes(alike & captioned, captioned, picture, left)
    assert np.array_equal(kept[:, :80], box[:, :80])
    plain = with_boxes(alike & captioned, captioned, picture)
    assert np.array_equal(kept[:, 80:], plain[:, 80:]) and (plain & ~box).sum() > 60
    assert np.array_equal(beside_boxes(alike & captioned, captioned, picture), captioned & ~box)
