"""Colours there and back: one matrix and range for reading and writing, so nothing shifts."""

from __future__ import annotations

from dataclasses import replace

from gsmooth_core.media.reading.description import Picture

# Without these flags swscale takes a fast path that is one level off on average (measured:
# 46.6 dB for RGB -> YUV -> RGB, against 56.1 dB with them).
_EXACT = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"

_SCALER_NAMES = {
    "bt709": "bt709",
    "bt470bg": "bt601",
    "smpte170m": "bt601",
    "fcc": "fcc",
    "smpte240m": "smpte240m",
    "bt2020nc": "bt2020",
    "bt2020c": "bt2020",
}
_HDR = ("smpte2084", "arib-std-b67")
_RGB = ("rgb", "bgr", "argb", "abgr", "0rgb", "0bgr", "gbr", "pal8", "x2rgb", "x2bgr", "mono")


def matrix_of(picture: Picture) -> str:
    """The scaler's name of a picture's colour matrix.

    A missing tag is read as players read it: BT.709 from 720 lines on, BT.601 below.
    """
    untagged = "bt709" if picture.height >= 720 or picture.width >= 1280 else "bt601"
    return _SCALER_NAMES.get(picture.matrix, untagged)


def is_rgb(picture: Picture) -> bool:
    """Whether a picture is stored as RGB, without luma and chroma."""
    return picture.pixel_format.startswith(_RGB)


def progressive(picture: Picture) -> list[str]:
    """Filters that make one frame of both fields, where a source is interlaced."""
    return ["bwdif=mode=send_frame:deint=all"] if picture.interlaced else []


def to_rgb(
    picture: Picture, pixel_format: str = "rgb24", part: tuple[int, int, int, int] | None = None
) -> list[str]:
    """Filters from a source's pictures to RGB of the same size, progressive.

    Args:
        picture: how they are stored.
        pixel_format: the kind of RGB.
        part: left, top, and the first column and row behind what is wanted of each, all even;
            None for all.
    """
    filters = progressive(picture)
    stored = "" if is_rgb(picture) else f":{_yuv('in', picture)}"
    x0, y0, x1, y1 = part or (0, 0, picture.width, picture.height)
    if part:
        filters += [f"crop={x1 - x0}:{y1 - y0}:{x0}:{y0}"]
    size = f"scale={x1 - x0}:{y1 - y0}"
    return [*filters, f"{size}{stored}:out_range=pc:{_EXACT}", f"format={pixel_format}"]


def from_rgb(picture: Picture, pixel_format: str) -> list[str]:
    """Filters from rgb24 to a coded pixel format, with the matrix, range and tags of `picture`."""
    scale = f"scale=in_range=pc:{_yuv('out', picture)}:{_EXACT}"
    return [scale, f"format={pixel_format}", _tags(picture)]


def coded_like(picture: Picture, like: Picture) -> Picture:
    """A picture with another's matrix and range, where both are stored as luma and colour.

    Primaries and curve are those of the light itself, and stay.
    """
    if is_rgb(like) or picture.hdr or like.hdr:
        return picture
    return replace(picture, matrix=like.matrix, full_range=like.full_range)


def into_coded(
    picture: Picture, pixel_format: str, raw: str, given: Picture | None = None
) -> list[str]:
    """Filters from the pictures that an encoder is given to those that it codes.

    Args:
        picture: how they are described in the output.
        pixel_format: how they are coded.
        raw: how they are given: "rgb24", or planes of the source's own.
        given: how these are described; None where as in the output.
    """
    given = given or picture
    same = (given.matrix, given.full_range) == (picture.matrix, picture.full_range)
    if pixel_format.startswith(("rgb", "argb", "gbr")):
        stored = [] if raw.startswith(("rgb", "gbr")) else to_rgb(given)[:-1]
        return [*stored, f"format={pixel_format}"]
    if raw.startswith(("rgb", "gbr")):
        return from_rgb(picture, pixel_format)
    if raw == pixel_format and same:
        return [_tags(picture)]
    # Tagged first, so that the change of depth or sampling knows the range.
    spans = f"{_yuv('in', given)}:{_yuv('out', picture)}"
    scale = [f"scale={spans}:{_EXACT}", f"format={pixel_format}"]
    if made_even(given, raw, pixel_format):
        scale.append(f"crop={given.width}:{given.height}:0:0:exact=1")
    return [_tags(given), *scale, _tags(picture)]


def made_even(picture: Picture, raw: str, pixel_format: str) -> bool:
    """Whether pictures of an odd size are given with one more row or column, which is cut again.

    Else the scaler would stretch colour, whose last sample belongs to half as many pixels.
    """
    odd = picture.width % 2 or picture.height % 2
    return bool(odd) and raw != pixel_format and ("420" in raw or "422" in raw)


def own_tags(picture: Picture) -> str:
    """A filter that tags pictures as a source's own are, whatever its file says beside."""
    matrix, primaries, transfer = map(_tag, picture.own_tags)
    return f"setparams=colorspace={matrix}:color_primaries={primaries}:color_trc={transfer}"


def _tags(picture: Picture) -> str:
    return (
        f"setparams=range={'full' if picture.full_range else 'limited'}"
        f":colorspace={_tag(picture.matrix)}:color_primaries={_tag(picture.primaries)}"
        f":color_trc={_tag(picture.transfer)}"
    )


def coded_picture(picture: Picture) -> Picture:
    """How a source's pictures are described in the output: RGB sources become BT.709."""
    if not is_rgb(picture):
        return replace(picture, interlaced=False)
    return replace(picture, matrix="bt709", primaries="bt709", transfer="bt709", full_range=False)


def coded_format(picture: Picture) -> str:
    """Pixel format of the output: the source's chroma where the size allows it.

    Subsampled chroma needs even sizes, and no pixel may be lost, so odd sizes become 4:4:4.
    HDR transfer curves need 10 bits.
    """
    odd_width, odd_height = picture.width % 2, picture.height % 2
    chroma = (
        "444"
        if "444" in picture.pixel_format or picture.pixel_format.startswith("gbr")
        else ("422" if "422" in picture.pixel_format else "420")
    )
    if odd_width or (odd_height and chroma == "420"):
        chroma = "444"
    return f"yuv{chroma}p" + ("10le" if picture.transfer in _HDR else "")


def _yuv(side: str, picture: Picture) -> str:
    span = "pc" if picture.full_range else "tv"
    return f"{side}_color_matrix={matrix_of(picture)}:{side}_range={span}"


def _tag(name: str) -> str:
    return "unknown" if name == "gbr" else name
