"""The card, for tests that are marked `gpu`."""

from __future__ import annotations

import os

import pytest

from tests.gpu import absent

absent.stand_in()


@pytest.fixture(scope="session")
def card():
    """The device to test; GSMOOTH_CARD=cpu rehearses the tests where there is no card."""
    import torch

    device = torch.device(os.environ.get("GSMOOTH_CARD", "cuda"))
    if device.type == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return device
