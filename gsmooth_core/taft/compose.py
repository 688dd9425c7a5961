"""From a frame and the face it should show to the generator's input (MAFB).

A `Composer` holds what belongs to a whole clip: the person's face surface, the crops, and a
bounded bank of reference frames that is read once. It then composes one frame at a time, and sees
of that frame only what the mask leaves (`masked`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.errors import InputError
from gsmooth_core.face.morphable import MOUTH_REGIONS, MorphableModel
from gsmooth_core.face.render import (
    Drawing,
    Posed,
    among,
    covered,
    draw_face,
    face_surface,
    in_camera,
    placed,
    pose_face,
)
from gsmooth_core.mafb.blend import erode, in_crop
from gsmooth_core.mafb.crop import Window, crop_transforms, window
from gsmooth_core.mafb.meeting import meeting
from gsmooth_core.mafb.occlusion.matte import Matte, cut_out, learn_colours
from gsmooth_core.mafb.occlusion.occluders import Occluders
from gsmooth_core.mafb.room import frame_mask
from gsmooth_core.taft.composition import ComposeSettings, Composition, best_size
from gsmooth_core.taft.correctives import Personal, regressors
from gsmooth_core.taft.lending.bank import BankReader, Held
from gsmooth_core.taft.lending.heard import Heard
from gsmooth_core.taft.lending.lend import Begun, Scene, lend
from gsmooth_core.taft.lending.lenders import lenders, without
from gsmooth_core.taft.lending.masked import MaskedFrame, mask_frame
from gsmooth_core.taft.lending.shelf import Shelf
from gsmooth_core.taft.lending.spoiled import ODDS, bare_mouth, lettering, mend, mouths, unlettered
from gsmooth_core.taft.mouth.drawn import hints, least_seen, skin_of_face
from gsmooth_core.taft.mouth.shown import mouth_field
from gsmooth_core.taft.mouth.soft_line import soft_line
from gsmooth_core.taft.mouth.teeth import slide, tooth_rows
from gsmooth_core.taft.warping.body import stay_with_body, surroundings
from gsmooth_core.taft.warping.box import Corners, Reach, narrowed
from gsmooth_core.taft.warping.combs import combed
from gsmooth_core.taft.warping.warp import Reference, displacements, extend, lent, sample, spoiled
from gsmooth_core.types import Blend, Bool, FaceTrack, Float, FrameSource, Image

_HALF = 0.5
_BORDER = 4  # pixels of the crop that stay free around mask and rim
_RAGGED = 7  # pixels of the crop: twice what is left out at a picture's edge


class Composer:
    """Composes the frames of one clip.

    Args:
        track: the track of the clip, T frames.
        model: the face model that the track was fitted with.
        target: (T, E) the expression that each frame should show.
        source: gives the frames of the bank; each is asked for once, in ascending order. None
            where `read` is called before anything is composed.
        settings: what is replaced; the defaults by default.
        personal: correctives of the person's mesh.
        occluders: masks of what is in front of the face: it stays where it is, and occluded
            frames are no references as long as there are others.
        captions: masks of what was burned in: it stays, and its pixels are never lent.
        heard: what is heard in the clip and is to be said.

    Attributes:
        covered: (T,) frames that had better stay as they are: letters cover the mouth in all
            that could lend to them.
        box: the part of the crop that the generator sees.
        grown: a larger one, for single frames.
        combed: numbers of frames that would have lent, but mix two moments line by line.
        refused: numbers of frames that looked otherwise than one that has been composed.

    Raises:
        InputError: the target does not fit the track.
    """

    def __init__(
        self,
        track: FaceTrack,
        model: MorphableModel,
        target: Float,
        source: FrameSource | None,
        settings: ComposeSettings | None = None,
        personal: Personal | None = None,
        occluders: Occluders | None = None,
        captions: Occluders | None = None,
        heard: Heard | None = None,
    ) -> None:
        if target.shape != track.expression.shape:
            raise InputError(
                f"The expression has the shape {target.shape}, the track {track.expression.shape}.",
                "Predict it for this clip's frames and this face model.",
            )
        self.track, self.target = track, target.astype(np.float32)
        self.settings, self.personal = settings or ComposeSettings(), personal
        self.size = self.settings.size or best_size(track, model)
        self.transforms = crop_transforms(track, model, self.size)
        self.surface, self._teeth = face_surface(model, track.identity), tooth_rows(model)
        self.occluders, self.captions = occluders, captions
        self._rests = not np.ptp(track.translation, 0).any()
        how = self.settings.references, occluders, captions, heard
        found = lenders(track, model, self.surface, self.target, *how)
        self.lending, self.choice, self.covered = found.bank, found.choice, found.covered
        self._regressors = [regressors(track, e) for e in (track.expression, self.target)]
        self.bank: dict[int, Reference] = {}
        self.combed: tuple[int, ...] = ()
        self.refused: set[int] = set()
        self.grown: dict[int, Corners] = {}
        whole = 0, 0, self.size, self.size
        self.box: Corners = whole if self.settings.whole_face else self._reach().box()
        if source is not None:
            self.read(source)

    def read(self, source: FrameSource, only: Bool | None = None, held: Held = None) -> None:
        """Read the bank.

        Args:
            source: gives its frames; each is asked for once, in ascending order.
            only: (T,) the frames that will be composed; by default all.
            held: what another composer of this clip keeps of some frames: these are not read.
        """
        # A crop of each stays in memory. Colours of letters are learned from all that is lent.
        taken, only = self.choice.weights > 0, None if self.captions else only
        needed = np.unique(self.choice.members[taken if only is None else taken & only[:, None]])
        self._shelf = Shelf(self.settings.shelf)
        placed = self.track, self.surface, self.transforms, self.size
        hiding = self.captions, self.occluders
        read = BankReader(*placed, *hiding, self._shelf, held).read
        lends = read(source, self.lending[needed].tolist())
        self.bank = dict(zip(needed.tolist(), lends, strict=True))
        mixed = (place for place, lends in self._one_by_one() if combed(lends.image))
        combs = [] if self.settings.progressive else list(mixed)
        self.combed = tuple(self.bank[place].frame for place in combs)
        self.choice = without(self.choice, combs)
        each = (reference for _, reference in self._one_by_one())
        self._colours = learn_colours(lettering(each, self.surface))
        for place, own in self._one_by_one():
            if (less := bare_mouth(own, self._colours, self.surface)) is not None:
                self.bank[place] = replace(own, spoiled=self._shelf.keep(less))

    def _one_by_one(self) -> Iterator[tuple[int, Reference]]:
        """Place and reference of each member of the bank, of which one is in memory at a time."""
        for each in self.bank.items():
            yield each
            self._shelf.rest()

    def keep_box(self, box: Corners) -> None:
        """Let the generator see what it saw in an earlier rendering, where that is enough."""
        if not self.settings.whole_face:
            self.box, self.grown = box, self._reach().beyond(box)

    def _reach(self) -> Reach:
        placed = self.track, self.surface, self.transforms, self.target
        return Reach(*placed, self.size, self.settings.mask)

    def lent(self, frame: int) -> tuple[tuple[int, float], ...]:
        """Frame number and weight of each reference of a frame."""
        weights = self.choice.weights[frame]
        frames = self.lending[self.choice.members[frame][weights > 0]]
        return tuple(zip(frames.tolist(), weights[weights > 0].tolist(), strict=True))

    def members(self, frame: int) -> tuple[int, ...]:
        """Frame numbers of the references of a frame."""
        return tuple(self.lending[self._members(frame)].tolist())

    def masks(self, frame: int) -> tuple[Drawing, Bool]:
        """What is replaced in a frame.

        Args:
            frame: frame number.

        Returns:
            the drawing of the new face, whose values are the warp from each reference
            (`warp.displacements`), and (size, size) M_f.
        """
        new = self._new(frame, old := self._own(frame))
        members = [self.bank[m] for m in self._members(frame)]
        offsets = self._offsets(frame, [r.frame for r in members])
        values = displacements(members, new.seen, offsets) if members else None
        drawing = draw_face(self.surface, new, self.size, self.track.light[frame], values)
        region = drawing.face.mask if self.settings.whole_face else drawing.dubbed
        mask = frame_mask(self._covered(old), region, self.settings.mask)
        mask = self._clear_of_border(mask)
        occluder = self.in_front(frame)
        return drawing, mask if occluder is None else mask & ~occluder

    def _covered(self, old: Posed) -> Bool:
        """(size, size) what a frame's own face covers of what is replaced."""
        return covered(self.surface, old, self.size, whole=self.settings.whole_face)

    def points(self, frame: int) -> Float:
        """(V, 2) crop pixels of the new face's vertices in a frame."""
        return self._new(frame, self._own(frame)).seen[:, :2]

    def compose(self, frame: int, picture: Image) -> Composition:
        """Compose frame number `frame`, whose RGB pixels are `picture` (H, W, 3) uint8."""
        drawing, mask = self.masks(frame)
        masked, scene = self._scene(frame, picture, drawing, mask, np.zeros_like(mask))
        references, validity, unseen = self._references(frame, scene)
        if unseen.any():
            masked, scene = self._scene(frame, picture, drawing, mask, unseen)
        lent = lend(scene, references, validity)
        blend = Blend(lent.image, (~scene.known).astype(np.float32), lent.references, lent.validity)
        fixed = self._fixed(frame) if self.settings.fixed else None
        members, trust = self.kept(frame, lent.kept)
        line = soft_line(drawing, self._weights(frame), masked.under.scale)
        return Composition(masked, blend, hints(drawing), members, trust, frame, fixed, line)

    def begin(self, frame: int, picture: Image) -> Begun | None:
        """A frame as far as it goes without references, for `device.DeviceLender`.

        None where that is not all: letters lie over the frame, anything over what lends to it, or
        there is nothing that does.
        """
        places = self._members(frame)
        caption = self._caption(frame)
        lettered = any(self.bank[place].hidden is not None for place in places)
        if not len(places) or lettered or (caption is not None and caption.any()):
            return None
        drawing, mask = self.masks(frame)
        masked, scene = self._scene(frame, picture, drawing, mask, np.zeros_like(mask))
        field = self._field(frame, scene, places)
        return Begun(frame, masked, scene, field, places, self._weights(frame))

    def kept(self, frame: int, kept: Bool) -> tuple[tuple[int, ...], Float]:
        """Frame numbers and weights of those of a frame's references that are `kept` (K,)."""
        asked = np.array(self.members(frame), int)
        self.refused.update(asked[~kept].tolist())
        return tuple(asked[kept].tolist()), self._weights(frame)[kept]

    def _scene(
        self, frame: int, picture: Image, drawing: Drawing, mask: Bool, unseen: Bool
    ) -> tuple[MaskedFrame, Scene]:
        """A frame without what the mask hides; `unseen` is what letters cover everywhere."""
        under = window(self.transforms[frame], self.size, self.track.area_of(frame))
        occluder = self.in_front(frame)
        if unseen.any():
            # A collar that letters cover in all references stays as it is: it has no new shape.
            mask = mask & (~unseen | drawing.face.mask | self._covered(self._own(frame)))
        letters, inside = self._letters(frame, picture, under, unseen, drawing), under.inside()
        masked = mask_frame(picture, under, mask & inside, occluder, letters)
        crop, known = unlettered(*masked.crop(), self._caption(frame))
        bare = known if occluder is None else known & ~occluder
        around = known & _well_inside(inside) & ~drawing.face.mask
        skin, face = bare & skin_of_face(drawing), bare & drawing.face.mask
        return masked, Scene(crop, known, skin, face, around, drawing)

    @property
    def rim(self) -> float:
        """Width of the mask's soft rim in crop pixels."""
        return in_crop(self.settings.mask.rim, self.size)

    def _new(self, frame: int, old: Posed) -> Posed:
        """The new face of a frame, whose own one is `old`."""
        camera = in_camera(self.surface, self.track, frame, self.target[frame])
        if not self.settings.whole_face:
            camera = meeting(self.surface, old, camera, self.size, self.settings.mask)
        return placed(self.surface, camera, self.track, frame, self.transforms[frame])

    def _own(self, frame: int) -> Posed:
        expression = self.track.expression[frame]
        return pose_face(self.surface, self.track, frame, expression, self.transforms[frame])

    def in_front(self, frame: int) -> Bool | None:
        """(size, size) occluder mask of a frame; None where nothing is in front of the face."""
        mask = self.occluders.mask(frame, self.size) if self.occluders else None
        return mask if mask is not None and mask.any() else None

    def _letters(
        self, frame: int, picture: Image, under: Window, unseen: Bool, drawing: Drawing
    ) -> Matte | None:
        """What of a frame is letters, in the box of its window; None where there are none.

        Where no reference shows what lies between them (`unseen`), that stays with them; but no
        bit of the old mouth does, old lips and teeth beside a box least of all.
        """
        caption = self._caption(frame)
        if caption is None or not caption.any():
            return None
        mouth = mouths((self._own(frame).seen, drawing.points), self.surface, self.size)
        found, bare, mouth = (
            under.uncrop(m.astype(np.float32)) > _HALF for m in (caption, unseen & ~mouth, mouth)
        )
        part = under.part(picture)
        return cut_out(part, self._colours.letters(part, found, ODDS, mouth) | (found & bare))

    def _caption(self, frame: int) -> Bool | None:
        """(size, size) what was burned in over a frame; None where nothing is known of it."""
        return self.captions.mask(frame, self.size) if self.captions else None

    def _members(self, frame: int) -> NDArray[np.int64]:
        """(K,) places in the bank of a frame's references."""
        members: NDArray[np.int64] = self.choice.members[frame][self.choice.weights[frame] > 0]
        return members

    def _weights(self, frame: int) -> Float:
        """(K,) of a frame's references."""
        weights: Float = self.choice.weights[frame]
        return weights[weights > 0]

    def _offsets(self, frame: int, members: list[int]) -> Float:
        """(K, V or 1, 2) crop pixels from where the mesh has each reference to where it is."""
        if not self.personal or not members:
            return np.zeros((len(members), 1, 2), np.float32)
        own, wanted = self._regressors
        return self.size * self.personal.offset(frame, wanted[frame], own[members])

    def _references(self, frame: int, scene: Scene) -> tuple[Image, Float, Bool]:
        """(K, H, W, 3) warped references, (K, H, W) their validity, (H, W) what none may lend."""
        members = self._members(frame)
        if not len(members):
            none = np.zeros((0, self.size, self.size), np.float32)
            unseen = np.zeros(scene.known.shape, bool)
            return none[..., None].repeat(3, -1).astype(np.uint8), none, unseen
        weights = self._weights(frame)
        field = self._field(frame, scene, members)
        least = least_seen(scene.drawing)
        pictures = np.empty((len(members), self.size, self.size, 3), np.uint8)
        fine = narrowed(self.grown.get(frame, self.box), ~scene.known)
        validity = np.empty((len(members), self.size, self.size), np.float32)
        bad = np.zeros(validity.shape, bool)
        for k, member in enumerate(members):
            moved, seen = field[..., 3 * k : 3 * k + 2], field[..., 3 * k + 2]
            look = self.bank[member], moved, seen, least, weights[k]
            pictures[k], validity[k] = lent(*look, fine)
            if self.bank[member].hidden is not None:
                bad[k] = spoiled(self.bank[member], moved)
        self._shelf.looked()
        if bad.any():
            mend(pictures, validity, bad)
        return pictures, validity, bad.all(0)

    def _field(self, frame: int, scene: Scene, members: NDArray[np.int64]) -> Float:
        """(H, W, 3 K) displacement and visibility of the references of a frame's drawing.

        The warp is defined on the face alone; the mask reaches beyond it.
        """
        drawing = scene.drawing
        inside = among(drawing.face.region, MOUTH_REGIONS)
        values, mask = drawing.values, drawing.face.mask
        part, mouth = mouth_field(values, drawing.face.region, inside, len(members))
        if self._teeth is not None and len(self.lending) == 1:  # a photo: no mouth open alike
            values = values.copy()
            values[part] = mouth
            only = self.bank[int(members[0])]
            mouth = slide(values, inside, drawing.points, only, self._teeth)[part]
        field = extend(values, mask, drawing.face.depth)
        np.copyto(field[part], mouth, where=mask[part][..., None])
        if not self._rests:  # the body of a photo at rest does not move
            self._stay(frame, scene, members, field)
        return field

    def _stay(self, frame: int, scene: Scene, members: NDArray[np.int64], field: Float) -> None:
        around = surroundings(scene.crop, scene.around, scene.known)
        if around is None:
            return
        back = np.linalg.inv(np.vstack([self.transforms[frame], [0, 0, 1]]).astype(np.float64))
        for k, reference in enumerate(self.bank[m] for m in members.tolist()):
            part, still = field[..., 3 * k : 3 * k + 3], self.transforms[reference.frame] @ back
            stay_with_body(part, scene.drawing.face.mask, around, reference, still)

    def fixed(self, frame: int) -> Reference:
        """One for the whole clip (the paper's I_s), and another one for the frame it is."""
        return next((r for r in self.bank.values() if r.frame != frame), self.bank[min(self.bank)])

    def _fixed(self, frame: int) -> Float:
        crop, _ = sample(self.fixed(frame), np.zeros((self.size, self.size, 2), np.float32))
        return crop / np.float32(255)

    def _clear_of_border(self, mask: Bool) -> Bool:
        margin = _BORDER + int(np.ceil(self.rim)) + 1
        mask[:margin] = mask[-margin:] = False
        mask[:, :margin] = mask[:, -margin:] = False
        return mask


def _well_inside(inside: Bool) -> Bool:
    """(H, W) what lies in a picture, without its edge, where coders leave rows of other colours."""
    return inside if inside.all() else erode(inside, _RAGGED, _RAGGED)
