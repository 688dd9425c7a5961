"""How much of the mouth was left as filmed, for something that seemed to be before it.

Where that was the mouth itself, the old lips stand in a new mouth: a viewer sees it torn.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gsmooth_core.evaluation.metrics.masks import Masks
from gsmooth_core.evaluation.metrics.verdict import FAIR, POOR, Finding
from gsmooth_core.job.length import gather_occluders
from gsmooth_core.job.names import JobFile
from gsmooth_core.job.source import Source
from gsmooth_core.mafb.occlusion.occluders import Occluders, load_occluders
from gsmooth_core.ranges import describe_ranges, ranges_of
from gsmooth_core.types import Bool, Float

SEEN, TORN = 0.03, 0.25
"""Share of the mouth from which on it is seen, and from which on it may be torn."""

_OPEN = 0.03  # opening over the distance of the eyes' corners by which two mouths differ


def occluders_in(folder: Path, source: Source) -> Occluders | None:
    """What a finished job left before the mouth; None where it looked for nothing.

    Args:
        folder: of the job, or of the person in it.
        source: of the job.

    Raises:
        InputError: the file is damaged.
    """
    path = folder / JobFile.OCCLUDERS
    if not source.job.settings.occluders or not path.is_file():
        return None
    found = load_occluders(path)
    return found if source.plain else gather_occluders(found, source.pictures)


def kept_share(masks: Masks, occluders: Occluders | None) -> Float:
    """(T,) share of the mouth, old and new, that was left as filmed.

    Args:
        masks: of the job, T frames.
        occluders: what was left in them.
    """
    share = np.zeros(len(masks.track), np.float32)
    if occluders is None:
        return share
    usable = masks.track.usable
    for frame in (n for n in occluders.frames.tolist() if n < len(share) and usable[n]):
        mouth = masks.mouth(frame)
        share[frame] = (mouth & occluders.mask(frame, masks.size)).sum() / max(mouth.sum(), 1)
    return share


def torn(kept: Float, filmed: Float, wanted: Float) -> Bool:
    """(T,) frames in which a good part of the old mouth stands in one that opens otherwise.

    Args:
        kept: (T,) of `kept_share`.
        filmed: (T,) opening of the mouth in the source.
        wanted: (T,) the opening that was asked for.
    """
    found: Bool = (kept >= TORN) & (np.abs(wanted - filmed) > _OPEN)
    return found


def finding(kept: Float, filmed: Float, wanted: Float, first: int) -> Finding:
    """What was left before the mouth; `first` is the number of frame 0 for the reader."""
    some = kept >= SEEN
    if not some.any():
        return Finding("Before the mouth", "", "")
    bad = torn(kept, filmed, wanted)
    where = describe_ranges(ranges_of(bad if bad.any() else some), first)
    share = f"up to {100 * float(kept.max()):.0f} % of the mouth in {where} was left as filmed"
    if bad.any():
        text = f"{share}, while the new one opens otherwise: it looks torn if nothing is there."
        return Finding("Before the mouth", POOR, text[0].upper() + text[1:], "a torn mouth")
    sentence = f"{share[0].upper()}{share[1:]}."
    return Finding("Before the mouth", FAIR, sentence, "a mouth that is partly as filmed")
