"""What is kept of a clip that was read is what a second pass over it would show of its face."""

from __future__ import annotations

import gc
import shutil
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.job.kept import KeptPictures, _around
from gsmooth_core.mafb.crop import crop_transforms, window
from gsmooth_core.taft.finish import skin
from gsmooth_core.taft.lending.shelf import Shelf
from gsmooth_core.types import FrameSource, Image
from tests.taft import scene

FRAMES = 16


class Clip:
    """A clip that counts what is read of it."""

    def __init__(self) -> None:
        self.pictures = list(scene.pictures(scene.track(FRAMES)))
        self.read: list[int] = []
        self.closed = False

    def __call__(self, index: int) -> Image:
        self.read.append(index)
        return self.pictures[index]

    def close(self) -> None:
        self.closed = True

    @contextmanager
    def opened(self) -> Iterator[FrameSource]:
        yield self


def kept_of(clip: Clip, wanted: list[int], **options: int) -> KeptPictures:
    asked = np.isin(np.arange(FRAMES), wanted)
    kept = KeptPictures(scene.track(FRAMES), scene.face_model(), asked, **options)
    with kept.watched(clip.opened)() as source:
        for frame in range(FRAMES):
            assert source(frame) is clip.pictures[frame]  # who reads it sees all of it
    return kept


@pytest.mark.parametrize("size", [256, 512])
def test_a_crop_of_what_was_kept_is_that_of_the_frame(size: int) -> None:
    clip = Clip()
    kept, track = kept_of(clip, list(range(FRAMES))), scene.track(FRAMES)
    for frame, transform in enumerate(crop_transforms(track, scene.face_model(), size)):
        picture, under = kept.picture(frame), window(transform, size, track.area_of(frame))
        assert picture is not None
        np.testing.assert_array_equal(under.part(picture), under.part(clip.pictures[frame]))
        assert not picture[0].any() or not under.box[1]  # the rest is not kept


def test_grain_sees_the_same_in_what_was_kept() -> None:
    """Two pictures in a row, the second one where the face has moved to."""
    clip, track = Clip(), scene.track(FRAMES)
    kept = kept_of(clip, list(range(FRAMES)))
    pairs = []
    for source in (Clip(), kept.first(Clip())):
        looked = skin.SkinPairs(track, scene.face_model(), source)
        for frame in range(FRAMES - 1):
            looked(frame)
        pairs.append(looked._pairs)
    assert len(pairs[0]) == len(pairs[1]) > 0
    for own, again in zip(*pairs, strict=True):
        assert own.frame == again.frame and own.box == again.box
        np.testing.assert_array_equal(own.first, again.first)
        np.testing.assert_array_equal(own.second, again.second)


def test_however_a_head_turns_the_crop_before_has_room_where_the_face_has_moved_to() -> None:
    dice = np.random.default_rng(4)
    height, width, turn = 1500, 2000, dice.uniform(-0.6, 0.6, 30)
    scale, middle = dice.uniform(0.5, 1.2, 30), dice.uniform(600, 900, (30, 2))
    linear = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * scale
    linear = np.moveaxis(linear, -1, 0)
    offset = 128 - np.einsum("tij,tj->ti", linear, middle)
    transforms = np.concatenate([linear, offset[..., None]], 2).astype(np.float32)
    following = np.minimum(np.arange(1, 31), 29)
    moved = np.rint(skin._movement(transforms, following))
    boxes = _around(transforms, width, height)
    for frame in range(1, 30):
        own, before = (
            np.array(window(transforms[n], 256, (0, 0, width, height)).box).reshape(2, 2)
            for n in (frame, frame - 1)
        )
        low, high = boxes[frame].reshape(2, 2)
        for first, last in (own, before + moved[frame - 1]):
            assert (low <= first).all() and (last <= high).all()
        most = 2 + np.maximum(np.ptp(own, 0), np.ptp(before, 0)) + 2 * 3
        assert (high - low <= most + 2).all()  # and no more room than that


def test_only_what_was_not_kept_is_read_again() -> None:
    kept, again = kept_of(Clip(), [2, 3, 7]), Clip()
    with closing(kept.first(again)) as frames:
        for frame in (1, 2, 3, 7, 9):
            assert frames(frame).shape == again.pictures[frame].shape
    assert again.read == [1, 9] and again.closed


def test_where_there_is_no_room_nothing_is_kept() -> None:
    kept = kept_of(Clip(), [2, 3, 7], room=1000)
    assert all(kept.picture(frame) is None for frame in range(FRAMES))


def test_where_the_disk_is_full_memory_is_not_filled(tmp_path: Path) -> None:
    clip, track = Clip(), scene.track(FRAMES)
    every = np.ones(FRAMES, bool)
    kept = KeptPictures(track, scene.face_model(), every, tmp_path / "not there")
    with kept.watched(clip.opened)() as source:
        assert all(source(frame) is clip.pictures[frame] for frame in range(FRAMES))
    assert all(kept.picture(frame) is None for frame in range(FRAMES))


def test_a_disk_that_fills_up_gets_its_room_back(tmp_path: Path, monkeypatch) -> None:
    """Others write their results beside it."""
    clip, track, written = Clip(), scene.track(FRAMES), []
    own = Shelf._written

    def full_soon(shelf: Shelf, picture: np.ndarray) -> int:
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        written.append(own(shelf, picture))
        return written[-1]

    monkeypatch.setattr(Shelf, "_written", full_soon)
    kept = KeptPictures(track, scene.face_model(), np.ones(FRAMES, bool), tmp_path)
    first = weakref.ref(kept._shelf)
    with kept.watched(clip.opened)() as source:
        for frame in range(FRAMES):
            source(frame)
    assert len(written) == 3
    assert all(kept.picture(frame) is None for frame in range(FRAMES))
    gc.collect()
    assert first() is None  # and with it its file


def test_a_disk_with_little_room_is_left_alone(tmp_path: Path, monkeypatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=100_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    clip, track = Clip(), scene.track(FRAMES)
    kept = KeptPictures(track, scene.face_model(), np.ones(FRAMES, bool), tmp_path)
    with kept.watched(clip.opened)() as source:
        source(0)
    assert kept.picture(0) is None
