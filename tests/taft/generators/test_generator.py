"""Generators: sizes, cost, what they start from, and their checkpoints."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from torch.utils.flop_counter import FlopCounterMode

from gsmooth_core.errors import ModelError
from gsmooth_core.models.modelfile import ModelSource
from gsmooth_core.models.registry import locate
from gsmooth_core.storage.arrays import load_arrays, save_arrays
from gsmooth_core.taft.generators import fusion
from gsmooth_core.taft.generators import generator as g
from gsmooth_core.taft.generators.checkpoint import load_generator, save_generator
from tests.taft.small import SMALL, stirred


def batch(height: int = 64, width: int = 96, count: int = 4, size: int = 1) -> g.GeneratorInput:
    torch.manual_seed(0)
    return g.GeneratorInput(
        torch.rand(size, 3, height, width),
        torch.ones(size, 1, height, width),
        torch.rand(size, g.HINTS, height, width),
        torch.rand(size, count, 3, height, width),
        torch.rand(size, count, 1, height, width),
    )


@pytest.mark.parametrize("preset", g.PRESETS)
@pytest.mark.parametrize(("height", "width"), [(64, 64), (160, 192), (32, 96)])
def test_any_size_divisible_by_32(preset: str, height: int, width: int) -> None:
    with torch.inference_mode():
        picture = stirred(SMALL[preset])(batch(height, width, size=2))
    assert picture.shape == (2, 3, height, width)
    assert 0 <= picture.min() <= picture.max() <= 1


@pytest.mark.parametrize("count", [1, 2, 5])
def test_untrained_fusion_is_the_weighted_mean(count: int) -> None:
    x = batch(count=count)
    with torch.inference_mode():
        picture = g.build(SMALL["default"])(x)
    naive = sum(x.references[:, k] * (x.validity[:, k] + 1e-4) for k in range(count)) / sum(
        x.validity[:, k] + 1e-4 for k in range(count)
    )
    assert torch.allclose(picture, naive, atol=1e-5)
    assert torch.allclose(g.weighted_mean(x.references, x.validity), naive, atol=1e-6)


def test_fusion_does_not_care_about_the_order_of_references() -> None:
    x, order, model = batch(), [2, 0, 3, 1], stirred(SMALL["default"])
    turned = x._replace(references=x.references[:, order], validity=x.validity[:, order])
    with torch.inference_mode():
        assert torch.allclose(model(x), model(turned), atol=1e-5)


def test_a_reference_without_validity_counts_for_nothing() -> None:
    x = batch()
    x.validity[:, 1:] = 0
    x.validity[:, :1] = 1
    with torch.inference_mode():
        picture = g.build(SMALL["default"])(x)
    assert torch.allclose(picture, x.references[:, 0], atol=1e-3)


def test_shift_moves_by_pixels() -> None:
    image = torch.rand(1, 3, 32, 64)
    flow = torch.zeros(1, 2, 16, 32)
    assert torch.allclose(fusion.shift(image, flow), image, atol=1e-5)
    flow[:, 0], flow[:, 1] = 3, -2
    moved = fusion.shift(image, flow)
    assert torch.allclose(moved[..., 2:, :-3], image[..., :-2, 3:], atol=1e-4)


def test_the_default_costs_at_most_4_gmac_and_the_paper_as_many_as_released() -> None:
    cost = {}
    for name, config in g.PRESETS.items():
        with FlopCounterMode(display=False) as counter, torch.device("meta"):
            g.build(config)(batch(256, 256, config.references))
        cost[name] = counter.get_total_flops() / 2e9
    assert 1 < cost["default"] <= 4
    assert cost["paper"] == pytest.approx(44.1, rel=0.1)


def test_the_paper_preset_has_its_blocks() -> None:
    model = g.build(g.PRESETS["paper"])
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(5.4e6, rel=0.2)
    strided = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d) and m.stride == (2, 2)]
    assert len(strided) == 3
    assert max(m.out_channels for m in model.modules() if isinstance(m, torch.nn.Conv2d)) == 256


@pytest.mark.parametrize("preset", g.PRESETS)
def test_every_parameter_learns(preset: str) -> None:
    model = stirred(SMALL[preset])
    x = batch(64, 64)
    (model(x) - 0.5).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.parameters())


@pytest.mark.parametrize("preset", g.PRESETS)
def test_a_checkpoint_describes_itself(preset: str, tmp_path: Path) -> None:
    model, path = stirred(SMALL[preset]), tmp_path / "taft.safetensors"
    save_generator(path, model, {"steps": 3})
    loaded = load_generator(path)
    assert loaded.config == SMALL[preset]
    assert not loaded.training
    with torch.inference_mode():
        assert torch.allclose(loaded(batch()), model(batch()), atol=5e-3)  # half precision


def test_a_checkpoint_is_read_once_until_it_is_replaced(tmp_path: Path, monkeypatch) -> None:
    path, reads = tmp_path / "taft.safetensors", []
    read = ModelSource.arrays
    monkeypatch.setattr(ModelSource, "arrays", lambda *args: reads.append(1) or read(*args))
    save_generator(path, stirred(SMALL["default"]))
    times = path.stat()
    first = load_generator(path).state_dict()
    load_generator(path)
    assert len(reads) == 1
    other = stirred(SMALL["default"])
    for parameter in other.parameters():
        parameter.data.mul_(0.5)
    save_generator(path, other)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # the same time, the same size
    second = load_generator(path).state_dict()
    assert any(not torch.equal(first[name], second[name]) for name in first)


def test_what_one_caller_does_to_a_generator_reaches_no_other(tmp_path: Path) -> None:
    path = tmp_path / "taft.safetensors"
    save_generator(path, stirred(SMALL["default"]))
    first = load_generator(path)
    kept = {name: tensor.clone() for name, tensor in first.state_dict().items()}
    first.double().train().requires_grad_(requires_grad=True)
    for parameter in first.parameters():
        parameter.data.fill_(7.0)
    second = load_generator(path)
    assert not second.training
    assert not any(parameter.requires_grad for parameter in second.parameters())
    for name, tensor in second.state_dict().items():
        assert tensor.dtype == kept[name].dtype
        assert torch.equal(tensor, kept[name])


def test_a_missing_checkpoint_is_a_model_error(tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(ModelError):
        load_generator(tmp_path / "none.safetensors")
    monkeypatch.setattr("gsmooth_core.models.registry.PACKAGE_WEIGHTS", tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("GSMOOTH_MODELS", raising=False)
    with pytest.raises(ModelError):
        load_generator()


def damaged(path: Path, how: str) -> None:
    """Damage a good checkpoint in one way."""
    whole = path.read_bytes()
    bytes_of = {"random bytes": b"\x80\x04" * 40, "truncated": whole[:-100]}
    if how in bytes_of:
        path.write_bytes(bytes_of[how])
        return
    arrays, meta = load_arrays(path, "taft")
    name, config = next(iter(arrays)), meta["config"]
    first = arrays[name]
    changed = {
        "nan": np.full_like(first, np.nan),
        "wrong shape": first[:1],
        "integers": first.astype(np.int32),
    }
    arrays[name] = changed.get(how, first)
    dims = {
        "wrong dims": {"width": 16},
        "huge dims": {"width": 10**9},
        "unknown preset": {"preset": "other"},
        "unknown field": {"colour": 1},
    }
    config |= dims.get(how, {})
    if how == "missing key":
        del arrays[name]
    kind = "other" if how == "another kind" else "taft"
    save_arrays(path, kind, arrays, {} if how == "no config" else {"config": config})


@pytest.mark.parametrize(
    "how",
    [
        *("random bytes", "truncated", "nan", "missing key", "wrong shape", "integers"),
        *("wrong dims", "huge dims", "unknown preset", "unknown field", "no config"),
        "another kind",
    ],
)
def test_a_bad_checkpoint_is_a_model_error(how: str, tmp_path: Path) -> None:
    path = tmp_path / "taft.safetensors"
    save_generator(path, g.build(SMALL["default"]))
    damaged(path, how)
    with pytest.raises(ModelError) as caught:
        load_generator(path)
    assert caught.value.hint


def test_a_checkpoint_is_half_precision_and_plain_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "taft.safetensors"
    save_generator(path, g.build(SMALL["default"]))
    arrays = load_file(path)
    assert {a.dtype for a in arrays.values()} == {np.dtype(np.float16)}
    save_file(arrays, tmp_path / "bare.safetensors")
    with pytest.raises(ModelError):
        load_generator(tmp_path / "bare.safetensors")


def test_the_shipped_checkpoint_is_better_than_plain_warps_by_its_own_record() -> None:
    generator = load_generator()
    assert generator.config == g.PRESETS["detail"]
    path = locate("taft")
    assert path.stat().st_size < 4e6
    _, meta = load_arrays(path, "taft")
    notes = meta["notes"]
    trained, mean, nearest = (notes[name] for name in ("trained", "mean", "nearest"))
    for figure in ("mouth_psnr", "mask_psnr"):  # a blur is what SSIM likes best
        assert trained[figure] > max(mean[figure], nearest[figure])
    assert trained["mouth_ssim"] > nearest["mouth_ssim"]
    for bands in ("mouth_bands", "mask_bands"):
        assert all(0.75 < ratio < 1.1 for ratio in trained[bands])
        assert trained[bands][0] > mean[bands][0] + 0.15
    assert 0.9 < trained["flicker"] < 1.1 < nearest["flicker"]


def test_strided_kernel_is_a_convolution_after_unshuffling() -> None:
    conv = torch.nn.Conv2d(4 * 5, 7, 3, padding=1)
    x = torch.rand(2, 5, 16, 24)
    expected = conv(torch.nn.functional.pixel_unshuffle(x, 2))
    made = torch.nn.functional.conv2d(x, fusion._strided(conv), conv.bias, stride=2, padding=2)
    torch.testing.assert_close(made, expected, atol=1e-5, rtol=1e-4)


def test_looks_are_those_of_the_plain_convolution() -> None:
    model = stirred(SMALL["default"])
    x = batch(size=2, count=3)
    plain = torch.cat([x.references, x.references - x.blend[:, None], x.validity], 2).flatten(0, 1)
    unshuffled = torch.nn.functional.pixel_unshuffle(plain, 2)
    expected = torch.nn.functional.leaky_relu(model.look(unshuffled), 0.1)
    with torch.inference_mode():
        torch.testing.assert_close(model._look(x), expected, atol=1e-5, rtol=1e-4)
