"""HDR as light: against zimg's conversion, and against what the standards say of single levels."""

from __future__ import annotations

import subprocess
from pathlib import Path

import av
import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from gsmooth_core.errors import InputError
from gsmooth_core.media.encoding.coding import kept_by_images
from gsmooth_core.media.encoding.encode import SegmentWriter
from gsmooth_core.media.encoding.losses import picture_losses
from gsmooth_core.media.pictures.decode import read_planes
from gsmooth_core.media.pictures.light import light_of
from gsmooth_core.media.reading.description import Picture
from gsmooth_core.media.reading.probe import probe_source
from tests.media import made

PQ = "setparams=colorspace=bt2020nc:color_primaries=bt2020:color_trc=smpte2084"
X265 = ("-c:v", "libx265", "-x265-params", "lossless=1:log-level=none")


def _picture(transfer: str, primaries: str = "bt2020") -> Picture:
    return Picture(8, 8, "yuv420p10le", depth=10, transfer=transfer, primaries=primaries)


@pytest.mark.parametrize("primaries", ["bt2020", "smpte432", "bt709"])
def test_pq_is_the_light_that_zimg_makes_of_it(primaries: str) -> None:
    codes = np.random.default_rng(1).integers(0, 52000, (64, 64, 3)).astype("<u2")
    planes = np.ascontiguousarray(codes[..., [1, 2, 0]].transpose(2, 0, 1))
    tags = f"setparams=range=pc:colorspace=gbr:color_primaries={primaries}:color_trc=smpte2084"
    light = "zscale=transfer=linear:primaries=bt709:matrix=gbr:npl=203,format=gbrpf32le"
    command = [
        *(get_ffmpeg_exe(), "-v", "error", "-f", "rawvideo", "-pix_fmt", "gbrp16le"),
        *("-video_size", "64x64", "-i", "-", "-vf", f"{tags},{light}", "-f", "rawvideo", "-"),
    ]
    done = subprocess.run(command, input=planes.tobytes(), capture_output=True, check=True)
    green, blue, red = np.frombuffer(done.stdout, "<f4").reshape(3, 64, 64)
    theirs = np.stack([red, green, blue], -1)
    ours = light_of(codes.astype(np.float32) / np.float32(65535), _picture("smpte2084", primaries))
    assert ours.min() < 0 or primaries == "bt709"
    assert np.abs(ours - theirs).max() < 2e-3 * theirs.max()
    assert np.median(np.abs(ours - theirs)) < 1e-4


def test_white_is_one_and_light_beyond_it_stays() -> None:
    grey = np.array([[0.0] * 3, [0.75] * 3, [1.0] * 3], np.float32)
    black, white, most = light_of(grey, _picture("arib-std-b67")).mean(-1)
    assert abs(black) < 1e-4
    assert white == pytest.approx(1, abs=0.005)  # BT.2408: 75 % of HLG is 203 cd/m2
    assert most == pytest.approx(1000 / 203, rel=1e-3)
    assert light_of(np.full((1, 3), 0.5807, np.float32), _picture("smpte2084")) == pytest.approx(
        np.ones((1, 3)), abs=0.01
    )
    plain = light_of(grey, _picture("bt709"))
    assert plain[2] == pytest.approx([1, 1, 1])


def test_an_hdr_video_becomes_openexr(tmp_path: Path) -> None:
    frames = made.numbered_frames(2, 64, 64)
    path = made.write_video(tmp_path / "v.mov", frames, 25, *X265, "-pix_fmt", "yuv420p10le", vf=PQ)
    source, output = probe_source(path), tmp_path / "out.exr"
    losses = picture_losses(source.picture, kept_by_images(source, output))
    assert [loss.what for loss in losses] == ["range"]
    with SegmentWriter(tmp_path / "made", source.clip, output, stored=True) as writer:
        for planes in read_planes(source.clip):
            writer.write(planes)
    with av.open(str(sorted((tmp_path / "made").iterdir())[0])) as file:
        frame = next(file.decode(video=0))
    assert (frame.format.name, int(frame.color_trc)) == ("gbrpf32le", 8)  # linear
    white = frame.to_ndarray(format="gbrpf32le").max()
    assert 10 < white < 10_000 / 203 * 1.2
    eight = probe_source(made.write_video(tmp_path / "e.mp4", frames, 25, vf=PQ))
    if eight.picture.hdr:
        with pytest.raises(InputError):
            kept_by_images(eight, output)
