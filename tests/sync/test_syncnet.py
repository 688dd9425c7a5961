"""SyncNet v2: layout, files, and the same interface. The weights here are random."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

from gsmooth_core.errors import InputError, ModelError
from gsmooth_core.sync import load_sync_expert, measure_sync
from gsmooth_core.sync.face import Face
from gsmooth_core.sync.mfcc import mfcc
from gsmooth_core.sync.syncnet import SIZE, SyncNet, _at_25, crop_face
from tests.sync.faces import babble, face

# Places and sizes of the published state dict, written down by hand.
PUBLISHED = {
    "netcnnaud.0.weight": (64, 1, 3, 3),
    "netcnnaud.4.weight": (192, 64, 3, 3),
    "netcnnaud.8.weight": (384, 192, 3, 3),
    "netcnnaud.11.weight": (256, 384, 3, 3),
    "netcnnaud.14.weight": (256, 256, 3, 3),
    "netcnnaud.18.weight": (512, 256, 5, 4),
    "netfcaud.0.weight": (512, 512),
    "netfcaud.3.weight": (1024, 512),
    "netfclip.0.weight": (512, 512),
    "netfclip.3.weight": (1024, 512),
    "netcnnlip.0.weight": (96, 3, 5, 7, 7),
    "netcnnlip.4.weight": (256, 96, 1, 5, 5),
    "netcnnlip.8.weight": (256, 256, 1, 3, 3),
    "netcnnlip.11.weight": (256, 256, 1, 3, 3),
    "netcnnlip.14.weight": (256, 256, 1, 3, 3),
    "netcnnlip.18.weight": (512, 256, 1, 6, 6),
}
NORMS = {"netcnnaud": (1, 5, 9, 12, 15, 19), "netcnnlip": (1, 5, 9, 12, 15, 19)}
NORMS |= {"netfcaud": (1,), "netfclip": (1,)}


def published_state():
    """Random weights under the published names, without the counters that old torch lacked."""
    torch.manual_seed(0)
    state = {}
    for name, shape in PUBLISHED.items():
        state[name] = 0.02 * torch.randn(shape)
        state[name.replace("weight", "bias")] = 0.02 * torch.randn(shape[0])
    for part, places in NORMS.items():
        for place in places:
            size = state[f"{part}.{place - 1}.bias"].shape[0]
            state[f"{part}.{place}.weight"] = torch.ones(size)
            state[f"{part}.{place}.bias"] = torch.zeros(size)
            state[f"{part}.{place}.running_mean"] = torch.zeros(size)
            state[f"{part}.{place}.running_var"] = torch.ones(size)
    return state


@pytest.fixture(scope="module")
def state():
    return published_state()


@pytest.fixture(scope="module")
def path(tmp_path_factory, state):
    path = tmp_path_factory.mktemp("syncnet") / "syncnet_v2.model"
    torch.save(state, path)
    return path


@pytest.fixture(scope="module")
def net(path):
    return load_sync_expert(path)


def test_published_layout_is_read(net):
    assert isinstance(net, SyncNet)
    assert not net.training
    state = net.state_dict()
    torch.testing.assert_close(
        state["netcnnlip.18.weight"], published_state()["netcnnlip.18.weight"]
    )


def test_sizes_inside_are_the_published_ones(net):
    with torch.inference_mode():
        assert net.netcnnaud(torch.zeros(2, 1, 13, 20)).shape == (2, 512, 1, 1)
        assert net.netcnnlip(torch.zeros(1, 3, 5, SIZE, SIZE)).shape == (1, 512, 1, 1, 1)


def test_sound_windows_are_20_rows_every_fourth(net):
    audio = np.random.default_rng(0).normal(size=16000).astype(np.float32) * 0.1
    made, rows = net.embed_sound(audio), mfcc(audio)
    assert made.shape == (1 + (len(rows) - 20) // 4, 1024)
    with torch.inference_mode():
        third = net.forward_sound(torch.from_numpy(rows[12:32].T.copy())[None, None])
    np.testing.assert_allclose(made[3], third[0].numpy(), rtol=1e-4, atol=1e-5)


def test_too_little_sound_gives_no_window(net):
    assert net.embed_sound(np.zeros(1000, np.float32)).shape == (0, 1024)


def test_lip_windows_are_five_frames(net):
    landmarks = face(babble(7))
    frames = np.random.default_rng(1).integers(0, 255, (7, 256, 256, 3), np.uint8)
    made, valid = net.embed_face(Face(landmarks, 25.0, frames))
    assert made.shape == (3, 1024)
    assert valid.all()
    crops = np.stack([crop_face(f, p) for f, p in zip(frames, landmarks, strict=True)])
    window = torch.from_numpy(crops[2:7, :, :, ::-1].copy()).permute(3, 0, 1, 2)[None].float()
    with torch.inference_mode():
        np.testing.assert_allclose(
            made[2], net.forward_lips(window)[0].numpy(), rtol=1e-3, atol=1e-4
        )


def test_window_with_a_lost_face_does_not_count(net):
    landmarks = face(babble(8))
    landmarks[6] = np.nan
    frames = np.zeros((8, 256, 256, 3), np.uint8)
    _, valid = net.embed_face(Face(landmarks, 25.0, frames))
    assert valid.tolist() == [True, True, False, False]


@pytest.mark.parametrize(("fps", "count"), [(25, 25), (30, 30), (50, 50), (12.5, 13)])
def test_pictures_are_read_at_25(fps, count):
    """Each is the one shown at the middle of its 25th of a second."""
    landmarks = face(babble(count))
    frames = [np.full((256, 256, 3), i, np.uint8) for i in range(count)]
    shown = [int(crop[SIZE // 2, SIZE // 2, 0]) for crop in _at_25(landmarks, fps, frames)]
    assert shown == [int((i + 0.5) / 25 * fps) for i in range(len(shown))]
    assert abs(len(shown) - count / fps * 25) <= 1


def test_crop_is_the_face_and_what_is_below():
    landmarks = np.full((478, 2), 100, np.float32)
    landmarks[10], landmarks[152] = (100, 60), (100, 140)  # 80 pixels from forehead to chin
    landmarks[234], landmarks[454] = (70, 100), (130, 100)
    frame = np.zeros((400, 300, 3), np.uint8)
    frame[60:172, 44:156] = 200  # 40 up, 72 down, 56 to either side
    crop = crop_face(frame, landmarks)
    assert crop[4:-4, 4:-4].min() == 200
    assert crop_face(frame[:170], landmarks)[-4:].max() < 200


def test_same_interface_measures(net):
    landmarks = face(babble(17))
    frames = np.random.default_rng(2).integers(0, 255, (17, 64, 64, 3), np.uint8)
    audio = np.random.default_rng(3).normal(size=16000).astype(np.float32) * 0.1
    found = measure_sync(landmarks, 25, audio, net, frames)
    assert found.expert == "syncnet"
    assert found.distances.shape == (31,)
    assert -15 <= found.offset_frames <= 15


def test_landmarks_alone_are_not_enough(net):
    with pytest.raises(InputError, match="pictures"):
        measure_sync(face(babble(20)), 25, np.zeros(16000, np.float32), net)


class Trap:
    def __reduce__(self):
        return print, ("code ran",)


@pytest.mark.parametrize("content", ["code", "text", "other", "nan"])
def test_other_files_are_refused(tmp_path, content, capsys, state):
    path = tmp_path / "syncnet_v2.model"
    if content == "code":
        path.write_bytes(pickle.dumps({"netcnnaud.0.weight": Trap()}))
    elif content == "text":
        path.write_text("hello")
    elif content == "other":
        torch.save({"weight": torch.zeros(3)}, path)
    else:
        broken = torch.full((512, 512), float("nan"))
        torch.save(state | {"netfclip.0.weight": broken}, path)
    with pytest.raises(ModelError):
        load_sync_expert(path)
    assert "code ran" not in capsys.readouterr().out


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match="no file"):
        load_sync_expert(tmp_path / "none.model")


def test_weights_that_run_away_together_are_found(state, tmp_path):
    path = tmp_path / "loud.model"
    torch.save(state | {"netfcaud.3.weight": torch.full((1, 1), 9e3).expand(1024, 512),
                        "netfcaud.1.bias": torch.full((512,), 9e3)}, path)  # fmt: skip
    audio = np.random.default_rng(0).normal(size=8000).astype(np.float32) * 0.1
    with pytest.raises(ModelError, match="no numbers"):
        load_sync_expert(path).embed_sound(audio)
