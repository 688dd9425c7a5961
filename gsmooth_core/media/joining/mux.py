"""The one ffmpeg call that joins picture, new sound, and what comes along from the source."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from gsmooth_core.media import ffmpeg
from gsmooth_core.media.encoding.encode import Container
from gsmooth_core.media.joining.carry import Carried, Plan, Taken, tags_fit
from gsmooth_core.media.joining.containers import holds
from gsmooth_core.media.joining.covers import Attached
from gsmooth_core.media.joining.sound_rate import USUAL
from gsmooth_core.media.reading.description import describe
from gsmooth_core.media.sound.audio import first_picture_time
from gsmooth_core.media.sound.beds import Bed, under
from gsmooth_core.media.sound.gaps import without_long_gaps

_RUN_UP = 10.0  # seconds before the first frame at which reading begins, for packets that reach on
_AHEAD = 2  # frames by which x264 and x265 decode a picture before it is shown, at most
_STALE = (
    "encoder",
    "vendor_id",
    "BPS",
    "NUMBER_OF_FRAMES",
    "NUMBER_OF_BYTES",
    "DURATION",
    "timecode",
)
"""Tags of a video stream that speak of the packets it had."""
_LOSSLESS = ("flac", "alac")  # beside PCM
_STATISTICS = tuple(f"_STATISTICS_{n}" for n in ("TAGS", "WRITING_APP", "WRITING_DATE_UTC"))


@dataclass(frozen=True)
class Sound:
    """The sound of an output.

    Attributes:
        path: any file with sound.
        start: seconds into the sound at which its used part begins.
        duration: seconds of sound to use; silence follows. None means all of it.
        delay: seconds of picture before the used part is heard.
        track: which of the file's sounds, from 0.
        beds: what is heard together with it.
        rate: samples a second of the output's track; None for the sound's own.
    """

    path: Path
    start: float = 0.0
    duration: float | None = None
    delay: float = 0.0
    track: int = 0
    beds: tuple[Bed, ...] = ()
    rate: int | None = None


@dataclass(frozen=True)
class Woven:
    """The sound of an output as packets that are copied.

    Attributes:
        path: the file that holds them.
        begin: second of the output at which its first one lies.
    """

    path: Path
    begin: float


@dataclass(frozen=True)
class Joined:
    """What an output is to be.

    Attributes:
        container: its kind.
        fps: its frame rate.
        frames: how many.
        sound: the new one, if any.
        carried: the source whose other streams come along; None where nothing does.
        plan: what of them.
        alpha_beside: whether what can be seen through lies in a stream of its own (WebM).
        timed: whether the pictures are one file whose frames have their times already.
        reordered: whether pictures may be decoded in another order than they are shown in.
        gain: by which beds and speech together are made quieter.
        attached: files that it holds beside those of the plan.
    """

    container: Container
    fps: Fraction
    frames: int
    sound: Sound | Woven | None
    carried: Carried | None = None
    plan: Plan | None = None
    alpha_beside: bool = False
    timed: bool = False
    reordered: bool = False
    gain: float = 1.0
    attached: tuple[Attached, ...] = ()

    @property
    def seconds(self) -> Fraction:
        """How long the picture is."""
        return Fraction(self.frames) / self.fps

    @property
    def sounds(self) -> list[Sound | Woven | Taken]:
        """All sounds in the output's order: the new one stands where the replaced one was."""
        kept: list[Sound | Woven | Taken] = list(self.plan.sounds) if self.plan else []
        if self.sound is not None:
            place = (self.carried.replaced or 0) if self.carried else 0
            kept.insert(min(place, len(kept)), self.sound)
        return kept


def mux_command(listing: Path, target: Path, joined: Joined) -> list[str]:
    """The call that writes `target`.

    Args:
        listing: the segments, by the concat demuxer's rules, or one file that is `timed`; it stands
            in the folder of the call.
        target: the file.
        joined: what it is to be.
    """
    stamps = _stamps(joined)
    inputs = [*([] if joined.timed else ["-f", "concat", "-safe", "0"]), "-i", listing.name]
    maps = ["-map", "0:v:0", "-c:v:0", "copy", *([] if joined.timed else ["-bsf:v:0", stamps])]
    maps += ["-disposition:v:0", "default"]
    if joined.carried is not None:
        inputs += _source_input(joined.carried, joined.seconds)
    for place, sound in enumerate(joined.sounds):
        more, mapped = _sound_arguments(sound, place, joined, inputs.count("-i"))
        inputs, maps = inputs + more, maps + mapped
    if joined.plan is not None:
        maps += _other_arguments(joined.plan, joined.seconds) + _attached_arguments(joined)
    return ffmpeg.command(
        *("-y", *inputs, *maps, *_tags(joined), *_options(joined)),
        *(["-t", f"{float(joined.seconds):.6f}"] if joined.carried else []),
        *("-f", joined.container.muxer, ffmpeg.url(target.absolute())),
    )


def _stamps(joined: Joined) -> str:
    """The bitstream filter that gives packets their exact times; the join rounds at every seam."""
    fps = f"{joined.fps.numerator}/{joined.fps.denominator}"
    ticks = f"*{joined.fps.denominator}/({joined.fps.numerator}*TB)"
    shown, decoded = (f"round(PTS*TB*{fps})", f"(N-{_AHEAD})") if joined.reordered else ("N", "N")
    return f"setts=pts=round({shown}{ticks}):dts=round({decoded}{ticks}):duration=round(1{ticks})"


def _source_input(carried: Carried, seconds: Fraction) -> list[str]:
    """Arguments that open the source so that its clock is the output's."""
    begin = first_picture_time(carried.path, describe(carried.path))
    begin += float(carried.start_frame / carried.fps)
    seek = begin - _RUN_UP if begin > 2 * _RUN_UP else 0.0
    options = ["-ss", f"{seek:.6f}"] if seek else []
    options += ["-itsoffset", f"{seek - begin:.9f}", "-t", f"{float(seconds):.9f}"]
    return ffmpeg.input_arguments(carried.path.absolute(), *options)


def _sound_arguments(
    sound: Sound | Woven | Taken, place: int, joined: Joined, inputs: int
) -> tuple[list[str], list[str]]:
    """Further input, and the mapping, of the output's sound number `place`."""
    muxer, out = joined.container.muxer, f":a:{place}"
    # Matroska would move all streams, the picture too, for one packet before its first frame.
    early = "lt(pts\\,0)" if muxer in ("matroska", "webm") else "lt(pts+duration\\,0)"
    copied = (f"-c{out}", "copy", f"-bsf{out}", f"noise=amount=0:drop={early}")
    if isinstance(sound, Woven):
        opened = ffmpeg.input_arguments(sound.path.absolute(), "-itsoffset", f"{sound.begin:.9f}")
        return opened, ["-map", f"{inputs}:a:0", *copied, *_replaced_tags(joined, out)]
    if isinstance(sound, Taken) and sound.coding == "copy":
        tags = [f"-map_metadata:s{out}", f"1:s:{sound.index}"]
        return [], ["-map", f"1:{sound.index}", *copied, *tags]
    if isinstance(sound, Taken):
        tags = [f"-map_metadata:s{out}", f"1:s:{sound.index}", f"-metadata:s{out}", "encoder="]
        sound = _own(sound, joined)
    else:
        tags = _new_tags(sound, joined, out)
    coder = [word.replace(":a", out) for word in _coder(sound, joined)]
    opened, graph = sound_graph(sound, joined, inputs)
    if sound.beds:
        label = f"[sound{place}]"
        return opened, ["-filter_complex", f"{graph}{label}", "-map", label, *coder, *tags]
    return opened, ["-map", f"{inputs}:a:{sound.track}", *coder, f"-filter{out}", graph, *tags]


def _new_tags(sound: Sound, joined: Joined, out: str) -> list[str]:
    """Arguments that tag a new sound: as the one whose place it takes, or by its own language."""
    if joined.carried is not None and tags_fit(joined.carried, sound.path, sound.track):
        return _replaced_tags(joined, out)
    language = describe(sound.path).sounds[sound.track].language
    own = [f"-metadata:s{out}", f"language={language}"] if language else []
    return [f"-map_metadata:s{out}", "-1", *own]  # its other tags speak of another file


def _replaced_tags(joined: Joined, out: str) -> list[str]:
    index = joined.carried.replaced_stream if joined.carried else None
    if index is None:
        return []
    stale = [f"{name}=" for name in (*_STALE, *_STATISTICS)]
    old = [word for tag in stale for word in (f"-metadata:s{out}", tag)]
    return [f"-map_metadata:s{out}", f"1:s:{index}", *old]


def sound_graph(sound: Sound, joined: Joined, inputs: int) -> tuple[list[str], str]:
    """Arguments that open a sound with its beds, and the filters that make one of them.

    Args:
        sound: the sound.
        joined: what the output is to be.
        inputs: how many inputs stand before it.
    """
    length = joined.seconds
    opened, chain = sound_input(sound, length), sound_filter(sound, length)
    if not sound.beds:
        return opened, chain
    below = [Sound(bed.path, bed.start, track=bed.track) for bed in sound.beds]
    chains = [
        f"[{inputs + 1 + number}:a:{bed.track}]{sound_filter(bed, length)}"
        for number, bed in enumerate(below)
    ]
    for bed in below:
        opened += sound_input(bed, length)
    channels = describe(sound.path).sounds[sound.track].channels
    speech = f"[{inputs}:a:{sound.track}]{chain}"
    graph = under(sound.beds, chains, speech, channels, float(length), sound.rate or USUAL)
    return opened, f"{graph},volume={joined.gain:.9f}" if joined.gain < 1 else graph


def _coder(sound: Sound, joined: Joined) -> tuple[str, ...]:
    """Arguments that code a sound: as the replaced one was where that lost nothing."""
    carried = joined.carried
    if carried is not None and carried.replaced is not None:
        coding = describe(carried.path).sounds[carried.replaced].coding
        whole = coding.startswith("pcm_") or coding in _LOSSLESS
        if whole and coding in holds(joined.container.muxer).sounds:
            return "-c:a", coding
    heard = sound.beds[0].stream if sound.beds else describe(sound.path).sounds[sound.track]
    return joined.container.sound_coder(heard.channels)


def _own(taken: Taken, joined: Joined) -> Sound:
    """A sound of the source that is coded anew, as a sound to open."""
    if joined.carried is None:
        raise ValueError("there is no source to take a sound from")
    start = float(joined.carried.start_frame / joined.carried.fps)
    return Sound(joined.carried.path, start, track=taken.place)


def _other_arguments(plan: Plan, seconds: Fraction) -> list[str]:
    maps, counts = [], {"subtitle": 0, "cover": 1, "attachment": 0}
    letters = {"subtitle": "s", "cover": "v", "attachment": "t"}
    for other in plan.others:
        out = f":{letters[other.kind]}:{counts[other.kind]}"
        counts[other.kind] += 1
        maps += ["-map", f"1:{other.index}", f"-c{out}", other.coding]
        maps += [f"-map_metadata:s{out}", f"1:s:{other.index}"]
        if other.kind == "subtitle":
            maps += [f"-bsf{out}", _within(seconds)]
        elif other.kind == "cover":
            maps += [f"-disposition{out}", "attached_pic"]
    return maps


def _attached_arguments(joined: Joined) -> list[str]:
    others = joined.plan.others if joined.plan else ()
    number, words = sum(other.kind == "attachment" for other in others), []
    for place, attached in enumerate(joined.attached, number):  # ffmpeg puts them behind
        words += ["-attach", ffmpeg.url(attached.path.absolute())]
        words += [f"-metadata:s:t:{place}", f"mimetype={attached.kind}"]
    return words


def _within(seconds: Fraction) -> str:
    """Bitstream filters that cut subtitles to where the picture is."""
    left = f"{float(seconds):.6f}/TB-max(PTS\\,0)"
    shown = f"min(min(DURATION\\,DURATION+PTS)\\,{left})"
    cut = f"setts=pts=max(PTS\\,0):dts=max(DTS\\,0):duration={shown}"
    return f"noise=amount=0:drop=lte(pts+duration\\,0),{cut}"


def _tags(joined: Joined) -> list[str]:
    beside = ["-metadata:s:v:0", "alpha_mode=1"] if joined.alpha_beside else []
    if joined.carried is None or joined.plan is None:
        return ["-map_metadata", "-1", "-map_chapters", "-1", *beside]
    tags = ["-map_metadata", "1", "-map_metadata:s:v:0", "1:s:V:0"]
    for name in (*_STALE, *_STATISTICS):
        tags += ["-metadata:s:v:0", f"{name}="]
    tags += beside
    for name in ("timecode", "major_brand", "minor_version", "compatible_brands"):
        tags += ["-metadata", f"{name}="]
    if joined.plan.timecode:
        tags += ["-metadata:s:v:0", f"timecode={joined.plan.timecode}"]
    tags += ["-map_chapters", "1" if joined.carried.in_step else "-1"]
    if joined.sound is not None and len(joined.sounds) > 1:
        place = joined.sounds.index(joined.sound)
        tags += ["-disposition:a", "0", f"-disposition:a:{place}", "default"]
    return tags


def _options(joined: Joined) -> list[str]:
    if joined.container.muxer not in ("mp4", "mov"):
        return []
    flags, apple = "+faststart", joined.carried and describe(joined.carried.path).apple_tags
    if apple and joined.container.muxer == "mov":
        flags += "+use_metadata_tags"
    timecode = ["-write_tmcd", "1"] if joined.plan and joined.plan.timecode else []
    return ["-movflags", flags, *timecode]


def _begin(sound: Sound) -> float:
    """Second of the sound's own clock at which the output begins."""
    return first_picture_time(sound.path, describe(sound.path)) + sound.start


def sound_input(sound: Sound, length: Fraction) -> list[str]:
    """Arguments that open a sound, and read no further than it is heard."""
    limit = max(_begin(sound), 0.0) + float(length) + 1
    return ffmpeg.input_arguments(sound.path.absolute(), "-t", f"{limit:.6f}")


def sound_filter(sound: Sound, length: Fraction) -> str:
    """Filters that move, cut and fill a sound to `length` seconds from the first picture on."""
    begin, seconds = _begin(sound), float(length)
    used = seconds if sound.duration is None else min(seconds, sound.duration)
    # What is silent before the sound begins is added behind, where it takes no memory.
    silent, begin = max(-begin, 0.0), max(begin, 0.0)
    # After the gaps are filled: a filter that does both would hold them at the higher rate.
    rate = f"aresample={sound.rate}," if sound.rate else ""
    return (
        f"{without_long_gaps(sound.path, sound.track)}"
        f"asetpts=PTS-({begin:.9f})/TB,aresample=async=1:first_pts=0,"
        f"{rate}atrim=end={max(used - silent, 0):.9f},"
        f"adelay={1000 * (sound.delay + silent):.6f}:all=1,"
        f"apad=whole_dur={seconds:.9f},atrim=end={seconds:.9f}"
    )
