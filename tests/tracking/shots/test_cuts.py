"""Cuts to the frame; flashes, lamps, fades and motion are none; dissolves are known as such."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from gsmooth_core.ranges import ranges_of
from gsmooth_core.tracking.shots import dissolves
from gsmooth_core.tracking.shots.cuts import MIXED, CutFinder, find_shots
from gsmooth_core.tracking.shots.pictures import SIDE, thumbnail
from gsmooth_core.types import Image, Int
from tests.tracking.heads import drawn_head

SIZE = 160
Shot = Callable[[int], Image]


def _place(head: Image, background: Image, left: int) -> Image:
    frame = background.copy()
    frame[30:150, left : left + 120] = cv2.resize(head, (120, 120), interpolation=cv2.INTER_AREA)
    return frame


def _room(seed: int) -> Image:
    """Something behind a person: boxes of other tones."""
    rng = np.random.default_rng(seed)
    room = np.full((SIZE, 240, 3), rng.integers(60, 180, 3), np.uint8)
    for _ in range(14):
        x, y, w, h = rng.integers(0, (200, 130, 60, 60))
        room[y : y + h + 8, x : x + w + 8] = rng.integers(30, 220, 3)
    return room


@pytest.fixture(scope="module")
def shots(astronaut: Image) -> tuple[Shot, Shot]:
    """Two people in two rooms, who sway."""
    her, him = astronaut[20:260, 100:340], drawn_head(0)
    rooms = _room(1), _room(2)

    def first(t: int) -> Image:
        return _place(her, rooms[0], 40 + round(4 * np.sin(t / 4)))

    def second(t: int) -> Image:
        return _place(him, rooms[1], 70 + round(4 * np.cos(t / 5)))

    return first, second


def _noisy(frames: list[Image]) -> list[Image]:
    """As a camera and a codec leave them."""
    rng = np.random.default_rng(0)
    return [np.clip(f + rng.normal(0, 3, f.shape), 0, 255).astype(np.uint8) for f in frames]


def _found(frames: list[Image]) -> Int:
    cuts = CutFinder()
    for frame in _noisy(frames):
        cuts.begins_shot(frame)
    return find_shots(cuts.thumbnails)


def _starts(shot: Int) -> list[int]:
    return [int(t) for t in np.flatnonzero(np.diff(shot) > 0) + 1 if shot[t - 1] >= 0]


def test_hard_cuts_to_the_frame(shots: tuple[Shot, Shot]) -> None:
    first, second = shots
    lengths = [30, 25, 8, 40]
    frames = [(second if k % 2 else first)(t) for k, n in enumerate(lengths) for t in range(n)]
    shot = _found(frames)
    np.testing.assert_array_equal(shot, np.repeat(range(4), lengths))


def test_one_shot_is_one(shots: tuple[Shot, Shot]) -> None:
    assert (_found([shots[0](t) for t in range(60)]) == 0).all()


def test_a_jump_in_one_take_is_a_cut(shots: tuple[Shot, Shot], astronaut: Image) -> None:
    """The camera moved closer between two words."""
    frames = [shots[0](t) for t in range(50)]
    frames[25:] = [cv2.resize(f[20:150, 20:215], (240, SIZE)) for f in frames[25:]]
    assert _starts(_found(frames)) == [25]


@pytest.mark.parametrize("length", [1, 2, 4])
def test_a_flash_is_no_cut(shots: tuple[Shot, Shot], length: int) -> None:
    frames = [shots[0](t) for t in range(50)]
    for t in range(20, 20 + length):
        frames[t] = np.minimum(frames[t] * 1.4 + 255 * 0.8 ** (t - 19), 255).astype(np.uint8)
    assert (_found(frames) == 0).all()


def test_two_flashes_of_five_frames_are_no_cut(shots: tuple[Shot, Shot]) -> None:
    """Beside black bars, so that the picture is white and yet not plain."""
    frames = [cv2.copyMakeBorder(shots[0](t), 0, 0, 80, 80, 0) for t in range(50)]
    for t, light in enumerate((190, 130, 245, 170, 120), 20):
        frames[t] = np.minimum(frames[t] * 3.0 + light, 255).astype(np.uint8)
    assert (_found(frames) == 0).all()


def test_a_black_frame_is_no_cut(shots: tuple[Shot, Shot]) -> None:
    frames = [shots[0](t) for t in range(50)]
    frames[20:22] = [np.zeros_like(frames[0])] * 2
    assert (_found(frames) == 0).all()


@pytest.mark.parametrize("gain", [(0.5, 0.5, 0.5), (1.5, 1.4, 1.2), (1.0, 0.8, 0.5)])
def test_another_light_is_no_cut(shots: tuple[Shot, Shot], gain: tuple[float, ...]) -> None:
    frames = [shots[0](t) for t in range(50)]
    frames[20:] = [np.minimum(f * np.array(gain), 255).astype(np.uint8) for f in frames[20:]]
    assert (_found(frames) == 0).all()


def test_a_cut_behind_a_flash_is_one(shots: tuple[Shot, Shot]) -> None:
    first, second = shots
    frames = [first(t) for t in range(30)] + [second(t) for t in range(30)]
    frames[22] = np.minimum(frames[22] + 200.0, 255).astype(np.uint8)
    assert _starts(_found(frames)) == [30]


@pytest.mark.parametrize("length", [8, 15, 40])
def test_a_dissolve_is_known_to_the_frame(shots: tuple[Shot, Shot], length: int) -> None:
    first, second = shots
    frames = [first(t) for t in range(100)]
    for k in range(length):
        share = (k + 1) / (length + 1)
        mixed = cv2.addWeighted(first(40 + k), 1 - share, second(k), share, 0)
        frames[40 + k] = np.asarray(mixed, np.uint8)
    frames[40 + length :] = [second(t) for t in range(length, length + 60 - length)]
    shot = _found(frames)
    mixed = np.flatnonzero(shot == MIXED)
    assert abs(mixed[0] - 40) <= 1
    assert abs(mixed[-1] - (39 + length)) <= 1
    assert len(mixed) == mixed[-1] - mixed[0] + 1
    assert (shot[: mixed[0]] == 0).all()
    assert (shot[mixed[-1] + 1 :] == 1).all()


def test_a_dissolve_of_two_dark_pictures_is_one(shots: tuple[Shot, Shot]) -> None:
    first, second = shots
    frames = [first(t) for t in range(30)]
    for k in range(8):
        share = (k + 1) / 9
        mixed = cv2.addWeighted(first(30 + k), 1 - share, second(k), share, 0)
        frames.append(np.asarray(mixed, np.uint8))
    frames += [second(t) for t in range(8, 38)]
    dark = [(40 + 0.42 * frame).astype(np.uint8) for frame in frames]
    mixed_frames = np.flatnonzero(_found(dark) == MIXED)
    assert abs(mixed_frames[0] - 30) <= 1
    assert abs(mixed_frames[-1] - 37) <= 1


def _dissolve(first: Shot, second: Shot, start: int, length: int, count: int) -> list[Image]:
    frames = [first(t) for t in range(start)]
    for t in range(start, start + length):
        share = (t - start + 1) / (length + 1)
        frames.append(np.asarray(cv2.addWeighted(first(t), 1 - share, second(t), share, 0)))
    return frames + [second(t) for t in range(start + length, count)]


def test_bars_that_change_in_a_dissolve_are_no_cut(shots: tuple[Shot, Shot]) -> None:
    """What is left of a wide picture beside a narrow one is black from one frame to the next."""

    def wide(t: int) -> Image:
        frame = shots[0](t).copy()
        for left in (*range(0, 70, 28), *range(170, 240, 28)):
            frame[:, left : left + 14] = 250
        return frame

    def narrow(t: int) -> Image:
        return cv2.copyMakeBorder(shots[1](t)[:, 90:170], 0, 0, 80, 80, cv2.BORDER_CONSTANT)

    for way in ((wide, narrow), (narrow, wide)):
        shot = _found(_dissolve(*way, 40, 14, 90))
        np.testing.assert_array_equal(shot, [0] * 40 + [MIXED] * 14 + [1] * 36)


def test_who_moves_while_a_dissolve_ends_is_mixed_to_its_end(shots: tuple[Shot, Shot]) -> None:
    first, start, length = shots[0], 40, 18

    def hurried(t: int) -> Image:
        """Moves from just before the dissolve ends until just behind it."""
        aside = float(np.clip(t - (start + length - 4), 0, 6)) * 5
        return _place(drawn_head(0), _room(2), 20 + round(aside))

    frames = _dissolve(first, hurried, start, length, 90)
    np.testing.assert_array_equal(_found(frames), [0] * 40 + [MIXED] * 18 + [1] * 32)
    back = _found(frames[::-1])
    np.testing.assert_array_equal(back, [0] * 32 + [MIXED] * 18 + [1] * 40)


def test_what_changes_part_by_part_is_no_dissolve(shots: tuple[Shot, Shot]) -> None:
    """A third hurries and the rest comes late, so that the picture as a whole goes evenly."""
    first, second = (np.asarray(shot(0), np.float32) for shot in shots)
    frames = [first] * 40 + [second] * 40
    for k in range(1, 8):
        share = np.full((SIZE, 1, 1), (k / 8) ** 1.7)
        share[: SIZE // 3] = (k / 8) ** 0.45
        frames[36 + k] = first * (1 - share) + second * share
    assert (_found([f.astype(np.uint8) for f in frames]) >= 0).all()


def test_a_fade_through_black_is_a_cut_in_the_black(shots: tuple[Shot, Shot]) -> None:
    first, second = shots
    out = [(first(t) * (1 - t / 12)).astype(np.uint8) for t in range(13)]
    back = [(second(t) * (t / 12)).astype(np.uint8) for t in range(13)]
    frames = [first(t) for t in range(30)] + out + back + [second(t) for t in range(30)]
    shot = _found(frames)
    (cut,) = _starts(shot)
    assert 41 <= cut <= 44
    assert (shot >= 0).all()


def test_a_fade_of_one_picture_is_no_cut(shots: tuple[Shot, Shot]) -> None:
    fade = [max(abs(t - 30) / 12, 0) for t in range(60)]
    frames = [(shots[0](t) * min(f, 1)).astype(np.uint8) for t, f in enumerate(fade)]
    assert (_found(frames) == 0).all()


def test_a_pan_is_neither_cut_nor_dissolve() -> None:
    wide = np.hstack([_room(k) for k in range(4)])
    frames = [np.ascontiguousarray(wide[:, 6 * t : 6 * t + 240]) for t in range(100)]
    assert (_found(frames) == 0).all()


@pytest.mark.parametrize("who", [0, 1])
@pytest.mark.parametrize(
    ("zoom", "turn", "length"), [(0.3, 0, 12), (0.6, 0, 24), (0, 15, 12), (0.0, 25, 16)]
)
def test_a_zoom_and_a_turn_are_neither_cut_nor_dissolve(
    shots: tuple[Shot, Shot], who: int, zoom: float, turn: float, length: int
) -> None:
    """An editor's punch-in on one person, or a camera that rolls: even, too, and no mixture."""

    def moved(t: int) -> Image:
        way = float(np.clip((t - 20) / length, 0, 1))
        matrix = cv2.getRotationMatrix2D((120, 80), turn * way, 1 + zoom * way)
        return cv2.warpAffine(shots[who](0), matrix, (240, SIZE), borderMode=cv2.BORDER_REFLECT)

    assert (_found([moved(t) for t in range(60)]) == 0).all()


@pytest.mark.parametrize("frames", [[], [np.zeros((20, 20, 3), np.uint8)] * 3])
def test_nothing_to_see(frames: list[Image]) -> None:
    assert find_shots(frames and _thumbnails(frames)).tolist() == [0] * len(frames)


def _thumbnails(frames: list[Image]) -> list[Image]:
    cuts = CutFinder()
    assert [cuts.begins_shot(frame) for frame in frames] == [True, False, False]
    return cuts.thumbnails


def test_a_soft_dim_picture_is_one_shot(shots: tuple[Shot, Shot]) -> None:
    """With hardly any structure beyond the noise."""
    soft = [cv2.GaussianBlur(shots[0](t), (0, 0), 25) // 6 for t in range(50)]
    assert (_found(soft) == 0).all()


def test_bars_do_not_make_pictures_alike(shots: tuple[Shot, Shot]) -> None:
    first, second = shots
    frames = [(first if t < 25 else second)(t) for t in range(50)]
    assert _starts(_found([cv2.copyMakeBorder(f, 0, 0, 70, 70, 0) for f in frames])) == [25]


def test_a_long_stretch_is_looked_at_in_parts(
    shots: tuple[Shot, Shot], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two dissolves in pictures that change all the time: the same in parts of any size."""
    first, second = shots
    frames = [first(t) for t in range(40)]
    for way in ((first, second), (second, first)):
        for k in range(20):
            share = (k + 1) / 21
            mixed = cv2.addWeighted(way[0](k), 1 - share, way[1](k), share, 0)
            frames.append(np.asarray(mixed, np.uint8))
        frames += [way[1](t) for t in range(20, 35)]
    whole = _found(frames)
    assert len(_starts(whole)) == 0 and (whole < 0).sum() > 30
    for number in (MIXED, MIXED - 1):  # two dissolves are no shot of one number
        assert len(ranges_of(whole == number)) == 1
    for part in (3, 10, 33):
        monkeypatch.setattr(dissolves, "_PART", part)
        np.testing.assert_array_equal(_found(frames), whole)


@pytest.mark.parametrize("size", [(720, 1280), (33, 32), (101, 407), (1920, 1080), (20, 50)])
def test_a_thumbnail_is_the_mean_of_each_part(size: tuple[int, int]) -> None:
    cv2 = pytest.importorskip("cv2")
    picture = np.random.default_rng(1).integers(0, 256, (*size, 3)).astype(np.uint8)
    picture[: size[0] // 2] = 255
    expected = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(int)
    apart = np.abs(thumbnail(picture).astype(int) - expected)
    assert apart.max() <= 1
    assert apart.mean() < 0.02
