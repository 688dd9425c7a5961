"""Several people of one clip: each frame goes through the translators one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence

from gsmooth_core.taft.translate import Translator, numbered
from gsmooth_core.taft.translated import Translated
from gsmooth_core.types import Box, Image

_Made = tuple[int, Image, Translated]


class SeveralFaces:
    """Gives several people in the frames of one clip their new expressions.

    Args:
        translators: at least one; the later ones see what the earlier have made.
    """

    def __init__(self, translators: Sequence[Translator]) -> None:
        self._translators = translators

    def translate_all(
        self, frames: Iterable[tuple[int, Image]]
    ) -> Generator[tuple[Image, Translated]]:
        """Each (index, frame) in order: the frame, and what all together make of it."""
        first, *others = self._translators
        made: Iterator[_Made] = numbered(first, frames)
        for translator in others:
            made = _gone_on(translator, made)
        return ((frame, translated) for _, frame, translated in made)

    def looks_at(self, index: int) -> list[Box]:
        """The boxes (x0, y0, x1, y1) of frame `index` of which any pixel is read."""
        return [box for each in self._translators for box in each.looks_at(index)]


def _gone_on(translator: Translator, made: Iterator[_Made]) -> Iterator[_Made]:
    """What another translator makes of frames that have gone through some already."""
    waiting: deque[_Made] = deque()  # translators read ahead

    def passed_on() -> Iterator[tuple[int, Image]]:
        for index, frame, translated in made:
            waiting.append((index, frame, translated))
            yield index, translated.frame

    for _, later in translator.translate_all(passed_on()):
        index, frame, before = waiting.popleft()
        yield index, frame, _together(before, later)


def _together(before: Translated, later: Translated) -> Translated:
    """One result of two: what either may have changed is masked."""
    return Translated(
        later.frame,
        before.mask | later.mask,
        before.hidden | later.hidden,
        before.members + later.members,
        before.lays + later.lays,
    )
