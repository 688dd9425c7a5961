"""A dubbed video beside its source, frame by frame, through the source's face crops."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from importlib.util import find_spec

import cv2
import numpy as np

from gsmooth_core.evaluation.metrics import fidelity, identity, sharpness
from gsmooth_core.evaluation.metrics.bands import BANDS, energies_in, pyramid_bands
from gsmooth_core.evaluation.metrics.grain import GRAIN_BANDS, grain_blocks
from gsmooth_core.evaluation.metrics.landmarks import SIZE, in_crop
from gsmooth_core.evaluation.metrics.masks import Masks
from gsmooth_core.evaluation.metrics.tone import tone_error
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.mafb import regions
from gsmooth_core.mafb.blend import in_crop as rim_in_crop
from gsmooth_core.mafb.blend import rim_weight
from gsmooth_core.mafb.crop import window
from gsmooth_core.networks.engine import has_torch
from gsmooth_core.types import Bool, FaceTrack, Float, Image

PAIRED = (
    "psnr", "ssim", "mouth_psnr", "mouth_ssim", "mask_psnr", "outside_psnr", "outside_max", "tone",
)  # fmt: skip
"""Curves of one picture against the other."""

PLACES = ("mouth", "mask", "ring")
"""Where detail is measured: the box around the lips, M_f, and the rim outside of it."""

BAND_CURVES = tuple(f"{place}_band{n + 1}" for place in PLACES for n in range(BANDS))
GRAIN_CURVES = tuple(f"grain{n + 1}" for n in range(GRAIN_BANDS))
BOTH = ("rim", "change", *BAND_CURVES, *GRAIN_CURVES)
"""Curves of each picture alone; those of the source are called true_..."""

SAMPLED = ("cpbd", "true_cpbd", "stlpips", "identity", "true_identity")
"""Curves that are slow to measure, and so have values in some frames only."""

Curves = dict[str, Float]
"""Name -> (T,) values, NaN where there is none."""


@dataclass(frozen=True)
class Pair:
    """One frame's crops.

    Attributes:
        truth: (SIZE, SIZE, 3) crop of the source.
        made: the same crop of the dubbed frame.
        mask: (SIZE, SIZE) M_f.
        box: around the lips of the source.
    """

    truth: Image
    made: Image
    mask: Bool
    box: regions.Box


class Comparison:
    """Compares two videos of T frames.

    Args:
        track: the track of the source, T frames.
        model: the face model that it was fitted with.
        masks: what was replaced; their size must be `SIZE`.
        samples: frame numbers for the slow measures.
        slow: which of `SAMPLED` are measured.
        known: embeddings of the source's faces by frame, shared between comparisons.
    """

    def __init__(
        self,
        track: FaceTrack,
        model: MorphableModel,
        masks: Masks,
        samples: Collection[int] = (),
        slow: Collection[str] = SAMPLED,
        known: dict[int, Float] | None = None,
    ) -> None:
        self.track, self.masks = track, masks
        self.samples, self.slow = frozenset(samples), frozenset(slow)
        self.landmarks = in_crop(track.landmarks, track, model)
        both = [*BOTH, *(f"true_{name}" for name in BOTH)]
        self.curves: Curves = {
            name: np.full(len(track), np.nan, np.float32) for name in (*PAIRED, *both, *SAMPLED)
        }
        self._previous: tuple[int, Pair] | None = None
        self._face: Float | None = None
        self._known = {} if known is None else known

    def run(
        self,
        source: Iterable[Image],
        made: Iterable[Image],
        on_progress: Callable[[int], None] = lambda done: None,
    ) -> Curves:
        """Compare all frames in order; frames without a face stay NaN."""
        for frame, (a, b) in enumerate(zip(source, made, strict=False)):
            pair = self.pair(frame, a, b)
            if pair is not None:
                self._measure(frame, pair)
                if frame in self.samples:
                    self._measure_slowly(frame, pair, a, b)
            on_progress(frame + 1)
        return self.curves

    def pair(self, frame: int, source: Image, made: Image) -> Pair | None:
        """The crops of one frame; None where there is no face."""
        box = regions.lip_box(self.landmarks[frame], SIZE)
        if not self.track.usable[frame] or box is None:
            return None
        under = window(self.masks.transforms[frame], SIZE, self.track.area_of(frame))
        truth, dub = (np.asarray(under.cut(under.part(x)), np.uint8) for x in (source, made))
        return Pair(truth, dub, self.masks.mask(frame) & under.inside(), box)

    def _measure(self, frame: int, p: Pair) -> None:
        width = rim_in_crop(self.masks.settings.rim, SIZE)
        outside, around = rim_weight(p.mask, width) == 0, regions.rim(p.mask, width)
        truth, made = p.truth[p.box], p.made[p.box]
        difference = np.abs(p.truth.astype(np.int16) - p.made).max(-1)
        self._put(
            frame,
            psnr=fidelity.psnr(p.truth, p.made),
            ssim=fidelity.ssim(p.truth, p.made),
            mouth_psnr=fidelity.psnr(truth, made),
            mouth_ssim=fidelity.ssim(truth, made),
            mask_psnr=fidelity.psnr(p.truth, p.made, p.mask),
            outside_psnr=fidelity.psnr(p.truth, p.made, outside),
            outside_max=float(difference[outside].max(initial=0)),
            tone=tone_error(p.truth, p.made, p.mask),
            rim=regions.rim_energy(p.made, around),
            true_rim=regions.rim_energy(p.truth, around),
        )
        self._measure_detail(frame, p, around.band & ~p.mask)
        self._measure_change(frame, p)

    def _measure_detail(self, frame: int, p: Pair, ring: Bool) -> None:
        """Energy of each band of detail in mouth, mask and ring."""
        mouth = np.zeros(p.mask.shape, bool)
        mouth[p.box] = True
        for prefix, picture in (("", p.made), ("true_", p.truth)):
            parts = pyramid_bands(picture)
            found = np.concatenate([energies_in(parts, place) for place in (mouth, p.mask, ring)])
            named = zip(BAND_CURVES, found.tolist(), strict=True)
            self._put(frame, **{prefix + name: energy for name, energy in named})

    def _measure_change(self, frame: int, p: Pair) -> None:
        """Mean absolute change since the previous frame, in this frame's mouth box."""
        previous, self._previous = self._previous, (frame, p)
        if previous is None or previous[0] != frame - 1:
            return
        for name in ("made", "truth"):
            now, then = (getattr(x, name)[p.box].astype(np.int16) for x in (p, previous[1]))
            change = float(np.abs(now - then).mean())
            self._put(frame, **{"change" if name == "made" else "true_change": change})
        self._measure_grain(frame, p, previous[1])

    def _measure_grain(self, frame: int, now: Pair, before: Pair) -> None:
        """Noise of the skin under both masks, away from lips; the median over blocks."""
        skin = now.mask & before.mask
        for p in (now, before):
            skin[p.box] = False
        for prefix, pair in (("", (now.made, before.made)), ("true_", (now.truth, before.truth))):
            blocks = grain_blocks(*pair, skin)
            medians = (float(np.median(b)) if len(b) else np.nan for b in blocks)
            named = zip(GRAIN_CURVES, medians, strict=True)
            self._put(frame, **{prefix + name: value for name, value in named})

    def _measure_slowly(self, frame: int, p: Pair, source: Image, made: Image) -> None:
        if "stlpips" in self.slow:
            from gsmooth_core.evaluation.metrics import perceptual  # torch, an optional package

            self._put(frame, stlpips=perceptual.perceptual_distance(p.truth, p.made))
        for name, picture in (("cpbd", p.made), ("true_cpbd", p.truth)):
            if name in self.slow:
                grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
                self._put(frame, **{name: sharpness.cpbd(grey)})
        if "identity" in self.slow:
            self._measure_identity(frame, source, made)

    def _measure_identity(self, frame: int, source: Image, made: Image) -> None:
        """Against the same frame of the source, and that against the sample before it."""
        points = self.track.landmarks[frame]
        truth = self._known.get(frame)
        if truth is None:
            truth = self._known[frame] = identity.embedding(source, points)
        self._put(frame, identity=identity.cosine(truth, identity.embedding(made, points)))
        if self._face is not None:
            self._put(frame, true_identity=identity.cosine(truth, self._face))
        self._face = truth

    def _put(self, frame: int, **values: float) -> None:
        for name, value in values.items():
            self.curves[name][frame] = value


def slow_measures() -> list[str]:
    """Which of `SAMPLED` can be taken with what is installed."""
    found = [(name, identity.available()) for name in ("identity", "true_identity")]
    found += [(name, find_spec("skimage") is not None) for name in ("cpbd", "true_cpbd")]
    found.append(("stlpips", has_torch() and find_spec("stlpips_pytorch") is not None))
    return [name for name, there in found if there]
