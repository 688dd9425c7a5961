"""Target Adaptive Face Translation in use: frames of a clip in, frames with the new mouth out."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np

from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.mafb.crop import window
from gsmooth_core.mafb.occlusion.occluders import Occluders
from gsmooth_core.models.threads import all_threads
from gsmooth_core.taft.box import Corners
from gsmooth_core.taft.compose import Composer
from gsmooth_core.taft.composition import ComposeSettings, Composition
from gsmooth_core.taft.correctives import Personal
from gsmooth_core.taft.grain import Grain
from gsmooth_core.taft.heard import Heard
from gsmooth_core.taft.inputs import painted, seen_of, suited
from gsmooth_core.taft.interface import Generator as Network
from gsmooth_core.taft.lend import Begun
from gsmooth_core.taft.masked import MaskedFrame, colourless, without_colour
from gsmooth_core.taft.rehearsal import GAP, rehearsed
from gsmooth_core.taft.sharpness import Sharpness, inwards, sharpened
from gsmooth_core.taft.shutter import Ways, smeared
from gsmooth_core.taft.skin import SkinPairs
from gsmooth_core.taft.soft_line import softened
from gsmooth_core.taft.translated import Laid, Translated
from gsmooth_core.taft.warp import Reference
from gsmooth_core.types import Bool, FaceTrack, Float, FrameSource, Image

if TYPE_CHECKING:
    from gsmooth_core.taft.device import DeviceBank

_TOGETHER = 16  # frames in a batch on a graphics card
_AT_ONCE = 3  # frames that are made at once at most
_AHEAD = 3  # frames that are being made, or will be next, at least


def at_once(cores: int) -> int:
    """Frames that are made at once, each on a thread of its own."""
    return min(_AT_ONCE, max(1, cores))


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
        self.track, self._model = track, model
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
        if not self.wanted[index]:
            nothing = np.zeros(frame.shape[:2], bool)
            return Translated(frame, nothing, nothing)
        made = self.composer.compose(index, frame)
        return self.lay(index, frame, made.masked, made.members, self._generated(index, made))

    def translate_all(
        self, frames: Iterable[tuple[int, Image]]
    ) -> Generator[tuple[Image, Translated]]:
        """Each (index, frame) in order: the frame, and what `translate` makes of it.

        A few frames are made at once, each from its beginning to its end: so no thread waits for
        another one's part of it. No more than these are held. On a graphics card frames are made
        in batches (`batches`).
        """
        if self.batch > 1 and self.composer.bank:
            from gsmooth_core.taft.batches import (  # torch, for cards alone
                bank_of,
                translate_batches,
            )

            if self._on_card is None or self._on_card[0] is not self.composer.bank:
                self._on_card = self.composer.bank, bank_of(self)
            yield from translate_batches(self, self._on_card[1], frames, self.batch)
            return
        waiting: deque[tuple[Image, Future[Translated]]] = deque()
        count = at_once(all_threads())
        with ThreadPoolExecutor(count, "frame") as threads:
            for index, frame in frames:
                waiting.append((frame, threads.submit(self.translate, index, frame)))
                if len(waiting) > max(_AHEAD, count):
                    yield self._first(waiting)
            while waiting:
                yield self._first(waiting)

    def _first(self, waiting: deque[tuple[Image, Future[Translated]]]) -> tuple[Image, Translated]:
        frame, made = waiting.popleft()
        return frame, made.result()

    def looks_at(self, index: int) -> list[Corners]:
        """The boxes (x0, y0, x1, y1) of frame `index` of which any pixel is read."""
        track, composer = self.track, self.composer
        if not self.wanted[index]:
            return []
        return [window(composer.transforms[index], composer.size, track.height, track.width).box]

    def begin(self, index: int, frame: Image) -> Begun | None:
        """A frame that is to be made, see `Composer.begin`."""
        return self.composer.begin(index, frame) if self.wanted[index] else None

    def lay(
        self, index: int, frame: Image, masked: MaskedFrame, members: tuple[int, ...], new: Float
    ) -> Translated:
        """Lay a new crop (size, size, 3), 0..1, over a frame."""
        lent = tuple(one for one in self.composer.lent(index) if one[0] in members)
        box = self.composer.grown.get(index, self.composer.box)
        picture = smeared(new, self.ways.beyond(index, lent), box)
        if grey := colourless(masked.part):
            picture = without_colour(picture)
        rim = self.composer.rim / masked.under.scale
        filmed = partial(self._filmed, index, masked, rim, grey)
        lay = masked.laid(picture, rim, filmed)
        hidden = np.zeros(frame.shape[:2], bool)
        masked.under.part(hidden)[...] = masked.hidden
        return Laid(frame, hidden, members, lay)

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
            new = sharpened(new, gains, inwards(masked.hidden[rows, columns], rim))
        return film.on(new, masked.number(), at, grey=grey) if film else new

    def _generated(self, index: int, made: Composition) -> Float:
        """(size, size, 3) the new face; the generator sees the box of the clip's masks alone."""
        x0, y0, x1, y1 = self.composer.grown.get(index, self.composer.box)
        part, picture = np.s_[y0:y1, x0:x1], made.blend.image
        picture[part] = painted(self.generator, seen_of(made, self.config, part))
        return softened(picture, made.line)
