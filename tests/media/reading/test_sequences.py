"""Numbered images in and out, every sample compared by PyAV."""

from __future__ import annotations

import errno
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from gsmooth_core.errors import InputError, MediaError
from gsmooth_core.media.encoding.coding import kept_by_images
from gsmooth_core.media.encoding.encode import container_for
from gsmooth_core.media.encoding.frames import ImageFolder
from gsmooth_core.media.pictures.decode import read_frames, read_planes
from gsmooth_core.media.pictures.images import first_number, image_target, sequence
from gsmooth_core.media.pictures.planes import Planes, layout_of
from gsmooth_core.media.pictures.tone import Tone, to_light, to_screen
from gsmooth_core.media.reading.description import Picture
from gsmooth_core.media.reading.probe import probe_source
from gsmooth_core.media.reading.sequences import pack, sequence_of
from tests.media import made

COUNT, WIDTH, HEIGHT = 5, 48, 32
KINDS = {
    "png": "rgb24",
    "png16": "rgba64be",
    "tif": "rgb48le",
    "exr": "gbrapf32le",
    "jpg": "yuvj444p",
    "dpx": "gbrp10le",
}


def _images(folder: Path, kind: str, first: int = 1001) -> Path:
    suffix = kind.removesuffix("16")
    pattern = folder / f"shot.%04d.{suffix}"
    noise = np.random.default_rng(0).integers(0, 255, (COUNT, HEIGHT, WIDTH, 4), np.uint8)
    made.ffmpeg(
        *("-f", "rawvideo", "-pix_fmt", "rgba", "-video_size", f"{WIDTH}x{HEIGHT}", "-i", "pipe:0"),
        *("-pix_fmt", KINDS[kind], "-strict", "unofficial", "-start_number", first, pattern),
        stdin=noise.tobytes(),
    )
    return pattern


def _planes(path: Path) -> list[list[bytes]]:
    with av.open(str(path)) as file:
        return [[bytes(plane) for plane in frame.planes] for frame in file.decode(video=0)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_packed_sequence_has_the_samples_of_its_images(kind: str, tmp_path: Path) -> None:
    pattern, target = _images(tmp_path, kind), tmp_path / "sequence_1001.mov"
    found = sequence_of(pattern)
    assert found is not None
    assert (found.first, found.count, found.digits) == (1001, COUNT, 4)
    pack(found, target, Fraction(24000, 1001), shown_as_video=False)
    single = [_planes(found.path(place))[0] for place in range(COUNT)]
    assert _planes(target) == single
    clip = probe_source(target).clip
    assert (clip.frame_count, clip.fps) == (COUNT, Fraction(24000, 1001))
    assert (first_number(target), first_number(target, 3)) == (1001, 1004)


def test_a_folder_and_a_first_file_mean_their_sequence(tmp_path: Path) -> None:
    pattern = _images(tmp_path, "png")
    (tmp_path / "notes.txt").write_text("x")
    assert sequence_of(tmp_path) == sequence_of(pattern)
    assert sequence_of(tmp_path / "shot.1001.png") is None  # a photo
    assert sequence_of(tmp_path / "shot.1003.png", numbered=True) == sequence_of(pattern)


def test_what_is_no_whole_sequence_is_refused_by_name(tmp_path: Path) -> None:
    pattern = _images(tmp_path, "png")
    with pytest.raises(InputError, match="no images"):
        sequence_of(tmp_path / "other.%04d.png")
    (tmp_path / "shot.1002.png").rename(tmp_path / "else.1002.png")
    with pytest.raises(InputError, match=r"1 *: 1002|1002"):
        sequence_of(pattern)
    (tmp_path / "else.1003.png").write_bytes(b"")
    with pytest.raises(InputError, match="2 sequences"):
        sequence_of(tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="no numbered images"):
        sequence_of(empty)


def test_dates_for_numbers_are_a_gap_that_is_told_at_once(tmp_path: Path) -> None:
    """Whoever listed all that is missing would run out of memory."""
    for name in ("IMG_1.png", "IMG_2.png", "IMG_20240101123456.png"):
        (tmp_path / name).touch()
    with pytest.raises(InputError, match=r"missing \(20240101123453: 3, 4, 5, 6, 7\)"):
        sequence_of(tmp_path)


def test_images_of_two_sizes_or_damaged_ones_are_refused(tmp_path: Path) -> None:
    pattern = _images(tmp_path, "png")
    found = sequence_of(pattern)
    assert found is not None
    made.ffmpeg("-f", "lavfi", "-i", "color=s=20x20", "-frames:v", 1, found.path(3))
    with pytest.raises(MediaError, match=r"shot\.1004\.png' is 20 x 20"):
        pack(found, tmp_path / "s.mov", Fraction(25), shown_as_video=True)
    found.path(3).write_bytes(b"no image")
    with pytest.raises(MediaError, match="damaged"):
        pack(found, tmp_path / "s.mov", Fraction(25), shown_as_video=True)


def test_a_percent_in_a_name_is_only_a_character(tmp_path: Path) -> None:
    folder = tmp_path / "50%d of"
    folder.mkdir()
    _images(tmp_path, "png")
    for path in tmp_path.glob("shot*.png"):
        path.rename(folder / path.name.replace("shot.", "a%x_"))
    found = sequence_of(folder)
    assert found is not None
    pack(found, tmp_path / "s.mov", Fraction(25), shown_as_video=True)
    assert probe_source(tmp_path / "s.mov").clip.frame_count == COUNT


def test_exr_becomes_exr_bit_by_bit(tmp_path: Path) -> None:
    found = sequence_of(_images(tmp_path, "exr"))
    assert found is not None
    packed = tmp_path / "sequence_1001.mov"
    pack(found, packed, Fraction(25), shown_as_video=False)
    source = probe_source(packed)
    assert kept_by_images(source, Path("o.exr")).depth == 32
    folder = ImageFolder(tmp_path / "segment", source.picture, ".exr")
    for planes in read_planes(source.clip):
        bright = planes.copy()
        bright.planes[0][0, 0] = 37.5
        folder.write(bright)
    folder.close()
    target = tmp_path / "out" / "o.%04d.exr"
    with sequence(target, sorted((tmp_path / "segment").iterdir()), 1001):
        pass
    for place in range(COUNT):
        old, (new,) = _planes(found.path(place)), _planes(tmp_path / f"out/o.{1001 + place}.exr")
        expected = np.frombuffer(old[0][0], "<f4").copy()
        expected[0] = 37.5
        assert np.array_equal(np.frombuffer(new[0], "<f4"), expected)
        assert new[1:] == old[0][1:]


def test_video_becomes_light_and_light_video(tmp_path: Path) -> None:
    folder = ImageFolder(tmp_path / "s", Picture(4, 2, "yuv420p"), ".exr")
    levels = np.arange(8, dtype=np.uint8).reshape(2, 4, 1).repeat(3, 2) * 36
    folder.write(levels)
    folder.close()
    coded = levels[..., 1] / 255
    light = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    with av.open(str(tmp_path / "s" / "00000.exr")) as file:
        frame = next(file.decode(video=0))
    green = np.frombuffer(frame.planes[0], "<f4").reshape(2, -1)[:, :4]
    assert np.abs(green - light).max() < 1e-6
    packed = tmp_path / "sequence_0.mov"
    found = sequence_of(tmp_path / "s" / "%05d.exr")
    assert found is not None
    pack(found, packed, Fraction(25), shown_as_video=True)
    (back,) = read_frames(probe_source(packed).clip)
    assert np.abs(back.astype(int) - levels).max() <= 1


def test_light_is_shown_to_networks_as_screens_show_it() -> None:
    picture = Picture(2, 2, "gbrpf32le", transfer="linear", depth=32)
    tone, light = Tone.of(picture), np.linspace(0, 4, 50, dtype=np.float32)
    assert not tone.plain
    assert np.allclose(tone.up(tone.down(light)), light, atol=1e-4)
    assert tone.down(np.float32([0.2140]))[0] == pytest.approx(0.5, abs=1e-3)
    assert np.allclose(to_light(to_screen(light)), light, atol=1e-4)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_and_alpha_stay_in_images(suffix: str, tmp_path: Path) -> None:
    picture = Picture(6, 4, "gbrap16le", depth=16, alpha=True)
    layout = layout_of(picture)
    assert layout is not None
    noise = np.random.default_rng(2).integers(0, 65535, (4, 4, 6), np.uint16)
    folder = ImageFolder(tmp_path / "s", picture, suffix)
    folder.write(Planes(layout, tuple(noise)))
    folder.close()
    with av.open(str(tmp_path / "s" / f"00000{suffix}")) as file:
        frame = next(file.decode(video=0))
    kind = ">u2" if frame.format.name.endswith("be") else "<u2"
    rgba = np.frombuffer(frame.planes[0], kind).reshape(4, -1)[:, :24].reshape(4, 6, 4)
    assert np.array_equal(np.moveaxis(rgba, 2, 0), noise[[2, 0, 1, 3]])


def test_names_of_outputs() -> None:
    assert image_target(Path("a/b.exr")) == (Path("a"), "b_%05d.exr")
    assert image_target(Path("a/b.%04d.tif")) == (Path("a"), "b.%04d.tif")
    assert image_target(Path("a/b")) == (Path("a/b"), "%05d.png")
    assert not container_for(Path("x.jpg")).video
    assert first_number(Path("film.mov"), 3) == 0


@pytest.mark.parametrize("names", [("0099", "100"), ("1", "01"), ("08", "9"), ("7", "008")])
def test_images_that_are_numbered_in_two_ways_are_refused(names: tuple[str, ...], tmp_path: Path):
    for number in names:
        (tmp_path / f"s.{number}.png").write_bytes(b"x")
    with pytest.raises(InputError, match="numbered in two ways"):
        sequence_of(tmp_path / "s.%04d.png")


@pytest.mark.parametrize("names", [("8", "9", "10"), ("098", "099", "100"), ("99", "100")])
def test_numbers_that_outgrow_their_digits_are_one_sequence(names: tuple[str, ...], tmp_path: Path):
    for number in names:
        (tmp_path / f"s.{number}.png").write_bytes(b"x")
    found = sequence_of(tmp_path)
    assert found is not None
    assert [found.path(place).name for place in range(found.count)] == [
        f"s.{number}.png" for number in names
    ]


@pytest.mark.parametrize("keep", [True, False])
def test_parts_of_one_sequence_do_not_take_each_other_s_place(keep: bool, tmp_path: Path) -> None:
    images = sorted(_images(tmp_path, "png").parent.glob("shot.*"))
    output = tmp_path / "out" / "new.%04d.png"
    for first in (1010, 1005):
        with sequence(output, images, first, keep=keep):
            pass
    numbers = [int(path.suffixes[0][1:]) for path in sorted(output.parent.iterdir())]
    assert numbers == list(range(1005, 1015 if keep else 1010))


def test_a_folder_that_may_not_be_read_has_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", refused)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        sequence_of(tmp_path)
