"""One network, several engines: what they make is equal, and which of them runs is chosen well."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.a2ep import PredictSettings, load_a2ep, predict_expression
from gsmooth_core.errors import ModelError
from gsmooth_core.models import devices, registry
from gsmooth_core.networks import engine, graphs
from gsmooth_core.sync.load import load_expert
from gsmooth_core.taft.generators.generator_file import sizes
from gsmooth_core.taft.generators.interface import HINTS, PRESETS, GeneratorInput
from gsmooth_core.taft.generators.load import open_generator
from gsmooth_core.tracking.people.recognise import load_recogniser

DICE = np.random.default_rng(7)


def noise(*shape: int) -> np.ndarray:
    return DICE.random(shape, np.float32)


def crops(count: int, height: int = 64, width: int = 96) -> GeneratorInput[np.ndarray]:
    planes = (noise(1, channels, height, width) for channels in (3, 1, HINTS))
    lent = (noise(1, count, channels, height, width) for channels in (3, 1))
    return GeneratorInput(*planes, *lent)


def sound(seconds: float) -> np.ndarray:
    swell = np.repeat(noise(int(seconds * 10)), 1600)
    return (0.3 * swell * (noise(len(swell)) - 0.5)).astype(np.float32)


@pytest.fixture
def both():
    """A loader by each engine."""
    pytest.importorskip("torch", reason="PyTorch is not installed")
    return lambda load, *args: (load(*args, engine="onnx"), load(*args, engine="torch"))


@pytest.mark.parametrize("count", [1, 2, 7])
def test_generators_paint_the_same(both, count: int) -> None:
    ours, theirs = both(open_generator, "taft", "cpu")
    for height, width in ((64, 96), (32, 160), (256, 288)):  # the last is planned in half
        x = crops(count, height, width)
        np.testing.assert_allclose(ours.paint(x), theirs.paint(x), atol=1e-4)


def test_in_bfloat16_a_picture_is_a_third_of_a_level_off(both) -> None:
    whole, halved = both(open_generator, "taft", "cpu")
    halved.halves = True
    try:
        apart = np.abs(whole.paint(x := crops(7)) - halved.paint(x)) * 255
    finally:
        halved.halves = False  # it is kept for others
    assert 0 < apart.mean() < 0.6
    assert apart.max() < 8


def test_the_encoder_hears_the_same(both) -> None:
    ours, theirs = both(load_a2ep, "a2ep")
    for frames in (1, 26, 400):
        samples = sound(frames * 0.04 + 0.1)[: frames * 640]
        made, expected = (
            ours.encoder.listen(samples, frames),
            theirs.encoder.listen(samples, frames),
        )
        np.testing.assert_allclose(made, expected, atol=1e-3 * np.abs(expected).max())


def test_curves_are_the_same(both) -> None:
    audio, settings = sound(6.0), PredictSettings(voice_gate=False)
    ours, theirs = (
        predict_expression(audio, 150, Fraction(25), settings=settings, model=model).values
        for model in both(load_a2ep, "a2ep")
    )
    assert np.ptp(ours, axis=0).max() > 0.02
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_the_decoder_steps_the_same(both) -> None:
    """With features far larger than real ones, so that each part of it counts."""
    ours, theirs = both(load_a2ep, "a2ep")
    features = 5 * (noise(60, ours.config.encoder_width) - 0.5)
    style = np.zeros(ours.config.styles, np.float32)
    made = []
    for model in (ours, theirs):
        decoder = model.decoder
        heard = decoder.heard(features)
        state = decoder.start()
        parts = [decoder.spoken(state, heard, style, first, 18) for first in (0, 18)]
        made.append([*parts, heard, model.voice_logits(features), model.closing_logits(features)])
    for one, other in zip(*made, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4 * max(1, np.abs(other).max()))


def test_sync_and_faces_are_told_the_same(both) -> None:
    ours, theirs = both(load_expert, registry.locate("sync"))
    features, movement = noise(40, ours.config.sound), noise(40, ours.config.components)
    np.testing.assert_allclose(
        ours.embed_features(features), theirs.embed_features(features), atol=1e-5
    )
    np.testing.assert_allclose(ours.encode_lips(movement), theirs.encode_lips(movement), atol=1e-5)
    ours, theirs = both(load_recogniser, registry.locate("recognise"))
    chips = 255 * noise(3, 3, 150, 150)
    np.testing.assert_allclose(ours(chips), theirs(chips), atol=1e-4)


# -- which engine -------------------------------------------------------------------------------


@pytest.fixture
def machine(monkeypatch):
    """A machine with or without torch, a processor with bfloat16, a card."""

    def made(torch: bool = True, halves: bool = False, card: bool = False) -> None:
        monkeypatch.setattr(engine, "has_torch", lambda: torch)
        monkeypatch.setattr(engine, "has_bfloat16", lambda: halves)
        monkeypatch.setattr(engine, "best_device", lambda: "cuda" if card else "cpu")

    return made


SHIPPED = sizes(PRESETS["detail"])


@pytest.mark.parametrize(
    ("there", "device", "chosen"),
    [
        ({}, None, "onnx"),
        ({"halves": True}, None, "torch"),
        ({"halves": True, "torch": False}, "auto", "onnx"),
        ({"card": True}, "auto", "torch"),
        ({"card": True}, "cpu", "onnx"),
        ({"card": True, "torch": False}, "cuda:0", "onnx"),
    ],
)
def test_the_fastest_that_is_there(machine, there, device, chosen) -> None:
    machine(**there)
    assert engine.engine_for("taft", SHIPPED, device, halves=True) == chosen


def test_only_what_may_be_rounded_is(machine) -> None:
    machine(halves=True)
    assert engine.engine_for("taft", SHIPPED, "cpu") == "onnx"


def test_other_sizes_are_for_torch_alone(machine) -> None:
    other = sizes(replace(PRESETS["detail"], width=8))
    machine()
    assert engine.engine_for("taft", other) == "torch"
    assert engine.engine_for("unknown", {}) == "torch"
    machine(torch=False)
    with pytest.raises(ModelError, match="needs PyTorch") as caught:
        engine.engine_for("taft", other)
    assert "pip install" in caught.value.hint


def test_any_number_of_references_is_one_size() -> None:
    assert graphs.fits("taft", sizes(replace(PRESETS["detail"], references=2)))


def test_what_onnx_runtime_runs_on(monkeypatch) -> None:
    there = ["CPUExecutionProvider", "CoreMLExecutionProvider", "DmlExecutionProvider"]
    monkeypatch.setattr(devices.ort, "get_available_providers", lambda: there)
    plain, windows = "CPUExecutionProvider", ("DmlExecutionProvider", {"device_id": "0"})
    assert devices.provider("cpu") == devices.provider("cuda:1") == (plain,)
    assert devices.provider() == (windows, plain)
    assert devices.provider("mps") == ("CoreMLExecutionProvider", plain)


def test_a_damaged_graph_is_named(tmp_path, monkeypatch) -> None:
    shutil.copytree(graphs.FOLDER, tmp_path / "graphs")
    monkeypatch.setattr(graphs, "FOLDER", tmp_path / "graphs")
    path = tmp_path / "graphs" / "taft.plan.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="plan"):
        graphs.graph("taft", "plan")
    path.unlink()
    with pytest.raises(ModelError, match="damaged"):
        graphs.graph("taft", "plan")


def test_graphs_hold_no_weights() -> None:
    index = json.loads((graphs.FOLDER / graphs.INDEX).read_text())
    names = {graphs.filename(model, name) for model in index for name in index[model]["graphs"]}
    assert names == {path.name for path in graphs.FOLDER.glob("*.onnx")}
    assert sum((graphs.FOLDER / name).stat().st_size for name in names) < 400_000
