"""Lamps and flashes are no captions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from gsmooth_core.mafb.occlusion.mistaken import largest_channel, light_changes
from tests.mafb.occlusion.test_captions import AT, bare, find, worded
from tests.taft import scene


def changes(pictures: list[np.ndarray]) -> np.ndarray:
    apart = [cv2.absdiff(b, a).max(2) for a, b in pairwise(pictures)]
    return np.stack([np.zeros(pictures[0].shape[:2], np.uint8), *apart])


def test_the_largest_channel_is_that_of_each_pixel() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    np.testing.assert_array_equal(largest_channel(picture), picture.max(2))


def test_a_lamp_changes_most_of_what_is_lit_and_a_caption_does_not() -> None:
    room = np.zeros((40, 40, 3), np.uint8)
    room[:, 20:] = 150  # the other half is black, and stays so
    captioned, darker = room.copy(), (room * 0.7).astype(np.uint8)
    captioned[30:, 20:] = 255
    pictures = [room, captioned, room, darker, darker, room]
    found = light_changes(pictures, changes(pictures), 14)
    assert found.tolist() == [False, False, False, True, False, True]


def test_a_black_picture_has_no_light_that_changes() -> None:
    pictures = [np.full((8, 8, 3), level, np.uint8) for level in (0, 20, 0)]
    assert not light_changes(pictures, changes(pictures), 14).any()


def test_a_lamp_over_a_patterned_shirt_makes_no_caption_and_hides_none() -> None:
    assert len(find(dimmed(scarf(bare())))) == 0
    assert len(find(dimmed(worded(range(24))))) == 24


def dimmed(pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [p if n < 12 else (p * 0.5).astype(np.uint8) for n, p in enumerate(pictures)]


def scarf(pictures) -> list[np.ndarray]:
    """The pictures with stripes beneath the chin that keep their place."""
    made = []
    for picture in pictures:
        striped = picture.copy()
        for k in range(8):
            at = AT[0] + 12 * k, AT[1] + 22
            cv2.line(striped, at, (at[0] - 8, at[1] + 30), (250, 250, 250), 3)
            cv2.line(striped, at, (at[0] + 8, at[1] + 30), (10, 10, 10), 3)
        made.append(striped)
    return made


def test_the_scene_is_larger_than_its_face() -> None:
    assert AT[1] + 52 < scene.HEIGHT
