"""The library's file: whole, or refused by name."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.errors import ModelError
from gsmooth_core.motion.library import KIND, load_library, manner, save_library
from gsmooth_core.storage.arrays import load_arrays, save_arrays
from tests.motion import made


@pytest.fixture
def path(tmp_path):
    target = tmp_path / "motion.safetensors"
    save_library(target, made.library(), {"people": 4})
    return target


def test_what_was_saved_is_read(path):
    saved, found = made.library(), load_library(path)
    np.testing.assert_allclose(found.motion, saved.motion, atol=2e-4)
    np.testing.assert_allclose(found.energy, saved.energy, atol=2e-3)
    np.testing.assert_array_equal(found.begin, saved.begin)
    assert found.clips == 4
    assert load_arrays(path, KIND)[1] == {"about": {"people": 4}}


def test_each_frame_knows_its_clip():
    np.testing.assert_array_equal(made.library().clip_of(), np.repeat(range(4), 600))


def test_a_manner_is_how_far_and_how_fast():
    slow = made.waves(500, 2.0, 1)
    both = manner(slow), manner(np.repeat(slow, 2, axis=0))  # the same, half as fast
    np.testing.assert_allclose(both[0][:3], both[1][:3], atol=0.01)
    assert both[0][3] - both[1][3] == pytest.approx(np.log(2), abs=0.06)
    np.testing.assert_allclose(manner(2 * slow) - manner(slow), np.log(2), atol=0.05)
    manners = made.library().manners()
    assert manners.shape == (4, 4)
    assert (np.diff(manners, axis=0) > 0.3).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("motion", np.zeros((2400, 5), np.float16)),
        ("motion", np.full((2400, 6), np.nan, np.float16)),
        ("motion", np.full((2400, 6), 9.0, np.float16)),
        ("energy", np.zeros(2399, np.uint8)),
        ("energy", np.full(2400, 300, np.int32)),
        ("begin", np.array([0, 600, 500, 2400], np.int32)),
        ("begin", np.array([0, 20, 2400], np.int32)),
        ("begin", np.array([1, 600, 2400], np.int32)),
        ("begin", np.array([0, 600], np.int32)),
        ("begin", np.array([0], np.int32)),
        ("begin", np.array([0, 600.5, 2400])),
        ("more", np.zeros(3)),
        ("energy", None),
    ],
)
def test_what_is_no_library_is_refused(path, name, value):
    arrays, meta = load_arrays(path, KIND)
    arrays |= {name: value}
    save_arrays(path, KIND, {n: a for n, a in arrays.items() if a is not None}, meta)
    with pytest.raises(ModelError):
        load_library(path)
