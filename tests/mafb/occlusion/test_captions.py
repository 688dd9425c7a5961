"""Letters over a face that talks and turns are found; a face without any has none."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest

from gsmooth_core.mafb.crop import crop_transforms
from gsmooth_core.mafb.occlusion.captions import CaptionSettings, find_captions
from gsmooth_core.mafb.occlusion.graphics import _within
from gsmooth_core.mafb.occlusion.letters import filled
from gsmooth_core.mafb.occlusion.occluders import Occluders
from gsmooth_core.mafb.occlusion.steady import SteadyEdges, steady_edges
from tests.mafb.occlusion import made
from tests.mafb.occlusion.test_find import lower_face
from tests.taft import scene

SIZE = 256
FRAMES = 24
SPOKEN = range(8, 17)
AT = (112, 214)  # of a word over the chin


@cache
def bare() -> tuple[np.ndarray, ...]:
    return tuple(scene.pictures(scene.track(FRAMES)))


@cache
def letters() -> np.ndarray:
    """(H, W) 0..1: a word."""
    drawn = np.zeros((scene.HEIGHT, scene.WIDTH), np.uint8)
    cv2.putText(drawn, "WORD", AT, cv2.FONT_HERSHEY_DUPLEX, 1.0, 255, 4, cv2.LINE_AA)
    return drawn.astype(np.float32) / 255


def worded(frames, colour=(255, 230, 0), opacity: float = 1.0) -> list[np.ndarray]:
    alpha = opacity * letters()[..., None]
    return [
        np.rint(p * (1 - alpha) + alpha * np.float32(colour)).astype(np.uint8) if n in frames else p
        for n, p in enumerate(bare())
    ]


def find(pictures, track=None, settings=None) -> Occluders:
    track = track or scene.track(FRAMES)
    return find_captions(made.opened(pictures), track, scene.face_model(), settings)


def truth(frame: int) -> np.ndarray:
    transform = crop_transforms(scene.track(FRAMES), scene.face_model(), SIZE)[frame]
    return cv2.warpAffine(letters(), transform, (SIZE, SIZE)) > 0.3


@pytest.fixture(scope="module")
def found() -> Occluders:
    return find(worded(SPOKEN))


def test_a_face_without_letters_has_none() -> None:
    assert len(find(bare())) == 0


def covered(found: Occluders) -> list[int]:
    """Frames with more than what an edge of the face that letters uncover may leave."""
    area = [int(found.mask(int(frame), SIZE).sum()) for frame in found.frames]
    return [int(n) for n, a in zip(found.frames, area, strict=True) if a > 0.05 * max(area)]


def test_a_word_is_found_in_its_frames_and_in_no_other(found) -> None:
    assert covered(found) == list(SPOKEN)
    assert found.frames.min() == SPOKEN[0] and found.frames.max() <= SPOKEN[-1] + 2
    assert len(found.ranges()) == 1


def test_the_mask_covers_the_word_and_little_else(found) -> None:
    for frame in SPOKEN:
        mask, word = found.mask(frame, SIZE), truth(frame)
        on_face = word & lower_face(scene.track(FRAMES), frame)
        assert on_face.sum() > 1000
        assert (mask & on_face).sum() > 0.99 * on_face.sum()
        around = cv2.dilate(word.astype(np.uint8), np.ones((21, 21))) > 0
        assert (mask & ~around).sum() < 0.05 * mask.sum()


def test_letters_that_never_go_are_told_by_the_moving_head() -> None:
    found = find(worded(range(FRAMES)))
    assert found.frames.tolist() == list(range(FRAMES))


def test_letters_on_a_head_that_never_moves_are_told_by_their_coming() -> None:
    still = scene.track(FRAMES, still=True)
    alpha = letters()[..., None]
    plain = scene.picture(still, 0)
    word = np.rint(plain * (1 - alpha) + alpha * 255).astype(np.uint8)
    pictures = [word if n in SPOKEN else plain for n in range(FRAMES)]
    assert find(pictures, still).frames.tolist() == list(SPOKEN)
    assert len(find([word] * FRAMES, still)) == 0  # nothing tells them from a tattoo


def test_what_moves_with_the_face_is_no_caption() -> None:
    """Letters painted on the skin: they are warped to each frame as the head moves."""
    talking, model = scene.track(FRAMES), scene.face_model()
    track = replace(talking, expression=np.zeros_like(talking.expression))
    transforms = crop_transforms(track, model, SIZE).astype(np.float64)
    painted = []
    for frame, picture in enumerate(scene.pictures(track)):
        square = [np.vstack([t, [0, 0, 1]]) for t in (transforms[0], transforms[frame])]
        matrix = (np.linalg.inv(square[1]) @ square[0])[:2]
        alpha = cv2.warpAffine(letters(), matrix, (scene.WIDTH, scene.HEIGHT))[..., None]
        painted.append(np.rint(picture * (1 - alpha)).astype(np.uint8))
    assert len(find(painted, track)) == 0


def test_a_cut_is_no_caption_that_comes() -> None:
    other = [255 - p for p in bare()]
    pictures = [*bare()[:12], *other[12:]]
    shot = (np.arange(FRAMES) >= 12).astype(np.int32)
    assert len(find(pictures, replace(scene.track(FRAMES), shot=shot))) == 0


def test_blocks_find_what_one_search_finds(found) -> None:
    parted = find(worded(SPOKEN), settings=CaptionSettings(block=14, overlap=10))
    assert covered(parted) == covered(found)


def test_beside_the_face_they_are_no_concern() -> None:
    alpha = np.roll(letters(), 70, 0)[..., None]  # below the chin and the collar
    far = [np.rint(p * (1 - alpha) + 255 * alpha).astype(np.uint8) for p in bare()]
    assert len(find(far)) == 0


def test_an_edge_is_noted_with_its_frames() -> None:
    plain = np.full((20, 20, 3), 60, np.uint8)
    half = plain.copy()
    half[:, 10:] = 200
    edges = steady_edges([plain, plain, half, half, half, plain])
    assert set(edges.first) == {2} and set(edges.last) == {4}
    assert set(edges.x) <= {8, 9, 10, 11} and len(set(edges.y)) == 20
    across = edges.normal_of(np.arange(len(edges)))
    assert np.allclose(np.abs(across), [1, 0], atol=1e-3)


def test_an_outline_is_filled_to_its_box() -> None:
    picture = np.full((60, 80, 3), 170, np.uint8)
    picture[20:40, 15:65] = 10
    lines = np.zeros((60, 80), bool)
    lines[20:40, 15] = lines[20:40, 64] = lines[20, 15:65] = True  # open below
    box = filled(lines, picture)
    assert box[20:40, 15:65].mean() > 0.95
    assert box.sum() < 1.2 * 20 * 50


@pytest.mark.parametrize(("inside", "counts"), [(1.0, True), (0.6, True), (0.4, False), (0, False)])
def test_what_the_jaw_passes_over_now_and_then_is_a_collar(inside, counts) -> None:
    """A square face of ten pixels that lies over the edge in a share of ten frames."""
    square = np.float32([[0, 0], [10, 0], [10, 10], [0, 10]])
    skin = np.stack([square + (0 if n < 10 * inside else 30) for n in range(10)])
    one = np.ones(1, np.int32)
    edges = SteadyEdges(5 * one, 5 * one, 0 * one, 9 * one, np.ones((1, 4), np.float32))
    assert _within(edges, skin, (60, 60)).tolist() == [counts]
