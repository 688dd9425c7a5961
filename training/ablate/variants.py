"""Variants of running a job, each with a part of the method switched off."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gsmooth_core.a2ep import load_a2ep
from gsmooth_core.dub import DubPipeline
from gsmooth_core.face.morphable import Region
from gsmooth_core.face.render import Drawing
from gsmooth_core.taft.translate import FaceTranslator
from gsmooth_core.types import Bool, Expression, FaceTrack, FrameSource

_BORDER = 8  # pixels of the crop that stay the frame's, beside the rim


class WithoutReferences(DubPipeline):
    """No pixel of the clip's other frames: the generator has the shaded render alone."""

    def translator(
        self, track: FaceTrack, target: Expression, frames: FrameSource | None
    ) -> FaceTranslator:
        """A translator whose frames have no references."""
        made = super().translator(track, target, frames)
        choice = made.composer.choice
        made.composer.choice = replace(choice, weights=np.zeros_like(choice.weights))
        return made


class WithoutTeeth(DubPipeline):
    """A face model that has neither teeth nor tongue."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        model = self.model
        inside = model.in_regions(Region.TEETH, Region.TONGUE)[model.faces].any(axis=1)
        # Triangles of one point are never drawn, and landmarks keep their places in the list.
        faces = np.where(inside[:, None], model.faces[:, :1], model.faces).astype(np.int32)
        self.model = replace(model, faces=faces)


class WithoutAdaptation(DubPipeline):
    """Predicted curves as they are: not moved to this person's rest, nor to their reach."""

    def merged(self, track: FaceTrack) -> Expression:
        """The prediction itself, for the components that speech drives."""
        predicted = self.predict()
        names = load_a2ep().names
        source = [predicted.names.index(name) for name in names]
        target = [track.expression_names.index(name) for name in names]
        values = track.expression.copy()
        values[:, target] = predicted.values[:, source]
        return Expression(track.expression_names, values, track.fps)


class WithoutBlending(DubPipeline):
    """The paper's w/o MAFB: nothing of the frame around the mask is blended in or kept.

    Only a border of the face crop stays, so that it can be laid over the frame.
    """

    def translator(
        self, track: FaceTrack, target: Expression, frames: FrameSource | None
    ) -> FaceTranslator:
        """A translator that makes the whole crop anew."""
        made = super().translator(track, target, frames)
        composer = made.composer
        inner, size = composer.masks, composer.size
        edge = int(np.ceil(composer.rim)) + _BORDER

        def masks(frame: int) -> tuple[Drawing, Bool]:
            drawing, mask = inner(frame)
            everything = np.zeros_like(mask)
            everything[edge:-edge, edge:-edge] = True
            return drawing, everything

        composer.masks = masks  # type: ignore[method-assign]
        composer.box = (0, 0, size, size)
        return made
