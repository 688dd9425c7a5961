"""How fine H.264 is coded where it is to be like the source: a piece of it is tried first.

What was compressed once takes more bits the second time for the same look, and how many more
depends on how hard it was compressed. So some pictures are coded as a segment would be, and the
quantiser is moved to where they take about one and a half times what the source spent on them.

Seven clips of 250 to 1100 kbit/s, 192 frames each in segments of 64, whole pictures without a new
face: crf 14 without B-frames took .6 to 3.7 times the bytes (mean 2.67) at 45.3 to 50.4 dB of luma;
like this it is .5 to 1.7 times (1.32) at 45.9 to 50.0, but 43.8 dB on the one that was compressed
hardest. (Chosen on four of these clips; two others: 1.39 and 1.58 times, 49.5 and 52.2 dB.)
B-frames do most of it (3.1 -> 2.0 times at .8 dB more): where the source skipped a block, a picture
that may look ahead skips it again. psy=0 and aq-mode=0 are worth .3 to 1.4 dB. The source's own
quantisers, read from its stream, were not needed for that.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from math import log2
from pathlib import Path
from typing import Any

import numpy as np

from gsmooth_core.errors import MediaError
from gsmooth_core.media.coding import coding_of, travels_as
from gsmooth_core.media.copies import listing
from gsmooth_core.media.decode import read_frames, read_planes
from gsmooth_core.media.encode import SegmentWriter, container_for
from gsmooth_core.media.encoders import Wish
from gsmooth_core.media.probe import probe_source
from gsmooth_core.types import Clip

log = logging.getLogger(__name__)

MOST = 1.5
"""Times the source's bytes."""
COARSER = 6
"""Steps of the constant rate factor that are given up at most: beyond it the loss would be seen."""
_TRIED = 64  # frames, as many as a segment has
_FEWEST = 16  # below which the first picture is most of it
_BETWEEN = 3  # steps above the finest at which it is tried
_HALVING = 7.0  # steps that halve the bytes of what was compressed before
_SLOW = ("faster", "fast", "medium", "slow", "slower", "veryslow")
"""Presets in whose place a faster one tries. On six clips it takes half of medium's time, and finds
its factor but for -.2 to +.8 steps; "veryfast" as it is was 1.7 off, and half the frames 2.3."""


def fitted(wish: Wish, clip: Clip, output: Path, first: int, count: int) -> Wish:
    """A wish whose constant rate factor gives about `MOST` times the source's bytes.

    Args:
        wish: what the user asked for; its factor is the finest that is taken.
        clip: the source.
        output: the final output.
        first: first frame of those that are used.
        count: how many are used.

    Raises:
        MediaError: the source cannot be read.
    """
    if not is_fitted(wish, clip, output, count):
        return wish
    tried = min(_TRIED, count)
    try:
        factor = _factor(clip, output, wish, first + (count - tried) // 2, tried)
    except MediaError as error:  # damaged packets, a full disk: the work itself may do without
        log.info("no trial of the rate factor: %s", error)
        return wish
    return replace(wish, crf=factor)


def is_fitted(wish: Wish, clip: Clip, output: Path, count: int) -> bool:
    """Whether a trial finds the rate factor of an output, see `fitted`."""
    container = container_for(output)
    asked = wish.quality != "auto" or wish.intra or wish.like is not None
    if asked or clip.still or not container.video or count < _FEWEST:
        return False
    return coding_of(probe_source(clip.path), container.muxer, wish).codec == "h264"


def _factor(clip: Clip, output: Path, wish: Wish, first: int, count: int) -> int:
    between = wish.crf + _BETWEEN
    trial = replace(wish, crf=between)
    if wish.preset in _SLOW:
        trial = replace(trial, preset="veryfast", trial=True)
    stored = travels_as(probe_source(clip.path)) is not None
    frames: Iterator[Any] = (read_planes if stored else read_frames)(clip, first, count)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trial.mp4"
        with SegmentWriter(path, clip, output, wish=trial, stored=stored) as writer:
            for frame in frames:
                writer.write(frame)
        taken = int(listing(path).sizes.sum())
    steps = _HALVING * log2(taken / (MOST * _spent(clip, first, count)))
    return min(max(round(between + steps), wish.crf), wish.crf + COARSER)


def _spent(clip: Clip, first: int, count: int) -> int:
    """Bytes of a source's frames; a varying rate is taken as a constant one."""
    found = listing(clip.path)
    sizes = found.sizes[np.argsort(found.stamps, kind="stable")]
    share = len(sizes) / clip.frame_count
    return max(1, int(sizes[round(first * share) : round((first + count) * share)].sum()))
