"""Losses of eq. 10-13 against naive sums, and the trunk against plain VGG."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gsmooth_core.errors import ModelError
from training.taft import losses

VGG16 = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512)
VGG19 = (
    *(64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M"),
    *(512, 512, 512, 512, "M", 512, 512, 512, 512),
)


def vgg(layout: tuple[int | str, ...]) -> nn.Sequential:
    """The plain network, as its authors lay it out."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    width = 3
    for item in layout:
        if item == "M":
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(width, int(item), 3, padding=1), nn.ReLU()]
        width = int(item)
    return nn.Sequential(*layers)


class Colours(nn.Module):
    """A trunk that can be computed in the head."""

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        return [images, 2 * images[:, :2]]


@pytest.mark.parametrize("layout", [VGG16, VGG19])
def test_the_trunk_gives_the_first_activation_of_each_stage(layout, tmp_path: Path) -> None:
    network = nn.Module()
    network.features = vgg(layout)
    torch.save(network.state_dict(), tmp_path / "vgg.pth")
    images = torch.rand(1, 3, 32, 48)
    ours = losses.load_trunk(tmp_path / "vgg.pth")(images)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x, first, oracle = (images - mean[:, None, None]) / deviation[:, None, None], True, []
    for layer in network.features:
        x = layer(x)
        if isinstance(layer, nn.MaxPool2d):
            first = True
        elif isinstance(layer, nn.ReLU) and first:
            oracle.append(x)
            first = False
    assert len(ours) == len(oracle) == 5
    for a, b in zip(ours, oracle, strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_fewer_stages_are_a_prefix(tmp_path: Path) -> None:
    network = nn.Module()
    network.features = vgg(VGG16)
    torch.save(network.state_dict(), tmp_path / "vgg.pth")
    images = torch.rand(1, 3, 32, 32)
    full, short = (losses.load_trunk(tmp_path / "vgg.pth", n)(images) for n in (5, 3))
    assert all(torch.equal(a, b) for a, b in zip(short, full[:3], strict=True))


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_what_is_no_trunk_is_a_model_error(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "vgg.pth"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError):
        losses.load_trunk(path)


def test_another_network_is_a_model_error(tmp_path: Path) -> None:
    torch.save(nn.Linear(3, 3).state_dict(), tmp_path / "other.pth")
    with pytest.raises(ModelError):
        losses.load_trunk(tmp_path / "other.pth")


def test_gram_is_a_mean_of_outer_products() -> None:
    features = torch.rand(2, 3, 4, 5)
    gram = losses.gram(features)
    for b in range(2):
        pixels = features[b].reshape(3, 20)
        oracle = sum(torch.outer(pixels[:, i], pixels[:, i]) for i in range(20)) / 60
        assert torch.allclose(gram[b], oracle, atol=1e-6)


def test_photometric_is_weighted() -> None:
    a, b, weight = torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2), torch.zeros(1, 1, 2, 2)
    assert losses.photometric(a, b) == 1
    weight[..., 0, 0] = 2
    assert losses.photometric(a, b, weight) == 0.5


def test_total_is_equation_13() -> None:
    settings = losses.LossSettings(photo=1.5, perceptual=0.5, style=7, scales=(1, 2))
    a, b = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8)
    terms = losses.TaftLoss(Colours(), settings)(a, b)
    perceptual = style = 0.0
    for scale in (1, 2):
        x, y = F.avg_pool2d(a, scale), F.avg_pool2d(b, scale)
        for p, q in ((x, y), (2 * x[:, :2], 2 * y[:, :2])):
            perceptual += float((p - q).abs().mean())
            style += float((losses.gram(p) - losses.gram(q)).abs().mean())
    assert float(terms["perceptual"]) == pytest.approx(perceptual, rel=1e-5)
    assert float(terms["style"]) == pytest.approx(style, rel=1e-5)
    total = 1.5 * float((a - b).abs().mean()) + 0.5 * perceptual + 7 * style
    assert float(terms["total"]) == pytest.approx(total, rel=1e-5)


def test_a_perfect_picture_costs_nothing() -> None:
    a = torch.rand(1, 3, 16, 16)
    assert float(losses.TaftLoss(Colours())(a, a.clone())["total"]) == 0


def test_edge_energy_tells_blur_from_detail_wherever_it_is() -> None:
    torch.manual_seed(0)
    truth = torch.rand(1, 3, 33, 33)
    blurred = F.avg_pool2d(truth, 3, 1, 1)
    other_detail = torch.rand(1, 3, 33, 33)
    assert losses.edge_energy(truth, truth) == 0
    blur, other = (losses.edge_energy(p, truth) for p in (blurred, other_detail))
    assert blur > 5 * other
    ramp = torch.arange(9.0).expand(1, 3, 9, 9) / 10  # 0.1 across and nothing down
    assert losses.edge_energy(ramp, torch.zeros(1, 3, 9, 9)) == pytest.approx(0.1)
