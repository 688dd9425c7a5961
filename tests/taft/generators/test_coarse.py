"""Large pictures, planned at half the resolution: torch is the oracle of the arrays' way."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.taft.generators import coarse
from gsmooth_core.taft.generators.interface import GeneratorConfig, GeneratorInput
from gsmooth_core.taft.generators.mix import Plan, followed
from gsmooth_core.types import Float

CONFIG = GeneratorConfig("detail", width=8, max_width=16, levels=2)
LARGE = 256, 288
PARTS = {"blend": (3,), "mask": (1,), "hints": (3,), "references": (3, 3), "validity": (3, 1)}


def batch(height: int, width: int) -> GeneratorInput[Float]:
    dice = np.random.default_rng(0)
    shapes = ((1, *channels, height, width) for channels in PARTS.values())
    return GeneratorInput(*(dice.random(shape, np.float32) for shape in shapes))


def a_plan(count: int, height: int, width: int, flow: float = 0.0) -> Plan:
    """The first of some references as it is, moved to the right."""
    half, first = (height // 2, width // 2), np.eye(1, count, dtype=np.float32)[0]
    moved = np.zeros((1, count, 2, *half), np.float32)
    moved[:, :, 0] = flow
    return Plan(
        moved,
        np.broadcast_to(first[None, :, None, None], (1, count, height, width)).copy(),
        np.broadcast_to(first[None, :, None, None], (1, count, *half)).copy(),
        np.ones((1, 2, *half), np.float32),
        np.zeros((1, 3, height, width), np.float32),
    )


def test_what_is_painted_is_what_torch_makes() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from gsmooth_core.taft.generators.generator import build

    torch.manual_seed(0)
    model = build(CONFIG)
    for table in model.parameters():
        table.data += 0.1 * torch.randn_like(table)
    x = batch(*LARGE)
    with torch.no_grad():
        wanted = model(GeneratorInput(*map(torch.from_numpy, x))).numpy()
    np.testing.assert_allclose(model.paint(x), wanted, atol=1e-4)
    assert np.abs(wanted - x.references[:, 0]).mean() > 0.05


@pytest.mark.parametrize("size", [(256, 256), (96, 320), (264, 256), (256, 260)])
def test_others_are_planned_as_they_are(size: tuple[int, int]) -> None:
    x, whole = batch(*size), a_plan(3, *size)
    seen: list[GeneratorInput[Float]] = []

    def plan(given: GeneratorInput[Float]) -> Plan:
        seen.append(given)
        return whole

    assert coarse.planned(x, CONFIG, plan) is whole
    assert seen[0] is x


def test_a_network_sees_the_means_of_four_pixels() -> None:
    x, (height, width) = batch(*LARGE), LARGE

    def plan(given: GeneratorInput[Float]) -> Plan:
        for small, large in zip(given, x, strict=True):
            means = large.reshape(*large.shape[:-2], height // 2, 2, width // 2, 2).mean((-3, -1))
            np.testing.assert_allclose(small, means, atol=1e-6)
        return a_plan(3, height // 2, width // 2)

    assert coarse.planned(x, CONFIG, plan).colour.shape[-2:] == LARGE


@pytest.mark.parametrize("flow", [0.0, 1.5])
def test_pixels_are_the_references_own_as_far_as_they_are_moved(
    flow: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coarse, "MORE", (1.0, 1.0))
    x, (height, width) = batch(*LARGE), LARGE
    plan = coarse.enlarged(a_plan(3, height // 2, width // 2, flow))
    wanted = np.roll(x.references[:, 0], -round(2 * flow), -1)
    inner = np.s_[..., 8:-8, 8:-8]
    np.testing.assert_allclose(followed(plan, x.references)[inner], wanted[inner], atol=1e-5)


def test_fine_detail_gains_more_than_middling_detail() -> None:
    plan = coarse.enlarged(a_plan(1, 32, 48))
    fine, middling = plan.gain[0, :, 0, 0]
    assert (fine, middling) == pytest.approx(coarse.MORE)
    assert fine > middling > 1
