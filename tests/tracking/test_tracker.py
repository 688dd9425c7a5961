"""Which tracker follows the face: by its name, and from the command line."""

from __future__ import annotations

import json
import shutil

import cv2
import pytest
import skimage.data

from gsmooth_core.app.cli import main
from gsmooth_core.errors import ModelError
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import save_face_model
from gsmooth_core.storage.arrays import load_track
from gsmooth_core.tracking.regressor.rnet import RNetTracker
from gsmooth_core.tracking.tracker import FitTracker, build_tracker


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), skimage.data.astronaut()[:300, 80:380, ::-1])
    return path


@pytest.fixture
def own_models(checkpoint, bfm, tmp_path, monkeypatch):
    """A model folder of the user's with R-Net, and a Basel-sized face model beside it."""
    folder = tmp_path / "models"
    folder.mkdir()
    shutil.copyfile(checkpoint, folder / "epoch_20.pth")
    monkeypatch.setenv("GSMOOTH_MODELS", str(folder))
    save_face_model(folder / "basel.safetensors", bfm)
    return folder


def test_the_fit_is_what_nobody_asks_for():
    assert isinstance(build_tracker("fit", load_face_model()), FitTracker)


def test_r_net_is_reached_by_its_name(own_models, bfm):
    assert isinstance(build_tracker("rnet", bfm, "cpu"), RNetTracker)


def test_r_net_wants_the_basel_face_model(own_models):
    with pytest.raises(ModelError, match="R-Net needs a face model"):
        build_tracker("rnet", load_face_model(), "cpu")


def test_r_net_that_is_not_there_is_named(bfm, tmp_path, monkeypatch):
    monkeypatch.setenv("GSMOOTH_MODELS", str(tmp_path))
    with pytest.raises(ModelError, match=r"epoch_20\.pth.*missing"):
        build_tracker("rnet", bfm, "cpu")


def test_the_command_line_tracks_with_r_net(own_models, photo, tmp_path):
    output = tmp_path / "track.safetensors"
    words = ["track", "--video", str(photo), "--output", str(output), "--tracker", "rnet"]
    words += ["--face-model", str(own_models / "basel.safetensors"), "--device", "cpu"]
    assert main(words) == 0
    found = load_track(output)
    assert found.model == "made-up-bfm"
    assert found.expression.shape == (1, 64)


def test_a_face_model_that_is_not_there_is_named(photo, tmp_path, capfd):
    words = ["track", "--json", "--video", str(photo), "--output", str(tmp_path / "t.safetensors")]
    assert main([*words, "--face-model", "none.safetensors"]) != 0
    last = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert last["code"] == "bad_model"
    assert "none.safetensors" in last["message"]
