"""ffmpeg's encoders and their arguments, one for each codec that is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from gsmooth_core.media.reading.description import Picture
from gsmooth_core.media.reading.probe import Source

_MOST = 4.0
"""Times the source's bits a second beyond which nothing goes where the quality is "auto". H.264 is
held to about 1.5 by the constant rate factor that `fitting.py` finds."""
_LEAST_RATE = 300_000
_PYRAMID = 4  # pictures that x264 has decoders keep where pictures lean on others that do
_REORDERED = ("h264", "hevc")
"""Codecs with pictures that lean on later ones. A source has them, too: frames that it could
hardly spend a bit on cost one that may look back alone two to three times as much."""
_FAITHFUL = {
    "h264": ("psy=0", "aq-mode=0"),
    "hevc": ("psy-rd=0", "psy-rdoq=0", "aq-mode=0"),
}
"""What keeps encoders from what pleases eyes in a first generation: the source has that already."""
_SWIFT = {
    "h264": (
        *("ref=2", "mixed-refs=0", "me=dia", "partitions=i4x4,i8x8,p8x8"),
        *("weightp=1", "chroma-me=0"),
    ),
    "hevc": ("bframes=3", "ref=2", "subme=1", "rd=2", "limit-sao=1", "rc-lookahead=12"),
}
"""What of the medium preset hardly pays where a source was compressed before: without it x264 takes
a third less time (three clips: -.03 to -.07 dB of luma in -2 to +2 % of the bytes), and without the
last two 5 to 10 % of that less (0 to +.6 %, the same dB). x265, with `_FAITHFUL`, takes a quarter
less (five clips: .8 to 1.0 times the bytes, -.8 to -1 dB at 51 to 54, and .99 to 1.00 times the
finest detail), and by the last two 9 to 10 % less (two close-ups: -6 and -7 %, -.3 dB)."""
_LIKE_SLOWER = ("rc-lookahead=20", "subme=4")  # what of them decides about size
_STEPS, _COARSEST = 4, 51  # of the constant rate factor
_HIGHEST_RATE = 500_000_000  # beyond it nobody counts bits, and encoders' numbers end
_PRORES = {"Proxy": 0, "LT": 1, "Standard": 2, "HQ": 3, "4444": 4, "XQ": 5, "4444 XQ": 5}
_DNXHR = {"DNXHR LB": "dnxhr_lb", "DNXHR SQ": "dnxhr_sq", "DNXHR HQ": "dnxhr_hq"}


@dataclass(frozen=True)
class Wish:
    """What the user asked for.

    Attributes:
        codec: "auto" or one of `coding.NAMES`.
        quality: "auto" (by `crf`, H.264's as `fitting.py` finds it, and held to `_MOST` times the
            source's rate), "crf" (by that alone) or "lossless".
        depth: "auto", 8, 10 or 12 bits a sample.
        crf: constant rate factor on x264's scale.
        preset: x264's speed preset.
        intra: whether every frame stands alone, coded alike whatever comes before and after it;
            then no rate is kept.
        like: a video whose codec, profile, kind of picture and rate the output shall have.
        number: of the parameter sets, where the encoder lets one choose.
        references: how many pictures H.264 has a decoder keep; 0 leaves that to the encoder.
        trial: whether only the size is of interest, which shall be that of a slower preset.
    """

    codec: str = "auto"
    quality: str = "auto"
    depth: int | str = "auto"
    crf: int = 14
    preset: str = "medium"
    intra: bool = False
    like: Path | None = None
    number: int = 0
    references: int = 0
    trial: bool = False

    def beside(self, number: int, references: int) -> Wish:
        """The same for pictures that stand beside copied ones."""
        return replace(self, number=number, references=references)


def encoder_for(codec: str, pixel_format: str, source: Source, wish: Wish) -> list[str]:
    """Arguments of the encoder.

    Args:
        codec: one of `coding.NAMES`.
        pixel_format: in which it gets its pictures.
        source: for profile, rate, and HDR's numbers.
        wish: what the user asked for.
    """
    own = _arguments(codec, pixel_format, source, wish)
    if wish.intra or codec not in _REORDERED:
        own += ["-bf", "0"]
    return [*own, "-g", "1"] if wish.intra else own


def _arguments(codec: str, pixel_format: str, source: Source, wish: Wish) -> list[str]:
    if codec == "h264":
        return _x264(source, wish)
    if codec == "hevc":
        return _x265(source, wish)
    if codec == "av1":
        return _av1(pixel_format, source, wish)
    if codec == "vp9":
        lossless = ["-lossless", "1"] if wish.quality == "lossless" else []
        speed = ["-deadline", "good", "-cpu-used", "4", "-row-mt", "1"]
        # Pictures that can be seen through are two streams, which must keep step.
        still = ["-auto-alt-ref", "0"] if "yuva" in pixel_format else []
        crf = 0 if lossless else wish.crf  # no other is taken beside it
        return ["-c:v", "libvpx-vp9", "-b:v", "0", *speed, "-crf", str(crf), *lossless, *still]
    return _mastering_codec(codec, pixel_format, source)


def _mastering_codec(codec: str, pixel_format: str, source: Source) -> list[str]:
    """Codecs of whole pictures, by their own profile."""
    if codec == "prores":
        least = 4 if "444" in pixel_format else 0
        profile = max(_PRORES.get(source.profile, 3), least)
        profile = profile if least or profile < 4 else 3
        alpha = ["-alpha_bits", "16"] if "yuva" in pixel_format else []
        return ["-c:v", "prores_ks", "-profile:v", str(profile), "-vendor", "apl0", *alpha]
    if codec == "dnxhr":
        fine = "dnxhr_444" if "444" in pixel_format else "dnxhr_hqx"
        profile_name = _DNXHR.get(source.profile, "dnxhr_hq") if pixel_format == "yuv422p" else fine
        return ["-c:v", "dnxhd", "-profile:v", profile_name]
    if codec == "mjpeg":
        return ["-c:v", "mjpeg", "-q:v", "2", "-strict", "unofficial"]
    return ["-c:v", codec, *(["-level", "3"] if codec == "ffv1" else [])]


def _rate(source: Source, wish: Wish) -> list[str]:
    """Arguments that hold an encoder to the source's rate."""
    if wish.intra or wish.quality != "auto" or not 0 < source.bit_rate < _HIGHEST_RATE:
        return []
    most = max(round(_MOST * source.bit_rate), _LEAST_RATE)
    return ["-maxrate", str(most), "-bufsize", str(2 * most)]


def _steady(wish: Wish) -> list[str]:
    """What keeps x264 and x265 from coding a frame by those beside it, and a first one better."""
    return ["ipratio=1", "qcomp=1"] if wish.intra else []


def _referring(count: int) -> list[str]:
    """What lets a decoder keep so many pictures and no more."""
    pyramid = [] if count >= _PYRAMID else ["b-pyramid=none"]
    return [f"ref={count}", *pyramid, *(["bframes=0"] if count == 1 else [])]


def _faithful(codec: str, wish: Wish) -> list[str]:
    """What suits a source that was compressed before."""
    if wish.quality != "auto" or wish.intra:
        return []
    return [*_FAITHFUL[codec], *(_SWIFT[codec] if wish.preset == "medium" else ())]


def _steady_crf(wish: Wish) -> int:
    # A quantiser that follows no neighbours is finer on average.
    return min(wish.crf + _STEPS, _COARSEST) if wish.intra else wish.crf


def _x264(source: Source, wish: Wish) -> list[str]:
    crf = 0 if wish.quality == "lossless" else _steady_crf(wish)
    parameters = [*_light(source.picture, "cll"), *_steady(wish), *_faithful("h264", wish)]
    parameters += [*_LIKE_SLOWER] if wish.trial else []
    parameters += [f"sps-id={wish.number}"] if wish.number else []
    parameters += _referring(wish.references) if wish.references else []
    more = ["-x264-params", ":".join(parameters)] if parameters else []
    return [
        *("-c:v", "libx264", "-crf", str(crf), "-preset", wish.preset),
        *_rate(source, wish),
        *more,
    ]


def _x265(source: Source, wish: Wish) -> list[str]:
    parameters = ["log-level=error", *_light(source.picture, "max-cll"), *_steady(wish)]
    parameters += _faithful("hevc", wish)
    if wish.quality == "lossless":
        parameters.append("lossless=1")
    quality = ["-crf", str(_steady_crf(wish)), "-preset", wish.preset]
    parts = [*quality, "-tag:v", "hvc1", *_rate(source, wish)]
    return ["-c:v", "libx265", *parts, "-x265-params", ":".join(parameters)]


def _light(picture: Picture, level: str) -> list[str]:
    """HDR10's numbers as x264 and x265 take them: in 50,000ths, and 10,000ths of cd/m2."""
    parameters = []
    if picture.mastering:
        *points, least, most = picture.mastering
        codes = [round(50_000 * value) for value in points]
        red, green, blue, white = (f"({codes[k]},{codes[k + 1]})" for k in (0, 2, 4, 6))
        light = f"({round(10_000 * most)},{round(10_000 * least)})"
        parameters.append(f"master-display=G{green}B{blue}R{red}WP{white}L{light}")
    if level == "cll":
        parameters = [word.replace("master-display", "mastering-display") for word in parameters]
    if picture.light_level:
        parameters.append(f"{level}={picture.light_level[0]},{picture.light_level[1]}")
    return parameters


def _av1(pixel_format: str, source: Source, wish: Wish) -> list[str]:
    crf = 0 if wish.quality == "lossless" else min(63, round(1.4 * wish.crf))
    if pixel_format in ("yuv420p", "yuv420p10le") and wish.quality != "lossless":
        parameters = _svt_light(source.picture)
        more = ["-svtav1-params", ":".join(parameters)] if parameters else []
        return ["-c:v", "libsvtav1", "-crf", str(crf), "-preset", "8", *more]
    return ["-c:v", "libaom-av1", "-crf", str(crf), "-b:v", "0", "-cpu-used", "6", "-row-mt", "1"]


def _svt_light(picture: Picture) -> list[str]:
    parameters = []
    if picture.mastering:
        *points, least, most = picture.mastering
        red, green, blue, white = (f"({points[k]:.5f},{points[k + 1]:.5f})" for k in (0, 2, 4, 6))
        shown = f"G{green}B{blue}R{red}WP{white}L({most:.4f},{least:.4f})"
        parameters.append(f"mastering-display={shown}")
    if picture.light_level:
        parameters.append(f"content-light={picture.light_level[0]},{picture.light_level[1]}")
    return parameters
