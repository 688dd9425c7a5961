"""What single frames of a rendering depend on: two renderings make frames of one key alike.

But for the last hundredths of a chin's sharpness, which follows the frames around it
(`finish/even.py`): to count those would make half a second more on each side of every edit.
All else that a picture depends on (clip, track, models, settings) is the same for a whole job, and
stands in its fingerprint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from gsmooth_core.taft.translate import FaceTranslator

FrameKey = tuple[str, str]
"""Digests of a frame's own curves, and of what else it is made from: references, their weights."""

_UNTOUCHED: FrameKey = ("-", "-")


def frame_keys(translators: Sequence[FaceTranslator]) -> list[FrameKey]:
    """(T,) the keys of the frames that go through all of these translators."""
    each = [_keys(translator) for translator in translators]
    if len(each) == 1:
        return each[0]
    return [
        (_digest(*(key[0] for key in keys)), _digest(*(key[1] for key in keys)))
        for keys in zip(*each, strict=True)
    ]


def _keys(translator: FaceTranslator) -> list[FrameKey]:
    composer, wanted = translator.composer, translator.wanted.tolist()
    return [
        (
            _digest(translator.asked[frame].tobytes()),
            _digest(composer.lent(frame), composer.grown.get(frame, composer.box)),
        )
        if wanted[frame]
        else _UNTOUCHED
        for frame in range(len(wanted))
    ]


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
