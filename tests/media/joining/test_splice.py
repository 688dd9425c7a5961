"""Frames exchanged in a segment: the others keep every bit, the new ones are the patch's."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from gsmooth_core.media import probe, read_frames
from gsmooth_core.media.encoding.encode import SegmentWriter
from gsmooth_core.media.encoding.encoders import Wish
from gsmooth_core.media.joining.splice import splice
from gsmooth_core.types import Clip, Image
from tests.media import made

COUNT = 12
ALONE = Wish(preset="ultrafast", intra=True)


@pytest.fixture(scope="module", params=["25", "30000/1001"])
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Clip:
    path = tmp_path_factory.mktemp("splice") / "clip.mp4"
    return probe(made.write_video(path, made.numbered_frames(COUNT), Fraction(request.param)))


def _written(path: Path, clip: Clip, output: str, frames: list[Image]) -> None:
    with SegmentWriter(path, clip, Path(output), wish=ALONE) as writer:
        for frame in frames:
            writer.write(frame)


def _decoded(path: Path) -> list[Image]:
    return [frame.copy() for frame in read_frames(probe(path))]


@pytest.mark.parametrize("places", [[0], [COUNT - 1], [3, 4, 5, 9], [0, 5, COUNT - 1]])
def test_only_the_places_change(clip: Clip, tmp_path: Path, places: list[int]) -> None:
    frames = list(made.numbered_frames(COUNT))
    segment, patch = tmp_path / "segment_00000.mp4", tmp_path / "patch.mp4"
    _written(segment, clip, "o.mp4", frames)
    before = _decoded(segment)
    new = [255 - frames[place] for place in places]
    _written(patch, clip, "o.mp4", new)
    wanted = _decoded(patch)
    splice(segment, patch, np.isin(np.arange(COUNT), places), clip.fps)
    after = _decoded(segment)
    for place in range(COUNT):
        expected = wanted[places.index(place)] if place in places else before[place]
        assert np.array_equal(after[place], expected), place
    assert probe(segment).fps == clip.fps
    assert [path.name for path in tmp_path.iterdir()] == ["segment_00000.mp4"]


def test_pictures_are_exchanged_too(clip: Clip, tmp_path: Path) -> None:
    frames = list(made.numbered_frames(COUNT))
    segment, patch = tmp_path / "segment_00000", tmp_path / "patch"
    _written(segment, clip, "o", frames)
    before = [path.read_bytes() for path in sorted(segment.iterdir())]
    _written(patch, clip, "o", [255 - frames[2], 255 - frames[7]])
    new = [path.read_bytes() for path in sorted(patch.iterdir())]
    splice(segment, patch, np.isin(np.arange(COUNT), [2, 7]), clip.fps)
    after = [path.read_bytes() for path in sorted(segment.iterdir())]
    assert after == [*before[:2], new[0], *before[3:7], new[1], *before[8:]]
    assert not patch.exists()


def test_a_frame_is_encoded_alike_wherever_it_stands(clip: Clip, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (COUNT, clip.height, clip.width, 3))
    frames = list((noise * np.linspace(0.1, 1, COUNT)[:, None, None, None]).astype(np.uint8))
    _written(tmp_path / "all.mp4", clip, "o.mp4", frames)
    _written(tmp_path / "some.mp4", clip, "o.mp4", frames[5:8])
    pairs = zip(_decoded(tmp_path / "all.mp4")[5:8], _decoded(tmp_path / "some.mp4"), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)


def test_key_frames_only_where_asked(clip: Clip, tmp_path: Path) -> None:
    counts = []
    for intra in (True, False):
        path = tmp_path / f"{intra}.mp4"
        with SegmentWriter(path, clip, Path("o.mp4"), wish=Wish(intra=intra)) as writer:
            for frame in made.numbered_frames(COUNT):
                writer.write(frame)
        with av.open(str(path)) as file:
            counts.append(sum(packet.is_keyframe for packet in file.demux(video=0) if packet.size))
    assert counts == [COUNT, 1]
