"""An output that is coded as another video is: read by PyAV."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from gsmooth_core.errors import InputError
from gsmooth_core.media import probe, read_frames
from gsmooth_core.media.encoding.encode import SegmentWriter, kept_by
from gsmooth_core.media.encoding.encoders import Wish
from gsmooth_core.media.pictures.decode import read_planes
from gsmooth_core.media.pictures.planes import layout_of
from gsmooth_core.media.reading.probe import probe_source
from tests.media import made

COUNT = 3
LOOKS = {
    "prores-lt": ("mov", ("-c:v", "prores_ks", "-profile:v", 1, "-pix_fmt", "yuv422p10le")),
    "hevc-10": (
        "mp4",
        ("-c:v", "libx265", "-x265-params", "log-level=error", "-pix_fmt", "yuv420p10le"),
    ),
    "h264-full": (
        "mp4",
        ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-color_range", "pc", "-colorspace", "bt709"),
    ),
    "mjpeg": ("mov", ("-c:v", "mjpeg", "-pix_fmt", "yuvj444p")),
}


def _look(folder: Path, name: str) -> Path:
    suffix, options = LOOKS[name]
    vf = "scale=out_range=pc:out_color_matrix=bt709" if "full" in name else "null"
    return made.write_video(
        folder / f"look.{suffix}", made.numbered_frames(COUNT, 64, 48), 25, *options, vf=vf
    )


def _form(path: Path) -> tuple:
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        frame = next(file.decode(stream))
        coder = stream.codec_context
        tags = int(frame.color_range), int(frame.colorspace)
        return coder.codec.canonical_name, coder.profile, frame.format.name, tags


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("deep", [False, True])
def test_codec_profile_and_kind_of_picture_are_the_other_s(
    name: str, deep: bool, tmp_path: Path
) -> None:
    look = _look(tmp_path, name)
    kind = ("-pix_fmt", "yuv422p10le") if deep else ()
    source = made.write_video(tmp_path / "s.mp4", made.numbered_frames(COUNT), 25, *kind)
    read, wish = probe_source(source), Wish(like=look, preset="ultrafast", crf=4)
    target = tmp_path / f"out{look.suffix}"
    layout = layout_of(read.picture)
    with SegmentWriter(target, read.clip, target, wish=wish, stored=True) as writer:
        assert (layout is not None and layout.depth > 8) is deep
        for frame in read_planes(read.clip):
            writer.write(frame)
    found, wanted = _form(target), _form(look)
    assert found[0] == wanted[0]
    assert found[2] == wanted[2]
    assert found[1] == wanted[1] or name.startswith("h264")
    assert kept_by(target, read, wish).depth == (10 if "10le" in wanted[2] else 8)
    if name == "h264-full":
        assert found[3] == wanted[3]
    pairs = zip(read_frames(probe(source)), read_frames(probe(target)), strict=True)
    assert max(np.abs(a.astype(int) - b).mean() for a, b in pairs) < 3


def test_a_look_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    look = made.write_video(
        tmp_path / "l.avi", made.numbered_frames(COUNT), 25, "-c:v", "mpeg4", "-pix_fmt", "yuv420p"
    )
    source = probe_source(made.write_video(tmp_path / "s.mp4", made.numbered_frames(COUNT)))
    with pytest.raises(InputError, match="not written here"):
        kept_by(tmp_path / "o.mp4", source, Wish(like=look))
    prores = _look(tmp_path, "prores-lt")
    with pytest.raises(InputError, match="cannot hold ProRes"):
        kept_by(tmp_path / "o.mp4", source, Wish(like=prores))
