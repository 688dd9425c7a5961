"""Long clips a few frames at a time: the same to the bit as all frames at once."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.face import shading
from gsmooth_core.face.camera import rotation_matrix
from gsmooth_core.face.landmarks import NOSE_BASE, SKIN
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.tracking import lighting
from gsmooth_core.tracking.blocks import BLOCK, blocks
from gsmooth_core.tracking.fitting.basis import landmark_basis
from gsmooth_core.tracking.fitting.fit import observe
from gsmooth_core.tracking.fitting.lips import ClosedLips
from gsmooth_core.tracking.fitting.projection import Camera
from gsmooth_core.tracking.fitting.sequence import rigid_pose, unwrap
from gsmooth_core.tracking.following.follow import LandmarkTrack
from gsmooth_core.tracking.following.found import FollowedFace, FoundFaces
from gsmooth_core.tracking.occlusion import _foreign_share, hidden_share
from gsmooth_core.tracking.people.people import People, Person
from gsmooth_core.tracking.people.sightings import Sighting
from gsmooth_core.tracking.track import finish_track, fit_person, with_people
from gsmooth_core.types import Bool, Clip, FaceTrack, Float, Image
from tests.tracking.synthetic import HEIGHT, WIDTH, landmarks, truth

FRAMES = 2 * BLOCK + 1


@pytest.fixture(scope="module")
def model() -> MorphableModel:
    return load_face_model()


@pytest.fixture(scope="module")
def seen(model: MorphableModel) -> LandmarkTrack:
    """Upside down for a while around the first edge of blocks, and away around the second."""
    made = truth(model, FRAMES)
    rotation = made.rotation.copy()
    some = slice(BLOCK - 20, BLOCK + 20)
    rotation[some] = np.float32([0, 0, np.pi]) + 0.02 * np.sin(np.arange(40))[:, None]
    track = landmarks(model, replace(made, rotation=rotation), noise=0.5)
    track.points[2 * BLOCK - 3 : 2 * BLOCK] = np.nan
    return track


@pytest.fixture(scope="module")
def colours() -> Image:
    rng = np.random.default_rng(0)
    level = 110 + 30 * np.sin(np.arange(FRAMES) / 20)[:, None, None]
    values = level * np.array([1.2, 0.9, 0.7]) + rng.normal(0, 25, (FRAMES, len(SKIN), 3))
    return np.clip(values, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def usable() -> Bool:
    return np.arange(FRAMES) % 7 != 3


@pytest.mark.parametrize("count", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK])
def test_every_frame_is_in_one_block(count: int) -> None:
    parts = [np.arange(count)[some] for some in blocks(count)]
    assert np.concatenate([*parts, []]).tolist() == list(range(count))
    assert all(0 < len(part) <= BLOCK for part in parts)


@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_a_median_level_is_the_median_of_the_values(colours: Image, count: int) -> None:
    some = colours[:count]
    expected = np.median(some.astype(np.float32) / 255, axis=0)
    np.testing.assert_array_equal(lighting.median_level(some), expected)


def test_hidden_share_is_that_of_all_frames_at_once(
    model: MorphableModel, colours: Image, usable: Bool
) -> None:
    values = colours.astype(np.float32) / 255
    places = model.landmarks(model.mean)
    lower = places[SKIN, 1] < places[NOSE_BASE, 1]
    own = np.median(values[usable], axis=0)
    foreign = _foreign_share(colours, own, lower, places[SKIN, 0])
    assert np.ptp(foreign) > 0.05
    np.testing.assert_array_equal(hidden_share(colours, usable, model), foreign)


def _track(model: MorphableModel, usable: Bool) -> FaceTrack:
    made = truth(model, FRAMES)
    return FaceTrack(
        width=WIDTH,
        height=HEIGHT,
        fps=Fraction(25),
        model=model.name,
        focal=made.focal,
        identity=made.identity,
        expression_names=model.expression_names,
        expression=made.expression,
        rotation=3 * made.rotation,  # far enough that skin turns away
        translation=made.translation,
        light=np.ones((FRAMES, 9, 3), np.float32),
        confidence=usable.astype(np.float32),
        landmarks=np.zeros((FRAMES, 478, 2), np.float32),
    )


def test_light_is_that_of_all_frames_at_once(
    model: MorphableModel, colours: Image, usable: Bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = _track(model, usable)
    values = colours.astype(np.float32) / 255
    albedo = np.maximum(np.median(values[usable], axis=(0, 1)), 0.02)
    normals = model.landmarks(shading.vertex_normals(model.template(track.identity), model.faces))
    normals = normals[SKIN] / np.linalg.norm(normals[SKIN], axis=-1, keepdims=True)
    expected = track.light.copy()
    for t in np.flatnonzero(usable):
        turned = normals @ rotation_matrix(track.rotation[t : t + 1])[0].T
        place = track.translation[t]
        facing = turned @ (-place / np.linalg.norm(place)) > 0.25
        if facing.sum() >= 30:
            expected[t] = shading.estimate_light(turned[facing], values[t, facing], albedo)
    monkeypatch.setattr(lighting, "_smooth", lambda light, *_: light)
    light = lighting.estimate(track, np.zeros(FRAMES, np.int32), model, colours)
    np.testing.assert_allclose(light, expected, atol=1e-4)


def test_poses_are_those_of_single_frames(model: MorphableModel, seen: LandmarkTrack) -> None:
    basis, camera = landmark_basis(model), Camera(1500.0, WIDTH, HEIGHT)
    observed = observe(seen, model, basis, ClosedLips()).part(slice(None))
    shape: Float = np.broadcast_to(basis.mean, (FRAMES, *basis.mean.shape))
    single = [
        rigid_pose(shape[:1], observed.part(slice(t, t + 1)), basis.weight, camera)
        for t in range(FRAMES)
    ]
    expected = np.concatenate(single)
    assert np.linalg.norm(np.diff(expected[:, :3], axis=0), axis=1).max() > 5  # two forms of a turn
    expected[:, :3] = unwrap(expected[:, :3])
    found = rigid_pose(shape, observed, basis.weight, camera)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_part_is_that_of_a_whole_copy(model: MorphableModel, seen: LandmarkTrack) -> None:
    """Gaps of closed lips are of the whole clip, and are taken from copies."""
    before, basis, lips = seen.points.copy(), landmark_basis(model), ClosedLips()
    observed = observe(seen, model, basis, lips)
    points = seen.points[:, basis.index].astype(np.float64)
    upper, lower = basis.pairs.T
    across = (points[:, upper] - points[:, lower])[..., :2]
    gap = 100 * np.linalg.norm(across, axis=-1) / observed.size[:, None]
    low = np.quantile(gap[observed.present], lips.quantile, axis=0)
    closed = np.where(low > lips.open, lips.usual, np.minimum(low, lips.most))
    closed = np.maximum(closed, 0.05)
    beyond = np.maximum(gap - closed, 0)
    wanted = beyond + closed * (1 - np.exp(-beyond / (lips.taper * closed)))
    share = (0.5 * (1 - wanted / np.maximum(gap, 1e-6)))[..., None]
    points[:, upper, :2] -= share * across
    points[:, lower, :2] += share * across
    for frames in (slice(BLOCK - 2, BLOCK + 2), np.array([3, 2 * BLOCK - 2, 2 * BLOCK])):
        part = observed.part(frames)
        np.testing.assert_allclose(part.points, points[frames], atol=1e-3)
        np.testing.assert_array_equal(part.scores, observed.scores[frames])
        np.testing.assert_array_equal(part.present, observed.present[frames])
    np.testing.assert_array_equal(seen.points, before)


def test_what_is_worked_out_between_takes_no_memory_by_the_frame(
    model: MorphableModel, seen: LandmarkTrack, colours: Image, usable: Bool
) -> None:
    """Of eight times as many frames: little for each one more, which holds 6 kB of landmarks."""
    basis, track = landmark_basis(model), _track(model, usable)

    def peak(times: int) -> int:
        def longer(value: np.ndarray) -> np.ndarray:
            return np.concatenate([value] * times)

        names = ("rotation", "translation", "light", "confidence", "expression", "landmarks")
        long = replace(track, **{name: longer(getattr(track, name)) for name in names})
        followed = LandmarkTrack(*(longer(getattr(seen, n)) for n in seen.__dataclass_fields__))
        many, shot = longer(colours), followed.shot
        tracemalloc.start()
        observe(followed, model, basis, ClosedLips())
        hidden_share(many, long.usable, model)
        lighting.estimate(long, shot, model, many)
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    peak(1)  # what is cached
    grown = (peak(8) - peak(1)) / (7 * FRAMES)
    assert grown < 1500


def _kept(seen: LandmarkTrack, colours: Image, frames: int, folder: Path) -> People:
    """One person who was followed, in a file; the faces of `seen` again and again."""
    sighting = Sighting(found=FoundFaces(folder))
    for frame in range(frames):
        t = frame % len(seen)
        if np.isfinite(seen.points[t]).all():
            face = FollowedFace(seen.points[t], seen.scores[t], float(seen.presence[t]))
            sighting.keep(frame, face, colours[t])
    return People((Person(1, (sighting,)),), np.zeros(frames, np.int32))


def test_who_is_kept_in_a_file_is_fitted_as_in_memory(
    model: MorphableModel, seen: LandmarkTrack, colours: Image, tmp_path: Path
) -> None:
    clip = Clip(Path("made.mp4"), WIDTH, HEIGHT, Fraction(25), FRAMES)
    people = _kept(seen, colours, FRAMES, tmp_path)
    found = fit_person(people, people.people[0], clip, model)
    there = np.isfinite(seen.points).all((1, 2))
    black = np.where(there[:, None, None], colours, 0).astype(np.uint8)
    blank = np.where(there[:, None], seen.scores, 0).astype(np.float32)
    presence = np.where(there, seen.presence, 0).astype(np.float32)
    followed = replace(seen, scores=blank, presence=presence, shot=people.shot)
    alone = finish_track(followed, black, clip, model)
    expected = with_people(alone, people, people.people[0])
    for name in ("identity", "expression", "rotation", "translation", "light", "confidence"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    np.testing.assert_array_equal(found.landmarks, seen.points[..., :2])


def test_whoever_is_followed_lies_in_a_file(
    seen: LandmarkTrack, colours: Image, tmp_path: Path
) -> None:
    """A frame has 5.9 kB of landmarks and scores; its colours, scores and number are in memory."""

    def peak(times: int) -> int:
        tracemalloc.start()
        people = _kept(seen, colours, times * FRAMES, tmp_path)
        landmarks, skin = people.track(people.people[0])
        assert skin is not None and len(skin) == len(landmarks) == times * FRAMES
        for some in blocks(len(landmarks)):
            assert landmarks.points[some].shape[1:] == (478, 3)
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    peak(1)  # what is cached
    assert (peak(8) - peak(2)) / (6 * FRAMES) < 1500
