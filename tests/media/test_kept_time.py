"""What goes with time around copied pictures: chapters, time code, sound, and an edit list."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from gsmooth_core.media import assemble
from gsmooth_core.media.encoding.encode import SegmentWriter
from gsmooth_core.media.encoding.encoders import Wish
from gsmooth_core.media.joining.carry import Carried
from gsmooth_core.media.joining.copies import copies, listing, own_number, own_references, rest_of
from gsmooth_core.media.joining.weave import Made, weave
from gsmooth_core.media.pictures.decode import read_frames
from gsmooth_core.media.reading.description import describe
from gsmooth_core.media.reading.probe import probe_source
from tests.media import made

FPS, GROUPS = 25, "keyint=16:scenecut=0:bframes=3:b-adapt=0"


@pytest.fixture(scope="module", params=["whole", "edited"])
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds with B-frames; one was cut within a group, so that an edit list hides some."""
    folder = tmp_path_factory.mktemp("kept")
    frames = made.numbered_frames(100)
    plain = made.write_video(folder / "plain.mp4", frames, FPS, "-x264-params", GROUPS, tone=4)
    (folder / "meta.txt").write_text(
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2000\ntitle=One\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=2000\nEND=4000\ntitle=Two\n"
    )
    code = ("-map", "0", "-map_chapters", 1, "-c", "copy", "-timecode", "10:00:00:00")
    made.ffmpeg("-i", plain, "-i", folder / "meta.txt", *code, folder / "whole.mov")
    if request.param == "edited":
        cut = ("-ss", 0.8, "-i", folder / "whole.mov", "-map", "0:v", "-map", "0:a")
        made.ffmpeg(*cut, "-c", "copy", "-timecode", "10:00:00:20", folder / "edited.mov")
    return folder / f"{request.param}.mov"


def _kept(film: Path, folder: Path) -> Path:
    """The film with ten frames made anew."""
    clip = probe_source(film).clip
    changed = np.zeros(clip.frame_count, bool)
    changed[40:50] = True
    kept = copies(listing(film), changed)
    wish = Wish(preset="superfast").beside(own_number(film), own_references(film))
    pieces = []
    for first, end in rest_of(clip.frame_count, kept):
        path = folder / f"segment_{first}.mp4"
        with SegmentWriter(path, clip, folder / "o.mov", wish=wish) as writer:
            for frame in read_frames(clip, first, end - first):
                writer.write(frame)
        pieces.append(Made(path, first, end - first))
    assert kept[0].first < 16
    assert kept[-1].end == clip.frame_count
    woven, output = folder / "woven.mp4", folder / "out.mov"
    weave(woven, film, kept, pieces, "mp4", range(clip.frame_count + 1), 1 / clip.fps)
    carried = Carried(film, 0, clip.fps)
    return assemble([woven], output, clip, clip.frame_count, None, carried, timed=True)


def _shown(path: Path) -> list[tuple[float, int]]:
    with av.open(str(path)) as file:
        return [
            (frame.time, made.number_in(frame.to_ndarray(format="rgb24")))
            for frame in file.decode(video=0)
        ]


def _sounds(path: Path) -> list[tuple[float, bytes]]:
    with av.open(str(path)) as file:
        stream = file.streams.audio[0]
        return [(float(p.pts * stream.time_base), bytes(p)) for p in file.demux(stream) if p.size]


def _chapters(path: Path) -> list[float]:
    with av.open(str(path)) as file:
        return [float(chapter["start"] * chapter["time_base"]) for chapter in file.chapters()]


def test_time_around_copied_pictures_is_the_source_s(film: Path, tmp_path: Path) -> None:
    output = _kept(film, tmp_path)
    old, new = _shown(film), _shown(output)
    begin = old[0][0]
    assert [number for _, number in new] == [number for _, number in old]
    assert np.allclose([at for at, _ in new], np.arange(len(new)) / FPS, atol=1e-4)
    assert describe(output).timecode == describe(film).timecode != ""
    chapters = [max(at - begin, 0) for at in _chapters(film)]
    assert _chapters(output) == pytest.approx(chapters, abs=1.1e-3)
    sounds = {data: at - begin for at, data in _sounds(film)}
    late = [at - sounds[data] for at, data in _sounds(output)]
    assert len(late) > 0.9 * len(sounds) - 40
    assert np.abs(late).max() < 1e-3
    with av.open(str(output)) as file:
        stamps = [p.pts for p in file.demux(video=0) if p.size]
    assert any(later < sooner for sooner, later in pairwise(stamps))


def test_an_edit_list_hides_what_it_hid(film: Path) -> None:
    """That the fixture is what its name says."""
    assert listing(film).hidden.any() == (film.stem == "edited")
