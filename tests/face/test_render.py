"""The posed mesh in its crop: masks, visibility, and the points it has in other frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gsmooth_core.face import mouth_light, render
from gsmooth_core.face.morphable import DUBBED_REGIONS, MOUTH_REGIONS, Region
from gsmooth_core.mafb.blend import face_mask
from gsmooth_core.mafb.crop import crop_transforms
from tests.taft import scene

SIZE = 256


@pytest.fixture(scope="module")
def clip():
    return scene.track()


@pytest.fixture(scope="module")
def surface(clip):
    return render.face_surface(scene.face_model(), clip.identity)


def posed(surface, clip, frame: int, expression: np.ndarray | None = None) -> render.Posed:
    transforms = crop_transforms(clip, scene.face_model(), SIZE)
    beta = clip.expression[frame] if expression is None else expression
    return render.pose_face(surface, clip, frame, beta, transforms[frame])


def wide_open() -> np.ndarray:
    names = scene.face_model().expression_names
    return np.eye(len(names), dtype=np.float32)[names.index("jawOpen")]


@pytest.mark.parametrize("shape", [(7, 9), (12,), (0, 4), (2, 3, 4)])
def test_regions_are_among_wanted_ones_as_numpy_says(shape: tuple[int, ...]) -> None:
    regions = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    wanted = (*MOUTH_REGIONS, Region.LIPS)
    for given in (regions, regions.T):  # lying in any order
        found = render.among(given, wanted)
        assert found.dtype == bool
        np.testing.assert_array_equal(found, np.isin(given, wanted))


def test_the_surface_is_the_face_of_the_model(clip, surface) -> None:
    model = scene.face_model()
    assert not np.isin(surface.regions, (Region.EARS, Region.NECK, Region.HEAD)).any()
    dubbed = int(model.in_regions(*DUBBED_REGIONS).sum())
    assert int(np.isin(surface.regions, DUBBED_REGIONS).sum()) == dubbed
    whole = {tuple(v) for v in np.round(model.template(clip.identity), 5).tolist()}
    assert all(tuple(v) in whole for v in np.round(surface.template[::97], 5).tolist())


def test_a_surface_is_cut_out_once_for_a_model_and_a_person(clip) -> None:
    model, other = scene.face_model(), clip.identity + np.float32(0.5)
    first, theirs = (render.face_surface(model, who) for who in (clip.identity, other))
    assert render.face_surface(model, clip.identity.copy()) is first
    assert render.face_surface(replace(model), clip.identity) is not first  # another model
    np.testing.assert_array_equal(theirs.template, render._cut_out(model, other).template)
    assert np.abs(theirs.template - first.template).max() > 0.01


def test_a_drawn_face_is_lit_and_labelled(clip, surface) -> None:
    face = render.draw_face(surface, posed(surface, clip, 3, wide_open()), SIZE, clip.light[3]).face
    assert np.array_equal(face.mask, np.isfinite(face.depth))
    assert np.array_equal(face.mask, face.region != render.NOTHING)
    assert (face.image[~face.mask] == 0).all()
    skin = face.image[face.region == Region.SKIN]
    assert skin.min() > 0.2
    inside = np.isin(face.region, MOUTH_REGIONS)
    assert inside.sum() > 100
    assert face.image[inside].mean() < 0.7 * skin.mean()


def from_everywhere() -> np.ndarray:
    light = np.zeros((9, 3), np.float32)
    light[0] = np.sqrt(4 * np.pi)  # so that a colour is the albedo
    return light


def facing(face: render.Posed, towards: float) -> render.Posed:
    """The same with every normal towards the camera, or away from it."""
    normals = -towards * face.camera / np.linalg.norm(face.camera, axis=1, keepdims=True)
    return replace(face, normals=normals.astype(np.float32))


@pytest.mark.parametrize("jaw", [0.2, 1.0])
def test_a_mouth_has_the_light_that_falls_between_its_teeth(clip, surface, jaw: float) -> None:
    """Vertex by vertex: half of it as deep as the mouth is high, and the skin has all of it."""
    face = facing(posed(surface, clip, 3, jaw * wide_open()), 1)
    opened = jaw * (wide_open() @ surface.basis.reshape(len(surface.basis), -1)).reshape(-1, 3)
    teeth = surface.regions == Region.TEETH
    height = np.ptp((surface.template + opened)[teeth, 1]) - np.ptp(surface.template[teeth, 1])
    assert height == pytest.approx(0.27 * jaw, abs=0.05 * jaw)
    lips = face.seen[surface.regions == Region.LIPS, 2].mean()
    drawn = render._lit(surface, face, from_everywhere())
    for region in (Region.TEETH, Region.TONGUE, Region.SKIN):
        at = surface.regions == region
        behind = np.maximum(face.seen[at, 2] - lips - 0.05, 0)
        assert np.ptp(behind) > 0.3
        light = 1 / (1 + (behind / (0.06 + height)) ** 2)
        light = light if region in MOUTH_REGIONS else np.ones(at.sum())
        albedo = surface.albedo[at][0]
        np.testing.assert_allclose(drawn[at], light[:, None] * albedo, atol=0.01)


def test_what_turns_away_inside_a_mouth_is_lit_by_its_walls(clip, surface) -> None:
    there = posed(surface, clip, 3, wide_open())
    towards, away = (render._lit(surface, facing(there, t), from_everywhere()) for t in (1, -1))
    inside = surface.inside_mouth & (towards[:, 0] > 0.01)
    np.testing.assert_allclose(away[inside] / towards[inside], 0.6, atol=0.02)
    np.testing.assert_allclose(away[~surface.inside_mouth], towards[~surface.inside_mouth])


def test_lips_that_roll_in_are_no_black_line(clip, surface) -> None:
    """In light from the camera alone, which what looks into the mouth has none of."""
    light = from_everywhere() / 2
    light[2] = light[0] / np.sqrt(3)  # from 0 behind to twice the mean in front
    there = posed(surface, clip, 3, wide_open())
    front, side = (render._lit(surface, facing(there, t), light) for t in (1, -0.99))
    lips = surface.regions == Region.LIPS
    assert (side[lips] > 0.6 * front[lips]).all()
    skin = surface.regions == Region.SKIN
    assert side[skin].max() < 0.1 * front[skin].max()
    own = there.normals[lips]
    turned = mouth_light.turned_out(own, np.float32([0, 0, 1]))
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(turned[own[:, 2] > 0.6], own[own[:, 2] > 0.6], atol=1e-5)
    assert turned[:, 2].min() > 0.3


def test_behind_the_lips_their_red_goes_on(clip, surface) -> None:
    face = facing(posed(surface, clip, 3, wide_open()), 1)
    drawn = render._lit(surface, face, from_everywhere())
    wall = surface.regions == Region.INNER_MOUTH
    lips = surface.regions == Region.LIPS
    behind = face.seen[:, 2] - face.seen[lips, 2].mean()
    near, deep = wall & (behind < 0.05), wall & (behind > 0.3) & (surface.cheek == 0)
    assert near.sum() > 20
    np.testing.assert_allclose(drawn[near], np.broadcast_to(drawn[lips][0], drawn[near].shape),
                               atol=0.02)  # fmt: skip
    assert drawn[deep].max() < 0.15


@pytest.mark.parametrize("frame", [0, 4, 8])
def test_the_mask_covers_lips_and_chin_of_old_and_new_face(clip, surface, frame: int) -> None:
    size, faces = SIZE, [posed(surface, clip, frame), posed(surface, clip, frame, wide_open())]
    drawn = [render.draw_face(surface, face, size, None) for face in faces]
    mask = face_mask(drawn[0].dubbed | drawn[1].dubbed)
    for face, drawing in zip(faces, drawn, strict=True):
        assert mask[drawing.face.region == Region.LIPS].all()
        assert mask[np.isin(drawing.face.region, MOUTH_REGIONS)].all()
        lower = surface.regions == Region.LOWER_FACE
        chin = face.seen[lower][face.camera[lower][:, 1].argmin()]
        assert mask[int(chin[1]), int(chin[0])]
    assert not mask[drawn[0].face.region == Region.EYES].any()


def test_what_is_replaced_is_the_moving_part_of_the_lower_face(clip, surface) -> None:
    drawing = render.draw_face(surface, posed(surface, clip, 2), SIZE, None)
    lower = np.isin(drawing.face.region, DUBBED_REGIONS)
    assert not (drawing.dubbed & ~lower).any()
    assert drawing.dubbed.sum() > 0.3 * lower.sum()
    columns = np.flatnonzero(drawing.dubbed.any(0)), np.flatnonzero(lower.any(0))
    assert columns[0].min() >= columns[1].min()
    assert columns[0].max() <= columns[1].max()


@pytest.mark.parametrize("turn", [-0.5, 0.0, 0.5])
def test_the_sides_of_the_outline_stay_the_frames_own(clip, surface, turn: float) -> None:
    turned = replace(clip, rotation=np.tile(np.float32([0, turn, 0]), (len(clip), 1)))
    face = posed(surface, turned, 0)
    drawing = render.draw_face(surface, face, SIZE, None)
    y, x = np.nonzero(drawing.dubbed)
    for row in np.unique(y)[:: max(1, len(np.unique(y)) // 8)]:
        outline = np.flatnonzero(drawing.face.mask[row])
        chin = row > face.seen[surface.regions == Region.LIPS, 1].max()
        if not chin:
            margin = 0.06 * len(outline)
            assert x[y == row].min() > outline.min() + margin
            assert x[y == row].max() < outline.max() - margin


def test_covered_is_what_is_replaced_and_what_may_be_hidden(clip, surface) -> None:
    face = posed(surface, clip, 6)
    drawing = render.draw_face(surface, face, SIZE, None)
    assert not (drawing.dubbed & ~render.covered(surface, face, SIZE, whole=False)).any()
    assert np.array_equal(render.covered(surface, face, SIZE, whole=True), drawing.face.mask)


def test_the_mouth_is_seen_only_when_it_is_open(clip, surface) -> None:
    teeth = surface.regions == Region.TEETH
    shut = posed(surface, clip, 0, np.zeros(len(clip.expression_names), np.float32))
    closed, opened = (
        render.visibility(surface, face, SIZE)[0]
        for face in (shut, posed(surface, clip, 0, wide_open()))
    )
    assert closed[teeth].max() == 0
    assert opened[teeth].max() == 1
    assert closed[surface.inside_mouth].mean() < 0.02
    assert opened[surface.inside_mouth].mean() > 0.1


def test_skin_that_is_turned_away_is_not_visible(clip, surface) -> None:
    face = posed(surface, clip, 0)
    seen, covered = render.visibility(surface, face, SIZE)
    assert np.array_equal(covered, render.covered(surface, face, SIZE, whole=True))
    nose = np.argmax(surface.template[:, 2])
    assert seen[nose] > 0.5
    behind = (surface.regions == Region.SKIN) & (surface.template[:, 2] < -0.55)
    assert seen[behind].mean() < 0.3


def test_values_are_drawn_where_the_vertices_are(clip, surface) -> None:
    face = posed(surface, clip, 5)
    drawing = render.draw_face(surface, face, SIZE, None, face.seen[:, :2].copy())
    y, x = np.nonzero(drawing.face.mask)
    assert np.abs(drawing.values[y, x] - np.stack([x + 0.5, y + 0.5], 1)).max() < 0.05


@pytest.mark.parametrize("frame", [0, 5])
def test_replaced_faces_are_those_of_plain_numpy(clip, surface, frame: int) -> None:
    at = posed(surface, clip, frame)
    view = -at.camera.mean(0)
    view -= (view @ at.up) * at.up
    level = at.normals - (at.normals @ at.up)[:, None] * at.up
    away = np.linalg.norm(level, axis=1) - level @ (view / np.linalg.norm(view))
    wanted = (surface.reach > 0.2 + 0.9 * away.clip(0, 1))[surface.faces].all(1)
    found = render.dubbed_faces(surface, at)
    assert 0.05 < wanted.mean() < 0.95
    assert np.mean(found != wanted) < 1e-3
