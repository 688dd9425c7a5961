"""Face models as files: read once, kept whole, refused with words."""

import numpy as np
import pytest

from gsmooth_core.errors import ModelError
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import save_face_model


@pytest.fixture(scope="module")
def model():
    return load_face_model()


def test_loaded_once_and_not_to_be_changed(model):
    assert load_face_model("face_model") is model
    with pytest.raises(ValueError, match="read-only"):
        model.mean[0] = 0


def test_saving_keeps_the_model(model, tmp_path):
    path = tmp_path / "again.safetensors"
    save_face_model(path, model)
    again = load_face_model(path)
    assert again.name == model.name
    assert again.expression_names == model.expression_names
    for name in ("mean", "faces", "uvs", "uv_faces", "regions", "mouth_mask", "landmark_weight"):
        assert np.array_equal(getattr(again, name), getattr(model, name)), name
    assert np.abs(again.expression_basis - model.expression_basis).max() < 1e-5
    assert np.abs(again.identity_basis - model.identity_basis).max() < 1e-5


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ModelError, match=r"nowhere.*is missing"):
        load_face_model(tmp_path / "nowhere.safetensors")


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    path.write_bytes(b"not a model at all")
    with pytest.raises(ModelError, match=r"other\.safetensors"):
        load_face_model(path)


def test_no_texture_is_told(model):
    with pytest.raises(ModelError, match="no texture"):
        model.texture(np.zeros(80, np.float32))
