"""Lamps, flashes, blinks and bodies that jerk are no captions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
import pytest

from gsmooth_core.face.camera import project, rotation_matrix
from gsmooth_core.face.morphable import Region
from gsmooth_core.mafb.occlusion.captions import _opens
from gsmooth_core.mafb.occlusion.graphics import GraphicSettings, sure_edges
from gsmooth_core.mafb.occlusion.mistaken import has_moved, largest_channel, light_changes
from gsmooth_core.mafb.occlusion.steady import steady_edges
from tests.letters import written
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


@pytest.mark.parametrize("way", [(1, 0), (0, -2), (3, 3), (-6, 5)])
def test_what_lay_beside_has_moved_and_what_is_new_has_not(way: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (90, 160, 3), np.uint8)
    room = cv2.GaussianBlur(noise, (0, 0), 2)
    body, word = np.zeros((2, 90, 160), bool)
    body[20:60, 15:55], word[30:50, 90:140] = True, True
    after, around = room.copy(), np.s_[15:65, 10:60]
    after[around] = np.roll(room, way, (0, 1))[around]
    after[word] = 255 - room[word]
    moved = has_moved(after, room, body | word)
    assert moved[body].all() and not moved[word].any()
    assert not has_moved(np.roll(room, (0, 12), (0, 1)), room, body).any()  # too far to tell


def test_a_word_that_goes_is_not_found_again_in_what_is_left() -> None:
    wall = np.full((60, 90, 3), 90, np.uint8)
    shown = np.maximum(wall, written((60, 90), "I", (40, 40), 30)[..., None])
    word = np.any(shown != wall, axis=2)
    assert not has_moved(shown, wall, word).any()


def test_a_collar_that_stays_and_jerks_is_no_caption() -> None:
    """A codec, or a player that drops frames, lets a body stay for some frames and then jump."""
    still = scene.track(24, still=True)
    plain = scarf([scene.picture(still, 0)])[0]
    moved = np.roll(plain, (2, 3), (0, 1))
    pictures = [plain if n < 12 else moved for n in range(24)]
    assert len(find(pictures, still)) == 0
    assert len(find([scene.picture(still, 0)] * 12 + [plain] * 12, still)) == 12  # were it new


def test_a_blink_is_no_caption() -> None:
    """The same edges that go at once, where the eyes are and elsewhere."""
    still = scene.track(24, still=True)
    shut = scene.picture(still, 0)
    opened = scarf([shut])[0]
    pictures, beside = [opened] * 12 + [shut] * 12, np.zeros(shut.shape[:2], bool)
    lids = np.any(opened != shut, axis=2)
    skin = np.repeat(np.argwhere(lids)[None, ::9, ::-1].astype(np.float32), 24, 0)
    edges = steady_edges(pictures)

    def sure(eyes) -> int:
        return int(sure_edges(edges, pictures, skin, GraphicSettings(), eyes).sure.sum())

    lids = cv2.dilate(lids.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert sure(None) == sure([beside] * 24) > 100
    assert sure([lids] * 24) == 0
    assert sure([lids] * 12 + [beside] * 12) == 0  # where they were before


def test_lids_and_lips_are_where_the_mesh_has_them() -> None:
    none = np.zeros((0, 2), np.float32)
    assert not np.any(_opens(none, none, (60, 60)))
    eyes = np.float32([[10, 20], [20, 18], [40, 18], [50, 20], [30, 22]])
    found = _opens(eyes, none, (60, 60))
    assert found[20, 5] and found[25, 30] and not found[30, 30] and not found[8, 30]
    lips = np.float32([[20, 45], [30, 40], [40, 45], [30, 52]])
    both = _opens(eyes, lips, (60, 60))
    assert both[45, 30] and not both[45, 17] and not both[56, 30]
    np.testing.assert_array_equal(both[:38], found[:38])


@pytest.mark.parametrize(("down", "count"), [(0, 0), (45, 6)])
def test_teeth_that_are_bared_at_once_are_no_caption(down: int, count: int) -> None:
    """The same bright blocks between the lips, and far beneath them."""
    still = scene.track(24, still=True)
    plain = scene.picture(still, 0)
    mouth = lips_of(still)
    low, high = mouth.min(0).astype(int), mouth.max(0).astype(int)
    teeth = plain.copy()
    for x in range(low[0] + 6, high[0] - 8, 6):
        for y in range(low[1] + 3, high[1] - 5, 6):
            cv2.rectangle(teeth, (x, y + down), (x + 3, y + down + 3), (255, 255, 255), -1)
    pictures = [teeth if 9 <= n < 15 else plain for n in range(24)]
    assert len(find(pictures, still)) == count


def lips_of(track) -> np.ndarray:
    """(V, 2) pixels of the lips in the first frame."""
    model = scene.face_model()
    shape = model.template(track.identity) + np.tensordot(
        track.expression[0], model.expression_basis, 1
    )
    camera = shape @ rotation_matrix(track.rotation[0]).T + track.translation[0]
    seen = project(camera, track.focal, track.width, track.height)[..., :2]
    return seen[model.regions == Region.LIPS]


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
