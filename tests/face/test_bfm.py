"""The Basel Face Model's two layouts, on files of the same layout made here (small)."""

from __future__ import annotations

import os
import struct

import numpy as np
import pytest
from scipy.io import savemat

from gsmooth_core.errors import ModelError
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import Region
from tests.attacks.checkpoints import refused

ROWS, COLUMNS = 24, 20
COUNT = ROWS * COLUMNS
ORIGINAL, TRIMMED = COUNT + 60, COUNT + 25  # vertices of the original, and of its expression basis


def grid():
    """A bulging sheet that looks along +z, 2 dm high, and its triangles seen from the front."""
    v, u = np.mgrid[-1 : 1 : ROWS * 1j, -1 : 1 : COLUMNS * 1j]
    places = np.stack([0.8 * u, v, 0.6 - 0.5 * u**2 - 0.1 * v**2], -1).reshape(-1, 3)
    corner = np.arange(COUNT).reshape(ROWS, COLUMNS)
    a, b, c, d = corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1]
    faces = np.concatenate(
        [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)]
    )
    return places, faces


def keypoints(places):
    """68 vertices; those of the lips run round ellipses below the middle."""
    chosen = np.linspace(0, COUNT - 1, 68).astype(int)
    for points, (rx, ry) in (((48, 60), (0.4, 0.25)), ((60, 68), (0.2, 0.1))):
        angle = np.linspace(np.pi, -np.pi, points[1] - points[0], endpoint=False)
        ring = np.stack([rx * np.cos(angle), -0.4 + ry * np.sin(angle)], -1)
        distance = np.linalg.norm(places[None, :, :2] - ring[:, None], axis=2)
        chosen[points[0] : points[1]] = distance.argmin(1)
    return chosen


@pytest.fixture(scope="module")
def content():
    """What `BFM_model_front.mat` holds, for fewer vertices."""
    random = np.random.default_rng(0)
    places, faces = grid()
    return {
        "meanshape": (places + np.array([0.1, 0.2, 0.3])).reshape(1, -1).astype(np.float32),
        "meantex": random.uniform(0, 255, (1, 3 * COUNT)).astype(np.float32),
        "idBase": random.normal(size=(3 * COUNT, 80)).astype(np.float32),
        "exBase": random.normal(size=(3 * COUNT, 64)).astype(np.float32),
        "texBase": random.normal(0, 9, size=(3 * COUNT, 80)).astype(np.float32),
        "tri": (faces + 1).astype(np.int32),
        "point_buf": np.ones((COUNT, 8), np.int32),
        "keypoints": (keypoints(places) + 1)[None].astype(np.int32),
        "skinmask": np.ones((1, COUNT)),
    }


@pytest.fixture
def front(content, tmp_path):
    path = tmp_path / "BFM_model_front.mat"
    savemat(path, content)
    return path


def test_front_layout_has_the_papers_sizes(front):
    model = load_face_model(front)
    assert model.name == "bfm2009"
    assert model.mean.shape == (COUNT, 3)
    assert model.identity_basis.shape == (80, COUNT, 3)
    assert model.expression_basis.shape == (64, COUNT, 3)
    assert model.texture_basis.shape == (80, COUNT, 3)
    assert len(set(model.expression_names)) == 64
    assert model.mean.dtype == model.identity_basis.dtype == np.float32


def test_shape_is_eq_1_on_the_files_own_numbers(front, content):
    model = load_face_model(front)
    random = np.random.default_rng(1)
    alpha, beta = random.normal(size=80), random.normal(size=64)
    flat = content["meanshape"][0] + content["idBase"] @ alpha + content["exBase"] @ beta
    centre = content["meanshape"].reshape(-1, 3).mean(0)
    expected = flat.reshape(-1, 3) - centre
    shape = model.shape(alpha.astype(np.float32), beta.astype(np.float32))
    assert np.allclose(shape, expected, atol=1e-3)
    assert np.allclose(model.mean.mean(0), 0, atol=1e-5)


def test_texture_is_eq_1_in_0_to_1(front, content):
    model = load_face_model(front)
    delta = np.random.default_rng(2).normal(size=80)
    expected = (content["meantex"][0] + content["texBase"] @ delta).reshape(-1, 3) / 255
    assert np.allclose(model.texture(delta.astype(np.float32)), expected, atol=1e-4)


def test_mouth_mask_is_eq_14(front):
    model = load_face_model(front)
    assert np.array_equal(model.mouth_mask, model.mean[:, 1] < -0.15)
    assert 0 < model.mouth_mask.sum() < COUNT


def test_lips_lie_between_the_contours(front):
    model = load_face_model(front)
    centre = model.mean + (grid()[0].mean(0))
    lips = model.regions == Region.LIPS
    reach = ((centre[lips, 0] / 0.5) ** 2) + ((centre[lips, 1] + 0.4) / 0.35) ** 2
    assert lips.any()
    assert (reach < 1).all()
    middle = np.linalg.norm(centre[:, :2] - [0, -0.4], axis=1).argmin()
    assert not lips[middle]
    assert set(np.unique(model.regions)) == {Region.SKIN, Region.LOWER_FACE, Region.LIPS}


def test_faces_look_outwards_whatever_their_order(content, tmp_path):
    for name, triangles in (("a", content["tri"]), ("b", content["tri"][:, ::-1])):
        path = tmp_path / f"{name}.mat"
        savemat(path, content | {"tri": triangles})
        model = load_face_model(path)
        a, b, c = (model.mean[model.faces[:, k]] for k in range(3))
        assert (np.cross(b - a, c - a)[:, 2] > 0).all()


def test_landmarks_are_the_key_points(front, content):
    model = load_face_model(front)
    points = model.landmarks(model.mean)
    weighted = np.flatnonzero(model.landmark_weight)
    assert len(weighted) == 68
    place = model.mean[content["keypoints"][0] - 1]
    assert np.allclose(points[61], place[48], atol=1e-6)  # mouth corner at picture left
    assert np.allclose(points[4], place[30], atol=1e-6)  # tip of the nose
    assert np.allclose(points[152], place[8], atol=1e-6)  # chin
    assert model.landmark_weight[152] < model.landmark_weight[61] == 1


def test_uvs_are_a_cylinder(front):
    model = load_face_model(front)
    assert model.uvs.min() >= 0
    assert model.uvs.max() <= 1
    assert np.array_equal(model.uv_faces, model.faces)
    assert np.corrcoef(model.uvs[:, 1], model.mean[:, 1])[0, 1] > 0.999
    rows = model.uvs[:, 0].reshape(ROWS, COLUMNS)
    assert (np.diff(rows, axis=1) > 0).all()


# -- the original layout -----------------------------------------------------------------------


@pytest.fixture
def original(content, tmp_path):
    """The same model as `content`, taken apart into the files that its preparation starts from."""
    random = np.random.default_rng(3)
    trimmed = random.permutation(ORIGINAL)[:TRIMMED]  # vertices with expressions
    front = random.permutation(TRIMMED)[:COUNT]
    chosen = trimmed[front]

    def spread(values, count, rows):
        """(3 COUNT, K) put into `count` vertices at `rows`."""
        out = random.normal(size=(count, 3, values.shape[1]))
        out[rows] = values.reshape(COUNT, 3, -1)
        return out.reshape(3 * count, -1)

    def unscaled(base, sizes, unit):
        return base.astype(np.float64) / sizes[: base.shape[1]] * unit

    id_size, ex_size, tex_size = (random.uniform(0.5, 2, n) for n in (80, 79, 80))
    savemat(
        tmp_path / "01_MorphableModel.mat",
        {
            "shapeMU": spread(content["meanshape"].T * 1e5, ORIGINAL, chosen),
            "shapePC": spread(unscaled(content["idBase"], id_size, 1e5), ORIGINAL, chosen),
            "shapeEV": id_size[:, None],
            "texMU": spread(content["meantex"].T, ORIGINAL, chosen),
            "texPC": spread(unscaled(content["texBase"], tex_size, 1), ORIGINAL, chosen),
            "texEV": tex_size[:, None],
            "tl": np.ones((5, 3)),
        },
    )
    expression = np.zeros((3 * COUNT, 79))
    expression[:, :64] = unscaled(content["exBase"], ex_size, 1e5)
    vectors = spread(expression, TRIMMED, front).T.astype("<f4")
    binary = np.array([79], "<i4").tobytes() + np.ones(3 * TRIMMED, "<f4").tobytes()
    (tmp_path / "Exp_Pca.bin").write_bytes(binary + vectors.tobytes())
    np.savetxt(tmp_path / "std_exp.txt", ex_size[None])
    savemat(tmp_path / "BFM_front_idx.mat", {"idx": front[:, None] + 1})
    savemat(tmp_path / "BFM_exp_idx.mat", {"trimIndex": trimmed[:, None] + 1})
    savemat(tmp_path / "facemodel_info.mat", {k: content[k] for k in ("tri", "keypoints")})
    return tmp_path / "01_MorphableModel.mat"


def test_both_layouts_are_one_model(front, original):
    a, b = load_face_model(front), load_face_model(original)
    for name in ("faces", "mouth_mask", "regions", "landmark_faces", "landmark_weight"):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name
    for name in ("mean", "identity_basis", "expression_basis", "mean_texture", "texture_basis"):
        assert np.allclose(getattr(a, name), getattr(b, name), atol=1e-4), name


def test_a_missing_companion_is_named(original):
    original.with_name("Exp_Pca.bin").unlink()
    with pytest.raises(ModelError, match=r"Exp_Pca\.bin"):
        load_face_model(original)


# -- wrong files -------------------------------------------------------------------------------


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ModelError, match="is missing"):
        load_face_model(tmp_path / "BFM_model_front.mat")


@pytest.mark.parametrize(
    "junk", [b"", b"no mat file", b"\x89HDF\r\n\x1a\n" + b"\0" * 200, b"MATLAB 5.0" + b"x" * 500]
)
def test_a_file_that_is_no_mat_is_told(tmp_path, junk):
    path = tmp_path / "model.mat"
    path.write_bytes(junk)
    with pytest.raises(ModelError, match=r"model\.mat.*not a usable Basel Face Model"):
        load_face_model(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"idBase": None}, "no 'idBase'"),
        ({"keypoints": np.ones((1, 5))}, "68 key points"),
        ({"keypoints": np.full((1, 68), 10**6)}, "keypoints.*not within 1 to"),
        ({"exBase": np.ones((3 * COUNT, 10))}, "64 components"),
        ({"texBase": np.ones((30, 80))}, "texture has 10 vertices"),
        ({"tri": np.full((4, 3), 10**6)}, "tri.*not within 1 to"),
    ],
)
def test_a_mat_of_something_else_is_told(content, tmp_path, change, words):
    path = tmp_path / "other.mat"
    savemat(path, {k: v for k, v in (content | change).items() if v is not None})
    with pytest.raises(ModelError, match=words):
        load_face_model(path)


def spoilt(table, place, value):
    """The table with one other number."""
    bad = np.array(table, np.float64)
    bad.flat[place] = value
    return bad


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, 1e300, 3000])
@pytest.mark.parametrize("name", ["meanshape", "idBase", "exBase", "meantex", "texBase"])
def test_numbers_that_no_face_has_are_refused(content, tmp_path, name, value):
    path = tmp_path / "bad.mat"
    savemat(path, content | {name: spoilt(content[name], 7, value * (255 if "tex" in name else 1))})
    refused(lambda: load_face_model(path), "no numbers or not within")


@pytest.mark.parametrize("value", [0, -1, COUNT + 1, 1.5, np.nan, np.inf, 2.0**40])
@pytest.mark.parametrize("name", ["tri", "keypoints"])
def test_indices_name_what_is_there(content, tmp_path, name, value):
    """A 0, and what is below, meant the last vertices."""
    path = tmp_path / "bad.mat"
    savemat(path, content | {name: spoilt(content[name], 5, value)})
    refused(lambda: load_face_model(path), f"'{name}' holds")


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("meanshape", np.ones((1, 3 * COUNT + 1))),
        ("meanshape", np.zeros((0, 3))),
        ("meanshape", np.ones((1, 3 * COUNT), complex)),
        ("meanshape", "a text"),
        ("idBase", np.array([[1, "x"]], object)),
        ("idBase", np.ones((3 * COUNT, 2, 40))),
        ("idBase", np.ones((3 * COUNT + 1, 80))),
        ("meantex", np.ones((1, 30))),
        ("tri", np.ones((4, 4))),
        ("tri", np.ones((1, 1, 3))),
        ("tri", np.zeros((0, 3))),
        ("keypoints", np.zeros((1, 0))),
    ],
)
def test_tables_of_other_shapes_and_types_are_refused(content, tmp_path, name, table):
    path = tmp_path / "bad.mat"
    savemat(path, content | {name: table})
    refused(lambda: load_face_model(path), "not a usable Basel Face Model")


@pytest.mark.parametrize("packed", [True, False])
def test_a_torn_or_damaged_file_is_refused(content, tmp_path, packed):
    path = tmp_path / "torn.mat"
    savemat(path, content, do_compression=packed)
    whole = path.read_bytes()
    for part in (whole[:-1], whole[: len(whole) // 2], whole[:140], whole[:127], whole + b"more"):
        path.write_bytes(part)
        refused(lambda: load_face_model(path), "torn.mat")
    middle = len(whole) // 3
    path.write_bytes(whole[:middle] + bytes(8) * 40 + whole[middle + 320 :])
    if packed:
        refused(lambda: load_face_model(path), "damaged")
    else:
        load_face_model(path)  # zeros among the numbers are numbers


def test_a_file_of_matlab_7_3_is_told_what_to_do(tmp_path):
    path = tmp_path / "BFM_model_front.mat"
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n" + bytes(500))
    refused(lambda: load_face_model(path), "HDF5", "-v7")


COMPANIONS = ("Exp_Pca.bin", "std_exp.txt", "BFM_front_idx.mat", "BFM_exp_idx.mat",
              "facemodel_info.mat")  # fmt: skip


@pytest.mark.parametrize("how", ["missing", "empty", "torn", "pipe", "folder", "huge", "noise"])
@pytest.mark.parametrize("name", COMPANIONS)
def test_a_companion_of_another_kind_is_refused(original, name, how):
    path = original.with_name(name)
    whole = path.read_bytes()
    path.unlink()
    if how == "pipe":
        os.mkfifo(path)
    elif how == "folder":
        path.mkdir()
    elif how == "huge":
        with path.open("wb") as file:
            file.truncate(5 << 30)  # takes no place on the disk
    elif how != "missing":
        noise = np.random.default_rng(4).integers(0, 256, 999, np.uint8).tobytes()
        path.write_bytes({"empty": b"", "torn": whole[:-301], "noise": noise}[how])
    refused(lambda: load_face_model(original), name)


@pytest.mark.parametrize(
    "head", [b"", b"\0\0", *(struct.pack("<i", n) for n in (-1, 0, 3, 64, 2**31 - 1))]
)
def test_a_count_of_expressions_that_cannot_be_is_refused(original, head):
    path = original.with_name("Exp_Pca.bin")
    rest = path.read_bytes()[4:] if len(head) == 4 else b""
    path.write_bytes(head + rest)
    refused(lambda: load_face_model(original), "Exp_Pca.bin")


@pytest.mark.parametrize("text", ["nan " * 79, "1e999 " * 79, "1 2 3", "one two"])
def test_scales_that_are_none_are_refused(original, text):
    original.with_name("std_exp.txt").write_text(text)
    refused(lambda: load_face_model(original))


@pytest.mark.parametrize("name", ["BFM_front_idx.mat", "BFM_exp_idx.mat"])
@pytest.mark.parametrize("value", [0, -5, 10**6, 1.5, np.nan])
def test_companions_name_vertices_that_are_there(original, name, value):
    key = "idx" if "front" in name else "trimIndex"
    savemat(original.with_name(name), {key: np.full((COUNT, 1), value)})
    refused(lambda: load_face_model(original), name)
