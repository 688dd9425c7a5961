"""Brows carried in a frame, held against the same head drawn with such brows."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.face.curves import BROWS
from gsmooth_core.taft.brows import BrowMover, with_filmed_brows
from gsmooth_core.taft.moving import MovingBrows
from gsmooth_core.taft.translated import Translated
from gsmooth_core.types import Expression
from tests.taft import scene

RAISED = ("browInnerUp", "browOuterUpLeft", "browOuterUpRight")
LOWERED = ("browDownLeft", "browDownRight")


@pytest.fixture(scope="module")
def clip():
    return scene.track(6)


def asked(clip, names, by=0.8, frames=(2, 3)):
    target = clip.expression.copy()
    for name in names:
        target[list(frames), clip.expression_names.index(name)] += by
    return target


class Passing:
    """Makes nothing of frames but a red corner, and reads two of them ahead."""

    def __init__(self):
        self.closed = False

    def looks_at(self, index):
        return [(0, 0, index, 1)]

    def translate_all(self, frames):
        waiting = []
        try:
            for _, frame in frames:
                waiting.append(frame)
                if len(waiting) > 2:
                    yield self.made(waiting.pop(0))
            while waiting:
                yield self.made(waiting.pop(0))
        finally:
            self.closed = True

    def made(self, frame):
        new, mask = frame.copy(), np.zeros(frame.shape[:2], bool)
        new[-1, -1], mask[-1, -1] = (255, 0, 0), True
        return frame, Translated(new, mask, np.zeros_like(mask))


def translated(clip, target, frames):
    mover = BrowMover(clip, scene.face_model(), target)
    return MovingBrows(Passing(), [mover]).translate_all(frames)


def moved(clip, target, frame=2):
    ((given, made),) = translated(clip, target, [(frame, scene.picture(clip, frame))])
    return given, made


def apart(one, other, where):
    return float(np.sqrt(((one.astype(float) - other)[where] ** 2).mean()))


@pytest.mark.parametrize("names", [RAISED, LOWERED, ("browDownLeft",)])
def test_brows_come_to_lie_where_the_mesh_has_them(clip, names):
    target = asked(clip, names)
    given, made = moved(clip, target)
    truth = scene.picture(clip, 2, target[2])
    far = np.abs(truth.astype(int) - given).max(2) > 4  # the drawing's own difference
    assert far.sum() > 100
    assert apart(made.frame, truth, far) < 0.45 * apart(given, truth, far)
    assert made.mask[far].mean() > 0.98


def test_what_lies_elsewhere_is_the_frame_bit_by_bit(clip):
    given, made = moved(clip, asked(clip, BROWS))
    assert np.array_equal(made.frame[~made.mask], given[~made.mask])
    rows = np.flatnonzero(made.mask[:-1].any(1))
    assert rows.max() < clip.height / 2 + 20  # brows and forehead: the mouth is not touched
    assert made.mask.mean() < 0.2


def test_frames_whose_brows_are_as_filmed_pass(clip):
    target = asked(clip, RAISED)
    target[4] += 5e-4  # rounding
    target[5, clip.expression_names.index("jawOpen")] += 0.3
    mover = BrowMover(clip, scene.face_model(), target)
    assert mover.moved.tolist() == [False, False, True, True, False, False]
    frames = [(n, scene.picture(clip, n)) for n in range(6)]
    for number, (frame, made) in enumerate(translated(clip, target, frames)):
        assert frame is frames[number][1]
        assert (made.mask.sum() > 1) == (number in (2, 3))
        assert made.mask[-1, -1]
        assert made.frame[-1, -1].tolist() == [255, 0, 0]
        assert len(made.lays) == (number in (2, 3))
        assert not made.hidden.any()


def test_what_the_mouth_is_made_of_knows_nothing_of_brows(clip):
    target = asked(clip, BROWS)
    target[1, clip.expression_names.index("jawOpen")] = 0.9
    curves = Expression(clip.expression_names, target, clip.fps)
    kept = with_filmed_brows(curves, clip)
    brows = [clip.expression_names.index(name) for name in BROWS]
    others = np.delete(np.arange(target.shape[1]), brows)
    assert np.array_equal(kept[:, brows], clip.expression[:, brows])
    assert np.array_equal(kept[:, others], target[:, others])


def test_who_stops_stops_what_lies_below(clip):
    below = Passing()
    mover = BrowMover(clip, scene.face_model(), asked(clip, RAISED))
    frames = MovingBrows(below, [mover])
    assert frames.looks_at(7) == [(0, 0, 7, 1)]
    made = frames.translate_all((n, scene.picture(clip, n)) for n in range(6))
    next(made)
    made.close()
    assert below.closed


@pytest.mark.parametrize("distance", [0.0, -1e-3, 3.0])
def test_a_track_that_cannot_be_moves_nothing(clip, distance):
    away = clip.translation.copy()
    away[:, 2] = distance
    mover = BrowMover(
        scene.replace(clip, translation=away), scene.face_model(), asked(clip, RAISED)
    )
    assert mover.carried(2) is None


def test_without_a_face_nothing_moves(clip):
    gone = scene.without_face(clip, 2)
    mover = BrowMover(gone, scene.face_model(), asked(clip, RAISED))
    assert mover.moved.tolist() == [False, False, False, True, False, False]


def test_pictures_as_they_are_stored_get_the_same(clip):
    """A part in floating point is carried as its bytes are, but for rounding."""
    given, made = moved(clip, asked(clip, RAISED))
    (overlay,) = made.lays
    x0, y0, x1, y1 = overlay.box
    part, changed = overlay.over(given[y0:y1, x0:x1].astype(np.float32))
    assert part.dtype == np.float32
    assert np.abs(part - made.frame[y0:y1, x0:x1]).max() <= 0.51
    assert np.array_equal(changed, made.mask[y0:y1, x0:x1])


def test_a_face_at_the_edge_of_the_picture_is_moved_as_far_as_it_is_seen(clip):
    away = clip.translation.copy()
    away[:, 1] += 1.2  # brows above the picture's edge
    cut = scene.replace(clip, translation=away)
    given, made = moved(cut, asked(cut, RAISED))
    assert isinstance(made, Translated)
    assert made.frame.shape == given.shape


def test_brows_that_go_on_moving_do_so_evenly(clip):
    """Twice the edit is twice the way, to a part of a pixel."""
    half, whole = (
        BrowMover(clip, scene.face_model(), asked(clip, RAISED, by)).carried(2) for by in (0.4, 0.8)
    )
    ways = []
    for one in (half, whole):
        y, _ = np.mgrid[0 : one.at.shape[0], 0 : one.at.shape[1]]
        ways.append(np.abs(one.at[..., 1] - y).max())
    assert ways[1] == pytest.approx(2 * ways[0], rel=0.1)
    assert ways[1] > 2
