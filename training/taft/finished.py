"""Finished frames on the validation clips: `python -m training.taft.finished --help`.

`validate` judges a network's picture of a crop; this judges what a viewer gets: frames as they
leave the program, detail and grain laid on and composited, not encoded. They show their own
expression and are made from others at least half a second away; what is measured on the clip's
own frames comes from others, too.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.a2ep.load import load_a2ep
from gsmooth_core.evaluation.metrics.bands import BANDS, laplacian_variance
from gsmooth_core.evaluation.metrics.compare import BAND_CURVES, Comparison
from gsmooth_core.evaluation.metrics.landmarks import lip_distance
from gsmooth_core.evaluation.metrics.masks import Masks
from gsmooth_core.evaluation.metrics.summary import mean
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.job.job import Job
from gsmooth_core.job.own_speech import own_speech
from gsmooth_core.job.source import Source
from gsmooth_core.mafb.blend import erode
from gsmooth_core.mafb.crop import hidden, window
from gsmooth_core.media import probe, read_frames
from gsmooth_core.storage.arrays import load_track
from gsmooth_core.taft.composition import SIZES, ComposeSettings
from gsmooth_core.taft.finish import blotches
from gsmooth_core.taft.finish.grain import Film
from gsmooth_core.taft.finish.sharpness import Sharpness
from gsmooth_core.taft.generators.load import open_generator
from gsmooth_core.taft.lending.heard import Heard
from gsmooth_core.taft.lending.references import ReferenceSettings
from gsmooth_core.taft.translate import FaceTranslator
from gsmooth_core.tracking.following.landmarks import Crop, FaceMesh
from gsmooth_core.types import FaceTrack, Float, Image
from training.footage import Footage, Sample, add_footage, chosen_footage
from training.split import Part
from training.taft.data import GAP
from training.taft.prepare import VALIDATION_FRAMES

log = logging.getLogger(__name__)

COLOURS = len(blotches.SIGMAS) - 1
"""Bands of colour."""

_OUTLINE = 5  # pixels of the frame: two on each side of an outline, where colours are mixed
_EACH = 2  # frames in a row, of those that are spread: a change needs two
_GOOD = 0.85, 1.15


@dataclass(frozen=True)
class Finished:
    """Means over frames; all but the first four are ratios to the truth.

    Attributes:
        mouth_psnr: dB in the box around the lips.
        mouth_ssim: in the same box.
        mask_psnr: dB under M_f.
        lips: mean distance of the lip landmarks found in both, in pixels of a crop of 256.
        flicker: change from frame to frame in the box.
        laplacian: variance of the Laplacian in the box.
        grain: deviation of the noise of the skin under M_f.
        seam: edges on the mask's rim.
        mouth: energy of each band in the box, finest first.
        mask: the same under M_f.
        cb: energy of each band of Cb under M_f, in pixels of the frame (`blotches.SIGMAS`).
        cr: the same of Cr.
    """

    mouth_psnr: float
    mouth_ssim: float
    mask_psnr: float
    lips: float
    flicker: float
    laplacian: float
    grain: float
    seam: float
    mouth: tuple[float, ...] = field(default=(1.0,) * BANDS)
    mask: tuple[float, ...] = field(default=(1.0,) * BANDS)
    cb: tuple[float, ...] = field(default=(1.0,) * COLOURS)
    cr: tuple[float, ...] = field(default=(1.0,) * COLOURS)

    @property
    def good(self) -> bool:
        """Whether each band of grey has between .85 and 1.15 of the true energy."""
        return all(_GOOD[0] <= ratio <= _GOOD[1] for ratio in (*self.mouth, *self.mask))

    def row(self) -> str:
        """One line of a table."""
        four = self.mouth, self.mask, self.cb, self.cr
        mouth, mask, cb, cr = (" ".join(f"{r:.2f}" for r in each) for each in four)
        return (
            f"{self.mouth_psnr:.2f} / {self.mouth_ssim:.3f} | {self.mask_psnr:.2f} | "
            f"{self.lips:.2f} | {self.flicker:.2f} | {self.laplacian:.2f} | {mouth} | {mask} | "
            f"{self.grain:.2f} | {self.seam:.3f} | {cb} | {cr} | {'yes' if self.good else 'no'}"
        )


@dataclass(frozen=True)
class FilmedClip:
    """A clip: its name, its pictures, its track, and what is heard in it where that is known."""

    name: str
    pictures: list[Image]
    track: FaceTrack
    heard: Heard | None = None

    def chosen(self, count: int, *, spread: bool) -> list[int]:
        """Numbers of `count` frames: in a row from the clip's middle part, or all over it."""
        usable = np.flatnonzero(self.track.usable)
        if not spread:
            first = max(0, (len(usable) - VALIDATION_FRAMES) // 2)
            return [int(n) for n in usable[first : first + count]]
        starts = (np.arange(count // _EACH) + 0.5) / (count // _EACH) * (len(usable) - _EACH)
        return sorted({int(usable[int(n) + k]) for n in starts for k in range(_EACH)})


def tracked(footage: Footage, cache: Path) -> list[tuple[Sample, Path]]:
    """The validation clips whose tracks lie in a cache, and these."""
    found = [(s, cache / "tracks" / f"{s.stem}.safetensors") for s in footage.samples()]
    return [(s, path) for s, path in found if s.part is Part.VALIDATION and path.is_file()]


def validation_clips(footage: Footage, cache: Path) -> Iterator[FilmedClip]:
    """The validation clips whose tracks lie in a cache, read one by one."""
    for sample, path in tracked(footage, cache):
        yield _read(sample, load_track(path))


def _read(sample: Sample, track: FaceTrack) -> FilmedClip:
    clip = probe(sample.path)
    pictures = list(read_frames(clip, 0, min(clip.frame_count, len(track))))
    return FilmedClip(sample.stem, pictures, track, _heard(sample, track))


def _heard(sample: Sample, track: FaceTrack) -> Heard | None:
    """What the clip says, as it is to be said again."""
    source = Source(Job(sample.path, sample.path.with_suffix(".none")))
    own = own_speech(source, track, load_a2ep()).heard
    return None if own is None else Heard(own, np.nan_to_num(own), float(track.fps))


class _AsUsed(Sharpness):
    """What a dub knows that may borrow from nearby: all but the picture itself."""

    def gains(self, picture: int, nearby: int = 0, film: Film | None = None) -> Float | None:
        return super().gains(picture, 0, film)

    def blotches(
        self, picture: int, nearby: int = 0, film: Film | None = None
    ) -> NDArray[np.float64] | None:
        return super().blotches(picture, 0, film)


def own_dub(
    clip: FilmedClip, model: MorphableModel, settings: ComposeSettings, *, strict: bool = False
) -> FaceTranslator:
    """What makes the frames of a clip anew, each with its own expression."""
    source, own = clip.pictures.__getitem__, clip.track.expression
    given = clip.track, model, own, source, open_generator(), settings
    dub = FaceTranslator(*given, heard=clip.heard)
    if dub.sharpness and not strict:
        dub.sharpness = _AsUsed(dub.sharpness.trials, dub.sharpness.levels)
    return dub


def remade(
    clip: FilmedClip,
    model: MorphableModel,
    frames: list[int],
    settings: ComposeSettings,
    *,
    strict: bool = False,
) -> dict[int, Image]:
    """Frames (H, W, 3) of a clip as the program makes them."""
    dub = own_dub(clip, model, settings, strict=strict)
    return {frame: dub.translate(frame, clip.pictures[frame]).frame for frame in frames}


def judged(clip: FilmedClip, model: MorphableModel, made: dict[int, Image]) -> Finished:
    """Frames of a clip against the truth."""
    track = clip.track.only(np.isin(np.arange(len(clip.track)), list(made)))
    masks = Masks(track, model, track.expression)
    compared = Comparison(track, model, masks, slow=())
    shown = [made.get(n, picture) for n, picture in enumerate(clip.pictures)]
    curves = compared.run(clip.pictures, shown)

    def ratio(name: str) -> float:
        dub, truth = mean(curves[name]), mean(curves[f"true_{name}"])
        return dub / truth if dub is not None and truth else float("nan")

    def level(name: str) -> float:
        found = mean(curves[name])
        return float("nan") if found is None else found

    sharp, distances, mesh = [], [], FaceMesh()
    for frame, picture in made.items():
        pair = compared.pair(frame, clip.pictures[frame], picture)
        if pair is not None:
            both = pair.made[pair.box], pair.truth[pair.box]
            sharp.append([laplacian_variance(x) for x in both])
            crop = Crop.of_points(compared.landmarks[frame].astype(np.float32))
            found, true = (mesh.landmarks(x, crop).points for x in (pair.made, pair.truth))
            distances.append(float(lip_distance(true[None], found[None])[0]))
    dub, truth = np.sum(sharp, 0)
    bands = [ratio(name) for name in BAND_CURVES]
    cb, cr = _colours(clip, masks, made)
    return Finished(
        mouth_psnr=level("mouth_psnr"),
        mouth_ssim=level("mouth_ssim"),
        mask_psnr=level("mask_psnr"),
        lips=float(np.nanmean(distances)),
        flicker=ratio("change"),
        laplacian=float(dub / truth),
        grain=float(np.sqrt(ratio("grain1"))),
        seam=ratio("rim"),
        mouth=tuple(bands[:BANDS]),
        mask=tuple(bands[BANDS : 2 * BANDS]),
        cb=tuple(cb.tolist()),
        cr=tuple(cr.tolist()),
    )


def _colours(clip: FilmedClip, masks: Masks, made: dict[int, Image]) -> NDArray[np.float64]:
    """(2, COLOURS) energies of the bands of Cb and Cr, made over true."""
    energies = np.zeros((2, 2, COLOURS))
    for frame, picture in made.items():
        truth = clip.pictures[frame]
        under = window(masks.transforms[frame], masks.size, masks.track.area_of(frame))
        place = erode(hidden(under, masks.mask(frame)), _OUTLINE, _OUTLINE)
        if place.any():
            parts = (under.part(x).astype(np.float32) for x in (picture, truth))
            energies += [blotches.colour_energies(part, place) for part in parts]
    dub, truth_energy = energies
    ratios: NDArray[np.float64] = dub / np.where(truth_energy, truth_energy, np.nan)
    return ratios


def average(all_of: list[Finished]) -> Finished:
    """Each clip counts once."""
    columns = [np.nanmean([getattr(one, f.name) for one in all_of], 0) for f in fields(Finished)]
    values: list[Any] = [tuple(c.tolist()) if c.ndim else float(c) for c in columns]
    return Finished(*values)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_footage(parser)
    parser.add_argument("--cache", type=Path, required=True, help="with tracks/")
    parser.add_argument("--frames", type=int, default=VALIDATION_FRAMES, help="of a clip")
    parser.add_argument("--spread", action="store_true", help="over the clip, not in a row")
    parser.add_argument("--strict", action="store_true", help="nothing from nearby at all")
    parser.add_argument("--size", type=int, default=0, choices=(0, *SIZES), help="of the crop")
    parser.add_argument("--only", nargs="*", default=[""], help="clips with these in their names")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    cv2.setNumThreads(1)
    model, table = load_face_model(), dict[str, list[Finished]]()
    with_all = ComposeSettings(size=options.size, references=ReferenceSettings(gap=GAP))
    rows = {"without": replace(with_all, sharpness=False), "with": with_all}
    for clip in validation_clips(chosen_footage(options), options.cache):
        if not any(part in clip.name for part in options.only):
            continue
        frames = clip.chosen(options.frames, spread=options.spread)
        for label, settings in rows.items():
            found = judged(
                clip, model, remade(clip, model, frames, settings, strict=options.strict)
            )
            table.setdefault(label, []).append(found)
            log.info("%-8s %-28.28s %s", label, clip.name, found.row())
    for label, all_of in table.items():
        good = sum(one.good for one in all_of)
        log.info("%-8s %-28.28s %s", label, f"MEAN, {good} of {len(all_of)}", average(all_of).row())


if __name__ == "__main__":
    main()
