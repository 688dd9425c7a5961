"""A photo in motion: exact track, untouched background, straight lines, nearer before farther."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.face.camera import pose, project
from gsmooth_core.portrait.animate import Animation, animated_track
from gsmooth_core.portrait.layers import Layers, layers_of
from gsmooth_core.portrait.sheet import Sheet, sheet_of
from gsmooth_core.portrait.warp import within
from gsmooth_core.storage.arrays import load_track, save_track
from tests.portrait import scene


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    return sheet_of(scene.still(), scene.face_model())


@pytest.fixture(scope="module")
def layers(sheet: Sheet) -> Layers:
    parted = layers_of(scene.photo(), sheet.face.astype(np.float32), sheet.face, sheet.wide)
    assert parted is not None
    return parted


def test_a_head_at_rest_is_the_photo(sheet: Sheet, layers: Layers) -> None:
    for one in (None, layers):
        animation = Animation(scene.photo(), sheet, scene.motion((0, 0, 0)), layers=one)
        assert np.array_equal(animation.frame(0), scene.photo())


@pytest.mark.parametrize("turn", [(6, 0, 0), (0, -8, 0), (0, 0, 7), (-5, 7, 3)])
def test_what_is_far_from_the_head_keeps_every_bit(sheet: Sheet, layers: Layers, turn) -> None:
    moved = Animation(scene.photo(), sheet, scene.motion(turn), layers=layers).frame(0)
    changed = (moved != scene.photo()).any(-1)
    rows, columns = np.nonzero(sheet.face)
    assert changed[sheet.face].mean() > 0.5
    far = np.ones_like(changed)
    reach = int(1.05 * sheet.wide)
    far[max(0, rows.min() - reach) : rows.max() + reach,
        max(0, columns.min() - reach) : columns.max() + reach] = False  # fmt: skip
    assert not changed[far].any()
    outside = layers.alpha == 0
    around = Animation(scene.photo(), sheet, scene.motion((0, 0, 0)), layers=layers)
    assert not (around.frame(0) != scene.photo())[outside].any()


@pytest.mark.parametrize("turn", [(5, 0, 0), (0, 6, 0), (0, 0, -6), (3, -5, 4)])
def test_the_face_is_where_the_track_says(sheet: Sheet, turn) -> None:
    """The mesh in its own colours, posed by the track, is what the moved photo shows."""
    animation = Animation(scene.photo(), sheet, scene.motion(turn))
    track = animated_track(scene.still(), sheet, animation.motion)
    posed = replace(track, rotation=track.rotation, translation=track.translation)
    model = scene.face_model()
    truth = drawn(posed)
    seen = project(pose(model.mean, track.rotation[0], track.translation[0]), scene.FOCAL, 260, 300)
    middle = seen[model.mean[:, 2] > 0.15, :2].astype(int)
    moved = animation.frame(0).astype(float)
    at = middle[:, 1], middle[:, 0]
    unmoved = np.abs(scene.photo().astype(float)[at] - truth[at]).mean()
    assert np.abs(moved[at] - truth[at]).mean() < min(6, 0.35 * unmoved)


def drawn(track) -> np.ndarray:
    """The portrait's mesh in its own colours in another pose."""
    from gsmooth_core.face.rasterizer import rasterize

    model = scene.face_model()
    seen = project(
        pose(model.mean, track.rotation[0], track.translation[0]), scene.FOCAL, 260, 300
    ).astype(np.float32)
    colours = (0.5 + 0.4 * np.sin(model.mean * 5)).astype(np.float32)
    return 255 * rasterize(seen, model.faces.astype(np.int32), colours, 300, 260).image


def test_landmarks_move_with_the_mesh(sheet: Sheet) -> None:
    track = animated_track(scene.still(), sheet, scene.motion((0, 0, 0), (4, -6, 3)))
    model = scene.face_model()
    camera = pose(model.mean, track.rotation[1], track.translation[1])
    wanted = project(model.landmarks(camera), scene.FOCAL, 260, 300)[:, :2]
    sure = model.landmark_weight > 0.5
    apart = np.linalg.norm(track.landmarks[1] - wanted, axis=1)[sure]
    assert np.median(apart) < 0.5
    assert np.percentile(apart, 95) < 2.0
    np.testing.assert_allclose(track.landmarks[0], scene.still().landmarks[0], atol=0.05)


def test_a_track_has_the_motions_rate_and_its_blinks(sheet: Sheet) -> None:
    track = animated_track(scene.still(), sheet, scene.motion((0, 0, 0), (1, 0, 0), blink=0.7))
    assert len(track) == 2
    assert track.fps == Fraction(30)
    eye = track.expression_names.index("eyeBlinkLeft")
    assert track.expression[:, eye] == pytest.approx([0.7, 0.7])
    assert track.usable.all()
    assert np.abs(track.rotation[0] - scene.still().rotation[0]).max() < 1e-5


def test_a_track_is_whole_whatever_is_known_of_the_photo(sheet: Sheet, tmp_path: Path) -> None:
    known = {"shot": np.zeros(1, np.int32), "people": np.ones((1, 2), bool)}
    area = np.int32([[0, 4, scene.still().width, scene.still().height - 6]])
    still = replace(scene.still(), exposed=np.full(1, 0.9, np.float32), area=area, **known)
    track = animated_track(still, sheet, scene.motion((0, 0, 0), (1, 0, 0), (2, 0, 0)))
    save_track(tmp_path / "track.safetensors", track)
    read = load_track(tmp_path / "track.safetensors")
    assert len(read) == 3
    assert read.area.tolist() == area.tolist() * 3  # the photo's border stays as it is


def test_stripes_behind_a_turning_head_stay_straight(sheet: Sheet, layers: Layers) -> None:
    turning = scene.motion((0, 8, 0))
    one = Animation(scene.photo(), sheet, turning).frame(0).astype(int)
    two = Animation(scene.photo(), sheet, turning, layers=layers).frame(0).astype(int)
    behind = (layers.alpha == 0) & (np.arange(300)[:, None] < 150)
    bent, straight = (np.abs(frame - scene.photo())[behind].mean() for frame in (one, two))
    assert straight < 0.4 * bent


def test_a_matte_that_knows_no_face_parts_nothing(sheet: Sheet) -> None:
    nothing = np.zeros(sheet.face.shape, np.float32)
    assert layers_of(scene.photo(), nothing, sheet.face, sheet.wide) is None


class Shut:
    """Eyes that are painted black when they close."""

    def at(self, amount: float, _turn: np.ndarray) -> np.ndarray:
        picture = scene.photo().copy()
        picture[100:110, 110:150] = 0 if amount > 0.5 else picture[100:110, 110:150]
        return picture


def test_eyes_close_without_moving_the_head(sheet: Sheet) -> None:
    frame = Animation(scene.photo(), sheet, scene.motion((0, 0, 0), blink=1.0), Shut()).frame(0)
    assert not frame[100:110, 110:150].any()
    frame[100:110, 110:150] = scene.photo()[100:110, 110:150]
    assert np.array_equal(frame, scene.photo())


def test_what_the_photo_cuts_off_is_drawn_out_and_never_mirrored() -> None:
    """Rows that lie 5 pixels too high at the top edge: a stretch by less than two, in order."""
    places = np.arange(100)
    source = np.repeat((places - 5.0)[:, None], 30, 1).astype(np.float32)
    found = within(source, places, 100, np.ones_like(source, bool))
    assert found[0] == pytest.approx(0, abs=1e-4)
    steps = np.diff(found, axis=0)
    assert steps.min() > 0.4
    np.testing.assert_array_equal(found[30:], source[30:])


def test_a_photo_that_covers_itself_is_not_drawn_out() -> None:
    places = np.arange(40)
    source = np.repeat((places * 0.9 + 2)[:, None], 20, 1).astype(np.float32)
    np.testing.assert_array_equal(within(source, places, 100, np.ones_like(source, bool)), source)
