"""Letters over a face that talks and turns are found; a face without any has none."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest

from gsmooth_core.mafb.crop import crop_transforms
from gsmooth_core.mafb.occlusion.captions import CaptionSettings, find_captions
from gsmooth_core.mafb.occlusion.graphics import GraphicSettings, _across, _within, crowded
from gsmooth_core.mafb.occlusion.letters import filled
from gsmooth_core.mafb.occlusion.occluders import Occluders
from gsmooth_core.mafb.occlusion.steady import SteadyEdges, gradients, steady_edges
from tests.letters import written
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
    drawn = written((scene.HEIGHT, scene.WIDTH), "WORD", AT, 30, 1)
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


def test_a_smooth_sticker_is_found_whole() -> None:
    """Its inner lines alone lie as close together as letters; its outline goes on from them."""
    height, width = scene.HEIGHT, scene.WIDTH
    centre, radius = (AT[0] + 62, AT[1] - 14), 27
    drawn = np.zeros((height, width, 3), np.uint8)
    cv2.circle(drawn, centre, radius, (250, 210, 40), -1)
    cv2.circle(drawn, centre, radius, (90, 60, 10), 3)
    for side in (-1, 1):
        cv2.circle(drawn, (centre[0] + 9 * side, centre[1] - 7), 4, (40, 30, 20), -1)
    cv2.ellipse(drawn, (centre[0], centre[1] + 4), (13, 12), 0, 20, 160, (40, 30, 20), 3)
    disc = cv2.circle(np.zeros((height, width), np.uint8), centre, radius, 1, -1)
    pictures = [np.where(disc[..., None] > 0, drawn, picture) for picture in bare()]
    found = find(pictures)
    assert found.frames.tolist() == list(range(FRAMES))
    for frame in range(FRAMES):
        transform = crop_transforms(scene.track(FRAMES), scene.face_model(), SIZE)[frame]
        shown = cv2.warpAffine(disc * 255, transform, (SIZE, SIZE)) > 127
        on_face = shown & lower_face(scene.track(FRAMES), frame)
        assert on_face.sum() > 800
        assert (found.mask(frame, SIZE) & on_face).sum() > 0.97 * on_face.sum()


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


def naive_edges(pictures: list[np.ndarray]) -> set[tuple[int, ...]]:
    """Row, column, first and last frame of steady edges, pixel by pixel."""
    seen = np.stack([gradients(p) for p in pictures])
    found = set()
    for row, column in np.ndindex(seen.shape[1:3]):
        first, known = -1, np.zeros(4)
        for frame in range(len(seen) + 1):
            new = seen[frame, row, column] if frame < len(seen) else np.full(4, np.inf)
            stays = first >= 0 and ((new - known) ** 2).sum() < 0.2 * (known**2).sum()
            if first >= 0 and not stays and frame - 1 > first:
                found.add((row, column, first, frame - 1))
            if not stays and frame < len(seen):
                first, known = (frame, new) if (new**2).sum() > 2 * 12**2 else (-1, known)
    return found


def test_steady_edges_are_those_of_each_pixel_by_itself() -> None:
    dice = np.random.default_rng(5)
    still = cv2.GaussianBlur(dice.integers(0, 256, (18, 23, 3)).astype(np.uint8), (0, 0), 1)
    others = [np.roll(still, n, 1) for n in (3, 3, 8)]
    pictures = [still, still, others[0], others[1], still, still, still, others[2]]
    noisy = [cv2.add(p, dice.integers(0, 3, p.shape).astype(np.uint8)) for p in pictures]
    edges = steady_edges(noisy)
    each = (edges.y, edges.x, edges.first, edges.last)
    found = set(zip(*(values.tolist() for values in each), strict=True))
    assert found == naive_edges(noisy) and len(found) > 50
    at_first = np.stack([gradients(noisy[n])[y, x] for y, x, n, _ in sorted(found)])
    order = np.lexsort((edges.last, edges.first, edges.x, edges.y))
    np.testing.assert_allclose(edges.gradient[order], at_first, atol=1e-3)


def test_how_far_skin_moves_across_an_edge() -> None:
    dice = np.random.default_rng(1)
    skin = dice.random((6, 5, 2)).astype(np.float32)
    last, vertex = np.int32([3, 5, 2, 1]), np.array([0, 4, 2, 2])
    normal = np.float32([[1, 0], [0.6, 0.8], [0, 1], [0, 1]])
    wanted = [
        max([abs((skin[f, v] - skin[1, v]) @ n) for f in range(2, end + 1)], default=0)
        for end, v, n in zip(last, vertex, normal, strict=True)
    ]
    np.testing.assert_allclose(_across(skin, 1, last, vertex, normal), wanted, atol=1e-6)


@pytest.mark.parametrize(("signs", "enough"), [(44, False), (45, True)])
def test_a_crowd_has_as_many_signs_as_are_asked_for(signs: int, enough: bool) -> None:
    """Strong edges in a square of nine pixels, half of them across the others; one by itself."""
    places = np.arange(signs)
    y, x = (np.append(v + 20, 55).astype(np.int32) for v in np.divmod(places, 9))
    across = np.where(np.arange(signs + 1) % 2, 40.0, 0.0)
    gradient = np.stack([across, 0 * across, 40 - across, 0 * across], 1).astype(np.float32)
    edges = SteadyEdges(y, x, 0 * y, 9 + 0 * y, gradient)
    none = np.zeros(0, np.int32)
    found = crowded(edges, np.arange(signs + 1), none, (60, 60), GraphicSettings())
    assert found[:-1].any() == enough and not found[-1]


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


def test_of_captions_that_stay_a_bit_a_pixel_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame's mask has 65 kB in bytes: an hour of subtitles would have six gigabytes."""
    count, full = 298, np.ones((SIZE, SIZE), bool)
    monkeypatch.setattr(
        "gsmooth_core.mafb.occlusion.captions._captions",
        lambda _face, _strip, frames, *_: ((n, full.copy()) for n in frames),
    )
    pictures, track = [bare()[0]] * count, scene.track(count)
    settings = CaptionSettings(block=10, overlap=2)
    find(pictures, track, settings)  # what is made once is not counted
    tracemalloc.start()
    found = find(pictures, track, settings)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == track.usable.sum() and found.mask(7, SIZE).all()
    assert most < 0.6 * count * full.size
