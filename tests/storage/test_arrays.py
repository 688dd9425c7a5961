import dataclasses
import stat
from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.errors import InputError, MediaError
from gsmooth_core.storage.arrays import (
    load_arrays,
    load_expression,
    load_track,
    save_arrays,
    save_expression,
    save_track,
)
from gsmooth_core.types import Expression, FaceTrack

NAMES = ("jawOpen", "mouthClose")
FPS = Fraction(30000, 1001)


@pytest.fixture
def curves():
    values = np.random.default_rng(0).random((5, 2)).astype(np.float32)
    return Expression(NAMES, values, FPS)


@pytest.fixture
def track():
    random = np.random.default_rng(1)
    shapes = [(4,), (5, 2), (5, 3), (5, 3), (5, 9, 3), (5,), (5, 478, 2)]
    identity, *rest = (random.normal(size=shape).astype(np.float32) for shape in shapes)
    rest[-2] = np.abs(rest[-2]).clip(0, 1)  # confidence
    return FaceTrack(64, 48, FPS, "face", 100.5, identity, NAMES, *rest)


@pytest.mark.parametrize("suffix", ["safetensors", "json"])
def test_curves_come_back_with_their_exact_rate(curves, tmp_path, suffix):
    path = tmp_path / f"curves é 😀.{suffix}"
    save_expression(path, curves)
    found = load_expression(path)
    assert (found.names, found.fps) == (NAMES, FPS)
    np.testing.assert_allclose(found.values, curves.values, atol=6e-6)


def test_a_track_comes_back_and_is_valid_as_curves(track, tmp_path):
    save_track(tmp_path / "t.safetensors", track)
    found = load_track(tmp_path / "t.safetensors")
    for known in dataclasses.fields(FaceTrack):
        np.testing.assert_array_equal(getattr(found, known.name), getattr(track, known.name))
    spoken = load_expression(tmp_path / "t.safetensors")
    np.testing.assert_array_equal(spoken.values, track.expression)


def test_a_track_keeps_shots_and_people(track, tmp_path):
    shot = np.array([0, 0, -1, 1, 1], np.int32)
    seen = np.array([[1, 0], [1, 0], [0, 0], [0, 1], [1, 1]], bool)
    path = tmp_path / "t.safetensors"
    save_track(path, dataclasses.replace(track, shot=shot, people=seen, person=2))
    found = load_track(path)
    np.testing.assert_array_equal(found.shot, shot)
    np.testing.assert_array_equal(found.people, seen)
    assert (found.shot.dtype, found.people.dtype, found.person) == (np.int32, np.bool_, 2)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"shot": np.zeros(4, np.int32)}, "'shot' has the shape"),
        ({"shot": np.full(5, -2 * 10**9, np.int32)}, "'shot' holds values beyond"),
        ({"people": np.zeros((5, 2), np.int8)}, "'people' holds values of the type"),
        ({"person": 3}, "person"),
    ],
)
def test_shots_and_people_that_cannot_be_are_refused(track, tmp_path, changed, words):
    known = {"shot": np.zeros(5, np.int32), "people": np.zeros((5, 2), bool), "person": 1}
    save_track(tmp_path / "t.safetensors", dataclasses.replace(track, **known | changed))
    with pytest.raises(InputError, match=words):
        load_track(tmp_path / "t.safetensors")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("none.json", None),
        ("none.safetensors", None),
        ("bad.json", b"{"),
        ("other.json", b'{"names": ["a"], "fps": "x", "values": [[1]]}'),
        ("bad.safetensors", b"\x00" * 40),
        ("empty.safetensors", b""),
    ],
)
def test_files_that_are_no_curves_are_refused_in_words(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_expression(tmp_path / name)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("load", "hint"),
    [(load_expression, ".json, .csv or .safetensors"), (load_track, ".safetensors")],
)
def test_another_sort_of_file_is_not_called_damaged(tmp_path, load, hint):
    (tmp_path / "take.mp4").write_bytes(b"\x00\x00\x00\x20ftypisom" + bytes(64))
    with pytest.raises(InputError, match=rf"take\.mp4' is no (curves|track) file.*in {hint}\."):
        load(tmp_path / "take.mp4")


def test_another_kind_and_a_newer_version_are_told_apart(tmp_path, curves):
    save_arrays(tmp_path / "mesh.safetensors", "mesh", {"a": np.zeros(1)}, {})
    with pytest.raises(InputError, match="not a curves file"):
        load_arrays(tmp_path / "mesh.safetensors", "curves")
    save_arrays(tmp_path / "c.safetensors", "curves", {"values": curves.values}, {})
    data = (tmp_path / "c.safetensors").read_bytes()
    (tmp_path / "c.safetensors").write_bytes(data.replace(b'"version":"1"', b'"version":"9"'))
    with pytest.raises(InputError, match="newer"):
        load_arrays(tmp_path / "c.safetensors", "curves")


def test_files_can_be_read_by_others_and_a_missing_folder_is_named(tmp_path, curves):
    save_expression(tmp_path / "c.safetensors", curves)
    mode = (tmp_path / "c.safetensors").stat().st_mode
    plain = tmp_path / "plain"
    plain.touch()
    assert stat.S_IMODE(mode) == stat.S_IMODE(plain.stat().st_mode)
    plain.unlink()
    assert [p.name for p in tmp_path.iterdir()] == ["c.safetensors"]
    with pytest.raises(MediaError):
        save_expression(tmp_path / "no" / "c.safetensors", curves)


def test_a_track_knows_how_much_of_the_skin_it_shows(track, tmp_path):
    exposed = np.linspace(0, 1, 5, dtype=np.float32)
    save_track(tmp_path / "t.safetensors", dataclasses.replace(track, exposed=exposed))
    np.testing.assert_array_equal(load_track(tmp_path / "t.safetensors").exposed, exposed)
    save_track(tmp_path / "t.safetensors", track)
    assert load_track(tmp_path / "t.safetensors").exposed is None


def test_a_track_knows_which_pictures_are_held(track, tmp_path):
    numbers = np.array([0, 0, 1, 2, 2], np.int32)
    save_track(tmp_path / "t.safetensors", dataclasses.replace(track, picture=numbers))
    np.testing.assert_array_equal(load_track(tmp_path / "t.safetensors").pictures, numbers)
    save_track(tmp_path / "t.safetensors", track)
    assert load_track(tmp_path / "t.safetensors").picture is None


def test_a_track_knows_where_bars_end(track, tmp_path):
    area = np.tile(np.int32([0, 20, track.width, track.height - 20]), (5, 1))
    save_track(tmp_path / "t.safetensors", dataclasses.replace(track, area=area))
    found = load_track(tmp_path / "t.safetensors")
    np.testing.assert_array_equal(found.area, area)
    assert found.area_of(2) == (0, 20, track.width, track.height - 20)
    assert track.area_of(2) == (0, 0, track.width, track.height)
    for wrong in (area[:, ::-1], area + np.int32([0, 0, 1, 0]), area[:3]):
        save_track(tmp_path / "t.safetensors", dataclasses.replace(track, area=wrong.copy()))
        with pytest.raises(InputError, match="area"):
            load_track(tmp_path / "t.safetensors")


@pytest.mark.parametrize("name", ["sway", "hair"])
def test_a_track_knows_how_shoulders_and_hair_move(name, track, tmp_path):
    moves = np.linspace(-1, 1, 20, dtype=np.float32).reshape(5, 4)
    save_track(tmp_path / "t.safetensors", dataclasses.replace(track, **{name: moves}))
    np.testing.assert_array_equal(getattr(load_track(tmp_path / "t.safetensors"), name), moves)
    save_track(tmp_path / "t.safetensors", track)
    assert getattr(load_track(tmp_path / "t.safetensors"), name) is None
    save_track(tmp_path / "t.safetensors", dataclasses.replace(track, **{name: moves[:3]}))
    with pytest.raises(InputError, match=name):
        load_track(tmp_path / "t.safetensors")
