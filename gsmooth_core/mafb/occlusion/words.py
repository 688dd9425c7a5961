"""A caption over the time that it stays: the same shape in each of its frames.

Frame by frame the shape of a caption is found a little differently, above all while it fades. As
long as its edges stay, the frames vote.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from gsmooth_core.mafb.blend import dilate
from gsmooth_core.mafb.occlusion.matte import learn_colours
from gsmooth_core.types import Bool, Float, Image

_STAY = 0.5  # share of the edges of a part that stay from one frame to the next
_VOTES = 0.5  # share of its frames in which a pixel must have been found
_APART = 11  # pixels: diameter that joins a word and its dots
_SAMPLED = 24  # frames from which colours are learned
_ODDS = 0.3  # what is left for letters may still be skin, not the other way round
_ROUNDS = 2  # the second knows better what is bare


def bare_of_face(
    found: Sequence[Bool], pictures: Sequence[Image], lower: Sequence[Bool]
) -> list[Bool]:
    """Captions without the face between and beside their letters.

    Args:
        found: T times (H, W) captions, found generously.
        pictures: T times (H, W, 3) RGB.
        lower: T times (H, W) the lower face.
    """
    captioned = [n for n, mask in enumerate(found) if mask.any()]
    places = np.linspace(0, len(captioned) - 1, min(_SAMPLED, len(captioned))).astype(int)
    some, letters = [captioned[place] for place in places], list(found)
    for _ in range(_ROUNDS):
        colours = learn_colours((pictures[n], letters[n], lower[n]) for n in some)
        letters = [colours.letters(p, mask, _ODDS) for p, mask in zip(pictures, found, strict=True)]
    return letters


def through_time(found: Sequence[Bool], lines: Sequence[Bool]) -> list[Bool]:
    """Make the captions of successive frames agree.

    Args:
        found: T times (H, W) captions, of one shot, in order.
        lines: T times (H, W) their edges.
    """
    count = len(found)
    before, after = _votes(found, lines, range(count)), _votes(found, lines, range(count)[::-1])
    agreed = []
    for mask, (yes, of), (more, others) in zip(found, before, after[::-1], strict=True):
        agreed.append(yes + more - mask >= _VOTES * (of + others - 1))
    return agreed


def with_edges(mask: Bool, lines: Bool, fewest: int) -> Bool:
    """A caption without what has few edges of its own: teeth and creases that letters uncovered.

    Args:
        mask: (H, W) the captions of a frame.
        lines: (H, W) their edges.
        fewest: pixels of edges that a word, with its dots, has at least.
    """
    count, label = cv2.connectedComponents(dilate(mask, _APART, _APART).astype(np.uint8))
    enough = np.bincount(label[lines & mask], minlength=count) >= fewest
    words: Bool = enough[label] & mask
    return words


def _votes(
    found: Sequence[Bool], lines: Sequence[Bool], order: Iterable[int]
) -> list[tuple[Float, Float]]:
    """(H, W) in how many frames up to each a caption has a pixel, and of how many, in `order`."""
    votes, last = list[tuple[Float, Float]](), -1
    for frame in order:
        yes, of = found[frame].astype(np.float32), np.ones(found[frame].shape, np.float32)
        if votes and lines[frame].any():
            earlier, others = votes[-1]
            stays = _staying((earlier > 0) | found[frame], lines[last], lines[frame])
            yes, of = yes + stays * earlier, of + stays * others
        votes.append((yes, of))
        last = frame
    return votes


def _staying(mask: Bool, lines: Bool, now: Bool) -> Bool:
    """(H, W) the parts of a mask most of whose edges are there in another frame, too."""
    count, label = cv2.connectedComponents(mask.astype(np.uint8))
    own, kept = (np.bincount(label[which], minlength=count) for which in (lines, lines & now))
    stay = kept > _STAY * np.maximum(own, 1)
    stay[0] = False
    parts: Bool = stay[label] & mask
    return parts
