"""Model files of any making: each ends in a right result or in a `ModelError` with a hint."""

from __future__ import annotations

import json
import os
import pickle
import resource
import struct
import types

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from torch import nn

from gsmooth_core.a2ep import load_a2ep
from gsmooth_core.a2ep.model import load_checkpoint
from gsmooth_core.evaluation.metrics import perceptual
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import save_face_model
from gsmooth_core.motion.library import load_library
from gsmooth_core.storage.arrays import load_arrays, save_arrays
from gsmooth_core.sync.load import load_expert
from gsmooth_core.sync.syncnet import load_syncnet
from gsmooth_core.taft.generators import generator as g
from gsmooth_core.taft.generators.checkpoint import load_generator, save_generator
from gsmooth_core.tracking.people.recognise import load_recogniser
from gsmooth_core.tracking.regressor.resnet import load_rnet
from tests.attacks.checkpoints import changed, made, refused

READERS = {
    "a2ep.safetensors": load_a2ep,
    "taft.safetensors": load_generator,
    "sync.safetensors": load_expert,
    "recognise.safetensors": load_recogniser,
    "motion.safetensors": load_library,
    "face_model.safetensors": load_face_model,
    "BFM_model_front.mat": load_face_model,
    "epoch_20.pth": load_rnet,
    "syncnet_v2.model": load_syncnet,
}


# -- no file, or none of its kind ------------------------------------------------------------------


def deep_pickle():
    """Lists in lists, a hundred thousand deep."""
    return b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."


JUNK = {
    "empty": b"",
    "text": b"nothing of the kind",
    "noise": np.random.default_rng(0).integers(0, 256, 5000, np.uint8).tobytes(),
    "half a zip": b"PK\x03\x04" + b"\0" * 200,
    "a deep pickle": deep_pickle(),
    "an endless header": struct.pack("<Q", 2**62) + b"{",
    "half a pickle": pickle.dumps({"a": [1.5] * 1000})[:500],
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("name", READERS)
def test_bytes_of_any_kind_are_refused(name, junk, tmp_path):
    path = tmp_path / name
    path.write_bytes(JUNK[junk])
    refused(lambda: READERS[name](path), name)


@pytest.mark.parametrize("place", ["nothing", "folder", "pipe", "device", "loop", "long name"])
@pytest.mark.parametrize("name", READERS)
def test_what_is_no_file_is_refused(name, place, tmp_path):
    path = tmp_path / name
    if place == "folder":
        path.mkdir()
    elif place == "pipe":
        os.mkfifo(path)
    elif place == "device":
        path.symlink_to("/dev/zero")
    elif place == "loop":
        path.symlink_to(path)
    elif place == "long name":
        path = tmp_path / ("n" * 300 + name)
    refused(lambda: READERS[name](path))


@pytest.mark.parametrize("name", READERS)
def test_a_file_that_is_far_too_large_is_not_read(name, tmp_path):
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(5 << 30)  # takes no place on the disk
    refused(lambda: READERS[name](path), "MB are too many")


# -- checkpoints of ours: the header ---------------------------------------------------------------

CHECKPOINTS = ["a2ep.safetensors", "taft.safetensors", "sync.safetensors"]
NUMBERS = [0, -1, 10**9, 10**400, True, 1.5, "8", None, [3], {}]
INTEGERS = {
    "a2ep.safetensors": ["encoder_width", "encoder_heads", "encoder_depth", "d", "heads",
                         "feed_forward", "sigma2", "history", "period", "components", "styles"],
    "taft.safetensors": ["references", "width", "max_width", "levels"],
    "sync.safetensors": ["components", "sound", "width", "embedding"],
}  # fmt: skip


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_good_checkpoint_is_read(name, tmp_path):
    assert isinstance(READERS[name](made(name, tmp_path)), nn.Module)


@pytest.mark.parametrize(("name", "setting"), [(n, s) for n in INTEGERS for s in INTEGERS[n]])
def test_every_size_has_its_bounds_and_its_type(name, setting, tmp_path):
    path = made(name, tmp_path)
    for value in NUMBERS:
        changed(path, settings={setting: value})
        refused(lambda: READERS[name](path), f"'{setting}'")


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("a2ep.safetensors", {"encoder": "hubert"}, "'encoder'"),
        ("a2ep.safetensors", {"encoder": ["whisper"]}, "'encoder'"),
        ("a2ep.safetensors", {"normalise": 1}, "'normalise'"),
        ("a2ep.safetensors", {"context": -1}, "'context'"),
        ("a2ep.safetensors", {"sigma1": -1}, "'sigma1'"),
        ("a2ep.safetensors", {"dropout": 2}, "'dropout'"),
        ("a2ep.safetensors", {"dropout": "0.1"}, "'dropout'"),
        ("a2ep.safetensors", {"heads": 3}, "'d' is 16"),
        ("a2ep.safetensors", {"encoder_heads": 5}, "'encoder_width' is 24"),
        ("a2ep.safetensors", {"encoder": "mel"}, "encoder."),
        ("a2ep.safetensors", [1, 2], "no table"),
        ("a2ep.safetensors", {"flux": 1}, "flux"),
        ("taft.safetensors", {"preset": "other"}, "'preset'"),
        ("taft.safetensors", {"preset": 1}, "'preset'"),
        ("taft.safetensors", {"warped": "no"}, "'warped'"),
        ("taft.safetensors", {"max_flow": -1}, "'max_flow'"),
        ("taft.safetensors", {"max_flow": 1e30}, "'max_flow'"),
        ("taft.safetensors", {"max_residual": None}, "'max_residual'"),
        ("taft.safetensors", "default", "no table"),
        ("sync.safetensors", {"kernels": []}, "'kernels'"),
        ("sync.safetensors", {"kernels": 5}, "'kernels'"),
        ("sync.safetensors", {"kernels": [5, 5, 10**9]}, "'kernels'"),
        ("sync.safetensors", {"kernels": [5, 5, 4]}, "odd"),
        ("sync.safetensors", {"kernels": [3] * 1000}, "'kernels'"),
        ("sync.safetensors", None, "no table"),
    ],
)
def test_a_setting_that_cannot_be_is_named(name, settings, words, tmp_path):
    path = made(name, tmp_path)
    if settings is None:
        changed(path, header={"config": "null"})
    else:
        changed(path, settings=settings)
    refused(lambda: READERS[name](path), words)


@pytest.mark.parametrize("name", CHECKPOINTS)
@pytest.mark.parametrize("header", [{"config": "{"}, {"config": "[" * 100_000}, {"config": "NaN"}])
def test_a_header_that_is_no_json_is_refused(name, header, tmp_path):
    refused(lambda: READERS[name](changed(made(name, tmp_path), header=header)))


@pytest.mark.parametrize("value", ["abc", [], [1, 2], ["a"] * 5, [["a"]], [""], None, {"a": 1}])
@pytest.mark.parametrize("name", ["names", "all_names"])
def test_names_of_components_are_names(name, value, tmp_path):
    path = changed(made("a2ep.safetensors", tmp_path), header={name: json.dumps(value)})
    refused(lambda: load_checkpoint(path), "names")


def test_a_header_cannot_ask_for_more_memory_than_the_file_has(tmp_path):
    """Each size is allowed, and together they would be ten gigabytes."""
    wide = {"width": 2048, "max_width": 2048, "levels": 5}
    path = changed(made("taft.safetensors", tmp_path), settings=wide)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(lambda: load_generator(path), "is missing")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # kB


def test_levels_that_no_crop_has_are_refused(tmp_path):
    path = tmp_path / "taft.safetensors"
    config = g.GeneratorConfig(width=4, max_width=4, levels=5)  # too deep for 32 pixels
    save_generator(path, g.build(config))
    refused(lambda: load_generator(path), "does not run")


# -- checkpoints of ours: the numbers --------------------------------------------------------------

TABLES = {
    "a2ep.safetensors": ["decoder.out.weight", "encoder.whisper.conv1.weight", "gram", "gain"],
    "taft.safetensors": ["merge.weight"],
    "sync.safetensors": ["basis", "lips.enter.weight", "null"],
}


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
@pytest.mark.parametrize("name", CHECKPOINTS)
def test_absurd_numbers_are_refused(name, value, tmp_path):
    for table in TABLES[name]:
        path = made(name, tmp_path)
        bad = np.full_like(load_file(path)[table], value, np.float32)
        changed(path, arrays={table: bad})
        refused(lambda path=path: READERS[name](path), f"'{table}'")


@pytest.mark.parametrize(
    ("name", "table", "value"),
    [
        ("a2ep.safetensors", "decoder.scale", 0),  # it is divided by
        ("a2ep.safetensors", "usual", 0),
        ("a2ep.safetensors", "gain", 5000),
        ("a2ep.safetensors", "rest", 50),
        ("sync.safetensors", "spread", 0),
        ("sync.safetensors", "sound_spread", -1),
    ],
)
def test_numbers_that_a_table_cannot_hold_are_refused(name, table, value, tmp_path):
    path = made(name, tmp_path)
    bad = np.full_like(load_file(path)[table], value)
    refused(lambda: READERS[name](changed(path, arrays={table: bad})), f"'{table}'")


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_tables_of_other_types_are_refused(name, tmp_path):
    table = TABLES[name][0]
    good = load_file(made(name, tmp_path))[table]
    for bad in (good.astype(np.int32), good.astype(bool), good[..., None], good[:0], None):
        path = changed(made(name, tmp_path), arrays={table: bad})
        refused(lambda path=path: READERS[name](path), f"'{table}'")
    path = changed(made(name, tmp_path), arrays={"more": good})
    refused(lambda: READERS[name](path), "'more' is unknown")


@pytest.mark.parametrize("name", ["a2ep.safetensors", "taft.safetensors"])
def test_weights_that_run_away_together_are_found_before_they_are_used(name, tmp_path):
    """Each is allowed, and what they make is not."""
    path = made(name, tmp_path)
    kept = ("decoder.scale", "usual", "gain", "rest", "silence")
    loud = {n: np.full_like(t, 9e3) for n, t in load_file(path).items() if n not in kept}
    refused(lambda: READERS[name](changed(path, arrays=loud)), "no numbers")


# -- the face model ------------------------------------------------------------------------------


def rewritten(path, model, change=None, header=None):
    """The model saved with other tables (None takes one away) and other words in its header."""
    save_face_model(path, model)
    arrays, meta = load_arrays(path, "face-model")
    arrays = {k: v for k, v in (arrays | (change or {})).items() if v is not None}
    save_arrays(path, "face-model", arrays, meta | (header or {}))
    return path


@pytest.fixture(scope="module")
def model():
    return load_face_model()


@pytest.fixture(scope="module")
def tables(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("face") / "face.safetensors"
    save_face_model(path, model)
    return load_arrays(path, "face-model")[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mean", np.nan), ("mean", np.inf), ("mean", 1e30), ("uvs", np.nan), ("uvs", 1.5),
        ("faces", -1), ("faces", 10**6), ("uv_faces", 10**6), ("landmark_faces", -1),
        ("regions", 200), ("mouth_mask", 2), ("landmark_weight", 2), ("landmark_weight", np.nan),
        ("landmark_barycentric", 0), ("landmark_barycentric", np.nan),
        ("identity_basis_scale", np.nan), ("expression_basis_scale", 1.0),
    ],
)  # fmt: skip
def test_numbers_that_no_face_model_has_are_refused(model, tables, tmp_path, name, value):
    bad = tables[name].copy()
    bad.reshape(len(bad), -1)[5] = value
    path = rewritten(tmp_path / "bad.safetensors", model, {name: bad})
    refused(lambda: load_face_model(path), f"'{name}' holds")


@pytest.mark.parametrize("name", ["mean", "faces", "regions", "identity_basis", "mouth_mask"])
@pytest.mark.parametrize("how", ["missing", "shorter", "longer", "flat", "type", "empty"])
def test_tables_that_do_not_go_together_are_refused(model, tables, tmp_path, name, how):
    good = tables[name]
    bad = {
        "missing": None, "shorter": good[:-1], "longer": np.concatenate([good, good[:1]]),
        "flat": good.ravel()[:, None, None, None], "type": good.astype(np.float64),
        "empty": good[:0],
    }[how]  # fmt: skip
    path = rewritten(tmp_path / "bad.safetensors", model, {name: bad})
    refused(lambda: load_face_model(path), "bad.safetensors")


@pytest.mark.parametrize(
    "header",
    [{"name": 3}, {"name": ""}, {"name": "x" * 9999}, {"expression_names": "abc"},
     {"expression_names": ["jawOpen"]}, {"expression_names": ["jawOpen"] * 52},
     {"expression_names": [[]] * 52}, {"expression_names": None}],
)  # fmt: skip
def test_headers_of_other_things_are_refused(model, tmp_path, header):
    path = rewritten(tmp_path / "bad.safetensors", model, header=header)
    refused(lambda: load_face_model(path), "bad.safetensors")


def test_a_replaced_file_is_read_again(model, tmp_path):
    path = rewritten(tmp_path / "own.safetensors", model, header={"name": "first"})
    assert load_face_model(path).name == "first"
    rewritten(path, model, header={"name": "other"})
    assert load_face_model(path).name == "other"


# -- ST-LPIPS ----------------------------------------------------------------------------------


def perceptual_state():
    """A small state in the layout of the package `stlpips_pytorch`."""
    widths, sides = (3, 4, 5, 6, 6, 5), (11, 5, 3, 3, 3)
    state = {"scaling_layer.shift": torch.zeros(1, 3, 1, 1),
             "scaling_layer.scale": torch.ones(1, 3, 1, 1)}  # fmt: skip
    for i, side in enumerate(sides):
        state[f"net.slice{i}.0.weight"] = torch.full((widths[i + 1], widths[i], side, side), 0.01)
        state[f"net.slice{i}.0.bias"] = torch.zeros(widths[i + 1])
        state[f"lin{i}.model.1.weight"] = torch.ones(1, widths[i + 1], 1, 1)
    return state


@pytest.fixture
def alex(tmp_path, monkeypatch):
    """Where the weights of an installed package lie."""
    path = tmp_path / "weights" / "vST0.0" / "alex_shift_tolerant.pth"
    path.parent.mkdir(parents=True)
    spec = types.SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(perceptual, "find_spec", lambda name: spec)
    perceptual.load_perceptual.cache_clear()
    yield path
    perceptual.load_perceptual.cache_clear()


def test_weights_of_the_perceptual_distance_are_read(alex):
    torch.save(perceptual_state(), alex)
    grey = torch.full((1, 3, 64, 64), 0.5)
    assert perceptual.load_perceptual()(grey, grey) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"lin2.model.1.weight": None},
        {"scaling_layer.scale": torch.zeros(1, 3, 1, 1)},
        {"net.slice1.0.bias": torch.zeros(9)},
        {"net.slice1.0.weight": torch.full((5, 4, 5, 5), float("nan"))},
        {"net.slice1.0.weight": torch.zeros(1).expand(10**6, 10**6, 5, 5)},
        {"net.slice1.0.weight": torch.zeros(0, 4, 5, 5)},
        {"more": 3},
    ],
)
def test_weights_of_the_perceptual_distance_are_all_there_and_numbers(alex, change):
    state = perceptual_state() | change
    torch.save({k: v for k, v in state.items() if v is not None}, alex)
    refused(lambda: perceptual.load_perceptual(), "alex_shift_tolerant.pth")
