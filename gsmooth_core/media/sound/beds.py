"""What is heard together with a speech: music and effects, or a video's own sound around it.

Every sound keeps its level. Where the sum would clip, all of it is made quieter by one factor, as
in `mix.py`. A bed is cut, or ends in silence, where the picture ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gsmooth_core.media.reading.description import Stream, describe

FADE = 0.01
"""Seconds in which a bed comes and goes within the picture."""
_SURROUND = ("3.0", "4.0", "5.0", "5.0(side)", "5.1", "5.1(side)", "6.1", "7.1")


@dataclass(frozen=True)
class Bed:
    """A sound below a speech.

    Attributes:
        path: any file with sound.
        start: second of it at which the output begins.
        track: which of the file's sounds, from 0.
        heard: (begin, end) seconds of the output in which it is heard; None for all of it.
    """

    path: Path
    start: float = 0.0
    track: int = 0
    heard: tuple[tuple[float, float], ...] | None = None

    @property
    def stream(self) -> Stream:
        """How it is stored."""
        return describe(self.path).sounds[self.track]


def under(
    beds: Sequence[Bed],
    inputs: Sequence[str],
    speech: str,
    channels: int,
    seconds: float,
    rate: int,
) -> str:
    """The filters that lay a speech over beds.

    Args:
        beds: at least one; the first one's channels are the output's.
        inputs: filters that give each bed from the output's beginning on, as long as it is.
        speech: the same of the speech.
        channels: of the speech.
        seconds: how long the output is.
        rate: samples a second of the output.

    Returns:
        a graph without an output's label.
    """
    layout = _layout(beds[0].stream)
    form = f"aformat=sample_fmts=fltp:sample_rates={rate}:channel_layouts="
    parts = []
    for number, (bed, chain) in enumerate(zip(beds, inputs, strict=True)):
        parts += _heard(bed, f"{chain},{form}{layout}", f"bed{number}", seconds)
    parts.append(f"{speech},{_placed(channels, layout, form)}[speech]")
    every = "".join(f"[bed{number}]" for number in range(len(beds)))
    return f"{';'.join(parts)};{every}[speech]amix=inputs={len(beds) + 1}:normalize=0"


def _layout(stream: Stream) -> str:
    if stream.channels == 1:
        return "mono"
    return stream.layout if stream.layout in _SURROUND else "stereo"


def _placed(channels: int, layout: str, form: str) -> str:
    """A speech in the channels of a bed: as loud as before, in the middle of many."""
    if layout in _SURROUND:
        return f"{form}mono,pan={layout}|FC=c0"
    if layout == "stereo" and channels == 1:
        return f"{form}mono,pan=stereo|c0=c0|c1=c0"
    return f"{form}{layout}"


def _heard(bed: Bed, chain: str, label: str, seconds: float) -> list[str]:
    """Filters that let a bed be heard where it is to be, to the sample."""
    if bed.heard is None:
        return [f"{chain}[{label}]"]
    if not bed.heard:
        return [f"{chain},volume=0[{label}]"]
    count = len(bed.heard)
    split = "".join(f"[{label}s{n}]" for n in range(count))
    graphs = [f"{chain},asplit={count}{split}"]
    for n, (begin, end) in enumerate(bed.heard):
        fades = []
        if begin > 0:
            fades.append(f"afade=t=in:st={begin:.9f}:d={FADE}")
        if end < seconds:
            fades.append(f"afade=t=out:st={max(end - FADE, 0):.9f}:d={FADE}")
        graphs.append(f"[{label}s{n}]{','.join(fades) or 'anull'}[{label}p{n}]")
    every = "".join(f"[{label}p{n}]" for n in range(count))
    return [*graphs, f"{every}amix=inputs={count}:normalize=0[{label}]"]
