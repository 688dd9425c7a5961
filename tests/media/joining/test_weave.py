"""Copied and made pictures in one stream, read by two independent decoders."""

from __future__ import annotations

import hashlib
import re
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from gsmooth_core.media.encoding.coding import coding_of
from gsmooth_core.media.encoding.encode import SegmentWriter
from gsmooth_core.media.encoding.encoders import Wish
from gsmooth_core.media.joining import copies as copies_module
from gsmooth_core.media.joining.copies import (
    Listing,
    copies,
    listing,
    listings,
    own_number,
    own_references,
    refusal,
    rest_of,
)
from gsmooth_core.media.joining.parameter_sets import (
    OWN_NUMBER,
    Refused,
    before_keys,
    free_number,
    joined,
    references,
)
from gsmooth_core.media.joining.weave import Made, see_alike, weave
from gsmooth_core.media.pictures.decode import read_frames
from gsmooth_core.media.reading.probe import probe_source
from tests.media import made

COUNT, FIRST, END = 96, 40, 56  # of the clip; what is changed
WISH = Wish(preset="superfast", number=OWN_NUMBER)
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-bf", 3, "-x264-params")
X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-bf", 3, "-x265-params")
KINDS = {
    "h264": ("mp4", (*X264, "keyint=16:scenecut=0")),
    "h264-mkv": ("mkv", (*X264, "keyint=16:scenecut=0:b-pyramid=normal")),
    "h264-open": ("mp4", (*X264, "keyint=16:scenecut=0:open-gop=1:min-keyint=16")),
    "hevc": ("mp4", (*X265, "keyint=16:scenecut=0:no-open-gop=1:log-level=error")),
    "hevc-open": ("mov", (*X265, "keyint=16:scenecut=0:open-gop=1:log-level=error")),
    "hevc-mkv": ("mkv", (*X265, "keyint=16:scenecut=0:no-open-gop=1:log-level=error")),
    "prores": ("mov", ("-c:v", "prores_ks", "-pix_fmt", "yuv422p10le")),
    "prores-4444": (
        "mov",
        ("-c:v", "prores_ks", "-profile:v", 4, "-pix_fmt", "yuva444p10le"),
    ),
    "dnxhr": ("mov", ("-c:v", "dnxhd", "-profile:v", "dnxhr_hq", "-pix_fmt", "yuv422p")),
    "mjpeg": ("mov", ("-c:v", "mjpeg", "-q:v", 3, "-pix_fmt", "yuvj420p")),
    "vp9": ("webm", ("-c:v", "libvpx-vp9", "-g", 16, "-cpu-used", 8, "-deadline", "realtime")),
}


def _source(folder: Path, kind: str, fps: Fraction = Fraction(30000, 1001)) -> Path:
    suffix, options = KINDS[kind]
    size = (256, 160) if kind == "dnxhr" else (96, 64)
    return made.write_video(
        folder / f"source.{suffix}", made.numbered_frames(COUNT, *size), fps, *options
    )


def _woven(path: Path, changed: np.ndarray, folder: Path) -> tuple[Path, list]:
    source, wish = probe_source(path), WISH.beside(own_number(path), own_references(path))
    muxer = coding_of(source, {"mp4": "mp4", "mov": "mov", "mkv": "matroska", "webm": "webm"}[
        path.suffix[1:]], wish).muxer  # fmt: skip
    kept = copies(listing(path), changed)
    pieces = []
    for first, end in rest_of(COUNT, kept):
        segment = folder / f"segment_{first}.mp4"
        with SegmentWriter(segment, source.clip, folder / f"o{path.suffix}", wish=wish) as writer:
            for k, frame in enumerate(read_frames(source.clip, first, end - first), first):
                writer.write(255 - frame if changed[k] else frame)
        pieces.append(Made(segment, first, end - first))
    target = folder / f"woven{path.suffix}"
    weave(target, path, kept, pieces, muxer, range(COUNT + 1), 1 / source.clip.fps)
    see_alike(target, source.clip, kept)
    return target, kept


def _hashes(path: Path, *decoder: str) -> list[tuple[int, str]]:
    opened = [*decoder, "-i", str(path), "-map", "0:v", "-f", "framemd5", "-"]
    command = [get_ffmpeg_exe(), "-v", "error", *opened]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return [
        (int(line.split(",")[2]), line.split(",")[-1].strip())
        for line in done.stdout.splitlines()
        if not line.startswith("#")
    ]


def _shown(frame: av.VideoFrame) -> bytes:
    """The samples of a frame, without what pads its rows."""
    size = 2 if frame.format.components[0].bits > 8 else 1
    rows = [np.frombuffer(p, np.uint8).reshape(p.height, p.line_size) for p in frame.planes]
    return b"".join(
        r[:, : size * p.width].tobytes() for r, p in zip(rows, frame.planes, strict=True)
    )


def _by_pyav(path: Path) -> list[tuple[Fraction, str]]:
    with av.open(str(path)) as file:
        return [
            (f.pts * f.time_base, hashlib.sha256(_shown(f)).hexdigest())
            for f in file.decode(video=0)
        ]


def _packets(path: Path) -> list[bytes]:
    """In the order in which they are shown."""
    with av.open(str(path)) as file:
        packets = [(p.pts, bytes(p)) for p in file.demux(video=0) if p.size]
    return [data for _, data in sorted(packets)]


def _frames(kept: list) -> list[int]:
    return [frame for copy in kept for frame in copy.frames if frame >= 0]


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_outside_are_the_source_s_and_play_on(kind: str, tmp_path: Path) -> None:
    path = _source(tmp_path, kind)
    assert refusal(probe_source(path), "mov" if path.suffix == ".mov" else "matroska", Wish()) == ""
    changed = np.zeros(COUNT, bool)
    changed[FIRST:END] = True
    target, kept = _woven(path, changed, tmp_path)
    copied = np.zeros(COUNT, bool)
    for copy in kept:
        copied[copy.first : copy.end] = True
    assert not (copied & changed).any()
    assert copied[:37].all() and copied[72:].all() if "open" not in kind else copied.sum() >= 16
    for read in (_hashes, _by_pyav):
        old, new = read(path), read(target)
        assert len(new) == COUNT
        same = np.array([a[1] == b[1] for a, b in zip(old, new, strict=True)])
        assert same[copied].all()
        assert not same[changed].any()
    times = [float(at) for at, _ in _by_pyav(target)]
    assert np.allclose(times, np.arange(COUNT) * 1001 / 30000, atol=1.1e-3)
    capture, count = cv2.VideoCapture(str(target)), 0
    while capture.read()[0]:
        count += 1
    assert count == COUNT


_FORGETS = ("-c:v", "libopenh264")
"""Another library's decoder: it forgets what it has not shown where stream and room change."""


@pytest.mark.parametrize("kept", [1, 3, 6])
def test_a_decoder_of_another_kind_shows_every_picture(kept: int, tmp_path: Path) -> None:
    known = subprocess.run([get_ffmpeg_exe(), "-decoders"], capture_output=True, check=True)
    if b"libopenh264" not in known.stdout:
        pytest.skip("this ffmpeg has no OpenH264")
    sets = f"keyint=16:scenecut=0:weightp=0:ref={kept}:"
    sets += {1: "bframes=0", 2: "b-pyramid=none", 3: "b-pyramid=none"}.get(kept, "bframes=3")
    options = ("-c:v", "libx264", "-preset", "veryfast", "-x264-params", sets)
    path = made.write_video(
        tmp_path / "source.mp4", made.numbered_frames(COUNT, 96, 64), 25, *options
    )
    assert own_references(path) == kept
    changed = np.zeros(COUNT, bool)
    changed[FIRST:END] = True
    target, copied = _woven(path, changed, tmp_path)
    old, new = (_hashes(each, *_FORGETS) for each in (path, target))
    assert [at for at, _ in new] == list(range(COUNT))
    assert all(old[frame] == new[frame] for frame in _frames(copied))


def test_what_was_woven_is_woven_again(tmp_path: Path) -> None:
    """Its made part is copied like any other: our sets get a number that neither part has."""
    changed = np.zeros(COUNT, bool)
    changed[FIRST:END] = True
    once = _woven(_source(tmp_path, "h264"), changed, tmp_path)[0].rename(tmp_path / "once.mp4")
    assert refusal(probe_source(once), "mp4", Wish()) == ""
    assert own_number(once) == OWN_NUMBER - 1
    twice, kept = _woven(once, np.arange(COUNT) >= 80, tmp_path)
    assert set(range(FIRST, END)) <= set(_frames(kept))
    for read in (_hashes, _by_pyav):
        old, new = read(once), read(twice)
        assert [new[k][1] for k in _frames(kept)] == [old[k][1] for k in _frames(kept)]


def test_a_header_that_uses_all_numbers_leaves_none_for_ours() -> None:
    """Picture sets of the numbers 0 to 31, as exponential-Golomb codes."""
    codes = [f"{number + 1:b}" for number in range(32)]
    bits = [("0" * (len(code) - 1) + code).ljust(32, "1") for code in codes]
    sets = [b"\x68" + int(each, 2).to_bytes(4, "big") for each in bits]

    def header(units: list[bytes]) -> bytes:
        listed = b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)
        return b"\1\x64\0\x1f\xff\xe0" + bytes([len(units)]) + listed

    assert free_number(header([*sets[:7], *sets[8:]])) == 7
    with pytest.raises(Refused, match="all numbers"):
        free_number(header(sets))


@pytest.mark.parametrize("sets", [[], [b"\x67"]])
def test_h264_with_its_sets_in_the_stream_is_refused(sets: list[bytes]) -> None:
    """Streams of the kind avc3 may have none in their header."""
    listed = b"".join(len(unit).to_bytes(2, "big") + unit for unit in sets)
    header = b"\1\x64\0\x1f\xff" + bytes([0xE0 | len(sets)]) + listed + b"\0"
    with pytest.raises(Refused):
        references(header)


@pytest.mark.parametrize("kind", ["h264", "prores", "mjpeg", "vp9", "dnxhr"])
def test_packets_outside_are_the_source_s_bit_by_bit(kind: str, tmp_path: Path) -> None:
    path = _source(tmp_path, kind)
    changed = np.zeros(COUNT, bool)
    changed[FIRST:END] = True
    target, kept = _woven(path, changed, tmp_path)
    old, new = _packets(path), _packets(target)
    assert all(old[frame] == new[frame] for frame in _frames(kept))
    assert len(_frames(kept)) >= 64


def test_hevc_s_packets_outside_gain_parameter_sets_alone(tmp_path: Path) -> None:
    path = _source(tmp_path, "hevc")
    changed = np.zeros(COUNT, bool)
    changed[FIRST:END] = True
    target, kept = _woven(path, changed, tmp_path)
    before = before_keys(listing(path).header)
    old, new = _packets(path), _packets(target)
    assert all(old[frame] == new[frame].removeprefix(before) for frame in _frames(kept))


def test_a_seek_into_a_copied_part_after_a_made_one_shows_the_source(tmp_path: Path) -> None:
    for kind in ("h264", "hevc"):
        folder = tmp_path / kind
        folder.mkdir()
        path = _source(folder, kind)
        changed = np.zeros(COUNT, bool)
        changed[FIRST:END] = True
        target, _kept = _woven(path, changed, folder)
        old = [frame.to_ndarray() for frame in av.open(str(path)).decode(video=0)]
        with av.open(str(target)) as file:
            stream = file.streams.video[0]
            for frame_number in (50, 80, 8, 44, 20, 90):
                file.seek(round(frame_number * 1001 / 30000 / stream.time_base), stream=stream)
                for frame in file.decode(stream):
                    number = round(frame.pts * stream.time_base * 30000 / 1001)
                    if number >= frame_number:
                        break
                if not changed[number] and (number < 32 or number >= 72):
                    assert np.array_equal(frame.to_ndarray(), old[number])


def test_frames_before_an_edit_list_are_made_anew(tmp_path: Path) -> None:
    whole, cut = _source(tmp_path, "h264"), tmp_path / "cut.mp4"
    made.ffmpeg("-ss", "0.2", "-i", whole, "-c", "copy", cut)
    found = listing(cut)
    assert found.hidden.any()
    kept = copies(found, np.zeros(int((~found.hidden).sum()), bool))
    assert kept[0].first == 10  # the next key picture: 16 - 6


def test_a_stretch_that_leans_on_a_changed_frame_loses_what_leans() -> None:
    # I0 P3 b1 b2 | I6 b4 b5 P8 b7 | in the order of decoding: frames 4 and 5 lean on both sides.
    stamps = np.array([0, 3, 1, 2, 6, 4, 5, 8, 7], np.int64)
    plain = np.zeros(len(stamps), bool)
    found = Listing(
        "hevc", b"", Fraction(1, 25), stamps, plain, (0, 4), frozenset({0, 4}), frozenset({4})
    )
    whole = copies(found, plain, 1)
    assert [(c.first, c.end, c.anew) for c in whole] == [(0, 9, False)]
    parted = copies(found, np.arange(9) == 2, 1)
    assert [(c.first, c.end, c.packet, c.frames, c.anew) for c in parted] == [
        (0, 1, 0, (0,), False),
        (6, 9, 4, (6, -1, -1, 8, 7), True),
    ]
    leading = copies(found, np.arange(9) == 5, 1)
    assert [(c.first, c.end) for c in leading] == [(0, 4), (6, 9)]
    assert rest_of(9, leading) == [(4, 6)]


def test_a_group_is_copied_up_to_its_first_changed_frame() -> None:
    # I0 P3 b1 b2 P6 b4 b5 P9 b7 b8: what is decoded before a changed frame does not lean on it.
    stamps = np.array([0, 3, 1, 2, 6, 4, 5, 9, 7, 8], np.int64)
    plain = np.zeros(len(stamps), bool)
    found = Listing("h264", b"", Fraction(1, 25), stamps, plain, (0,), frozenset({0}), frozenset())
    ends = {at: copies(found, np.arange(10) == at, 1) for at in range(10)}
    assert [ends[at][0].end if ends[at] else 0 for at in range(10)] == [
        0,
        1,
        1,
        1,
        4,
        4,
        4,
        7,
        7,
        7,
    ]
    assert ends[8][0].frames == (0, 3, 1, 2, 6, 4, 5)
    cut = Listing("h264", b"", found.tick, stamps, stamps == 9, (0,), found.starts, found.opened)
    assert [(c.first, c.end) for c in copies(cut, plain[:9], 1)] == [(0, 7)]


def test_colours_that_the_file_alone_names_are_not_changed_after_a_seam(tmp_path: Path) -> None:
    """Players and converters go by what pictures say where they say something new."""
    plain, path = _source(tmp_path, "prores"), tmp_path / "tagged.mov"
    with av.open(str(plain)) as file, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(file.streams.video[0])
        stream.codec_context.color_primaries = stream.codec_context.color_trc = 1
        stream.codec_context.colorspace = 1
        for packet in file.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    assert probe_source(path).picture.matrix == "bt709"
    assert probe_source(path).picture.own_tags == ("unknown",) * 3
    changed = np.zeros(COUNT, bool)
    changed[FIRST:END] = True
    target_path, kept = _woven(path, changed, tmp_path)
    old, new = _hashes(path), _hashes(target_path)
    assert all(old[frame] == new[frame] for frame in _frames(kept))


def test_what_cannot_be_copied_is_told(tmp_path: Path) -> None:
    path = _source(tmp_path, "h264")
    source = probe_source(path)
    assert "quality" in refusal(source, "mp4", Wish(quality="crf"))
    assert "HEVC" in refusal(source, "mp4", Wish(codec="hevc"))
    assert "pictures" in refusal(source, "image2", Wish())
    broadcast = tmp_path / "b.ts"
    made.ffmpeg("-i", path, "-c", "copy", broadcast)
    assert "broadcast" in refusal(probe_source(broadcast), "mp4", Wish())


def test_headers_of_one_number_are_refused(tmp_path: Path) -> None:
    header = listing(_source(tmp_path, "h264")).header
    with pytest.raises(Refused):
        joined(header, header)
    for cut in range(len(header) - 8):
        with pytest.raises(Refused):
            joined(header[:cut], header)


def test_two_headers_hold_the_sets_of_both(tmp_path: Path) -> None:
    one = listing(_source(tmp_path, "h264")).header
    clip = probe_source(tmp_path / "source.mp4").clip
    with SegmentWriter(tmp_path / "s.mp4", clip, Path("o.mp4"), wish=WISH) as writer:
        writer.write(np.zeros((64, 96, 3), np.uint8))
    both = joined(one, listing(tmp_path / "s.mp4").header)
    assert both[5] & 31 == 2
    assert len(re.findall(rb"\x67", both)) >= 2


def test_many_files_are_listed_by_few_processes_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [_source(tmp_path, "h264"), tmp_path / "short.mp4", tmp_path / "late.mp4"]
    made.ffmpeg("-i", files[0], "-c", "copy", "-frames:v", "5", files[1])
    made.ffmpeg("-i", files[0], "-c", "copy", "-frames:v", "9", files[2])
    each, calls = [listing(file) for file in files], []
    real = copies_module.remux
    monkeypatch.setattr(copies_module, "_AT_ONCE", 2)
    monkeypatch.setattr(copies_module, "remux", lambda *a: (calls.append(a), real(*a))[1])
    together = listings(files)
    assert len(calls) == 2
    assert [len(one.stamps) for one in together] == [len(each[0].stamps), 5, 9]
    for one, other in zip(together, each, strict=True):
        assert (one.header, one.keys, one.tick) == (other.header, other.keys, other.tick)
        assert np.array_equal(one.stamps, other.stamps)
