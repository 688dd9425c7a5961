"""How the pictures of an output are coded: as the source's are, as far as its container allows."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from gsmooth_core.errors import InputError
from gsmooth_core.media.encoding.encoders import Wish, encoder_for
from gsmooth_core.media.encoding.losses import Kept, chroma_of
from gsmooth_core.media.pictures import colour
from gsmooth_core.media.pictures.planes import Layout, layout_of
from gsmooth_core.media.reading.description import Picture
from gsmooth_core.media.reading.probe import Source, probe_source

NAMES = {
    "h264": "H.264", "hevc": "HEVC", "av1": "AV1", "vp9": "VP9", "prores": "ProRes",
    "dnxhr": "DNxHR", "mjpeg": "Motion JPEG", "qtrle": "QuickTime Animation", "ffv1": "FFV1",
}  # fmt: skip

_OWN = {"dnxhd": "dnxhr", "png": "qtrle"}
"""What is written for codings that are not."""
_ALLOWED = {
    "mp4": ("h264", "hevc", "av1", "vp9"),
    "mov": ("h264", "hevc", "prores", "dnxhr", "mjpeg", "qtrle"),
    "matroska": ("h264", "hevc", "av1", "vp9", "prores", "mjpeg", "ffv1"),
    "webm": ("vp9", "av1"),
}
_YUV = tuple(f"yuv{chroma}p" for chroma in ("420", "422", "444"))
_TEN, _TWELVE = (tuple(f"{name}{depth}le" for name in _YUV) for depth in (10, 12))
_YUVA = tuple(
    f"yuva{chroma}p{depth}"
    for chroma in ("420", "422", "444")
    for depth in ("", "10le", "12le", "16le")
)
_RGB = tuple(f"gbr{a}p{depth}" for a in ("", "a") for depth in ("", "10le", "12le", "16le"))
_FORMATS = {
    "h264": (*_YUV, *_TEN),
    "hevc": (*_YUV, *_TEN, *_TWELVE),
    "av1": (*_YUV, *_TEN, *_TWELVE),
    "vp9": (*_YUV, *_TEN, *_TWELVE, "yuva420p"),
    "prores": ("yuv422p10le", "yuv444p10le", "yuva444p10le"),
    "dnxhr": ("yuv422p", "yuv422p10le", "yuv444p10le"),
    "mjpeg": _YUV,
    "qtrle": ("rgb24", "argb"),
    "ffv1": (*_YUV, *_TEN, *_TWELVE, "yuv420p16le", "yuv422p16le", "yuv444p16le", *_YUVA, *_RGB),
}
_ODD = ("vp9", "ffv1")  # that take coarse colour in odd sizes
_WITH_LIGHT = ("h264", "hevc")  # and AV1 by SVT's encoder: those that write HDR10's numbers
_FORM = re.compile(r"(yuv|gbr|rgb|argb|gray)(a?)(420|422|444)?p?(\d+)?(le)?")


@dataclass(frozen=True)
class Coding:
    """How the pictures of an output are coded.

    Attributes:
        codec: one of `NAMES`.
        encoder: arguments for ffmpeg.
        pixel_format: ffmpeg's name of how a picture is stored.
        layout: planes in which pictures come to the encoder; None where they come as 8-bit RGB.
        muxer: container of the segments.
        kept: what of a picture is kept.
    """

    codec: str
    encoder: tuple[str, ...]
    pixel_format: str
    layout: Layout | None
    muxer: str
    kept: Kept


def travels_as(source: Source, *, images: bool = False) -> Layout | None:
    """The planes in which a source's pictures travel; None where they do as 8-bit RGB.

    Args:
        source: what was read.
        images: whether to image files, which are RGB themselves.
    """
    layout = None if source.clip.still else layout_of(source.picture)
    plain = layout is not None and layout.depth == 8 and not layout.alpha
    return None if images and plain else layout


def coding_of(source: Source, muxer: str, wish: Wish | None = None) -> Coding:
    """How an output's pictures are coded.

    Args:
        source: what was read.
        muxer: ffmpeg's name of the output's container; not for images.
        wish: what the user asked for.

    Raises:
        InputError: the container cannot hold what was asked for.
        MediaError: the video that it shall be like cannot be read.
    """
    wish = wish or Wish()
    layout = travels_as(source)
    if wish.like is not None:
        return _coding_like(probe_source(wish.like), source, layout, muxer, wish)
    picture = colour.coded_picture(source.picture)
    codec = _codec(source, layout, muxer, wish)
    return _coding(codec, _pixel_format(picture, layout, codec, wish), source, layout, wish)


def _coding_like(
    like: Source, source: Source, layout: Layout | None, muxer: str, wish: Wish
) -> Coding:
    codec = wish.codec
    if codec == "auto":
        codec = _OWN.get(like.coding, like.coding)
    if codec not in NAMES:
        text = f"'{like.clip.path.name}' is coded in a way that is not written here."
        raise InputError(text, "Give --codec, or the look of another video.")
    codec = _codec(source, layout, muxer, replace(wish, codec=codec))
    own = source.picture
    alpha = like.picture.alpha and own.alpha
    picture = replace(like.picture, width=own.width, height=own.height, alpha=alpha)
    pixel_format = _finest(picture, codec, wish, rgb=colour.is_rgb(picture))
    # HDR's numbers are those of the pictures themselves.
    shown = replace(like, picture=replace(own, alpha=alpha))
    return _coding(codec, pixel_format, shown, layout, wish)


def _coding(
    codec: str, pixel_format: str, source: Source, layout: Layout | None, wish: Wish
) -> Coding:
    chroma, depth, alpha = form_of(pixel_format)
    encoder = encoder_for(codec, pixel_format, source, wish)
    light = codec in _WITH_LIGHT or "libsvtav1" in encoder
    kept = Kept(NAMES[codec], depth, alpha, chroma, light)
    segments = _segments(codec, alpha=alpha)
    return Coding(codec, tuple(encoder), pixel_format, layout, segments, kept)


def _segments(codec: str, *, alpha: bool) -> str:
    """The container of the segments: one that keeps all that the codec's pictures have."""
    if codec == "vp9" and alpha:
        return "webm"
    if codec == "ffv1":
        return "matroska"
    return "mp4" if codec in ("h264", "hevc", "av1", "vp9") else "mov"


def _codec(source: Source, layout: Layout | None, muxer: str, wish: Wish) -> str:
    allowed = _ALLOWED[muxer]
    if wish.codec != "auto":
        if wish.codec not in allowed:
            known = ", ".join(allowed)
            text = f"The output cannot hold {NAMES[wish.codec]}."
            raise InputError(text, f"It can hold {known}; .mov and .mkv hold more than .mp4.")
        return wish.codec
    own = _OWN.get(source.coding, source.coding)
    alpha = layout is not None and layout.alpha
    if own in allowed and (not alpha or own in ("vp9", "prores", "qtrle", "ffv1")):
        return own
    if alpha:
        return {"mov": "prores", "matroska": "ffv1", "webm": "vp9"}.get(muxer, _plain(layout))
    return "vp9" if muxer == "webm" else _plain(layout)


def _plain(layout: Layout | None) -> str:
    """What most players take: H.264, and HEVC for more than 8 bits."""
    return "h264" if layout is None or layout.depth == 8 else "hevc"


def form_of(pixel_format: str) -> tuple[str, int, bool]:
    """(chroma, depth, alpha) of one of the pixel formats that are written."""
    found = _FORM.fullmatch(pixel_format)
    if found is None:
        raise ValueError(f"'{pixel_format}' is never written")
    alpha = bool(found[2]) or found[1] == "argb"
    depth = int(found[4]) if found[4] and found[3] is not None else 8
    if found[1] == "gbr":
        depth = int(found[4] or 8)
    return found[3] or "444", depth, alpha


def _pixel_format(picture: Picture, layout: Layout | None, codec: str, wish: Wish) -> str:
    if layout is None and codec in ("h264", "vp9", "hevc", "av1") and wish.depth == "auto":
        return colour.coded_format(picture)
    return _finest(picture, codec, wish, rgb=layout is not None and layout.rgb)


def _finest(picture: Picture, codec: str, wish: Wish, *, rgb: bool) -> str:
    """The kind of picture of a codec that keeps most of a picture with least beside."""
    chroma, depth = chroma_of(picture), picture.depth if wish.depth == "auto" else int(wish.depth)
    alpha = picture.alpha
    fitting = [name for name in _FORMATS[codec] if codec in _ODD or _fits_size(name, picture)]

    def badness(name: str) -> tuple[int, ...]:
        its_chroma, its_depth, its_alpha = form_of(name)
        return (
            alpha and not its_alpha,
            its_chroma < chroma,
            max(0, depth - its_depth),
            its_alpha and not alpha,
            max(0, its_depth - depth),
            name.startswith("yuv") == rgb,
            its_chroma > chroma,
        )

    return min(fitting, key=badness)


def _fits_size(name: str, picture: Picture) -> bool:
    """Coarse colour needs even sizes; no pixel may be lost."""
    chroma = form_of(name)[0]
    odd_width, odd_height = picture.width % 2, picture.height % 2
    return chroma == "444" or not (odd_width or (odd_height and chroma == "420"))


def kept_by_images(source: Source, output: Path) -> Kept:
    """What image files keep of a source's pictures.

    Raises:
        InputError: HDR of 8 bits is read as screens show it, and OpenEXR holds light as it is.
    """
    layout, suffix = travels_as(source, images=True), output.suffix.lower()
    depth, alpha = (8, False) if layout is None else (layout.depth, layout.alpha)
    if suffix in (".jpg", ".jpeg"):
        return Kept("JPEG", 8, False, "444", False)
    if suffix == ".exr":
        if source.picture.hdr and layout is None:
            raise InputError("HDR of 8 bits cannot become OpenEXR.", "Choose .tif or .png.")
        return Kept("OpenEXR", 32, alpha, "444", False)
    name = "TIFF" if suffix in (".tif", ".tiff") else "PNG"
    return Kept(name, 8 if depth == 8 else 16, alpha, "444", False)
