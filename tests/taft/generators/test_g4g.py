"""G4G's blocks: where they start from, what each does, and that each can be left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gsmooth_core.errors import ModelError
from gsmooth_core.storage.arrays import load_arrays, save_arrays
from gsmooth_core.taft.generators import fusion, g4g
from gsmooth_core.taft.generators import generator as g
from gsmooth_core.taft.generators.checkpoint import load_generator, save_generator
from gsmooth_core.taft.generators.generator_file import sizes
from tests.taft.small import SMALL, stirred

BLOCKS = {"align": "alignment", "deform": "deformation", "mend": "fusion"}


def seen(count: int = 3, side: int = 64) -> g.GeneratorInput:
    torch.manual_seed(0)
    return g.GeneratorInput(
        torch.rand(1, 3, side, side),
        (torch.rand(1, 1, side, side) > 0.5).float(),
        torch.rand(1, g.HINTS, side, side),
        torch.rand(1, count, 3, side, side),
        torch.rand(1, count, 1, side, side),
    )


def made(model: torch.nn.Module, x: g.GeneratorInput) -> torch.Tensor:
    with torch.inference_mode():
        return model(x)


def started(config: g.GeneratorConfig = SMALL["g4g"]) -> tuple[g.G4gGenerator, torch.nn.Module]:
    """One of G4G with untrained blocks on the weights of one of "detail", and that."""
    detail, model = stirred(SMALL["detail"]), g.build(config).eval()
    left = model.load_state_dict(detail.state_dict(), strict=False)
    assert not left.unexpected_keys
    assert {key.split(".")[0] for key in left.missing_keys} <= set(BLOCKS)
    return model, detail


def test_untrained_it_is_the_preset_it_starts_from() -> None:
    model, detail = started()
    assert torch.equal(made(model, seen()), made(detail, seen()))


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_that_is_left_out_is_gone_and_the_others_work(block: str) -> None:
    less = replace(SMALL["g4g"], **{BLOCKS[block]: False})
    names = {name.split(".")[0] for name in g.build(less).state_dict()}
    assert names & set(BLOCKS) == set(BLOCKS) - {block}
    assert not torch.allclose(
        made(stirred(SMALL["g4g"]), seen()), made(stirred(less), seen()), atol=1e-3
    )


def test_without_scales_there_is_nothing_to_align_or_deform() -> None:
    model = g.build(replace(SMALL["g4g"], scales=0))
    assert model.align is model.deform is None
    assert made(model, seen()).shape == (1, 3, 64, 64)


@pytest.mark.parametrize("scales", [1, 2, 3])
def test_it_works_at_as_many_scales_as_are_asked_for(scales: int) -> None:
    model = stirred(replace(SMALL["g4g"], scales=scales))
    model.train()(seen())
    assert [p.shape[-1] for p in model.coarse] == [4, 8, 16][3 - scales :]
    model.eval()(seen())
    assert model.coarse == ()


def test_untrained_pictures_of_coarser_scales_are_means_of_the_references() -> None:
    model, _ = started()
    x = seen()
    model.train()(x)
    for picture in model.coarse:
        pixels = 64 // picture.shape[-1]
        pooled = torch.nn.functional.avg_pool2d
        references = pooled(x.references[0], pixels)
        weight = pooled(x.validity[0], pixels) + 1e-4
        naive = (references * weight).sum(0) / weight.sum(0)
        assert torch.allclose(picture[0], naive, atol=1e-4)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_deformation_moves_the_references_by_its_pixels(level: int) -> None:
    model, _ = started()
    x, farthest = seen(), 0.5 * 4 * 2**level
    model.deform.move[level].bias.data[0] = float(np.arctanh(1 / farthest))
    model.choice.weight.data[4:], model.choice.bias.data[4:] = 0, 0
    flows = []
    model._fused = lambda x, _, flow, *__: flows.append(flow) or x.blend
    made(model, x)
    moved = fusion.shift(x.references[0], flows[0])
    ahead = torch.roll(x.references[0], -1, -1)
    inner = np.s_[..., 8:-8]
    assert torch.allclose(moved[inner], ahead[inner], atol=2e-3)


def test_finer_scales_see_what_the_coarser_have_deformed() -> None:
    model, x = started()[0], seen()
    looks, inputs = model._look(x), []
    model.deform.own[1].register_forward_pre_hook(lambda _, given: inputs.append(given[0]))
    for bias in (0, float(np.arctanh(0.999999))):  # none, all of the farthest: half a pixel
        model.deform.move[2].bias.data[0] = bias
        made(model, x)
    still, moved = inputs
    pooled = torch.nn.functional.avg_pool2d(looks, 4)
    assert torch.allclose(still, pooled, atol=1e-5)
    # Half a pixel of the scale above is a pixel of this one.
    assert torch.allclose(moved[..., :-1], pooled[..., 1:], atol=1e-3)


def test_alignment_reaches_the_picture() -> None:
    model, x = stirred(SMALL["g4g"]), seen()
    with_it = made(model, x)
    for head in model.align.residual:
        head.weight.data[:], head.bias.data[:] = 0, 0
    assert not torch.allclose(made(model, x), with_it, atol=1e-3)


def test_a_mask_takes_a_reference_out_of_its_scale_and_of_the_picture() -> None:
    """Scores as the masks give them, for one reference far below the others."""
    model, _ = started()
    x = seen()
    score = torch.zeros(3, 1, 16, 16)
    score[1] = -30
    flow = torch.zeros(3, 2, 16, 16)
    without = x._replace(references=x.references[:, [0, 2]], validity=x.validity[:, [0, 2]])
    picture = g4g._picture(x, flow, score, 4)
    assert torch.allclose(picture, g4g._picture(without, flow[:2], score[[0, 2]], 4), atol=1e-5)
    plain = model.deform.forward
    model.deform.forward = lambda *given: plain(*given)._replace(score=score)
    masked, whole = made(model, x), made(started()[0], x)
    assert (masked - whole).abs().max() > 0.05
    far = x.references.clone()
    far[:, 1] = 1 - far[:, 1]
    untouched = model._look(x)
    model._look = lambda _: untouched  # only its pixels differ
    assert torch.allclose(made(model, x._replace(references=far)), masked, atol=1e-4)


def test_identity_is_mean_and_deviation_where_references_are_believed() -> None:
    torch.manual_seed(0)
    looks, validity = torch.randn(2, 3, 5, 8, 8), torch.rand(2, 3, 1, 16, 16)
    validity[:, 2] = 0
    found = g4g._identity(looks.flatten(0, 1), validity).numpy()
    weight = validity.reshape(2, 3, 8, 2, 8, 2).mean((3, 5)).numpy() + 1e-4
    for b in range(2):
        for c in range(5):
            values, w = looks[b, :, c].numpy().ravel(), weight[b].ravel()
            mean = np.average(values, weights=w)
            spread = np.sqrt(np.average((values - mean) ** 2, weights=w) + 1e-4)
            np.testing.assert_allclose(found[b, [c, 5 + c]], [mean, spread], atol=1e-4)


def test_alignment_gives_the_pose_the_mean_and_deviation_of_the_identity() -> None:
    features = 3 + 2 * torch.rand(2, 4, 16, 16)
    normal = g4g._normal(features)
    assert torch.allclose(normal.mean((2, 3)), torch.zeros(2, 4), atol=1e-5)
    assert torch.allclose(normal.std((2, 3)), torch.ones(2, 4), atol=1e-2)
    align, x = stirred(SMALL["g4g"]).align, seen()
    looks = torch.randn(3, 8, 16, 16)
    for style in align.style:
        style.weight.data[:] = 0
        style.bias.data[:] = 0
    same = align(x, looks), align(x, 2 * looks + 1)
    assert all(torch.equal(a, b) for a, b in zip(*same, strict=True))
    stirred_style = stirred(SMALL["g4g"]).align
    other = stirred_style(x, looks), stirred_style(x, 2 * looks + 1)
    assert all(not torch.allclose(a, b, atol=1e-3) for a, b in zip(*other, strict=True))
    lips = x._replace(hints=x.hints.roll(8, -1))
    assert not torch.allclose(align(x, looks)[0], align(lips, looks)[0], atol=1e-3)


def test_mending_is_bounded_and_sees_contour_and_surroundings() -> None:
    mend, x = stirred(SMALL["g4g"]).mend, seen()
    for head in (mend.fine, *mend.wide):
        head.weight.data *= 1000
    picture = torch.rand(1, 3, 64, 64)
    added = mend(picture, x)
    most = SMALL["g4g"].max_residual
    assert 0.5 * most < added.abs().max() <= most
    for other in (x._replace(mask=1 - x.mask), x._replace(blend=1 - x.blend)):
        assert not torch.allclose(mend(picture, other), added, atol=1e-3)


def test_order_of_references_does_not_matter() -> None:
    x, order, model = seen(), [2, 0, 1], stirred(SMALL["g4g"])
    turned = x._replace(references=x.references[:, order], validity=x.validity[:, order])
    assert torch.allclose(made(model, x), made(model, turned), atol=1e-4)


def test_blocks_are_sizes_of_this_preset_alone() -> None:
    less = replace(SMALL["g4g"], alignment=False)
    assert sizes(less) != sizes(SMALL["g4g"])
    assert "alignment" not in sizes(SMALL["detail"])


def test_more_scales_than_levels_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "taft.safetensors"
    save_generator(path, g.build(SMALL["g4g"]))
    arrays, meta = load_arrays(path, "taft")
    save_arrays(path, "taft", arrays, {"config": meta["config"] | {"scales": 4}})
    with pytest.raises(ModelError, match="scales"):
        load_generator(path)
