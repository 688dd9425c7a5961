"""What a composed frame is, and how frames are composed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.mafb.blend import MaskSettings
from gsmooth_core.mafb.crop import crop_transforms
from gsmooth_core.taft.lending.masked import MaskedFrame
from gsmooth_core.taft.lending.references import ReferenceSettings
from gsmooth_core.taft.mouth.soft_line import SoftLine
from gsmooth_core.types import Blend, FaceTrack, Float

SIZES = (256, 384, 512)
"""Sides of the face crop in pixels."""

_COARSEST = 1.25  # pixels of a frame that a pixel of the crop stands for


@dataclass(frozen=True)
class ComposeSettings:
    """What is replaced, at which resolution, and from which references.

    Attributes:
        whole_face: replace the whole face, as the paper does, instead of the lower face alone.
        size: side of the face crop in pixels, 256, 384 or 512; 0 chooses by the face's size.
        fixed: also give one reference unwarped, which the paper's generator needs.
        grain: lay grain like the clip's own on what is made.
        sharpness: give what is made as much detail as the clip's own frames have.
        shutter: share of a picture's time in which a shutter is open; 0 for pictures without one.
        progressive: no picture mixes two moments, as a photo does not, however fine its lines.
        mask: morphology of the mask.
        references: how reference frames are chosen.
        shelf: folder for a file of those that are too large for memory; None for the system's.
    """

    whole_face: bool = False
    size: int = 0
    fixed: bool = False
    grain: bool = True
    sharpness: bool = True
    shutter: float = 0.0
    progressive: bool = False
    mask: MaskSettings = field(default_factory=MaskSettings)
    references: ReferenceSettings = field(default_factory=ReferenceSettings)
    shelf: Path | None = None


@dataclass(frozen=True)
class Composition:
    """One frame, ready for the generator.

    Attributes:
        masked: the frame without the pixels under the mask.
        blend: I_b, M_f, references and their validity; the last reference is the shaded render.
        hints: (H, W, 3) masks, 0 or 1, of the new face's lips, mouth interior and skin.
        members: frame numbers of the references.
        trust: (K,) weight of each reference, 0..1.
        frame: frame number.
        fixed: (H, W, 3) RGB 0..1, the unwarped crop of another frame if the settings ask for it.
        line: where the line between shut lips is to be softened.
    """

    masked: MaskedFrame
    blend: Blend
    hints: Float
    members: tuple[int, ...]
    trust: Float
    frame: int
    fixed: Float | None = None
    line: SoftLine | None = None


def best_size(track: FaceTrack, model: MorphableModel) -> int:
    """The smallest size at which a crop's pixel is at most `_COARSEST` of the clip's; else 512."""
    transforms = crop_transforms(track, model, SIZES[0])
    scale = np.hypot(transforms[:, 0, 0], transforms[:, 1, 0])  # crop pixels a frame pixel
    needed = SIZES[0] / (_COARSEST * float(np.median(scale)))
    return next((size for size in SIZES if size >= needed), SIZES[-1])
