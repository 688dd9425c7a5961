"""Meshes for other programs hold what model, curves and pose say."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.errors import CancelledError, InputError, MediaError
from gsmooth_core.face.camera import pose
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.mesh import export_mesh, posed_vertices, write_mesh
from gsmooth_core.storage.arrays import load_arrays
from gsmooth_core.types import Expression, FaceTrack

FRAMES = 4
RATE = Fraction(30000, 1001)


@pytest.fixture(scope="module")
def model():
    return load_face_model()


@pytest.fixture(scope="module")
def track(model):
    random = np.random.default_rng(0)
    return FaceTrack(
        width=640,
        height=360,
        fps=RATE,
        model=model.name,
        focal=900.0,
        identity=random.normal(size=80).astype(np.float32),
        expression_names=model.expression_names,
        expression=random.uniform(0, 1, (FRAMES, 52)).astype(np.float32),
        rotation=random.normal(0, 0.3, (FRAMES, 3)).astype(np.float32),
        translation=np.array([[0.3, -0.2, -12 - t] for t in range(FRAMES)], np.float32),
        light=np.zeros((FRAMES, 9, 3), np.float32),
        confidence=np.array([1, 0, 0.5, 1], np.float32),
        landmarks=np.full((FRAMES, 478, 2), np.nan, np.float32),
    )


def expected(model, track, curves, frame):
    """Shape and pose written out."""
    shape = model.shape(track.identity, curves.values[frame])
    return pose(shape, track.rotation[frame], track.translation[frame])


def test_shape_keys_and_pose_give_the_models_vertices(model, track, tmp_path):
    path = tmp_path / "mesh.safetensors"
    export_mesh(path, model, track, track.curves)
    arrays, meta = load_arrays(path, "mesh")
    for frame in range(FRAMES):
        moved = np.einsum("e,evx->vx", arrays["values"][frame], arrays["shape_keys"])
        posed = pose(
            arrays["vertices"] + moved, arrays["rotation"][frame], arrays["translation"][frame]
        )
        assert np.allclose(posed, expected(model, track, track.curves, frame), atol=1e-4)
    assert arrays["usable"].tolist() == [1, 0, 1, 1]
    assert meta["names"] == list(model.expression_names)
    assert Fraction(meta["fps"]) == RATE
    assert (meta["focal"], meta["width"], meta["height"]) == (900.0, 640, 360)
    assert meta["model"] == model.name


def test_what_was_filmed_lies_beside_what_is_said(model, track, tmp_path):
    path = tmp_path / "mesh.safetensors"
    names = model.expression_names[::-1]
    said = Expression(names, np.full((FRAMES, 52), 0.25, np.float32), RATE)
    export_mesh(path, model, track, said)
    arrays, _ = load_arrays(path, "mesh")
    assert np.all(arrays["values"] == 0.25)
    assert np.array_equal(arrays["tracked"], track.expression)


def test_the_files_types_are_the_three_that_readers_know(model, track, tmp_path):
    path = tmp_path / "mesh.safetensors"
    export_mesh(path, model, track, track.curves)
    arrays, _ = load_arrays(path, "mesh")
    assert {array.dtype.name for array in arrays.values()} == {"float32", "int32", "uint8"}
    assert arrays["faces"].shape == model.faces.shape
    assert arrays["uvs"].shape == (3 * len(model.faces), 2)
    corner = 3 * 17 + 2
    assert np.array_equal(arrays["uvs"][corner], model.uvs[model.uv_faces[17, 2]])


def test_posed_vertices_are_the_models(model, track):
    frames = list(posed_vertices(model, track, track.curves))
    assert len(frames) == FRAMES
    for frame, vertices in enumerate(frames):
        assert np.allclose(vertices, expected(model, track, track.curves, frame), atol=1e-5)


def test_npz_is_read_by_numpy(model, track, tmp_path):
    path = tmp_path / "head mesh 'ü'.npz"
    assert write_mesh(path, model, track, track.curves) == [path]
    with np.load(path, allow_pickle=False) as content:
        assert content["vertices"].shape == (FRAMES, *model.mean.shape)
        assert content["vertices"].dtype == np.float32
        for frame in range(FRAMES):
            vertices = expected(model, track, track.curves, frame)
            assert np.allclose(content["vertices"][frame], vertices, atol=1e-5)
        assert np.array_equal(content["faces"], model.faces)
        assert np.array_equal(content["uvs"][content["uv_faces"]], model.uvs[model.uv_faces])
        assert content["usable"].tolist() == [True, False, True, True]
        assert Fraction(*content["fps"].tolist()) == RATE


def read_obj(path):
    rows = {"v": [], "vt": [], "f": []}
    for line in path.read_text().splitlines():
        key, *fields = line.split()
        rows[key].append(fields)
    corners = np.array([[corner.split("/") for corner in face] for face in rows["f"]], int) - 1
    return np.array(rows["v"], float), np.array(rows["vt"], float), corners


def test_obj_sequence_has_one_file_a_usable_frame(model, track, tmp_path):
    written = write_mesh(tmp_path / "head.obj", model, track, track.curves)
    assert [p.name for p in written] == [f"head.{k:06d}.obj" for k in (0, 2, 3)]
    assert sorted(tmp_path.iterdir()) == written
    for path, frame in zip(written, (0, 2, 3), strict=True):
        vertices, uvs, corners = read_obj(path)
        assert np.allclose(vertices, expected(model, track, track.curves, frame), atol=2e-6)
        assert np.allclose(uvs, model.uvs, atol=1e-6)
        assert np.array_equal(corners[..., 0], model.faces)
        assert np.array_equal(corners[..., 1], model.uv_faces)


def test_curves_are_found_by_name(model, track):
    """Order does not matter, and what has no curve rests."""
    names = ("mouthPucker", "jawOpen")
    values = np.random.default_rng(1).uniform(0, 1, (FRAMES, 2)).astype(np.float32)
    some = Expression(names, values, RATE)
    full = np.zeros((FRAMES, 52), np.float32)
    for column, name in enumerate(names):
        full[:, model.expression_names.index(name)] = values[:, column]
    whole = Expression(model.expression_names, full, RATE)
    for a, b in zip(
        posed_vertices(model, track, some), posed_vertices(model, track, whole), strict=True
    ):
        assert np.array_equal(a, b)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t, c: (t, replace(c, values=c.values[:-1])), "3 frames, the track has 4"),
        (lambda t, c: (t, replace(c, names=("oops", *c.names[1:]))), "no expression 'oops'"),
        (lambda t, c: (replace(t, model="bfm2009"), c), "face model 'bfm2009'"),
    ],
)
@pytest.mark.parametrize("name", ["mesh.safetensors", "mesh.npz", "mesh.obj"])
def test_what_does_not_fit_is_told_and_leaves_no_file(model, track, tmp_path, name, change, words):
    other, curves = change(track, track.curves)
    with pytest.raises(InputError, match=words):
        write_mesh(tmp_path / name, model, other, curves)
    assert not list(tmp_path.iterdir())


def test_an_unknown_format_is_told(model, track, tmp_path):
    with pytest.raises(InputError, match=r"mesh\.fbx"):
        write_mesh(tmp_path / "mesh.fbx", model, track, track.curves)


def test_a_missing_folder_is_told(model, track, tmp_path):
    with pytest.raises(MediaError, match="cannot be written"):
        write_mesh(tmp_path / "nowhere" / "mesh.npz", model, track, track.curves)


def test_stopping_in_the_middle_leaves_no_half_file(model, track, tmp_path):
    told = []

    def stop(done):
        told.append(done)
        if done == 2:
            raise CancelledError("Stopped.")

    with pytest.raises(CancelledError):
        write_mesh(tmp_path / "mesh.npz", model, track, track.curves, stop)
    assert told == [1, 2]
    assert not list(tmp_path.iterdir())
