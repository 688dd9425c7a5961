"""A mouth in a face that moves: as blurred as a camera would have it, along the same way."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

from gsmooth_core.mafb.crop import crop_transforms
from gsmooth_core.taft import translate
from gsmooth_core.taft.compose import Composer
from gsmooth_core.taft.composition import ComposeSettings
from gsmooth_core.taft.finish.sharpness import energies
from gsmooth_core.taft.generators import generator as generators
from gsmooth_core.taft.shutter import Ways, line, movement, smeared
from gsmooth_core.taft.translate import FaceTranslator
from gsmooth_core.types import FaceTrack
from tests.taft import scene
from tests.taft.small import SMALL

SIDE = 128
OPEN = 0.33  # of a picture's time
WAYS = [(6.0, 0.0), (0.0, 3.3), (5.0, -4.0), (1.0, 0.6), (-9.5, 12.25)]
SPEED = 0.25  # decimetres a frame: some 22 pixels of a frame


def texture() -> np.ndarray:
    white = np.random.default_rng(2).standard_normal((SIDE, SIDE, 3))
    return (gaussian_filter(white, (1.2, 1.2, 0)) + 0.5).astype(np.float32)


def exposed(picture: np.ndarray, way: tuple[float, float]) -> np.ndarray:
    """The mean of a picture along a way (x, y), moved by splines."""
    along = np.linspace(-0.5, 0.5, 97)
    moved = (shift(picture, (a * way[1], a * way[0], 0), mode="nearest") for a in along)
    return np.mean(list(moved), 0)


@pytest.mark.parametrize("way", WAYS)
def test_a_line_has_the_moments_of_its_way(way) -> None:
    kernel, true = line(np.array(way)), np.array(way)
    y, x = np.indices(kernel.shape) - len(kernel) // 2
    places = np.stack([x, y], -1).reshape(-1, 2)  # every pixel of the kernel
    weights = kernel.ravel().astype(float)
    assert weights.sum() == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(weights @ places, 0, atol=1e-6)
    spread = np.einsum("n,ni,nj->ij", weights, places, places)
    np.testing.assert_allclose(spread, np.outer(true, true) / 12, atol=0.03 * (true @ true) / 12)


@pytest.mark.parametrize("way", WAYS)
def test_a_part_is_blurred_as_a_shutter_does_it(way) -> None:
    sharp, part, inner = texture(), (20, 30, 100, 110), np.s_[30:110, 20:100]
    true, made = exposed(sharp, way), smeared(sharp.copy(), np.array(way), part)
    outside = np.ones((SIDE, SIDE), bool)
    outside[inner] = False
    np.testing.assert_array_equal(made[outside], sharp[outside])
    before, after = (np.sqrt(np.mean((p - true)[inner] ** 2)) for p in (sharp, made))
    assert after < 0.2 * before
    place = np.zeros((SIDE, SIDE), bool)  # away from what stays sharp
    place[46:94, 36:84] = True
    lost, found, whole = (energies(255 * p.mean(-1), [place])[0] for p in (true, made, sharp))
    np.testing.assert_allclose(found, lost, rtol=0.06)
    assert (lost < 0.97 * whole)[0]


def test_a_short_way_is_none_and_a_long_one_ends() -> None:
    sharp, all_of = texture(), (0, 0, SIDE, SIDE)
    np.testing.assert_array_equal(smeared(sharp.copy(), np.array([0.5, 0.5]), all_of), sharp)
    long, longer = (smeared(sharp.copy(), np.array([n, 0.0]), all_of) for n in (32.0, 300.0))
    np.testing.assert_array_equal(long, longer)


def steady(frames: int = 9) -> tuple[FaceTrack, np.ndarray]:
    """A track, and places in it that move by (3, -2) a picture."""
    return scene.track(frames), np.arange(frames)[:, None] * np.array([3.0, -2.0])


def test_movement_is_that_of_pictures_that_go_together() -> None:
    track, places = steady()
    np.testing.assert_allclose(movement(track, places), np.tile([3, -2], (9, 1)))
    jumped = places + 100 * (np.arange(9) >= 5)[:, None]
    shots = replace(track, shot=np.array([0] * 5 + [1] * 4, np.int32))
    np.testing.assert_allclose(movement(shots, jumped), np.tile([3, -2], (9, 1)))
    mixed = replace(track, shot=np.array([0] * 4 + [-1] + [1] * 4, np.int32))
    np.testing.assert_array_equal(movement(mixed, jumped)[4], 0)
    np.testing.assert_allclose(movement(mixed, jumped)[[3, 5]], [[3, -2]] * 2)
    alone = track.only(np.isin(np.arange(9), [0, 4, 5]))
    found = movement(alone, places)
    np.testing.assert_array_equal(found[[0, 8]], 0)
    np.testing.assert_allclose(found[[4, 5]], [[3, -2]] * 2)


def test_what_comes_to_rest_or_turns_back_moves_less() -> None:
    track = scene.track(4)
    places = np.array([[0.0, 0], [12, 0], [15, 0], [9, 0]])
    np.testing.assert_allclose(movement(track, places), [[12, 0], [6, 0], [0, 0], [-6, 0]])


def test_a_picture_that_is_shown_again_moves_as_before() -> None:
    track, _ = steady()
    numbers = np.array([0, 0, 2, 2, 4, 4, 6, 7, 7], np.int32)
    places = np.unique(numbers, return_inverse=True)[1][:, None] * np.array([3.0, -2.0])
    again = replace(track, picture=numbers)
    np.testing.assert_allclose(movement(again, places), np.tile([3, -2], (9, 1)))


def test_pictures_that_a_job_leaves_out_are_no_neighbours() -> None:
    """As where a clip is played faster: the step over one that is missing is twice as long."""
    numbers = np.array([0, 1, 2, 4, 5, 6, 7, 9], np.int32)
    places = numbers[:, None] * np.array([1.0, 0.0])
    faster = replace(scene.track(8), picture=numbers)
    lengths = np.hypot(*movement(faster, places).T)
    np.testing.assert_allclose(lengths, [1, 1, 1, 1, 1, 1, 1, 0])


def moving(speeds: list[float]) -> FaceTrack:
    """A head that moves sideways by so many decimetres a frame."""
    track = scene.track(len(speeds), still=True)
    translation = track.translation.copy()
    translation[:, 0] += np.cumsum([0.0, *speeds[:-1]])
    return replace(track, translation=translation.astype(np.float32), fps=Fraction(25))


def ways_of(track: FaceTrack, share: float) -> Ways:
    model = scene.face_model()
    own = track.expression
    surface = Composer(track, model, own, None, ComposeSettings(size=256)).surface
    return Ways(track, surface, crop_transforms(track, model, 256), share)


def test_references_that_moved_as_much_are_blurred_already() -> None:
    track = moving([0.0] * 4 + [0.05] * 4 + [0.1] * 6)
    ways = ways_of(track, 0.5)
    scale = float(np.hypot(*crop_transforms(track, scene.face_model(), 256)[11, 0, :2]))
    middle = 0.1 * track.focal / -track.translation[11, 2]  # frame pixels, near enough
    way = ways.beyond(11, ((1, 1.0), (2, 0.3)))
    assert np.hypot(*way) == pytest.approx(0.5 * scale * middle, rel=0.15)
    assert abs(way[1]) < 0.05 * abs(way[0])
    np.testing.assert_allclose(ways.beyond(11, ((10, 1.0), (12, 0.5))), 0, atol=0.05)
    half = ways.beyond(11, ((1, 0.5), (10, 0.5)))
    assert half @ half == pytest.approx(way @ way / 2, rel=0.05)
    slower = ways.beyond(11, ((6, 1.0),))
    assert slower @ slower == pytest.approx(0.75 * (way @ way), rel=0.05)
    np.testing.assert_allclose(ways.beyond(6, ((11, 1.0),)), 0, atol=0.05)
    np.testing.assert_array_equal(ways_of(track, 0).beyond(11, ((1, 1.0),)), 0)


def test_a_new_mouth_is_blurred_as_its_frame_is() -> None:
    still, count = 8, 12
    speeds = [0.0] * still + [SPEED, -SPEED, -SPEED, 0.0]  # on its way back at `fast`
    clip = moving(speeds)
    fast, steps = still + 2, np.linspace(-0.5, 0.5, 9)
    shots = scene.pictures(clip)
    moved = movement(clip, clip.translation[:, :2].astype(np.float64))[fast, 0]
    assert abs(moved) == pytest.approx(SPEED, rel=1e-3)
    truth = np.mean([scene.picture(_beside(clip, fast, OPEN * s * moved), fast) for s in steps], 0)
    shots[fast] = np.rint(truth).astype(np.uint8)
    errors, fine = [], []
    for share in (0.0, OPEN):
        settings = ComposeSettings(grain=False, sharpness=False, shutter=share)
        network = generators.build(SMALL["default"]).eval()
        words = clip.expression
        given = clip, scene.face_model(), words, shots.__getitem__, network, settings, "cpu"
        dub = FaceTranslator(*given)
        made = dub.translate(fast, shots[fast])
        assert not set(made.members) & set(range(still, count))
        mouth = made.hidden
        errors.append(float(np.mean((made.frame - truth)[mouth] ** 2)))
        grey = made.frame.mean(-1, dtype=np.float32)
        fine.append(energies(grey, [mouth])[0] / energies(truth.mean(-1), [mouth])[0])
        np.testing.assert_array_equal(made.frame[~made.mask], shots[fast][~made.mask])
    assert errors[1] < 0.5 * errors[0]
    sharp, blurred = (np.abs(np.log(one))[:2] for one in fine)
    assert (blurred < 0.5 * sharp).all()


def test_frames_that_are_tried_move_as_in_the_dub(monkeypatch) -> None:
    # They are made from a track of single frames, which alone does not tell how they move.
    clip = moving([0.0] * 3 + [SPEED] * 3)
    network, pictures = generators.build(SMALL["default"]).eval(), scene.pictures(clip)
    filmed = ComposeSettings(shutter=OPEN)
    given = clip, scene.face_model(), clip.expression, None, network, filmed, "cpu"
    dub = FaceTranslator(*given)
    dub.read(lambda frame: pictures[min(frame, len(pictures) - 1)])
    alone = clip.only(np.isin(np.arange(len(clip)), [1, 4]))
    monkeypatch.setattr(translate, "rehearsed", lambda composer, make: make(alone))
    lent = ((1, 1.0),)
    np.testing.assert_array_equal(dub.rehearse().ways.beyond(4, lent), dub.ways.beyond(4, lent))
    assert np.hypot(*dub.ways.beyond(4, lent)) > 5


def _beside(clip: FaceTrack, frame: int, by: float) -> FaceTrack:
    translation = clip.translation.copy()
    translation[frame, 0] += by
    return replace(clip, translation=translation)
