"""What is written as graphs: the networks of the checkpoints that come with GSmooth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gsmooth_core.a2ep import checkpoint as speech
from gsmooth_core.a2ep.decoder import ExpressionDecoder
from gsmooth_core.a2ep.encoders import WhisperFrames
from gsmooth_core.a2ep.mel import MELS
from gsmooth_core.a2ep.model import A2EP, load_checkpoint
from gsmooth_core.models import registry
from gsmooth_core.sync import expert
from gsmooth_core.sync.model import load_module as load_sync
from gsmooth_core.taft.generators import generator_file as faces
from gsmooth_core.taft.generators.checkpoint import load_generator
from gsmooth_core.taft.generators.generator import (
    HINTS,
    DetailGenerator,
    GeneratorInput,
    TorchGenerator,
)
from gsmooth_core.taft.generators.mix import Plan
from gsmooth_core.tracking.people import chip, recognise
from gsmooth_core.tracking.people.recognise_net import load_module as load_recogniser


@dataclass(frozen=True)
class Exported:
    """One network.

    Attributes:
        name: of the graph.
        module: what is run.
        example: inputs that it is run on.
        inputs: their names, and the axes that may be of any size, by name.
        outputs: names.
        prefix: what stands before the checkpoint's names in the module's.
    """

    name: str
    module: nn.Module
    example: tuple[Any, ...]
    inputs: dict[str, dict[int, str]]
    outputs: list[str]
    prefix: str = ""


@dataclass(frozen=True)
class Family:
    """The networks of one checkpoint.

    Attributes:
        name: how the rooms ask for them.
        config: sizes that the graphs are made for.
        tables: of the checkpoint.
        networks: them.
    """

    name: str
    config: dict[str, Any]
    tables: Mapping[str, Tensor]
    networks: list[Exported]


def families() -> Iterator[Family]:
    """All of them."""
    yield _taft()
    yield _a2ep()
    yield _sync()
    yield _recognise()


class _Plan(nn.Module):
    def __init__(self, generator: TorchGenerator) -> None:
        super().__init__()
        assert isinstance(generator, DetailGenerator)  # noqa: S101
        self.generator = generator

    def forward(self, *parts: Tensor) -> tuple[Tensor, ...]:
        return self.generator.plan(GeneratorInput(*parts))


def _taft() -> Family:
    generator = load_generator()
    batch, size = {0: "batch"}, {2: "height", 3: "width"}
    several = {1: "references", 3: "height", 4: "width"}
    example = (
        *(torch.rand(1, channels, 64, 96) for channels in (3, 1, HINTS)),
        *(torch.rand(1, 3, channels, 64, 96) for channels in (3, 1)),
    )
    inputs = dict.fromkeys(("blend", "mask", "hints"), batch | size)
    inputs |= dict.fromkeys(("references", "validity"), batch | several)
    plan = Exported("plan", _Plan(generator), example, inputs, [*Plan._fields], "generator.")
    return Family(faces.KIND, faces.sizes(generator.config), generator.state_dict(), [plan])


class _Listen(nn.Module):
    def __init__(self, model: A2EP) -> None:
        super().__init__()
        self.encoder = model.encoder

    def forward(self, mel: Tensor, positions: Tensor) -> Tensor:
        assert isinstance(self.encoder, WhisperFrames)  # noqa: S101
        return self.encoder.whisper.encode_at(mel, positions)


class _Speak(nn.Module):
    def __init__(self, model: A2EP) -> None:
        super().__init__()
        assert isinstance(model.decoder, ExpressionDecoder)  # noqa: S101
        self.decoder = model.decoder

    def forward(
        self, heard: Tensor, near: Tensor, position: Tensor, style: Tensor, *before: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        decoder = self.decoder
        near_by = decoder.cross_attention.keys_values(decoder.embed_audio(near))
        previous, keys, values = before
        return decoder.next(heard, near_by, position, style, (previous, keys, values))


def _a2ep() -> Family:
    model = load_checkpoint(registry.locate(speech.KIND))
    config, width = model.config, model.decoder.heard_width
    sound = (torch.rand(1, MELS, 40), torch.rand(20, config.encoder_width))
    axes = {"mel": {2: "steps"}, "positions": {0: "places"}}
    listen = Exported("listen", _Listen(model), sound, axes, ["hidden"])
    past = torch.rand(1, config.heads, 3, config.d // config.heads)
    example = (
        torch.rand(1, 1, width), torch.rand(1, 5, width), torch.rand(1, config.d),
        torch.zeros(1, config.styles), torch.rand(1, config.components), past, past.clone(),
    )  # fmt: skip
    inputs: dict[str, dict[int, str]] = {"heard": {}, "near": {1: "near"}, "position": {}}
    inputs |= {"style": {}, "previous": {}, "keys": {2: "past"}, "values": {2: "past"}}
    outputs = ["expression", "more_keys", "more_values"]
    speak = Exported("speak", _Speak(model), example, inputs, outputs)
    return Family(speech.KIND, speech.sizes(config), model.state_dict(), [listen, speak])


def _sync() -> Family:
    model, time = load_sync(registry.locate(expert.KIND)), {1: "frames"}
    widths = {"lips": model.config.components, "sound": model.config.sound}
    networks = [
        Exported(name, _Named(name, getattr(model, name)), (torch.rand(1, 20, width),),
                 {name: time}, ["vectors"])
        for name, width in widths.items()
    ]  # fmt: skip
    return Family(expert.KIND, expert.sizes(model.config), model.state_dict(), networks)


class _Named(nn.Module):
    """A part of a module, under the name that it has there."""

    def __init__(self, name: str, part: nn.Module) -> None:
        super().__init__()
        self.name = name
        self.add_module(name, part)

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.get_submodule(self.name)(x)
        return made


def _recognise() -> Family:
    source = recognise.recogniser_source(registry.locate(recognise.KIND))
    arrays, _ = source.arrays(recognise.KIND)
    model = load_recogniser(source, arrays)
    chips = torch.rand(1, 3, chip.SIDE, chip.SIDE)
    embed = Exported("embed", model, (chips,), {"chips": {0: "batch"}}, ["vectors"])
    return Family(recognise.KIND, {}, model.state_dict(), [embed])
