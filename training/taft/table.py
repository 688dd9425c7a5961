"""TAFT beside plain warps: `python -m training.taft.table --footage DIR --cache DIR --output FILE`.

With checkpoints, the shipped generator is compared with them instead.

Reconstruction of people nobody was trained on: of each validation clip, consecutive frames are
made from references at least half a second away by variants of growing effort, and compared with
the truth. Every variant sees the same frames, masks and crops.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch

from gsmooth_core.evaluation.metrics.bands import band_energies
from gsmooth_core.evaluation.metrics.fidelity import psnr, ssim
from gsmooth_core.evaluation.metrics.landmarks import lip_distance
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.mafb.blend import lay_over
from gsmooth_core.mafb.regions import Box, mouth_box
from gsmooth_core.media import probe, read_frames
from gsmooth_core.storage.arrays import load_track
from gsmooth_core.taft.adaptation.adapt import AdaptSettings, learn
from gsmooth_core.taft.compose import Composer
from gsmooth_core.taft.composition import ComposeSettings, Composition
from gsmooth_core.taft.correctives import Personal
from gsmooth_core.taft.generators.generator import GeneratorConfig, GeneratorInput
from gsmooth_core.taft.generators.interface import Generator
from gsmooth_core.taft.generators.load import open_generator
from gsmooth_core.taft.inputs import generated, generator_input
from gsmooth_core.taft.lending.references import ReferenceSettings
from gsmooth_core.taft.samples import ClipData
from gsmooth_core.tracking.following.landmarks import Crop, FaceMesh
from gsmooth_core.types import Bool, FaceTrack, Float, FrameSource, Image
from training.footage import Footage, Sample, add_footage, chosen_footage
from training.split import Part
from training.taft.data import GAP, SIZE
from training.taft.measure import mean, nearest
from training.taft.prepare import VALIDATION_FRAMES

log = logging.getLogger(__name__)

SHIPPED = "the shipped generator"
ADAPTED = "the shipped generator, adapted"
_ALL = 400  # a bank that holds every frame of the clips at hand, or nearly

Make = Callable[[Composition], Float]


@dataclass(frozen=True)
class Variant:
    """A variant of making the pictures.

    Attributes:
        label: its row in the table.
        bank: how many frames of the clip it chooses references from.
        count: how many references it takes for a frame.
        make: composition -> (H, W, 3) picture, 0..1.
        personal: correctives that frames are composed with.
    """

    label: str
    bank: int
    count: int
    make: Make
    personal: Personal | None = None


@dataclass(frozen=True)
class Scores:
    """Means over frames of one clip; PSNR in dB, the last three without a unit or in pixels.

    Attributes:
        mouth_psnr: in the box around lips and mouth interior.
        mouth_ssim: in the same box.
        mask_psnr: under M_f.
        mask_ssim: under M_f.
        crop_psnr: in the whole 256-pixel crop.
        crop_ssim: in the whole crop.
        detail: energy of details of about 2 pixels in the mouth box, relative to the truth.
        flicker: mean change from frame to frame in the mouth box, relative to the truth.
        lips: mean distance of the lip landmarks found in both, in crop pixels.
    """

    mouth_psnr: float
    mouth_ssim: float
    mask_psnr: float
    mask_ssim: float
    crop_psnr: float
    crop_ssim: float
    detail: float
    flicker: float
    lips: float


class Clip:
    """One clip: its pictures, its track, and the frames that are reconstructed."""

    def __init__(
        self, sample: Sample, cache: Path, model: MorphableModel, frames: int = VALIDATION_FRAMES
    ) -> None:
        self.track: FaceTrack = load_track(cache / "tracks" / f"{sample.stem}.safetensors")
        clip = probe(sample.path)
        self.pictures = list(read_frames(clip, 0, min(clip.frame_count, len(self.track))))
        self.model = model
        usable = np.flatnonzero(self.track.usable)
        first = max(0, (len(usable) - VALIDATION_FRAMES) // 2)
        self.frames = [int(n) for n in usable[first : first + min(frames, VALIDATION_FRAMES)]]
        self.mesh = FaceMesh()

    def composer(self, variant: Variant) -> Composer:
        """What composes frames for a variant."""
        references = ReferenceSettings(bank=variant.bank, count=variant.count, gap=GAP)
        settings = ComposeSettings(size=SIZE, fixed=True, references=references)
        track, source = self.track, self.pictures.__getitem__
        return Composer(track, self.model, track.expression, source, settings, variant.personal)

    def opened(self) -> AbstractContextManager[FrameSource]:
        """The clip, as for a reader."""
        return nullcontext(self.pictures.__getitem__)

    def scores(self, variant: Variant) -> Scores:
        """Reconstruct the frames by one variant and compare them with the truth."""
        composer = self.composer(variant)
        shown, points = [], []
        for frame in self.frames:
            picture = self.pictures[frame]
            shown.append(
                _reconstruct(composer.compose(frame, picture), picture, variant, composer.rim)
            )
            points.append(self._lips(composer.transforms[frame], frame, shown[-1]))
        means = [float(v) for v in np.mean([_compared(s) for s in shown], 0)]
        fidelity, (made, true) = dict(zip(_FIDELITY, means, strict=False)), means[-2:]
        found, expected = (np.array(p) for p in zip(*points, strict=True))
        lips = float(np.nanmean(lip_distance(expected, found)))
        return Scores(**fidelity, detail=made / true, flicker=_flicker(shown), lips=lips)

    def _lips(self, transform: Float, frame: int, shown: _Reconstruction) -> tuple[Float, Float]:
        """(478, 3) landmarks found in the result and in the truth, from the same crop."""
        known = self.track.landmarks[frame] @ transform[:, :2].T + transform[:, 2]
        crop = Crop.of_points(known.astype(np.float32))
        made = self.mesh.landmarks(shown.made, crop).points
        return made, self.mesh.landmarks(shown.truth, crop).points


def pasted(composition: Composition) -> Float:
    """One frame of the clip, moved by the similarity that aligns the heads."""
    assert composition.fixed is not None  # noqa: S101 - the settings ask for it
    return composition.fixed


def fused(generator: Generator) -> Make:
    """A generator."""
    return partial(generated, generator)


def plain(
    picture: Callable[[GeneratorInput[torch.Tensor]], torch.Tensor], config: GeneratorConfig
) -> Make:
    """A baseline of `measure`."""

    def make(composition: Composition) -> Float:
        inputs = GeneratorInput(*map(torch.from_numpy, generator_input(composition, config)))
        made: Float = picture(inputs)[0].permute(1, 2, 0).numpy()
        return made

    return make


def variants(generator: Generator) -> list[Variant]:
    """The rows of the table."""
    chosen, config = ReferenceSettings(), generator.config
    return [
        Variant("a. one frame, pasted by similarity", 1, 1, pasted),
        Variant("b. one frame, warped by the mesh", 1, 1, plain(nearest, config)),
        Variant("c. nearest of 16 frames, warped", 16, 1, plain(nearest, config)),
        Variant("nearest of all frames, warped", _ALL, 1, plain(nearest, config)),
        Variant("mean of the 4 nearest, warped", _ALL, 4, plain(mean, config)),
        Variant(SHIPPED, chosen.bank, config.references, fused(generator)),
    ]


def compared(checkpoints: Sequence[Path]) -> list[Variant]:
    """The shipped generator and others; rows are named by the checkpoints' folders."""
    bank, shipped = ReferenceSettings().bank, open_generator()
    rows = [(SHIPPED, shipped)]
    rows += [(path.parent.name, open_generator(path)) for path in checkpoints]
    return [Variant(label, bank, made.config.references, fused(made)) for label, made in rows]


def adapted(clip: Clip, variant: Variant, generator: Generator) -> Variant:
    """A variant with the person's correctives, or as it is where the clip is too short."""
    compose = ComposeSettings(size=SIZE)
    data = ClipData(clip.track, clip.model, clip.opened, generator, compose)
    return replace(variant, label=ADAPTED, personal=learn(data, AdaptSettings()))


@dataclass(frozen=True)
class _Reconstruction:
    """(H, W, 3) truth and result in the crop, the mouth's box, (H, W) M_f."""

    truth: Image
    made: Image
    box: Box
    mask: Bool


def _reconstruct(
    composition: Composition, picture: Image, variant: Variant, rim: float
) -> _Reconstruction:
    under, mask = composition.masked.under, composition.blend.mask > 0
    truth = under.cut(under.part(picture))
    made, _ = lay_over(truth, variant.make(composition) * 255, mask, rim)
    return _Reconstruction(truth, made, mouth_box(composition.hints[..., :2].any(-1)), mask)


_FIDELITY = ("mouth_psnr", "mouth_ssim", "mask_psnr", "mask_ssim", "crop_psnr", "crop_ssim")


def _compared(s: _Reconstruction) -> tuple[float, ...]:
    """What `_FIDELITY` names, then the detail of result and truth."""
    place = np.zeros(s.mask.shape, bool)
    place[s.box] = True
    return (
        psnr(s.truth[s.box], s.made[s.box]),
        ssim(s.truth[s.box], s.made[s.box]),
        psnr(s.truth, s.made, s.mask),
        ssim(s.truth, s.made, s.mask),
        psnr(s.truth, s.made),
        ssim(s.truth, s.made),
        float(band_energies(s.made, place)[0]),
        float(band_energies(s.truth, place)[0]),
    )


def _flicker(shown: list[_Reconstruction]) -> float:
    """Change from frame to frame, in the box of the later one, relative to the truth's."""
    steps = [
        (_change(before.truth, after.truth, after.box), _change(before.made, after.made, after.box))
        for before, after in pairwise(shown)
    ]
    true, made = np.sum(steps, 0)
    return float(made / max(true, 1e-9))


def _change(before: Image, after: Image, box: Box) -> float:
    return float(np.abs(after[box].astype(np.int16) - before[box]).mean())


def table(rows: dict[str, dict[str, Scores]]) -> str:
    """The means over clips as Markdown."""
    lines = [
        "| picture | mouth PSNR / SSIM | mask PSNR / SSIM | crop PSNR / SSIM | detail | flicker "
        "| lips px |",
        "|---|---|---|---|---|---|---|",
    ]
    for label, clips in rows.items():
        s = average(list(clips.values()))
        lines.append(
            f"| {label} | {s.mouth_psnr:.2f} / {s.mouth_ssim:.3f} | {s.mask_psnr:.2f} / "
            f"{s.mask_ssim:.3f} | {s.crop_psnr:.2f} / {s.crop_ssim:.3f} | {s.detail:.2f} | "
            f"{s.flicker:.2f} | {s.lips:.2f} |"
        )
    return "\n".join(lines)


def average(scores: list[Scores]) -> Scores:
    """Each clip counts once."""
    return Scores(*(float(np.mean([getattr(s, f.name) for s in scores])) for f in fields(Scores)))


def tabulate(
    footage: Footage,
    cache: Path,
    *,
    adaptation: bool,
    checkpoints: Sequence[Path] = (),
    frames: int = VALIDATION_FRAMES,
) -> dict[str, dict[str, Scores]]:
    """Scores of every variant on every validation clip."""
    model, generator = load_face_model(), open_generator()
    chosen = compared(checkpoints) if checkpoints else variants(generator)
    rows: dict[str, dict[str, Scores]] = {}
    for sample in footage.samples():
        if sample.part is not Part.VALIDATION:
            continue
        clip = Clip(sample, cache, model, frames)
        shipped = next(variant for variant in chosen if variant.label == SHIPPED)
        made = [*chosen, adapted(clip, shipped, generator)] if adaptation else chosen
        for variant in made:
            scores = clip.scores(variant)
            rows.setdefault(variant.label, {})[sample.stem] = scores
            log.info("%-34s %-24.24s %s", variant.label, sample.stem, scores)
    return rows


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_footage(parser)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True, help="JSON file")
    parser.add_argument("checkpoints", type=Path, nargs="*", help="named by their folders")
    parser.add_argument("--frames", type=int, default=VALIDATION_FRAMES, help="of a clip")
    parser.add_argument("--adapt", action="store_true", help="also the adapted generator")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    cv2.setNumThreads(1)
    rows = tabulate(
        chosen_footage(options), options.cache,
        adaptation=options.adapt, checkpoints=options.checkpoints, frames=options.frames,
    )  # fmt: skip
    log.info("%s", table(rows))
    content = {label: {c: asdict(s) for c, s in clips.items()} for label, clips in rows.items()}
    options.output.write_text(json.dumps(content, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
