"""Finished frames whose brows are moved, after the faces were made."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from functools import cached_property

from gsmooth_core.taft.brows import BrowMover, Carried
from gsmooth_core.taft.translate import Translator, numbered
from gsmooth_core.taft.translated import Laid, Translated
from gsmooth_core.types import Bool, Box, Image


class Moved(Laid):
    """A finished frame whose brows are moved; it is put together when it is asked for.

    Args:
        made: the frame before.
        carried: what of it is carried where.
    """

    def __init__(self, made: Translated, carried: Carried) -> None:
        values = {"hidden": made.hidden, "members": made.members, "lays": (*made.lays, carried)}
        for name, value in (values | {"_made": made}).items():
            object.__setattr__(self, name, value)

    @cached_property
    def _composited(self) -> tuple[Image, Bool]:
        made: Translated = self.__dict__["_made"]
        frame, moved = self.lays[-1].composite(made.frame)
        return frame, moved | made.mask


class MovingBrows:
    """Frames with moved brows, of what a translator makes (`translate.Translator`).

    Args:
        translator: makes the new faces.
        movers: of each person whose brows are to be elsewhere.
    """

    def __init__(self, translator: Translator, movers: Sequence[BrowMover]) -> None:
        self._translator, self._movers = translator, movers

    def translate_all(
        self, frames: Iterable[tuple[int, Image]]
    ) -> Generator[tuple[Image, Translated]]:
        """Each (index, frame) in order: the frame, and what becomes of it."""
        with closing(numbered(self._translator, frames)) as each:
            for index, frame, made in each:
                yield frame, self._moved(index, made)

    def looks_at(self, index: int) -> list[Box]:
        """As the translator does: where pixels go does not depend on them."""
        return self._translator.looks_at(index)

    def _moved(self, index: int, made: Translated) -> Translated:
        for mover in self._movers:
            if mover.moved[index] and (carried := mover.carried(index)):
                made = Moved(made, carried)
        return made
