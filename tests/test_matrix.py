"""What goes in comes out: many kinds of video through a whole dub, read by an independent reader.

codec x depth x chroma x range x alpha x HDR x streams x timing. `-m slow` runs all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
import pytest

from gsmooth_core.dub import dub
from gsmooth_core.job.events import Notice
from gsmooth_core.job.job import Job
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.storage.arrays import save_expression
from gsmooth_core.types import Expression
from tests.clips import pictures
from tests.media import made

COUNT, TOP = 4, 56  # frames, and rows above any mask
NOISELESS = ("ffv1", "qtrle")
X265 = "log-level=none"
HDR10 = (
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):"
    "max-cll=1000,400:hdr-opt=1:repeat-headers=1:log-level=none"
)
PQ = "setparams=range=limited:colorspace=bt2020nc:color_primaries=bt2020:color_trc=smpte2084"
HLG = "setparams=range=limited:colorspace=bt2020nc:color_primaries=bt2020:color_trc=arib-std-b67"
H264, HEVC = ("-c:v", "libx264", "-crf", 12), ("-c:v", "libx265", "-crf", 10, "-x265-params", X265)
HEVC_HDR = ("-c:v", "libx265", "-crf", 10, "-x265-params", HDR10)
AV1 = ("-c:v", "libsvtav1", "-crf", 16, "-preset", 10)
VP9 = ("-c:v", "libvpx-vp9", "-crf", 10, "-b:v", 0, "-cpu-used", 8, "-auto-alt-ref", 0)
PRORES, FFV1 = ("-c:v", "prores_ks", "-vendor", "apl0", "-profile:v"), ("-c:v", "ffv1")
DNXHR, MJPEG = ("-c:v", "dnxhd", "-profile:v"), ("-c:v", "mjpeg", "-q:v", 2)


def tagged(matrix, span="limited", primaries="bt709", transfer="bt709"):
    out = "pc" if span == "full" else "tv"
    return (
        f"scale=out_color_matrix={matrix}:out_range={out},setparams=range={span}:"
        f"colorspace={matrix}:color_primaries={primaries}:color_trc={transfer}"
    )


@dataclass(frozen=True)
class Case:
    name: str
    suffix: str
    pixels: str
    options: tuple
    vf: str = "null"
    to: str = ""
    codec: str = ""
    rate: Fraction = Fraction(25)
    streams: bool = False
    told: tuple[str, ...] = ()
    settings: tuple = ()


B709, B601, FULL = tagged("bt709"), tagged("smpte170m"), tagged("bt709", "full")
B2020 = tagged("bt2020nc", "limited", "bt2020", "bt2020-10")
CASES = [
    Case("h264", "mp4", "yuv420p", H264, B709),
    Case("h264-601", "mov", "yuv420p", H264, B601),
    Case("h264-full", "mp4", "yuv420p", H264, FULL),
    Case("h264-422", "mkv", "yuv422p", H264, B709),
    Case("h264-444", "mkv", "yuv444p", H264, B709),
    Case("h264-10", "mkv", "yuv420p10le", H264, B709),
    Case("h264-10-422", "mov", "yuv422p10le", H264, B709),
    Case("h264-10-444-full", "mkv", "yuv444p10le", H264, FULL),
    Case("h264-2398", "mp4", "yuv420p", H264, B709, rate=Fraction(24000, 1001)),
    Case("h264-2997-10", "mov", "yuv420p10le", H264, B709, rate=Fraction(30000, 1001)),
    Case("h264-5994", "mkv", "yuv420p", H264, B709, rate=Fraction(60000, 1001)),
    Case("hevc", "mp4", "yuv420p", HEVC, B709),
    Case("hevc-10", "mp4", "yuv420p10le", HEVC, B709),
    Case("hevc-10-2020", "mov", "yuv420p10le", HEVC, B2020),
    Case("hevc-10-422", "mkv", "yuv422p10le", HEVC, B709),
    Case("hevc-12-444", "mkv", "yuv444p12le", HEVC, B709),
    Case("hevc-10-full", "mov", "yuv420p10le", HEVC, FULL),
    Case("hevc-hdr10", "mov", "yuv420p10le", HEVC_HDR, f"format=yuv420p10le,{PQ}"),
    Case("hevc-hdr10-mkv", "mkv", "yuv420p10le", HEVC_HDR, f"format=yuv420p10le,{PQ}", to="mp4"),
    Case("hevc-hlg", "mp4", "yuv420p10le", HEVC, f"format=yuv420p10le,{HLG}"),
    Case("av1", "mp4", "yuv420p", AV1, B709),
    Case("av1-10", "mkv", "yuv420p10le", AV1, B709),
    Case("av1-10-pq", "webm", "yuv420p10le", AV1, f"format=yuv420p10le,{PQ}"),
    Case("vp9", "webm", "yuv420p", VP9, B709),
    Case("vp9-444", "webm", "yuv444p", VP9, B709),
    Case("vp9-10", "mkv", "yuv420p10le", VP9, B709),
    Case("prores-lt", "mov", "yuv422p10le", (*PRORES, 1), B709),
    Case("prores-hq", "mov", "yuv422p10le", (*PRORES, 3), B709, streams=True),
    Case("prores-hq-mkv", "mov", "yuv422p10le", (*PRORES, 3), B709, to="mkv"),
    Case("prores-hq-mp4", "mov", "yuv422p10le", (*PRORES, 3), B709, to="mp4", codec="hevc"),
    Case("prores-4444", "mov", "yuva444p10le", (*PRORES, 4), B709, told=("depth",)),
    Case("dnxhr-hq", "mov", "yuv422p", (*DNXHR, "dnxhr_hq"), B709),
    Case("dnxhr-hqx", "mov", "yuv422p10le", (*DNXHR, "dnxhr_hqx"), B709),
    Case("mjpeg", "mov", "yuvj422p", MJPEG, "null"),
    Case("animation", "mov", "argb", ("-c:v", "qtrle")),
    Case("animation-rgb", "mov", "rgb24", ("-c:v", "qtrle")),
    Case("ffv1-rgb", "mkv", "gbrp12le", FFV1),
    Case("ffv1-rgba", "mkv", "gbrap16le", FFV1),
    Case("ffv1-422a", "mkv", "yuva422p10le", FFV1, B709),
    Case("ffv1-16", "mkv", "yuv444p16le", FFV1, B2020),
    Case("ffv1-to-mp4", "mkv", "yuva444p12le", FFV1, B709, to="mp4", codec="hevc", told=("alpha",)),
    Case("streams-mkv", "mkv", "yuv420p", H264, B709, streams=True),
    Case("streams-mp4", "mp4", "yuv420p10le", HEVC, B709, streams=True),
    Case("wish-8", "mov", "yuv420p10le", HEVC, B709, codec="h264", told=("depth",),
         settings=(("codec", "h264"), ("depth", 8))),
    Case("wish-prores", "mov", "yuv420p10le", HEVC, B709, codec="prores",
         settings=(("codec", "prores"),)),
]  # fmt: skip


@pytest.fixture(scope="module")
def frames():
    shown = np.array(pictures()[:COUNT])
    alpha = np.broadcast_to(np.linspace(30, 255, 256).astype(np.uint8), shown.shape[:3])
    return np.concatenate([shown, alpha[..., None]], -1)


@pytest.fixture(scope="module")
def curves(tmp_path_factory):
    path = tmp_path_factory.mktemp("curves") / "curves.json"
    values = np.linspace(0, 0.4, COUNT, dtype=np.float32)[:, None]
    save_expression(path, Expression(("jawOpen",), values, Fraction(25)))
    return path


def written(case, frames, folder):
    source = folder / f"source.{case.suffix}"
    more, taken = [], []
    if case.streams:
        for tone in (300, 500):
            more += ["-f", "lavfi", "-t", "0.2", "-i", f"sine=frequency={tone}:sample_rate=48000"]
        (folder / "a.srt").write_text("1\n00:00:00,040 --> 00:00:00,120\nHello\n")
        more += ["-i", folder / "a.srt"]
        taken = ["-map", "0:v", "-map", "1:a", "-map", "2:a", "-map", "3:s", "-c:a", "aac"]
        taken += ["-c:s", "srt" if case.suffix == "mkv" else "mov_text", "-metadata", "title=Film"]
        taken += ["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra"]
    made.ffmpeg(
        *("-f", "rawvideo", "-pix_fmt", "rgba", "-video_size", "256x240", "-framerate", case.rate),
        *("-i", "pipe:0", *more, "-vf", case.vf, "-pix_fmt", case.pixels, *case.options),
        *("-strict", "unofficial", *taken, source),
        stdin=np.ascontiguousarray(frames).tobytes(),
    )
    return source


def seen(path):
    """Streams, tags, time stamps and stored samples, as PyAV has them."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        pictures = list(file.decode(stream))
        first = pictures[0]
        tags = (
            int(first.color_range), int(first.colorspace), int(first.color_primaries),
            int(first.color_trc),
        )  # fmt: skip
        return {
            "codec": stream.codec_context.codec.canonical_name,
            "profile": stream.codec_context.profile,
            "format": first.format.name,
            "depth": first.format.components[0].bits,
            "alpha": any(c.is_alpha for c in first.format.components),
            "tags": tags,
            "times": [float(p.pts * p.time_base) for p in pictures],
            "beside": {data.type.name: bytes(data) for data in first.side_data},
            "pictures": [_planes(p) for p in pictures],
            "sounds": [s.metadata.get("language") for s in file.streams.audio],
            "subtitles": len(file.streams.subtitles),
            "title": {k.lower(): v for k, v in file.metadata.items()}.get("title"),
        }


def _planes(picture):
    kind = "<f4" if "f32" in picture.format.name else "<u2"
    kind = "u1" if picture.format.components[0].bits == 8 else kind
    planes = []
    for plane in picture.planes:
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
        size = np.dtype(kind).itemsize * (
            1 if picture.format.is_planar else 3 + ("a" in picture.format.name)
        )
        planes.append(rows[:, : plane.width * size].copy().view(kind))
    return planes


def quality(old, new, depth):
    """PSNR in dB of what lies above the mask, over all planes."""
    errors = []
    for mine, its in zip(old["pictures"], new["pictures"], strict=True):
        for one, other in zip(mine, its, strict=True):
            top = TOP * len(one) // 240
            errors.append(((one[:top].astype(float) - other[:top].astype(float)) ** 2).mean())
    return 10 * np.log10(((1 << depth) - 1) ** 2 / max(np.mean(errors), 1e-12))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_goes_in_comes_out(case, frames, curves, tmp_path):
    source = written(case, frames, tmp_path)
    output = tmp_path / f"out.{case.to or case.suffix}"
    settings = DubSettings(preset="fast", occluders=False, style=False, **dict(case.settings))
    events = []
    job = Job(video=source, output=output, expression=curves, settings=settings)
    result = dub(job, tmp_path / "job", events.append)
    old, new = seen(source), seen(output)
    assert result.outside_mask_max_difference == 0
    assert result.untouched_frames == []
    told = [event.what for event in events if isinstance(event, Notice)]
    assert sorted(told) == sorted(case.told)
    assert [notice.what for notice in result.notices] == told
    assert new["codec"] == (case.codec or old["codec"])
    assert np.allclose(new["times"], np.arange(COUNT) / float(case.rate), atol=1.1e-3)
    assert (new["sounds"], new["subtitles"], new["title"]) == (
        old["sounds"], old["subtitles"], old["title"],
    )  # fmt: skip
    if not case.settings and not case.to:
        assert new["format"] == old["format"]
        assert new["profile"] == old["profile"] or case.suffix == "mp4" or "h264" in case.name
    if "depth" not in told:
        assert new["depth"] >= old["depth"]
    if "alpha" not in told:
        assert new["alpha"] == old["alpha"]
    if case.vf != "null":
        assert new["tags"] == old["tags"]
    light = {"MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"}
    assert light & set(new["beside"]) == light & set(old["beside"])
    if new["format"] == old["format"]:
        assert quality(old, new, min(old["depth"], 16)) >= (
            150 if old["codec"] in NOISELESS else 45
        )


def test_the_matrix_is_large_enough():
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)
