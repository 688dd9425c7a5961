"""ST-LPIPS against the package's own network, whose imports of torchvision are stood in for."""

import sys
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch
from skimage.data import astronaut

from gsmooth_core.errors import ModelError
from gsmooth_core.evaluation.metrics import perceptual


def pictures():
    rng = np.random.default_rng(0)
    truth = astronaut()[40:168, 180:276]
    noisy = np.clip(truth + rng.normal(0, 25, truth.shape), 0, 255).astype(np.uint8)
    return truth, noisy


@pytest.fixture
def package(monkeypatch):
    pytest.importorskip("stlpips_pytorch")
    for name in ("torchvision", "torchvision.models", "IPython", "torchsummary"):
        monkeypatch.setitem(sys.modules, name, MagicMock())
    from stlpips_pytorch import stlpips

    return stlpips


def test_distance_is_that_of_the_package(package):
    truth, noisy = pictures()
    oracle = package.LPIPS(net="alex", variant="shift_tolerant", verbose=False)
    a, b = (torch.from_numpy(x.astype(np.float32) / 255).movedim(-1, 0)[None] for x in pictures())
    with torch.inference_mode():
        expected = float(oracle(a, b, normalize=True))
    assert perceptual.perceptual_distance(truth, noisy) == pytest.approx(expected, rel=1e-5)


def test_worse_pictures_are_farther():
    pytest.importorskip("stlpips_pytorch")
    truth, noisy = pictures()
    assert perceptual.perceptual_distance(truth, truth) == 0
    halfway = ((truth.astype(int) + noisy) // 2).astype(np.uint8)
    near, far = (perceptual.perceptual_distance(truth, x) for x in (halfway, noisy))
    assert 0 < near < far


def test_foreign_weights_are_refused():
    with pytest.raises(ModelError):
        perceptual.PerceptualDistance({"net.slice1.0.weight": torch.zeros(1)})


def test_missing_weights_are_named(monkeypatch):
    monkeypatch.setattr(perceptual, "find_spec", lambda name: None)
    perceptual.load_perceptual.cache_clear()
    with pytest.raises(ModelError, match="stlpips_pytorch"):
        perceptual.load_perceptual()
