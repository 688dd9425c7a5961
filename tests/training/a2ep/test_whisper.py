"""Where Whisper's layers come from when its packages are not installed."""

from __future__ import annotations

import pytest
import torch

from gsmooth_core.a2ep.model import load_checkpoint
from gsmooth_core.errors import ModelError
from gsmooth_core.models import registry
from training.a2ep import whisper
from training.prepare import chosen_encoder


def test_the_shipped_model_lends_its_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(size: str) -> bytes:
        raise ModelError(f"Whisper {size} is not installed.", "")

    monkeypatch.setattr(whisper, "_read_package", missing)
    name, frames = chosen_encoder("whisper")
    assert name == "whisper-base-3"
    assert not frames.training
    torch.manual_seed(0)
    sound = 0.1 * torch.randn(1, 30 * 640)
    with torch.inference_mode():
        assert torch.equal(
            frames(sound, 30), load_checkpoint(registry.locate("a2ep")).encoder(sound, 30)
        )
