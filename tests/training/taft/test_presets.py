"""What presets are trained with, and what is left out of G4G for an ablation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gsmooth_core.taft.generators.generator import PRESETS
from training.taft.objective import Weights
from training.taft.presets import PARTS, config_for, weighed, weights_of


def test_all_of_a_preset_is_there_unless_it_is_left_out() -> None:
    assert all(config_for(name) == config for name, config in PRESETS.items())
    assert weighed(weights_of("g4g"), ()) == weights_of("g4g")
    assert weights_of("default") == Weights()


@pytest.mark.parametrize("part", PARTS)
def test_one_part_is_left_out_of_g4g(part: str) -> None:
    whole, loss = PRESETS["g4g"], weights_of("g4g")
    config = {
        "alignment": replace(whole, alignment=False),
        "deformation": replace(whole, deformation=False),
        "fusion": replace(whole, fusion=False),
        "scales": replace(whole, scales=1),
    }.get(part, whole)
    terms = {
        "contrast": replace(loss, contrast=0),
        "deformation": replace(loss, scales=0),
        "scales": replace(loss, scales=0),
    }.get(part, loss)
    assert loss.contrast
    assert loss.scales
    assert config_for("g4g", [part]) == config
    assert weighed(loss, [part]) == terms


@pytest.mark.parametrize("part", PARTS)
def test_other_presets_have_none_of_it(part: str) -> None:
    assert config_for("detail", [part]) == PRESETS["detail"]
