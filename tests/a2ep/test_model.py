import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from gsmooth_core.a2ep import load_a2ep
from gsmooth_core.a2ep.model import A2EP, load_checkpoint, save_checkpoint
from gsmooth_core.errors import ModelError
from tests.a2ep.small import ALL_NAMES, CONFIG, NAMES, model


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "a2ep.safetensors"
    save_checkpoint(path, model(), {"steps": 3})
    return path


def rewritten(path, change):
    """The checkpoint with its arrays and header changed by `change(arrays, header)`."""
    arrays = load_file(path)
    with safe_open(path, "np") as file:
        header = dict(file.metadata())
    change(arrays, header)
    target = path.with_name("changed.safetensors")
    save_file(arrays, target, header)
    return target


def test_a_checkpoint_comes_back(saved):
    original, loaded = model(), load_checkpoint(saved)
    assert (loaded.config, loaded.names, loaded.all_names) == (CONFIG, NAMES, ALL_NAMES)
    assert not loaded.training
    for name, tensor in original.state_dict().items():
        tolerance = 2e-3 if name.startswith("encoder.") else 0.0
        torch.testing.assert_close(
            loaded.state_dict()[name], tensor, atol=tolerance, rtol=tolerance
        )


def test_the_encoder_is_stored_in_half_precision(saved):
    kinds = {name.split(".")[0]: array.dtype for name, array in load_file(saved).items()}
    assert kinds["encoder"] == np.float16
    assert kinds["decoder"] == np.float32


def drop(arrays, header):
    del arrays["decoder.out.weight"]


def shrink(arrays, header):
    arrays["decoder.out.weight"] = arrays["decoder.out.weight"][:, :3].copy()


def poison(arrays, header):
    arrays["decoder.out.bias"][:] = np.nan


def other_dims(arrays, header):
    header["config"] = json.dumps({**json.loads(header["config"]), "d": 48})


def unknown_setting(arrays, header):
    header["config"] = json.dumps({**json.loads(header["config"]), "flux": 1})


def fewer_names(arrays, header):
    header["names"] = json.dumps(NAMES[:2])


def no_names(arrays, header):
    del header["names"]


def other_kind(arrays, header):
    header["kind"] = "gsmooth-track"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop, "decoder.out.weight"),
        (shrink, "decoder.out.weight. has the shape"),
        (poison, "no numbers"),
        (other_dims, "has the shape"),
        (unknown_setting, "flux"),
        (fewer_names, "names 2 components and predicts 5"),
        (no_names, "lacks 'names'"),
        (other_kind, "not a a2ep file"),
    ],
)
def test_a_damaged_checkpoint_is_named(saved, change, message):
    with pytest.raises(ModelError, match=message) as caught:
        load_checkpoint(rewritten(saved, change))
    assert caught.value.hint


def test_no_file_and_no_checkpoint_at_all(tmp_path):
    with pytest.raises(ModelError, match="There is no file"):
        load_checkpoint(tmp_path / "none.safetensors")
    (tmp_path / "noise.safetensors").write_bytes(b"\x08" * 100)
    with pytest.raises(ModelError, match="cannot be read"):
        load_checkpoint(tmp_path / "noise.safetensors")


def test_a_checkpoint_is_read_once_until_it_changes(saved):
    first = load_a2ep(saved)
    assert load_a2ep(saved) is first
    save_checkpoint(saved, model(seed=5), {})
    import os

    os.utime(saved, (1, 1))
    assert load_a2ep(saved) is not first


def test_loading_the_shipped_model_does_not_wake_torchs_compiler():
    """Its import takes longer than all the rest of loading; a single operation on meta does it."""
    code = (
        "import sys; from gsmooth_core.a2ep import load_a2ep; load_a2ep(engine='torch');"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_must_fit_the_sizes():
    with pytest.raises(ModelError, match="predicts 6"):
        A2EP(dataclasses.replace(CONFIG, components=6), NAMES, ALL_NAMES)


def test_shipped_checkpoint_is_what_its_header_says():
    shipped = load_a2ep()
    assert shipped.config.encoder == "whisper"
    assert len(shipped.all_names) == 52
    assert set(shipped.names) < set(shipped.all_names)
    assert 0.5 < float(shipped.array("gain")) < 2.0
