"""Still images stand for any number of frames."""

from __future__ import annotations

import struct
from dataclasses import replace
from importlib import import_module
from itertools import islice

import cv2
import numpy as np
import PIL.Image
import pytest

from gsmooth_core.errors import MediaError
from gsmooth_core.media import probe, read_frames
from gsmooth_core.media.reading import description
from tests.media.made import number_in, numbered_frames


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """Put an EXIF block with an orientation tag behind the start-of-image marker."""
    tiff = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    exif = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


def test_a_still_is_one_frame_that_repeats(tmp_path):
    path = tmp_path / "still.png"
    picture = numbered_frames(1, first=37)[0]
    cv2.imwrite(str(path), picture[..., ::-1])
    clip = probe(path)
    assert (clip.still, clip.frame_count, clip.fps) == (True, 1, 25)
    frames = list(read_frames(clip, 10, 5))
    assert len(frames) == 5
    assert all(np.array_equal(frame, picture) for frame in frames)
    frames[0][:] = 0
    assert number_in(frames[1]) == 37


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_exif_orientation_is_applied(tmp_path, orientation, turns):
    picture = numbered_frames(1, first=5)[0]
    jpeg = cv2.imencode(".jpg", picture[..., ::-1])[1].tobytes()
    path = tmp_path / "photo.jpg"
    path.write_bytes(with_orientation(jpeg, orientation))
    clip = probe(path)
    expected = np.rot90(picture, turns)
    assert (clip.height, clip.width) == expected.shape[:2]
    got = next(read_frames(clip)).astype(int)
    assert np.abs(got - expected).mean() < 4


@pytest.mark.parametrize("mode", ["gray", "alpha", "16 bit"])
def test_any_depth_and_channels(tmp_path, mode):
    picture = numbered_frames(1)[0]
    stored = {
        "gray": picture[..., 0],
        "alpha": np.dstack([picture[..., ::-1], np.full(picture.shape[:2], 9, np.uint8)]),
        "16 bit": picture[..., ::-1].astype(np.uint16) * 257,
    }[mode]
    path = tmp_path / "p.png"
    cv2.imwrite(str(path), stored)
    expected = np.repeat(picture[..., :1], 3, 2) if mode == "gray" else picture
    assert np.abs(next(read_frames(probe(path))).astype(int) - expected).max() <= 1


def test_content_decides_not_the_suffix(tmp_path):
    path = tmp_path / "picture.mp4"
    path.write_bytes(cv2.imencode(".png", numbered_frames(1)[0])[1].tobytes())
    assert probe(path).still


def test_damaged_image(tmp_path):
    path = tmp_path / "half.png"
    data = cv2.imencode(".png", numbered_frames(1)[0])[1].tobytes()
    path.write_bytes(data[:40])
    with pytest.raises(MediaError, match="damaged"):
        probe(path)


def test_frames_of_a_still_stream(tmp_path):
    path = tmp_path / "s.png"
    cv2.imwrite(str(path), numbered_frames(1)[0])
    assert len(list(islice(read_frames(probe(path), 0, 10**9), 3))) == 3


@pytest.mark.parametrize("ending", ["gif", "avif", "webp"])
def test_one_picture_of_a_kind_that_could_move_is_a_still(tmp_path, ending):
    path = tmp_path / f"photo.{ending}"
    picture = numbered_frames(1, first=37)[0]
    PIL.Image.fromarray(picture).save(path, quality=95)
    clip = probe(path)
    assert (clip.still, clip.frame_count, clip.fps) == (True, 1, 25)
    frames = list(read_frames(clip, 0, 3))
    assert [number_in(frame) for frame in frames] == [37, 37, 37]
    assert np.abs(frames[0].astype(int) - picture).mean() < 6


def test_a_gif_that_moves_is_a_clip(tmp_path):
    path = tmp_path / "moving.gif"
    first, *others = [PIL.Image.fromarray(picture) for picture in numbered_frames(4)]
    first.save(path, save_all=True, append_images=others, duration=40)
    clip = probe(path)
    assert (clip.still, clip.frame_count) == (False, 4)


def test_a_photo_in_tiles_is_refused_with_what_to_do(tmp_path, monkeypatch):
    """As phones store large ones: dozens of small pictures, of which only one would be seen."""
    path = tmp_path / "photo.avif"
    PIL.Image.fromarray(numbered_frames(1)[0]).save(path)
    whole = description.describe(path)
    tiles = replace(whole, streams=whole.streams * 12)
    monkeypatch.setattr(
        import_module("gsmooth_core.media.reading.probe"), "describe", lambda path: tiles
    )
    with pytest.raises(MediaError, match="many tiles") as refused:
        probe(path)
    assert "JPEG" in refused.value.hint
