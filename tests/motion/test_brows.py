"""Brows as one curve: out of a track's shapes, into curves, and along with stitched pieces."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.face.curves import LOWERS, RAISES
from gsmooth_core.motion.brows import brow_curve, with_brows
from gsmooth_core.motion.library import load_library, motion_library, save_library
from gsmooth_core.motion.stitch import MotionSettings, stitched
from gsmooth_core.types import Expression
from tests.motion import made

NAMES = ("jawOpen", *RAISES, *LOWERS)
FPS = Fraction(25)


def tracked(up: np.ndarray, down: np.ndarray, raised: float = 0.0):
    """A track whose brows all rise by `up` (T,) and sink by `down`, from a raised rest."""
    still = made.track(np.zeros((len(up), 3)), np.zeros((len(up), 3)))
    values = np.zeros((len(up), len(NAMES)), np.float32)
    values[:, 1:4], values[:, 4:] = (raised + up)[:, None], down[:, None]
    return replace(still, expression_names=NAMES, expression=values)


def test_what_a_track_shows_is_found_and_given_back():
    wave = 0.3 * np.sin(np.arange(100) / 8)
    track = tracked(np.maximum(wave, 0), np.maximum(-wave, 0), raised=0.2)
    curve = brow_curve(track)
    assert np.abs(curve - (wave - np.median(wave))).max() < 0.05
    still = Expression(NAMES, np.zeros((100, 6), np.float32), FPS)
    again = with_brows(still, curve)
    assert np.abs(brow_curve(replace(track, expression=again.values)) - curve).max() < 0.06
    assert not again.values[:, 0].any()
    assert not ((again.values[:, 1] > 0) & (again.values[:, 4] > 0)).any()


def test_frames_without_a_face_are_bridged_and_other_models_have_none():
    track = tracked(np.linspace(0, 0.5, 40), np.zeros(40))
    confidence, broken = track.confidence.copy(), track.expression.copy()
    confidence[15:25], broken[15:25] = 0, 5
    gone = replace(track, confidence=confidence, expression=broken)
    assert np.abs(brow_curve(gone) - brow_curve(track)).max() < 0.03
    bare = replace(track, expression_names=("a", *NAMES[1:5], "b"))
    assert not brow_curve(bare).any()
    assert not brow_curve(replace(track, confidence=0 * confidence)).any()


def test_curves_stay_between_0_and_1_and_brows_within_what_speech_does():
    high = Expression(NAMES, np.full((3, 6), 0.9, np.float32), FPS)
    far = with_brows(high, np.array([5.0, -5.0, 0.0], np.float32))
    assert far.values.max() <= 1
    assert np.array_equal(far.values[2], high.values[2])
    low = with_brows(replace(high, values=0 * high.values), np.array([5.0, -5.0, 0.01]))
    assert low.values[0, 1] == pytest.approx(0.7, abs=0.01)
    assert low.values[1, 4] == pytest.approx(0.7, abs=0.01)
    assert low.values[2, 1] == pytest.approx(0.01, rel=0.01)


def test_brows_go_with_the_pieces_of_a_head():
    """Brows that rise as the head nods do so in what is stitched, whichever way it is mirrored."""
    library = made.library()
    library = replace(library, brow=library.motion[:, 0] * 3)
    for seed in range(4):
        motion = stitched(np.ones(400, np.float32), FPS, MotionSettings(seed), library)
        assert np.corrcoef(motion.brow, motion.turn[:, 0])[0, 1] > 0.95
        assert abs(motion.brow[0]) < 0.02
        assert abs(motion.brow[-1]) < 0.02
    still = stitched(np.ones(400, np.float32), FPS, MotionSettings(3, brows=0), library)
    assert not still.brow.any()
    assert np.array_equal(still.turn, motion.turn)


def test_a_library_keeps_them_and_an_older_one_has_none(tmp_path):
    library = made.library()
    save_library(tmp_path / "new.safetensors", library, {})
    again = load_library(tmp_path / "new.safetensors")
    assert np.abs(again.brow - library.brow).max() < 1e-3
    assert motion_library().brow.std() > 0.1
