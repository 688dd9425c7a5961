"""Pictures that are held, and pictures that change their size."""

from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.errors import MediaError
from gsmooth_core.media import probe, read_frames
from gsmooth_core.media.encoding.losses import timing_losses
from gsmooth_core.media.reading.probe import probe_source
from tests.media import made


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_last_picture_that_is_held_keeps_its_length(tmp_path, suffix):
    plain = made.write_video(tmp_path / "plain.mp4", made.numbered_frames(10), 25, "-bf", 0)
    held = tmp_path / f"held.{suffix}"
    longer = r"setts=duration=if(eq(N\,9)\,1/TB\,DURATION)"
    made.ffmpeg("-i", plain, "-c", "copy", "-bsf:v", longer, held)
    clip = probe(held)
    assert probe(plain).frame_count == 10
    assert (clip.frame_count, clip.fps) == (34, 25)
    numbers = [made.number_in(frame) for frame in read_frames(clip)]
    assert numbers == [*range(10), *(24 * [9])]
    assert [made.number_in(frame) for frame in read_frames(clip, 20, 3)] == [9, 9, 9]
    assert not timing_losses(probe_source(held).timing)


def test_pictures_that_change_their_size_are_refused_with_the_place(tmp_path):
    frames = made.numbered_frames(8)
    for name, size in (("a", "96:64"), ("b", "128:96")):
        made.write_video(tmp_path / f"{name}.ts", frames, 25, "-g", 4, vf=f"scale={size}")
    both = tmp_path / "both.ts"
    both.write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    clip = probe(both)
    assert probe_source(tmp_path / "a.ts").resized is None
    with pytest.raises(MediaError, match=r"frame 8 \(0\.32 s\)"):
        next(read_frames(clip))
    assert [made.number_in(frame) for frame in read_frames(clip, 0, 8)] == list(range(8))


def test_a_rate_that_varies_is_told(tmp_path):
    plain = made.write_video(tmp_path / "plain.mp4", made.numbered_frames(10), 25)
    late = r"setts=pts=PTS+if(gte(N\,5)\,0.2/TB\,0):dts=DTS+if(gte(N\,5)\,0.2/TB\,0)"
    made.ffmpeg("-i", plain, "-c", "copy", "-bsf:v", late, tmp_path / "varies.mp4")
    told = timing_losses(probe_source(tmp_path / "varies.mp4").timing)
    assert [loss.what for loss in told] == ["timing"]
    assert "5 frames repeat a picture" in told[0].text
    assert np.isclose(float(probe(tmp_path / "varies.mp4").fps), float(Fraction(25)))
