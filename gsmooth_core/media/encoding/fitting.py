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
from dataclasses import replace
from math import log2
from pathlib import Path

import numpy as np

from gsmooth_core.errors import MediaError
from gsmooth_core.media.encoding.coding import Coding, coding_of, travels_as
from gsmooth_core.media.encoding.encode import container_for
from gsmooth_core.media.encoding.encoders import Wish
from gsmooth_core.media.pictures import colour
from gsmooth_core.media.pictures.decode import located, travelling
from gsmooth_core.media.reading.packets import KEY, read_packets
from gsmooth_core.media.reading.probe import Source, probe_source
from gsmooth_core.types import Bool, Clip, Int

log = logging.getLogger(__name__)

MOST = 1.5
"""Times the source's bytes."""
COARSER = 6
"""Steps of the constant rate factor that are given up at most: beyond it the loss would be seen."""
_SEGMENT = 64  # pictures of a segment, of which one needs no other
_TRIED = 48
"""Pictures. What the first one takes and what the others do is counted apart, on both sides: then
48 of them find the factor as well as 64 did (nine clips: .5 steps off beside .6, rms; 32: .8).
In one call of ffmpeg they cost .8 s of a job of 4 s in 720p, which takes 32 s of one core."""
_FEWEST = 16  # below which the first picture is most of it
_BETWEEN = 3  # steps above the finest at which it is tried
_HALVING = 7.0  # steps that halve the bytes of what was compressed before
_SLOW = ("faster", "fast", "medium", "slow", "slower", "veryslow")
"""Presets in whose place a faster one tries: it takes half of medium's time."""


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
    source = probe_source(clip.path)
    try:
        factor = _factor(source, output, wish, *_tried(source, clip, first, count))
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


def _tried(source: Source, clip: Clip, first: int, count: int) -> tuple[int, int]:
    """The first picture that is tried, and how many: those in the middle of some frames."""
    pictures = np.arange(first, first + count)
    if source.timing is not None and not clip.paced:
        pictures = np.unique(source.timing.source_index[pictures])
    tried = min(_TRIED, len(pictures))
    return int(pictures[(len(pictures) - tried) // 2]), tried


def _factor(source: Source, output: Path, wish: Wish, first: int, count: int) -> int:
    between = wish.crf + _BETWEEN
    trial = replace(wish, crf=between)
    if wish.preset in _SLOW:
        trial = replace(trial, preset="veryfast", trial=True)
    coding = coding_of(source, container_for(output).muxer, trial)
    part = first, count
    steps = _HALVING * log2(_taken(source, coding, *part) / (MOST * _had(source, *part)))
    return min(max(round(between + steps), wish.crf), wish.crf + COARSER)


def _taken(source: Source, coding: Coding, first: int, count: int) -> float:
    """Bytes that a picture of a segment takes when it is coded so, in one call of ffmpeg."""
    opened, select = located(source, first)
    picture, given = colour.coded_picture(source.picture), source.picture
    filters, raw = travelling(given, stored=travels_as(source) is not None)
    filters = [*select, *filters, *colour.into_coded(picture, coding.pixel_format, raw)]
    top, bottom = source.clip.fps.as_integer_ratio()
    # At a steady rate, as segments have: the encoder spends less on what is shown for less time.
    options = ["-vf", ",".join([*filters, f"setpts=N*{bottom}/({top}*TB)"]), "-copyts"]
    options += ["-fps_mode", "passthrough", "-enc_time_base", f"{bottom}:{top}"]
    options += ["-frames:v", str(count), *coding.encoder]
    made = read_packets(source.clip.path, "0:V:0", count, *options, opened=opened)
    if len(made) < count:
        raise MediaError(f"'{source.clip.path.name}' breaks off.", "Copy it again.")
    keys = made.flags & KEY != 0
    return _mean(made.sizes, keys, 1 / _SEGMENT, made.sizes[keys])


def _had(source: Source, first: int, count: int) -> float:
    """Bytes that a picture of the source took there, its key pictures spread over all."""
    spent = source.spent
    if spent is None:
        return max(1.0, source.bit_rate / 8 / float(source.clip.fps))
    there, keys = slice(first, first + count), spent.keys
    sizes, share = spent.sizes[there], float(keys.mean())
    near = sizes[keys[there]]
    return max(1.0, _mean(sizes, keys[there], share, near if len(near) else spent.sizes[keys]))


def _mean(sizes: Int, keys: Bool, share: float, of_keys: Int) -> float:
    """Bytes of a picture, where a `share` of all are key pictures, which take `of_keys`."""
    if keys.all() or not len(of_keys):
        return float(sizes.mean())
    return share * float(of_keys.mean()) + (1 - share) * float(sizes[~keys].mean())
