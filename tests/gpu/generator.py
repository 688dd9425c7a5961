"""TAFT's generators: the card against the processor, and how many crops a second."""

from __future__ import annotations

import copy
import itertools
from dataclasses import asdict

import torch
from torch import Tensor, nn

from gsmooth_core.taft.generators.checkpoint import load_generator
from gsmooth_core.taft.generators.generator import PRESETS, GeneratorInput, build
from tests.gpu import made
from tests.gpu.clock import Timing, timed
from tests.gpu.levels import Levels, as_levels, levels_apart
from tests.gpu.part import Part
from tests.gpu.precision import PRECISIONS, precisely, without_tf32

BOX = (192, 224)
"""Rows and columns that the generator sees of a 256-pixel crop (see `bench.generators`)."""

SIZES = (BOX, (256, 256), (512, 512))
BATCHES = (1, 8, 32)


def run(part: Part) -> None:
    generator = load_generator()
    with part.attempt("agreement"):
        agreement(part, generator)
    with torch.inference_mode():
        speed(part, "shipped", generator)
        torch.manual_seed(0)
        speed(part, "paper", build(PRESETS["paper"]).eval(), sizes=SIZES[1:2], batches=BATCHES[:2])
        with part.attempt("processor"):
            processor(part, generator)
        with part.attempt(
            "graph"
        ):  # the last: a capture that fails spoils the card for this process
            graph(part, generator)


def references_of(generator: nn.Module) -> int:
    """References that it is given in use: the shaded render comes last."""
    config = generator.config
    return config.references + 1 if config.warped else 1


def pictures(generator: nn.Module, inputs: GeneratorInput, precision: str = "float32") -> Tensor:
    """(B, 3, H, W) float32 on the processor; the generator works where its weights are."""
    device = next(generator.parameters()).device
    with torch.inference_mode(), precisely(device, precision):
        made_there: Tensor = generator(made.on(inputs, device))
    return made_there.float().cpu()


def agreement(part: Part, generator: nn.Module) -> None:
    """The shipped generator's pictures on both; lower precisions are figures, and not judged."""
    height, width = (64, 64) if part.quick else (256, 256)
    inputs = made.crops(2 if part.quick else 4, height, width, references_of(generator))
    there = copy.deepcopy(generator).on(str(part.device))
    truth = as_levels(pictures(copy.deepcopy(generator).on("cpu"), inputs).numpy())

    def compared(precision: str) -> Levels:
        return levels_apart(as_levels(pictures(there, inputs, precision).numpy()), truth)

    for precision in PRECISIONS:
        found = compared(precision)
        part.figure(f"levels_{precision}", asdict(found))
        if precision == "float32":
            part.check("the card's pictures are the processor's", holds=found.agree)
    with without_tf32():
        part.figure("levels_float32_without_tf32", asdict(compared("float32")))


def speed(
    part: Part,
    name: str,
    generator: nn.Module,
    sizes: tuple[tuple[int, int], ...] = SIZES,
    batches: tuple[int, ...] = BATCHES,
) -> None:
    """Milliseconds a batch and crops a second, inputs on the device already."""
    there = copy.deepcopy(generator).on(str(part.device))
    sizes, batches = (((64, 64),), (1, 2)) if part.quick else (sizes, batches)
    for height, width in sizes:
        few = made.on(made.crops(4, height, width, references_of(generator)), part.device)
        for batch, precision in itertools.product(batches, ("float32", "bfloat16")):
            label = f"{name}_{height}x{width}_batch{batch}_{precision}"
            with part.attempt(label):
                inputs = made.repeated(few, batch)
                part.figure(label, one_speed(part, there, inputs, precision))


def one_speed(
    part: Part, generator: nn.Module, inputs: GeneratorInput, precision: str
) -> dict[str, float]:
    if part.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(part.device)
    with precisely(part.device, precision):
        timing = timed(lambda: generator(inputs), part.device, 0.5)
    found = as_figures(timing, len(inputs.blend))
    if part.device.type == "cuda":
        found["peak_mib"] = torch.cuda.max_memory_allocated(part.device) / 2**20
    return found


def as_figures(timing: Timing, batch: int) -> dict[str, float]:
    return {**asdict(timing), "crops_per_second": timing.per_second(batch)}


def graph(part: Part, generator: nn.Module) -> None:
    """One crop as a captured graph: what is left when nothing waits for the processor."""
    if part.device.type != "cuda":
        return
    there = copy.deepcopy(generator).on(str(part.device))
    inputs = made.on(made.crops(1, *BOX, references_of(generator)), part.device)
    for precision in ("float32", "bfloat16"):
        with precisely(part.device, precision, cached=False):
            side = torch.cuda.Stream()
            with torch.cuda.stream(side):
                for _ in range(3):
                    there(inputs)
            torch.cuda.current_stream().wait_stream(side)
            captured = torch.cuda.CUDAGraph()
            with torch.cuda.graph(captured):
                there(inputs)
        timing = timed(captured.replay, part.device, 0.5)
        part.figure(f"graph_{BOX[0]}x{BOX[1]}_batch1_{precision}", as_figures(timing, 1))


def processor(part: Part, generator: nn.Module) -> None:
    """The same on this machine's processor, all threads."""
    here = copy.deepcopy(generator).on("cpu")
    inputs = made.crops(1, *((64, 64) if part.quick else BOX), references_of(generator))
    timing = timed(lambda: here(inputs), torch.device("cpu"), 1.0)
    part.figure("processor_batch1_float32", as_figures(timing, 1))
