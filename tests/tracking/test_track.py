"""Frames to FaceTrack, whole: a public-domain photo, and real clips where they are at hand."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.errors import NoFaceError
from gsmooth_core.face.camera import pose, project
from gsmooth_core.face.landmarks import (
    INNER_LOWER_LIP,
    INNER_MOUTH_CORNERS,
    INNER_UPPER_LIP,
    MOUTH_CORNERS,
    OUTER_LIPS,
)
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.media import probe, read_frames
from gsmooth_core.tracking import track_face
from gsmooth_core.tracking.fitting.lips import edge_landmarks
from gsmooth_core.tracking.people.people import People
from gsmooth_core.tracking.track import with_people
from gsmooth_core.types import Clip, FaceTrack, Float, Image
from tests.taft import scene

LIPS = [*INNER_UPPER_LIP, *INNER_LOWER_LIP, *OUTER_LIPS, *MOUTH_CORNERS, *INNER_MOUTH_CORNERS]


@pytest.fixture(scope="module")
def model() -> MorphableModel:
    return load_face_model()


def _clip(frame: Image, count: int) -> Clip:
    return Clip(Path("made-up.mp4"), frame.shape[1], frame.shape[0], Fraction(25), count)


def _mesh_landmarks(model: MorphableModel, track: FaceTrack) -> Float:
    """(T, 478, 2) pixels."""
    out = []
    for t in range(len(track)):
        points = edge_landmarks(model, model.shape(track.identity, track.expression[t])[None])[0]
        posed = pose(points, track.rotation[t], track.translation[t])
        out.append(project(posed, track.focal, track.width, track.height)[:, :2])
    return np.array(out)


def _errors(model: MorphableModel, track: FaceTrack) -> tuple[float, float]:
    """Mean lip error in percent of the distance of the eyes, correlation of the mouth's opening."""
    mesh = _mesh_landmarks(model, track)[track.usable]
    seen = track.landmarks[track.usable]
    eyes = np.linalg.norm(seen[:, 33] - seen[:, 263], axis=1)
    lips = np.linalg.norm((mesh - seen)[:, LIPS], axis=2).mean(1) / eyes * 100
    gaps = [np.linalg.norm(p[:, 13] - p[:, 14], axis=1) / eyes for p in (mesh, seen)]
    return float(lips.mean()), float(np.corrcoef(*gaps)[0, 1])


def test_photo(model: MorphableModel, astronaut: Image) -> None:
    done: list[int] = []
    track = track_face([astronaut] * 3, _clip(astronaut, 3), model, on_progress=done.append)
    assert done == [1, 2, 3]
    assert track.model == model.name
    assert track.confidence.min() > 0.9
    assert _errors(model, track)[0] < 2
    smile = [track.expression_names.index(f"mouthSmile{side}") for side in ("Left", "Right")]
    assert track.expression[:, smile].min() > 0.2
    # Her face is lit from the picture's left.
    assert track.light[0, 3].mean() < 0


def test_frames_without_a_face_pass(model: MorphableModel, astronaut: Image) -> None:
    blank = np.zeros_like(astronaut)
    frames = [blank, astronaut, astronaut, blank]
    track = track_face(frames, _clip(astronaut, 4), model)
    assert track.usable.tolist() == [False, True, True, False]
    assert np.isnan(track.landmarks[0]).all()


def test_no_face_is_a_clear_error(model: MorphableModel, coffee: Image) -> None:
    noise = np.random.default_rng(0).integers(0, 256, coffee.shape).astype(np.uint8)
    for frames in ([coffee], [noise], [np.zeros_like(coffee)] * 2, []):
        with pytest.raises(NoFaceError):
            track_face(frames, _clip(coffee, len(frames)), model)


@pytest.mark.footage
@pytest.mark.slow
@pytest.mark.parametrize(
    "pattern",
    [
        "sstzal-DFRF__dataset_vids_french*",
        "rizkiarm-LipNet__evaluation_samples_GRID_pwij3p*",
        "aliawan01-testing_deepfake__musk*",
        "bytedance-LatentSync__assets_demo2*",
        "styletalk_reagan*",
        "liutaocode*FAzSK8PLmGI*",
    ],
)
def test_lips_on_real_clips(model: MorphableModel, footage: Path, pattern: str) -> None:
    clip = probe(next((footage / "clips").glob(pattern)))
    count = min(clip.frame_count, 100)
    track = track_face(read_frames(clip, count=count), clip, model)
    error, correlation = _errors(model, track)
    assert track.usable.mean() > 0.98
    assert error < 1.3
    assert correlation > 0.97


def test_a_hand_before_the_mouth_is_noticed(model: MorphableModel, astronaut: Image) -> None:
    hidden = astronaut.copy()
    hidden[128:185, 185:265] = (60, 70, 110)
    frames = [astronaut] * 6 + [hidden] * 3
    track = track_face(frames, _clip(astronaut, 9), model)
    assert track.confidence[:6].min() > 0.9
    assert not track.usable[6:].any()


def test_a_mouth_outside_the_frame_is_not_usable(model: MorphableModel, astronaut: Image) -> None:
    cropped = np.ascontiguousarray(astronaut[:138])
    try:
        track = track_face([cropped] * 2, _clip(cropped, 2), model)
    except NoFaceError:
        return
    assert not track.usable.any()


def test_upside_down(model: MorphableModel, astronaut: Image) -> None:
    turned = np.ascontiguousarray(astronaut[::-1, ::-1])
    upright = track_face([astronaut], _clip(astronaut, 1), model)
    track = track_face([turned], _clip(turned, 1), model)
    assert np.linalg.norm(track.rotation[0]) > np.radians(150)
    np.testing.assert_allclose(512 - track.landmarks, upright.landmarks, atol=1.5)


def test_a_picture_that_is_held_has_one_face(model: MorphableModel, astronaut: Image) -> None:
    rng, frames = np.random.default_rng(0), list[Image]()
    for n in range(4):
        moved = np.roll(astronaut, 3 * n, 1)
        for _ in range(2):  # as a codec has it
            coded = moved + np.rint(rng.normal(0, 0.3, moved.shape))
            frames.append(coded.clip(0, 255).astype(np.uint8))
    height, width = astronaut.shape[:2]
    clip = Clip(Path(), width, height, Fraction(50), len(frames))
    track = track_face(frames, clip, model)
    assert track.pictures.tolist() == [0, 0, 2, 2, 4, 4, 6, 6]
    for name in ("expression", "rotation", "translation", "light", "landmarks", "confidence"):
        values = getattr(track, name)
        np.testing.assert_array_equal(values[::2], values[1::2])
    assert (np.diff(track.translation[::2, 0]) > 0).all()


def test_a_face_that_is_not_found_in_a_held_picture_is_not_there() -> None:
    track = scene.track(6)
    seen = np.array([True, True, True, False, True, True])
    repeated = np.array([False, True, False, True, False, True])
    people = People((), np.zeros(6, np.int32), repeated)
    held = with_people(track.only(seen), people, None)
    assert held.usable.tolist() == (track.usable & seen).tolist()
    np.testing.assert_array_equal(held.rotation[1], track.rotation[0])


def test_a_face_that_is_seen_for_a_moment_in_a_longer_shot_is_none() -> None:
    """Something passes before it; in a shot of one frame a moment is all there is.

    A face that is missed in every other frame is seen all the same.
    """
    usable = np.array([1, 0, 0, 1, 1, 0, 0, 1, 0, 0, 1, 1, 1, 0, 1, 0, 1], bool)
    shot = np.array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 3, 3], np.int32)
    left = np.array([0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 0, 1], bool)
    track = scene.track(17).only(usable)
    people = People((), shot)
    assert with_people(track, people, None).usable.tolist() == left.tolist()
