"""Target Adaptive Face Translation in use: frames of a clip in, frames with the new mouth out."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.mafb.crop import window
from gsmooth_core.mafb.occlusion.occluders import Occluders
from gsmooth_core.mafb.regions import Box
from gsmooth_core.models.threads import all_threads
from gsmooth_core.taft.compose import Composer
from gsmooth_core.taft.composition import ComposeSettings
from gsmooth_core.taft.correctives import Personal
from gsmooth_core.taft.finish.blotches import Blotches
from gsmooth_core.taft.finish.even import Evenness
from gsmooth_core.taft.finish.grain import Grain
from gsmooth_core.taft.finish.lower_face import LowerFace
from gsmooth_core.taft.finish.rehearsal import GAP, rehearsed
from gsmooth_core.taft.finish.sharpness import (
    Sharpness,
    Somewhere,
    bands,
    grey_of,
    inwards,
    sharpened,
)
from gsmooth_core.taft.finish.skin import SkinPairs
from gsmooth_core.taft.generators.interface import Generator as Network
from gsmooth_core.taft.generators.interface import GeneratorInput
from gsmooth_core.taft.inputs import painted, seen_of, suited
from gsmooth_core.taft.lending.heard import Heard
from gsmooth_core.taft.lending.lend import Begun
from gsmooth_core.taft.lending.masked import MaskedFrame, colourless, without_colour
from gsmooth_core.taft.mouth.soft_line import SoftLine, softened
from gsmooth_core.taft.shutter import Ways, smeared
from gsmooth_core.taft.translated import Laid, Translated
from gsmooth_core.taft.warping.box import Corners
from gsmooth_core.taft.warping.warp import Reference
from gsmooth_core.types import Bool, FaceTrack, Float, FrameSource, Image

if TYPE_CHECKING:
    from gsmooth_core.taft.device.lend import DeviceBank

_TOGETHER = 16  # frames in a batch on a graphics card
_COMPOSING = 2  # frames at once at most, beside the one that the generator is at work on
_AHEAD = 3  # frames that are composed, or will be next


class Composed(NamedTuple):
    """What is kept of a composition until the generator is free: some 20 MB at 512 pixels.

    Attributes:
        masked: the frame without the pixels under the mask.
        members: frame numbers of the references.
        image: (H, W, 3) I_b.
        line: where the line between shut lips is to be softened.
        part: rows and columns of the crop that the generator sees.
        seen: what it sees of them.
    """

    masked: MaskedFrame
    members: tuple[int, ...]
    image: Float
    line: SoftLine | None
    part: Box
    seen: GeneratorInput[Float]


_Waiting = tuple[int, Image, "Future[Composed | None]"]


def composing(cores: int) -> int:
    """Threads on which frames are composed, beside the generator's."""
    return min(_COMPOSING, max(1, cores - 1))


class Translator(Protocol):
    """What makes the new frames of a clip."""

    def translate_all(
        self, frames: Iterable[tuple[int, Image]]
    ) -> Generator[tuple[Image, Translated]]:
        """Each (index, frame) in order: the frame, and what becomes of it."""
        ...

    def looks_at(self, index: int) -> list[Corners]:
        """The boxes (x0, y0, x1, y1) of frame `index` of which any pixel is read."""
        ...


def numbered(
    translator: Translator, frames: Iterable[tuple[int, Image]]
) -> Generator[tuple[int, Image, Translated]]:
    """What a translator makes of each (index, frame), with its index: translators read ahead."""
    waiting: deque[int] = deque()

    def noted() -> Iterator[tuple[int, Image]]:
        for index, frame in frames:
            waiting.append(index)
            yield index, frame

    with closing(translator.translate_all(noted())) as each:
        for frame, made in each:
            yield waiting.popleft(), frame, made


class FaceTranslator:
    """Gives the frames of one clip a new expression.

    Args:
        track: the clip's face.
        model: the track's face model.
        target: (T, E) the expression that each frame should show.
        source: frame number -> (H, W, 3) uint8 RGB; called for at most `references.bank` frames
            and a dozen that follow them, in ascending order, while this object is made. None
            where `read` is called before the first frame is asked for.
        generator: from `load.open_generator`.
        settings: what is replaced, and how; the number and the kind of references are the
            generator's own.
        device: of the generator; by default CUDA where there is one.
        personal: what was learned of this person.
        occluders: what stands before the face and stays there.
        captions: what was burned in over it: it stays, and lends no pixels.
        heard: what is heard in the clip and is to be said: frames that sound alike lend.

    Attributes:
        grain: what `read` has seen of the clip's noise.
        sharpness: what `rehearse` has found, or what was found before.
        ways: how far its mouths move while they are exposed.
        wanted: (T,) the frames that get a new expression; by default all with a usable face
            that other frames can lend to.

        batch: frames that are made at once.
        asked: (T, E) what frames are asked to show, in all parts of the face.

    Raises:
        InputError: the target does not fit the track.
    """

    def __init__(
        self,
        track: FaceTrack,
        model: MorphableModel,
        target: Float,
        source: FrameSource | None,
        generator: Network,
        settings: ComposeSettings | None = None,
        device: str | None = None,
        personal: Personal | None = None,
        occluders: Occluders | None = None,
        captions: Occluders | None = None,
        heard: Heard | None = None,
    ) -> None:
        self.track, self._model, self.asked = track, model, target
        self.config = generator.config
        settings = suited(settings or ComposeSettings(), self.config)
        self.composer = Composer(
            track, model, target, None, settings, personal, occluders, captions, heard
        )
        given = track, self.composer.surface, self.composer.transforms
        self.ways = Ways(*given, settings.shutter)
        self.grain: Grain | None = None
        self.sharpness: Sharpness | None = None
        self.wanted: Bool = track.usable & ~self.composer.covered
        self.generator = generator.on(device)
        self.batch = _TOGETHER if self.generator.card and self.config.warped else 1
        self._on_card: tuple[dict[int, Reference], DeviceBank] | None = None
        self._evenness: Evenness | None = None
        self._device = device
        if source is not None:
            self.read(source)
            self.sharpness = self.rehearse()

    def read(self, source: FrameSource) -> Grain | None:
        """Read all frames that lend to others, and see their grain where it is asked for.

        Args:
            source: as for the constructor.
        """
        composer = self.composer
        if not composer.settings.grain:
            composer.read(source)
            return None
        pairs = SkinPairs(self.track, self._model, source)
        composer.read(pairs)
        self.grain = pairs.grain(composer)
        return self.grain

    def rehearse(self) -> Sharpness | None:
        """How much detail it leaves out in frames that are known; None where nobody asks."""
        composer = self.composer
        if not composer.settings.sharpness:
            return None
        references = composer.settings.references
        apart = replace(references, gap=max(GAP, references.gap))
        plain = replace(composer.settings, size=composer.size, references=apart)

        def make(track: FaceTrack) -> FaceTranslator:
            own, before = track.expression, (composer.occluders, composer.captions)
            given = track, self._model, own, None, self.generator, plain, self._device, None
            made = FaceTranslator(*given, *before)
            made.ways = self.ways  # a track of single frames does not tell how they move
            return made

        return rehearsed(composer, make)

    def translate(self, index: int, frame: Image) -> Translated:
        """Return frame number `index` with its new expression.

        A frame that is not wanted, or without a usable face, comes back as it is.
        """
        return self._finish(index, frame, self._compose(index, frame))

    def translate_all(
        self, frames: Iterable[tuple[int, Image]]
    ) -> Generator[tuple[Image, Translated]]:
        """Each (index, frame) in order: the frame, and what `translate` makes of it.

        The next frames are composed on threads of their own while the generator works on one, and
        no more than a few are held. Of two cores one thread is enough: composing takes a little
        longer than the generator, and two threads of Python wait for each other. On a graphics
        card frames are made in batches (`batches`).
        """
        if self.batch > 1 and self.composer.bank:
            from gsmooth_core.taft.device.batches import (  # torch, for cards alone
                bank_of,
                translate_batches,
            )

            if self._on_card is None or self._on_card[0] is not self.composer.bank:
                self._on_card = self.composer.bank, bank_of(self)
            yield from translate_batches(self, self._on_card[1], frames, self.batch)
            return
        waiting: deque[_Waiting] = deque()
        with ThreadPoolExecutor(composing(all_threads()), "compose") as threads:
            for index, frame in frames:
                waiting.append((index, frame, threads.submit(self._compose, index, frame)))
                if len(waiting) > _AHEAD:
                    yield self._first(waiting)
            while waiting:
                yield self._first(waiting)

    def _first(self, waiting: deque[_Waiting]) -> tuple[Image, Translated]:
        index, frame, composed = waiting.popleft()
        return frame, self._finish(index, frame, composed.result())

    def looks_at(self, index: int) -> list[Corners]:
        """The boxes (x0, y0, x1, y1) of frame `index` of which any pixel is read."""
        track, composer = self.track, self.composer
        if not self.wanted[index]:
            return []
        return [window(composer.transforms[index], composer.size, track.area_of(index)).box]

    def begin(self, index: int, frame: Image) -> Begun | None:
        """A frame that is to be made, see `Composer.begin`."""
        return self.composer.begin(index, frame) if self.wanted[index] else None

    def _compose(self, index: int, frame: Image) -> Composed | None:
        """The generator sees the box of the clip's masks alone; nothing of the rest is kept."""
        if not self.wanted[index]:
            return None
        made = self.composer.compose(index, frame)
        x0, y0, x1, y1 = self.composer.grown.get(index, self.composer.box)
        part = np.s_[y0:y1, x0:x1]
        seen = seen_of(made, self.config, part)
        return Composed(made.masked, made.members, made.blend.image, made.line, part, seen)

    def _finish(self, index: int, frame: Image, composed: Composed | None) -> Translated:
        if composed is None:
            nothing = np.zeros(frame.shape[:2], bool)
            return Translated(frame, nothing, nothing)
        new = self._generate(composed)
        return self.lay(index, frame, composed.masked, composed.members, new)

    def lay(
        self, index: int, frame: Image, masked: MaskedFrame, members: tuple[int, ...], new: Float
    ) -> Translated:
        """Lay a new crop (size, size, 3), 0..1, over a frame."""
        lent = tuple(one for one in self.composer.lent(index) if one[0] in members)
        box = self.composer.grown.get(index, self.composer.box)
        picture = self._blotched(index, smeared(new, self.ways.beyond(index, lent), box))
        if grey := colourless(masked.part):
            picture = without_colour(picture)
        rim = self.composer.rim / masked.under.scale
        filmed = partial(self._filmed, index, masked, rim, grey)
        lay = masked.laid(picture, rim, filmed)
        hidden = np.zeros(frame.shape[:2], bool)
        masked.under.part(hidden)[...] = masked.hidden
        return Laid(frame, hidden, members, lay)

    def _blotched(self, index: int, new: Float) -> Float:
        """A new crop (size, size, 3) with the blotches of colour that the clip has."""
        if not self.sharpness:
            return new
        nearby = int(self.composer.settings.references.gap * self.track.fps)
        film = self.grain.film(index, nearby) if self.grain else None
        lacking = self.sharpness.blotches(int(self.track.pictures[index]), nearby, film)
        return new if lacking is None else new + self._blotches.of(lacking)

    @cached_property
    def _blotches(self) -> Blotches:
        scale = np.hypot(*self.composer.transforms[self.wanted, 0, :2].T)
        return Blotches(self.composer.size, float(np.median(scale)))

    def _filmed(
        self,
        index: int,
        masked: MaskedFrame,
        rim: float,
        grey: bool,
        new: Float,
        at: tuple[int, int],
    ) -> Float:
        """(h, w, 3) levels of a part of the box, `at` a row and column, as the clip was filmed."""
        nearby = int(self.composer.settings.references.gap * self.track.fps)
        film = self.grain.film(index, nearby) if self.grain else None
        gains = None
        if self.sharpness:
            gains = self.sharpness.gains(int(self.track.pictures[index]), nearby, film)
        if gains is not None:
            rows, columns = (slice(a, a + n) for a, n in zip(at, new.shape, strict=False))
            weight = inwards(masked.hidden[rows, columns], rim)
            mean = grey_of(new)
            parts = bands(mean)
            places = self._lower_face.places(index, masked.under, at)
            lips = self._lower_face.around_lips(places, weight.shape, masked.under)
            even = self._even.gains(index, nearby, places, weight, mean, parts)
            others = [Somewhere(gains[0] / gains[1], lips), *([even] if even else [])]
            new = sharpened(new, parts, gains[1], weight, others)
        if not film:
            return new
        number = int(self.track.pictures[index])  # a picture that is shown again keeps its grain
        left, top = masked.under.box[:2]
        return film.on(new, number, (at[0] + top, at[1] + left), grey=grey)

    @cached_property
    def _lower_face(self) -> LowerFace:
        return LowerFace(self.composer)

    @property
    def _even(self) -> Evenness:
        """How sharp new frames should be, by what is known of the clip now."""
        sharpness = self.sharpness or Sharpness([])
        if self._evenness is None or self._evenness.sharpness is not sharpness:
            self._evenness = Evenness(sharpness, self.composer, self._lower_face.lips)
        return self._evenness

    def _generate(self, composed: Composed) -> Float:
        """(size, size, 3) the new face."""
        picture = composed.image
        picture[composed.part] = painted(self.generator, composed.seen)
        return softened(picture, composed.line)
