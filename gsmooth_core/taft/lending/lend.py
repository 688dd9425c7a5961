"""What references lend to a new face: only what looks like it, in its light, going on around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.morphable import MOUTH_REGIONS, Region
from gsmooth_core.face.render import Drawing, among
from gsmooth_core.taft.lending.masked import MaskedFrame
from gsmooth_core.taft.mouth.crisp import crisp
from gsmooth_core.taft.mouth.interior import in_light, lip_colour, soften_gap
from gsmooth_core.taft.warping import kernels
from gsmooth_core.taft.warping.astray import bring
from gsmooth_core.taft.warping.beside import fitting, go_on
from gsmooth_core.taft.warping.light import alike, better, match_light, sampled
from gsmooth_core.types import Bool, Float, Image

SHADED = 0.02
"""Validity of the model's own teeth and tongue."""
FAINT, ALONE = 1e-5, 1e-3
"""Validity of the rest of the shaded render, beside references and without any."""


@dataclass(frozen=True)
class Scene:
    """A frame and its new face, before anything is lent.

    Attributes:
        crop: (H, W, 3) the frame, 0..1, black where it is not known.
        known: (H, W) what is known of it.
        bare: (H, W) bare skin that the frame shows where the new face has skin.
        face: (H, W) all of the face that is seen, eyes and brows too.
        around: (H, W) what is known beside the new face.
        drawing: the new face.
    """

    crop: Float
    known: Bool
    bare: Bool
    face: Bool
    around: Bool
    drawing: Drawing

    @property
    def strip(self) -> Bool:
        """(H, W) what is made anew beside the new face."""
        return ~(self.known | self.drawing.face.mask)

    @property
    def inside(self) -> Bool:
        """(H, W) teeth, tongue and the mouth's inner wall."""
        return among(self.drawing.face.region, MOUTH_REGIONS)


@dataclass(frozen=True)
class Begun:
    """A frame before its references are looked at.

    Attributes:
        frame: frame number.
        masked: the frame without the pixels under the mask.
        scene: what is known of it, and its new face.
        field: (H, W, 3 K) displacement x, y and visibility of each reference.
        places: (K,) of the references in the bank.
        weights: (K,) of the references.
    """

    frame: int
    masked: MaskedFrame
    scene: Scene
    field: Float
    places: NDArray[np.int64]
    weights: Float


@dataclass(frozen=True)
class Lent:
    """What a new face is made from.

    Attributes:
        image: (H, W, 3) I_b of eq. 9.
        references: (K + 1, H, W, 3) those that are kept, relit, and the shaded render.
        validity: (K + 1, H, W) how far each is to be believed.
        kept: (N,) which of the references these are.
    """

    image: Float
    references: Float
    validity: Float
    kept: Bool


def lend(scene: Scene, references: Image, validity: Float) -> Lent:
    """Fuse references (N, H, W, 3) uint8, warped to the new face, by their validity (N, H, W)."""
    own = sampled(references)
    kept = alike(references, scene.crop, scene.bare, validity, own)
    if not kept.all():
        references, validity, own = references[kept], validity[kept], own[kept]
    made = np.empty((len(references) + 1, *scene.crop.shape), np.float32)
    if len(references):
        # Only bare skin tells how the face is lit: a collar or a hand has its own colour.
        skin, face = (mask.astype(np.float32) for mask in (scene.bare, scene.face))
        lit, changed = match_light(references, scene.crop, skin, face, made=made[:-1], own=own)
        # Beside the face the background has to go on, so references are weighed by how well
        # they fit the frame there; on the face the new expression is right to differ, and light
        # alone tells.
        bring(lit, scene.crop, scene.around, scene.strip, scene.drawing.face.mask)
        agreeing, apart = fitting(lit, scene.crop, scene.around, validity)
        np.copyto(agreeing, better(changed, validity), where=scene.drawing.face.mask)
        validity = validity * agreeing
        crisp(lit, validity, scene.inside)
        go_on(lit, apart, scene.crop, scene.around, scene.strip)
    inside, lip = scene.inside, lip_colour(scene.drawing, made[:-1], validity)
    shaded_own = in_light(scene.drawing.face.image, scene.crop, scene.bare)
    made[-1] = soften_gap(shaded_own, inside, lip)
    if len(kept) == len(references) == 1:  # a photo shows all of its lips, the model's are a rim
        lips = (scene.drawing.face.region == Region.LIPS) & (validity[0] > 0)
        np.copyto(made[-1], made[0], where=lips[..., None])
    # The shaded render comes last and weighs next to nothing: it shows only where no reference
    # does. Inside the mouth it has a say, since references seldom show teeth just there.
    shaded = np.where(inside, SHADED, FAINT if len(references) else ALONE).astype(np.float32)
    validity = np.concatenate([validity, shaded[None]])
    image = kernels.fused(made, validity, scene.crop, scene.known)
    return Lent(image, made, validity, kept)
