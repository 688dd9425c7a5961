"""Masks of occluders come back as they were kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsmooth_core.errors import InputError
from gsmooth_core.mafb.occlusion.occluders import load_occluders, packed, save_occluders
from tests.taft import scene

SIZE = 64


def masks(seed: int, frames: list[int]) -> dict[int, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {frame: rng.random((SIZE, SIZE)) > 0.6 for frame in frames}


@given(st.integers(0, 99), st.lists(st.integers(0, 40), unique=True, max_size=6))
@settings(max_examples=30, deadline=None)
def test_masks_are_kept_bit_by_bit(seed: int, frames: list[int]) -> None:
    given_masks = masks(seed, frames)
    kept = packed(sorted(given_masks.items()), SIZE)
    assert kept.frames.tolist() == sorted(frames)
    for frame in range(42):
        truth = given_masks.get(frame, np.zeros((SIZE, SIZE), bool))
        assert np.array_equal(kept.mask(frame, SIZE), truth)


@pytest.mark.parametrize("frames", [[], [3, 9]])
def test_the_file_holds_them(tmp_path, frames: list[int]) -> None:
    kept = packed(masks(1, frames).items(), SIZE)
    save_occluders(tmp_path / "o.safetensors", kept)
    again = load_occluders(tmp_path / "o.safetensors")
    assert again.size == SIZE
    assert np.array_equal(again.frames, kept.frames)
    assert np.array_equal(again.packed, kept.packed)


def test_another_file_is_refused(tmp_path) -> None:
    (tmp_path / "o.safetensors").write_bytes(b"no")
    with pytest.raises(InputError):
        load_occluders(tmp_path / "o.safetensors")


def test_a_larger_crop_shows_the_same_place() -> None:
    mask = np.zeros((SIZE, SIZE), bool)
    mask[10:30, 20:50] = True
    large = packed([(5, mask)], SIZE).mask(5, 2 * SIZE)
    assert np.array_equal(large, mask.repeat(2, 0).repeat(2, 1))


def test_frames_beside_an_occluder_lend_nothing_either() -> None:
    track = scene.track(12)
    kept = packed([(5, np.ones((SIZE, SIZE), bool))], SIZE)
    assert np.flatnonzero(~kept.unoccluded(track).usable).tolist() == [3, 4, 5, 6, 7]


def test_where_every_face_has_something_before_it_all_must_lend() -> None:
    track = scene.track(12)
    track = replace(track, confidence=np.eye(1, 12, 5, dtype=np.float32)[0])
    kept = packed([(5, np.ones((SIZE, SIZE), bool))], SIZE)
    assert kept.unoccluded(track) is track


@pytest.mark.parametrize(("clean", "alone"), [(3, False), (4, True)])
def test_few_frames_without_it_are_no_clip_to_learn_from(clean: int, alone: bool) -> None:
    """Of 12; the object was missed in them more often than it was away."""
    track, whole = scene.track(12), np.ones((SIZE, SIZE), bool)
    kept = packed([(n, whole) for n in range(clean + 2, 12)], SIZE)
    lent = kept.unoccluded(track)
    assert lent.usable.sum() == (clean if alone else 12)
