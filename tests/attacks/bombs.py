"""Small files that ask for far more than anybody means: hours, gigabytes, thousands of streams."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from tests.media.made import ffmpeg, numbered_frames, speechlike, write_video, write_wav

FAR = 10_000_000
"""Seconds: a hundred days."""
WIDE = 30_000
"""Pixels on a side that no memory should be taken for: 2.7 GB as RGB."""

Maker = Callable[[Path], Path]


# -- pictures that move ----------------------------------------------------------------------


def _last_frame_far(suffix: str) -> Maker:
    def make(folder: Path) -> Path:
        near = write_video(folder / "near.mkv", numbered_frames(12), 25, "-bf", 0)
        stamp = rf"if(eq(N\,11)\,{FAR}/TB\,PTS)"
        target, clock = folder / f"far{suffix}", ["-video_track_timescale", 100]
        ffmpeg(
            *("-i", near, "-c", "copy", "-bsf:v", f"setts=pts={stamp}:dts={stamp}"),
            *(clock if suffix == ".mp4" else []), target,
        )  # fmt: skip
        return target

    return make


def stated_wide(folder: Path) -> Path:
    """H.264 whose parameter set says that its pictures are 30,000 pixels wide and high."""
    small = write_video(
        folder / "small.h264", numbered_frames(3), 25,
        *("-c:v", "libx264", "-profile:v", "baseline", "-preset", "ultrafast"),
    )  # fmt: skip
    units = small.read_bytes().split(b"\0\0\1")
    kinds = [unit[0] & 31 if unit else 0 for unit in units]
    units[kinds.index(7)] = _parameter_set(WIDE // 16) + b"\0"
    path = folder / "wide.h264"
    path.write_bytes(b"\0\0\1".join(units))
    return path


def _parameter_set(blocks: int) -> bytes:
    """An H.264 sequence parameter set, baseline profile, `blocks` macroblocks wide and high."""
    numbers = [0, 0, 2, 3]  # id, bits of the frame number, order of pictures, references
    bits = "".join(_golomb(n) for n in numbers) + "0" + _golomb(blocks - 1) * 2 + "110" + "01"
    bits += "0" * (-len(bits) % 8)
    return bytes([0x67, 66, 0xC0, 62]) + int(bits, 2).to_bytes(len(bits) // 8, "big")


def _golomb(number: int) -> str:
    binary = f"{number + 1:b}"
    return "0" * (len(binary) - 1) + binary


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of an MP4 file."""
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _countless(count: int, each: int = 200_000) -> Maker:
    """A MOV whose tables state `count` raw pictures of a pixel each, in a megabyte."""

    def make(folder: Path) -> Path:
        raw = ["-c:v", "rawvideo", "-pix_fmt", "rgb24"]
        dots = numbered_frames(2)[:, :1, :1]
        plain = write_video(folder / "plain.mov", dots, 25, *raw).read_bytes()
        size = struct.unpack(">I", plain[(at := plain.index(b"stsz") + 8) : at + 4])[0]
        chunks = -(-count // each)
        tables = {
            b"stts": struct.pack(">IIII", 0, 1, count, 1),
            b"stsc": struct.pack(">IIIII", 0, 1, 1, each, 1),
            b"stsz": struct.pack(">III", 0, size, count),
            b"stco": struct.pack(">II", 0, chunks) + struct.pack(">I", 48) * chunks,
        }
        path, at = folder / "countless.mov", plain.index(b"moov") - 4
        path.write_bytes(plain[:at] + _replaced(plain[at:], tables) + bytes(each * size))
        return path

    return make


def _hours_apart(folder: Path) -> Path:
    """Pictures at 240 a second, then one an hour: a day of frames in three kilobytes."""
    near = write_video(folder / "near.mkv", numbered_frames(60), 25, "-bf", 0, "-g", 1)
    stamp = r"if(lt(N\,37)\,N/240/TB\,(N-36)*3500/TB)"
    target = folder / "day.mp4"
    ffmpeg(
        *("-i", near, "-c", "copy", "-bsf:v", f"setts=pts={stamp}:dts={stamp}"),
        *("-video_track_timescale", 240, target),
    )
    return target


def _many_streams(count: int) -> Maker:
    """An MP4 with its one stream stated `count` times."""

    def make(folder: Path) -> Path:
        plain = write_video(folder / "plain.mp4", numbered_frames(2), 25).read_bytes()
        at = plain.index(b"moov") - 4
        head, moov = plain[:at], plain[at + 8 :]
        trak = moov.index(b"trak") - 4
        size = struct.unpack(">I", moov[trak : trak + 4])[0]
        track = moov[trak : trak + size]
        path = folder / "many.mp4"
        path.write_bytes(head + box(b"moov", moov[:trak], track * count))
        return path

    return make


_FOLDERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


def _replaced(data: bytes, tables: dict[bytes, bytes]) -> bytes:
    """Boxes with other content in some of them; the sizes of those around them follow."""
    made, at = b"", 0
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        inside = data[at + 8 : at + size]
        if kind in _FOLDERS:
            inside = _replaced(inside, tables)
        if kind != b"edts":
            made += box(kind, tables.get(kind, inside))
        at += size
    return made


def _boxes(name: str, content: Callable[[], bytes]) -> Maker:
    def make(folder: Path) -> Path:
        path = folder / f"{name}.mp4"
        path.write_bytes(box(b"ftyp", b"isom\0\0\2\0isomiso2mp41") + content())
        return path

    return make


def _nested(levels: int, kind: bytes) -> bytes:
    data = b""
    for _ in range(levels):
        data = box(kind, data)
    return data


def _nested_tags(levels: int) -> Maker:
    """Matroska: SimpleTag within SimpleTag (67C8), and so on."""

    def make(folder: Path) -> Path:
        plain = write_video(folder / "plain.mkv", numbered_frames(2), 25).read_bytes()
        tag = b""
        for _ in range(levels):
            tag = b"\x67\xc8" + (len(tag) | 1 << 56).to_bytes(8, "big") + tag
        for ids in (b"\x73\x73", b"\x12\x54\xc3\x67"):  # Tag, Tags
            tag = ids + (len(tag) | 1 << 56).to_bytes(8, "big") + tag
        segment = plain.index(b"\x18\x53\x80\x67") + 4  # unknown size, so that more may follow
        path = folder / "nested.mkv"
        path.write_bytes(plain[:segment] + b"\x01" + b"\xff" * 7 + tag + plain[segment + 8 :])
        return path

    return make


# -- pictures that stand ---------------------------------------------------------------------


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


_PNG = b"\x89PNG\r\n\x1a\n"


def png(width: int, height: int, data: bytes, *more: bytes) -> bytes:
    """A PNG file of 8 bits and three channels, whatever its packed data are."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return _PNG + head + b"".join(more) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _file(name: str, content: Callable[[], bytes]) -> Maker:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content())
        return path

    return make


def _jpeg() -> bytes:
    sizes = struct.pack(">BHHB", 8, WIDE, WIDE, 3) + b"\1\x22\0\2\x11\0\3\x11\0"
    head = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xc0"
    scan = b"\xff\xda\0\x0c\3\1\0\2\0\3\0\0\x3f\0"
    return head + struct.pack(">H", 2 + len(sizes)) + sizes + scan + bytes(2000) + b"\xff\xd9"


def _many_scans() -> bytes:
    packed = cv2.imencode(".jpg", numbered_frames(1)[0], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1]
    data = packed.tobytes()
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * 5000 + data[-2:]


def _sparse(name: str, start: bytes) -> Maker:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(start)
        os.truncate(path, 20_000_000_000)  # takes no room on the disk
        return path

    return make


def _bmp() -> bytes:
    head = struct.pack("<2sIHHI", b"BM", 200, 0, 0, 54)
    return head + struct.pack("<IiiHHIIiiII", 40, WIDE, WIDE, 1, 24, 0, 0, 1, 1, 0, 0) + bytes(200)


def _tiff() -> bytes:
    long, short = 4, 3
    tags = [
        (256, long, WIDE), (257, long, WIDE), (258, short, 8), (259, short, 1), (262, short, 1),
        (273, long, 8), (277, short, 1), (278, long, WIDE), (279, long, 900_000_000),
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", name, kind, 1, value) for name, kind, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(200)


def _webp() -> bytes:
    size = (WIDE - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + size + size
    body += b"VP8L" + struct.pack("<I", 8) + b"\x2f" + bytes(7)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _gif(width: int, height: int, frames: int) -> bytes:
    frame = (
        b"\x21\xf9\x04\0\4\0\0\0" + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\2\2\x44\1\0"
    )
    return (
        b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
        + frame * frames + b";"
    )  # fmt: skip


def _apng(frames: int) -> bytes:
    pixel = zlib.compress(b"\0\0\0\0")
    parts = [chunk(b"acTL", struct.pack(">II", frames, 0))]
    control = struct.pack(">IIIIHHBB", 1, 1, 0, 0, 1, 25, 0, 0)
    data = [chunk(b"fcTL", struct.pack(">I", 0) + control), chunk(b"IDAT", pixel)]
    for number in range(1, frames):
        data.append(chunk(b"fcTL", struct.pack(">I", 2 * number - 1) + control))
        data.append(chunk(b"fdAT", struct.pack(">I", 2 * number) + pixel))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    return _PNG + head + b"".join([*parts, *data]) + chunk(b"IEND", b"")


def _deflated(megabytes: int) -> bytes:
    packer, block = zlib.compressobj(9), bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(megabytes)) + packer.flush()


MOVING: dict[str, Maker] = {
    "last frame far, mkv": _last_frame_far(".mkv"),
    "last frame far, mp4": _last_frame_far(".mp4"),
    "last frame far, nut": _last_frame_far(".nut"),
    "a day at 240 frames a second": _hours_apart,
    "h264 that says it is wide": stated_wide,
    "900 streams": _many_streams(900),
    "20,000 streams": _many_streams(20_000),
    "4 million pictures": _countless(4_000_000),
    "80 million pictures": _countless(80_000_000),
    "200 million pictures": _countless(200_000_000),
    "4 billion pictures": _countless(4_000_000_000),
    "moov of 8 EB": _boxes("moov", lambda: struct.pack(">I4sQ", 1, b"moov", 1 << 62) + bytes(99)),
    "free of 16 EB": _boxes("vast", lambda: struct.pack(">I4sQ", 1, b"free", 2**64 - 1)),
    "free of 4 GB": _boxes("free", lambda: struct.pack(">I4s", 2**32 - 1, b"free") + bytes(99)),
    "nested boxes": _boxes("nested", lambda: _nested(3_000, b"moov")),
    "nested tags": _nested_tags(10_000),
    "gif of 100,000 frames": _file("long.gif", lambda: _gif(1, 1, 100_000)),
    "apng of 100,000 frames": _file("long.apng", lambda: _apng(100_000)),
    "gif, wide": _file("wide.gif", lambda: _gif(WIDE, WIDE, 3)),
}
STANDING: dict[str, Maker] = {
    "png, wide": _file("wide.png", lambda: png(WIDE, WIDE, zlib.compress(bytes(1000)))),
    "jpeg, wide": _file("wide.jpg", _jpeg),
    "bmp, wide": _file("wide.bmp", _bmp),
    "tiff, wide": _file("wide.tif", _tiff),
    "webp, wide": _file("wide.webp", _webp),
    "jpeg of 20 GB": _sparse("large.jpg", b"\xff\xd8\xff\xe0"),
    "jpeg gone over 5,000 times": _file("scans.jpg", _many_scans),
    "png whose data is a bomb": _file("bomb.png", lambda: png(64, 64, _deflated(300))),
    "png whose profile is a bomb": _file(
        "profile.png",
        lambda: png(8, 8, zlib.compress(bytes(200)), chunk(b"iCCP", b"x\0\0" + _deflated(200))),
    ),
    "png whose text is a bomb": _file(
        "text.png",
        lambda: png(8, 8, zlib.compress(bytes(200)), chunk(b"zTXt", b"x\0\0" + _deflated(200))),
    ),
}


# -- sound -----------------------------------------------------------------------------------


def apart(codec: str, suffix: str, hours: float, channels: int = 1) -> Maker:
    """Two pieces of sound that the file's clock puts hours apart."""

    def make(folder: Path) -> Path:
        near = folder / f"near{suffix}"
        heard = write_wav(folder / "s.wav", speechlike(0.5, 48000), 48000)
        ffmpeg("-i", heard, "-c:a", codec, "-ac", channels, near)
        stamp = rf"if(gt(N\,4)\,PTS+{3600 * hours}/TB\,PTS)"
        target = folder / f"apart{suffix}"
        ffmpeg("-i", near, "-c", "copy", "-bsf:a", f"setts=pts={stamp}:dts={stamp}", target)
        return target

    return make


def _flac(hours: float, rate: int = 8000) -> bytes:
    """Silence, a frame of 11 bytes for eight seconds of it."""
    size = 65535
    head = struct.pack(">HH", size, size) + bytes(6)  # sizes of blocks, of frames (unknown)
    head += (rate << 44 | 15 << 36 | 0).to_bytes(8, "big") + bytes(16)  # rate, mono, 16 bits
    blocks = (_flac_frame(number, size) for number in range(round(3600 * hours * rate / size)))
    return b"fLaC" + b"\x80\0\0\x22" + head + b"".join(blocks)


def _flac_frame(number: int, size: int) -> bytes:
    start = b"\xff\xf8\x70\x08" + _utf8(number) + struct.pack(">H", size - 1)
    checked = start + bytes([_crc(start, 8, 0x07)]) + b"\0\0\0"  # a subframe: constant, nought
    return checked + struct.pack(">H", _crc(checked, 16, 0x8005))


def _utf8(number: int) -> bytes:
    if number < 0x80:
        return bytes([number])
    if number < 0x800:
        return bytes([0xC0 | number >> 6, 0x80 | number & 63])
    return bytes([0xE0 | number >> 12, 0x80 | number >> 6 & 63, 0x80 | number & 63])


def _crc(data: bytes, bits: int, polynomial: int) -> int:
    top, state = 1 << bits, 0
    for byte in data:
        state ^= byte << bits - 8
        for _ in range(8):
            state = state << 1 ^ (polynomial if state & top >> 1 else 0)
            state &= top - 1
    return state


def wav(
    rate: int = 16000, channels: int = 1, stated: int | None = None, seconds: float = 1.0
) -> bytes:
    """A WAV file whose header may state another length than its data have."""
    data = np.repeat((32000 * speechlike(seconds)).astype("<i2")[:, None], channels, 1).tobytes()
    size = len(data) if stated is None else stated
    form = struct.pack("<HHIIHH", 1, channels, rate, 2 * channels * rate % 2**32, 2 * channels, 16)
    head = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", min(size + 36, 2**32 - 1)) + head + data


SOUND: dict[str, Maker] = {
    "ten hours apart, opus in mkv": apart("libopus", ".mka", 10),
    "ten hours apart, flac in mkv": apart("flac", ".mka", 10),
    "ten hours apart, aac in mp4": apart("aac", ".m4a", 10),
    "ten silent hours": _file("silent.flac", lambda: _flac(10)),
    "1 Hz": _file("slow.wav", lambda: wav(1)),
    "0 Hz": _file("zero.wav", lambda: wav(0)),
    "4 GHz": _file("fast.wav", lambda: wav(2**32 - 1)),
    "999,983 Hz": _file("prime.wav", lambda: wav(999_983)),
    "767,957 Hz": _file("prime.wav", lambda: wav(767_957)),
    "4 GB stated": _file("stated.wav", lambda: wav(stated=2**32 - 1)),
    "200 channels": _file("wide.wav", lambda: wav(channels=200)),
    "30,000 channels": _file("wider.wav", lambda: wav(channels=30_000, seconds=0.01)),
}
