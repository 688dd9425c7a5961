"""The surface of a photo: the head is rigid, what is far from it rests."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from gsmooth_core.face.camera import pose, project
from gsmooth_core.face.morphable import MOUTH_REGIONS, Region
from gsmooth_core.face.rasterizer import rasterize
from gsmooth_core.face.shading import vertex_normals
from gsmooth_core.motion.head import ATLAS, CARRIED, matrix_turns, turn_matrices
from gsmooth_core.portrait.sheet import Sheet, rigid, sheet_of
from tests.portrait import scene


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    return sheet_of(scene.still(), scene.face_model())


def front() -> np.ndarray:
    """Some points of the face that look at the camera, in camera space."""
    track, model = scene.still(), scene.face_model()
    skin = np.flatnonzero(model.in_regions(Region.SKIN) & (model.mean[:, 2] > 0.1))
    return pose(model.mean[skin][::40], track.rotation[0], track.translation[0])


def test_nodes_at_rest_are_seen_where_they_are(sheet: Sheet) -> None:
    seen = sheet.moved(np.zeros(3), np.zeros(3))
    np.testing.assert_allclose(seen[:, :2], sheet.pixels, atol=1e-2)


def test_the_surface_lies_on_the_face(sheet: Sheet) -> None:
    points = front()
    pixels = project(points, scene.FOCAL, scene.WIDTH, scene.HEIGHT)[:, :2]
    assert len(points) > 30
    apart = np.linalg.norm(sheet.at(pixels) - points, axis=1)
    assert np.median(apart) < 0.02
    assert apart.max() < 0.13  # beside the nose, whose slope is limited


def test_the_head_turns_as_a_rigid_body_about_the_atlas(sheet: Sheet) -> None:
    """Against the mesh itself, turned in model space."""
    turn, shift = np.deg2rad([5.0, -8.0, 4.0]), np.array([0.05, -0.1, 0.2])
    track = scene.still()
    atlas = pose(np.array([ATLAS]), track.rotation[0], track.translation[0])[0]
    matrix = turn_matrices(turn[None])[0]
    points = front()
    wanted = project((points - atlas) @ matrix.T + atlas + shift, scene.FOCAL, 260, 300)
    pixels = project(points, scene.FOCAL, scene.WIDTH, scene.HEIGHT)[:, :2]
    step = sheet.pixels[1, 0] - sheet.pixels[0, 0]
    node = np.rint((pixels - sheet.pixels[0]) / step).astype(int)
    index = node[:, 1] * sheet.shape[1] + node[:, 0]
    moved = sheet.moved(turn, shift)[index, :2] - sheet.pixels[index]
    np.testing.assert_allclose(moved, wanted[:, :2] - pixels, atol=1.2)
    assert np.abs(moved).max() > 8


@pytest.mark.parametrize("share", [0.0, CARRIED])
def test_weights_fall_down_the_neck_and_to_nothing(sheet: Sheet, share: float) -> None:
    """Those of turns, and of shifts, which shoulders have in part."""
    weight = (sheet.head + share * sheet.trunk).reshape(sheet.shape)
    track = scene.still()
    chin = pose(np.array([[0.0, -0.8, 0.2]]), track.rotation[0], track.translation[0])
    u, v, _ = project(chin, scene.FOCAL, scene.WIDTH, scene.HEIGHT)[0]
    step = sheet.pixels[1, 0] - sheet.pixels[0, 0]
    column, row = (int((p - o) / step) for p, o in zip((u, v), sheet.pixels[0], strict=True))
    down = weight[row:, column]
    assert down[0] == pytest.approx(1, abs=0.01)
    assert (np.diff(down) <= 1e-3).all()
    assert down[-1] == 0
    assert set(np.unique(weight[[0, -1]])) == {0}
    assert set(np.unique(weight[:, [0, -1]])) == {0}


def test_a_neck_goes_most_of_a_shift_and_does_not_turn_with_its_head(sheet: Sheet) -> None:
    """A fifth of a head below the chin; beside the head, hair goes all the way."""
    rows, columns = np.nonzero(sheet.face)
    chin, middle = rows.max(), columns[rows == rows.max()].mean()
    throat = np.float32([middle, chin + 0.2 * sheet.wide])
    hair = np.float32([columns.min() - 0.15 * sheet.wide, rows.min() + 0.3 * np.ptp(rows)])
    (neck, beside) = (
        int(np.linalg.norm(sheet.pixels - place, axis=1).argmin()) for place in (throat, hair)
    )
    still = np.zeros(3)
    shifted, turned, both = (
        sheet.moved(turn, shift)[:, :2] - sheet.pixels
        for turn, shift in (
            (still, np.array([0.3, 0, 0])),
            (np.deg2rad([0, 0, 8.0]), still),
            (np.deg2rad([0, 0, 8.0]), np.array([0.3, 0, 0])),
        )
    )
    head = shifted[int(np.linalg.norm(sheet.pixels - (middle, rows.mean()), axis=1).argmin()), 0]
    assert 0.5 * head < shifted[neck, 0] < 0.75 * head
    assert shifted[beside, 0] > 0.8 * head  # it lies farther from the camera
    assert np.linalg.norm(turned[neck]) < 0.1 * np.linalg.norm(turned[beside])
    np.testing.assert_allclose(both, shifted + turned, atol=1.5)


def test_shoulders_sway_at_the_photos_lower_edge_and_do_not_turn_there() -> None:
    height = 190
    short = sheet_of(replace(scene.still(), height=height), scene.face_model())
    rows, columns = np.nonzero(short.face)
    assert 0.5 * short.wide < height - rows.max() < 0.65 * short.wide
    low = abs(short.pixels[:, 1] - height) < 1
    low &= abs(short.pixels[:, 0] - columns[rows == rows.max()].mean()) < 0.2 * short.wide
    assert (short.trunk[low] > 0.85).all()
    assert (short.head[low] < 1e-3).all()


def test_shoulders_that_are_known_to_sway_do_so_and_the_head_does_not(sheet: Sheet) -> None:
    """Against a plane at their distance that is moved in space."""
    sway = np.array([0.08, -0.05, 0.2, np.deg2rad(3)], np.float32)
    seen = sheet.moved(np.zeros(3), np.zeros(3), sway)
    below = sheet.trunk > 0.9
    assert below.sum() > 100
    turn = turn_matrices(np.array([[0, 0, sway[3]]], np.float32))[0]
    wanted = (sheet.points[below] - sheet.pivot) @ turn.T + sheet.pivot + sway[:3]
    pixels = project(wanted, scene.FOCAL, scene.WIDTH, scene.HEIGHT)[:, :2]
    whole, moved = (there - sheet.pixels[below] for there in (pixels, seen[below, :2]))
    np.testing.assert_allclose(moved, whole, atol=0.11 * np.abs(whole).max())
    assert np.linalg.norm(whole, axis=1).min() > 2
    rows = np.nonzero(sheet.face)[0]
    assert sheet.pivot[0] == pytest.approx(sheet.points[below, 0].mean(), abs=0.3)
    low = project(sheet.pivot[None], scene.FOCAL, scene.WIDTH, scene.HEIGHT)[0, 1]
    assert rows.max() < low < rows.max() + sheet.wide
    kept = (sheet.head == 1) | ((sheet.head == 0) & (sheet.trunk == 0))
    np.testing.assert_allclose(seen[kept, :2], sheet.pixels[kept], atol=1e-2)
    shift = np.array([0.1, 0.05, 0.1])
    usual = np.append(CARRIED * shift, 0).astype(np.float32)
    turned = np.deg2rad([3.0, 4.0, 2.0])
    np.testing.assert_allclose(
        sheet.moved(turned, shift), sheet.moved(turned, shift, usual), atol=1e-3
    )


@pytest.mark.parametrize("side", [-1, 1])
def test_shoulders_aside_of_a_neck_are_no_hair(sheet: Sheet, side: int) -> None:
    """They go with the trunk alone, though they lie near a jaw's corner."""
    rows, columns = np.nonzero(sheet.face)
    chin, middle = rows.max(), columns[rows == rows.max()].mean()
    place = np.float32([middle + side * 0.45 * sheet.wide, chin + 0.3 * sheet.wide])
    shoulder = int(np.linalg.norm(sheet.pixels - place, axis=1).argmin())
    assert sheet.trunk[shoulder] > 0.95
    assert sheet.head[shoulder] < 0.02


def test_a_shift_tears_and_folds_nothing(sheet: Sheet) -> None:
    """As far as shifts are left as they are: what is between head and what rests is drawn out."""
    spacing = sheet.pixels[sheet.shape[1], 1] - sheet.pixels[0, 1]
    for shift in ((0.2, 0, 0), (0, 0.2, 0), (0, -0.2, 0), (0, 0, 0.2)):
        seen = sheet.moved(np.zeros(3), np.array(shift))[:, :2]
        moved = (seen - sheet.pixels).reshape(*sheet.shape, 2)
        assert all(np.abs(np.diff(moved, axis=axis)).max() < 0.6 * spacing for axis in (0, 1))


def test_hair_beside_the_skull_lies_behind_its_rim_and_comes_back(sheet: Sheet) -> None:
    """Level with the eyes and above the head; not beside the neck, whose depth is its own."""
    rows, columns = np.nonzero(sheet.face)
    level = int(rows.min() + 0.4 * np.ptp(rows))
    left = columns[rows == level].min()
    crown = columns[rows == rows.min()].mean()
    beside = np.float32([[left - w * sheet.wide, level] for w in (0, 0.08, 0.3)])
    above = np.float32([[crown, rows.min() - w * sheet.wide] for w in (0, 0.08, 0.3)])
    for places in (beside, above):
        rim, hair, far = -sheet.at(places)[:, 2]
        assert 0.1 < hair - rim < 0.35
        assert far < hair - 0.1


def test_beside_the_head_no_slope_is_steeper_than_skin_can_be_drawn_over(sheet: Sheet) -> None:
    points = sheet.points.reshape(*sheet.shape, 3)
    near = cv2.dilate(sheet.face.astype(np.uint8), np.ones((9, 9)))
    columns, rows = np.rint(sheet.pixels.T - 0.5).astype(int).reshape(2, *sheet.shape)
    there = (rows >= 0) & (columns >= 0) & (rows < scene.HEIGHT) & (columns < scene.WIDTH)
    free = ~there
    free[there] = near[rows[there], columns[there]] == 0
    assert 0.5 < free.mean() < 0.95
    for axis in (0, 1):
        both = free.take(range(1, free.shape[axis]), axis) & free.take(
            range(free.shape[axis] - 1), axis
        )
        rise = np.abs(np.diff(points[..., 2], axis=axis))[both]
        run = np.abs(np.diff(points[..., axis ^ 1], axis=axis))[both]
        assert (rise < 2.2 * run + 0.01).all()


def turned(sheet: Sheet, turn: np.ndarray) -> np.ndarray:
    """Pitch, yaw and roll that OpenCV finds in a turned photo by all that is seen of the head.

    What faces down is left out: below a chin a photo does not show what the mesh does.
    """
    track, model = scene.still(), scene.face_model()
    camera = pose(model.mean, track.rotation[0], track.translation[0])
    seen = project(camera, scene.FOCAL, scene.WIDTH, scene.HEIGHT).astype(np.float32)
    other = model.in_regions(Region.NECK, *MOUTH_REGIONS)[model.faces].any(1)
    other |= vertex_normals(model.mean, model.faces)[model.faces, 1].mean(1) < -0.5  # its throat
    faces = model.faces.astype(np.int32)
    raster = rasterize(seen, faces, camera.astype(np.float32), scene.HEIGHT, scene.WIDTH)
    rows, columns = np.nonzero(raster.mask & ~other[raster.face_index])
    flip = np.diag([1.0, -1.0, -1.0])
    points = sheet.at(np.stack([columns + 0.5, rows + 0.5], 1).astype(np.float32))
    moved = rigid(points, sheet.joint, turn_matrices(turn[None])[0], np.zeros(3, np.float32))
    where = project(moved, scene.FOCAL, scene.WIDTH, scene.HEIGHT)[:, :2].astype(np.float64)
    lens = np.array(
        [[scene.FOCAL, 0, scene.WIDTH / 2], [0, scene.FOCAL, scene.HEIGHT / 2], [0, 0, 1]]
    )
    solid = (raster.image[rows, columns] @ flip).astype(np.float64)
    start = np.zeros(3), np.zeros(3)
    _, vector, _ = cv2.solvePnP(solid, where, lens, None, *start, useExtrinsicGuess=True)
    return matrix_turns((flip @ cv2.Rodrigues(vector)[0] @ flip)[None])[0]


@pytest.mark.parametrize("axis", range(3))
def test_the_pose_is_found_again_by_the_whole_head(sheet: Sheet, axis: int) -> None:
    for degrees in (-7.0, 7.0):
        turn = np.zeros(3)
        turn[axis] = np.deg2rad(degrees)
        found = turned(sheet, turn)[axis] / turn[axis]
        assert 0.9 < found < 1.1


def test_an_open_mouth_lies_behind_its_lips_and_not_at_the_back_of_the_head() -> None:
    track, model = scene.still(), scene.face_model()
    expression = track.expression.copy()
    expression[0, track.expression_names.index("jawOpen")] = 0.8
    sheet = sheet_of(replace(track, expression=expression), model)
    camera = pose(
        model.shape(track.identity, expression[0]), track.rotation[0], track.translation[0]
    )
    lips = camera[model.in_regions(Region.LIPS)]
    middle = project(lips.mean(0)[None], scene.FOCAL, scene.WIDTH, scene.HEIGHT)[:, :2]
    assert sheet.at(middle.astype(np.float32))[0, 2] == pytest.approx(lips[:, 2].mean(), abs=0.15)


def test_hair_at_the_photos_edge_goes_with_the_head_and_is_not_torn_from_it() -> None:
    track = scene.still()
    high = replace(track, translation=track.translation + np.float32([0, 0.9, 0]))
    sheet = sheet_of(high, scene.face_model())
    rows, columns = np.nonzero(sheet.face)
    top = rows.min()
    assert top < 45
    x = columns[rows < top + 20].mean()
    above = (
        (abs(sheet.pixels[:, 0] - x) < 20) & (sheet.pixels[:, 1] < top) & (sheet.pixels[:, 1] > 0)
    )
    assert above.sum() > 20
    np.testing.assert_allclose(sheet.head[above], 1, atol=1e-5)
    np.testing.assert_allclose(sheet.trunk[above], 0, atol=1e-5)


@pytest.mark.parametrize("edge", [None, 0.12])
@pytest.mark.parametrize("degrees", [-8.0, 8.0])
def test_the_chin_is_neither_drawn_out_nor_torn_when_the_head_nods(
    edge: float | None, degrees: float
) -> None:
    """From above the chin to below it the surface moves evenly, near the photo's edge, too."""
    track = scene.still()
    whole = sheet_of(track, scene.face_model())
    rows, columns = np.nonzero(whole.face)
    chin = columns[rows == rows.max()].mean(), rows.max()
    if edge is not None:  # the photo ends so many widths of the head below the chin
        # The camera looks at the middle of a photo: the same rows stay where they are.
        track = replace(track, height=2 * (int(chin[1] + edge * whole.wide) // 2))
        lower = (scene.HEIGHT - track.height) / 2
        depth = -track.translation[0, 2]
        up = np.float32([0, -lower / scene.FOCAL * depth, 0])
        track = replace(track, translation=track.translation + up)
    cut = sheet_of(track, scene.face_model())
    chin = chin[0], np.nonzero(cut.face)[0].max()
    seen = cut.moved(np.deg2rad([degrees, 0, 0]), np.zeros(3)).reshape(*cut.shape, 3)
    rest = cut.pixels.reshape(*cut.shape, 2)
    column = int(np.abs(rest[0, :, 0] - chin[0]).argmin())
    below = (rest[:, column, 1] - chin[1]) / cut.wide
    near = (below > -0.08) & (below < 0.05)
    moved, below = (seen[..., 1] - rest[..., 1])[near, column], below[near]
    most = np.abs(moved).max()
    assert most > 4
    assert np.ptp(moved[below < 0]) < 0.08 * most
    assert np.abs(np.diff(moved)).max() < 0.3 * most  # nor is there a step below it


@pytest.mark.parametrize("rotation", [(-0.05, 0.1, 0.0), (-0.15, 0.05, 0.05)])
def test_a_jaw_is_one_line_from_its_corner_to_the_chin(rotation: tuple[float, ...]) -> None:
    """At its corner the mesh also shows its throat, far behind: that would be a dent in the jaw."""
    turned = replace(scene.still(), rotation=np.array([rotation], np.float32))
    surface = sheet_of(turned, scene.face_model())
    rows, columns = np.nonzero(surface.face)
    low = rows > rows.max() - 0.28 * surface.wide
    across = np.unique(columns[low])
    rim = np.array([rows[columns == column].max() for column in across])
    depth = -surface.at(np.stack([across, rim], 1) + 0.5)[:, 2]
    assert len(across) > 40
    assert np.abs(np.diff(depth)).max() < 0.1  # decimetres from one pixel to the next


def beside(sheet: Sheet) -> int:
    """The node of the grid that lies left of the temple, where hair stands out."""
    rows, columns = np.nonzero(sheet.face)
    place = np.float32([columns.min() - 0.08 * sheet.wide, rows.min() + 0.3 * np.ptp(rows)])
    return int(np.linalg.norm(sheet.pixels - place, axis=1).argmin())


def test_an_outline_that_turns_stays_as_wide_and_the_face_is_rigid(sheet: Sheet) -> None:
    """Turned to either side: what is left in the mean is of the second order."""
    turn, still = np.deg2rad([0, 9.0, 0]), np.zeros(3)
    both = [sheet.moved(way * turn, still)[:, :2] for way in (1, -1)]
    rigidly = [replace(sheet, outline=0 * sheet.outline).moved(way * turn, still)[:, :2]
               for way in (1, -1)]  # fmt: skip
    joint = project(sheet.joint[None], sheet.focal, *sheet.size)[0, 0]
    rim = beside(sheet)
    away = sheet.pixels[rim, 0] - joint
    narrow, kept = ((a[rim, 0] + b[rim, 0]) / 2 - joint for a, b in (rigidly, both))
    assert narrow / away == pytest.approx(np.cos(turn[1]), abs=0.006)
    assert kept / away == pytest.approx(1, abs=0.006)
    rows, columns = np.nonzero(sheet.face)
    nose = int(np.linalg.norm(sheet.pixels - (columns.mean(), rows.mean()), axis=1).argmin())
    np.testing.assert_array_equal(both[0][nose], rigidly[0][nose])


def test_hair_that_is_known_to_move_does_so_about_the_joint(sheet: Sheet) -> None:
    hair, still = np.array([0.006, 0.004, 0.009, 0.009], np.float32), np.zeros(3)
    seen = sheet.moved(still, still, None, hair)[:, :2]
    rim = beside(sheet)
    unit = sheet.focal / -sheet.points[rim, 2]
    joint = project((sheet.joint * (1, 1, 0) + sheet.points[rim] * (0, 0, 1))[None], sheet.focal,
                    *sheet.size)[0, :2]  # fmt: skip
    way = cv2.getRotationMatrix2D((0, 0), -np.rad2deg(hair[3]), np.exp(hair[2]))[:, :2]
    wanted = joint + way @ (sheet.pixels[rim] - joint) + unit * hair[:2]
    np.testing.assert_allclose(seen[rim], wanted, atol=0.05)
    assert np.linalg.norm(wanted - sheet.pixels[rim]) > 0.8
    torn = sheet.moved(still, still, None, 100 * hair)[rim, :2] - sheet.pixels[rim]
    assert np.linalg.norm(torn) < 2.2 * np.linalg.norm(wanted - sheet.pixels[rim])
    rows, columns = np.nonzero(sheet.face)
    nose = int(np.linalg.norm(sheet.pixels - (columns.mean(), rows.mean()), axis=1).argmin())
    np.testing.assert_allclose(seen[nose], sheet.pixels[nose], atol=1e-2)


def test_a_coarse_surface_is_the_same_one(sheet: Sheet) -> None:
    turn, shift = np.deg2rad([4.0, -6.0, 3.0]), np.array([0.05, 0.02, 0.1])
    coarse = sheet.coarse(3)
    chosen = np.arange(len(sheet.pixels)).reshape(sheet.shape)[::3, ::3].ravel()
    np.testing.assert_array_equal(coarse.moved(turn, shift), sheet.moved(turn, shift)[chosen])
    assert coarse.faces.max() == len(coarse.pixels) - 1
