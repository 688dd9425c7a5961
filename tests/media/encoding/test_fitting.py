"""H.264 like the source: fine where the source was fine, and no more than it can be worth."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from gsmooth_core.errors import MediaError
from gsmooth_core.media.encoding.encode import SegmentWriter, segment_path
from gsmooth_core.media.encoding.encoders import Wish
from gsmooth_core.media.encoding.fitting import COARSER, fitted
from gsmooth_core.media.joining.assemble import assemble
from gsmooth_core.media.pictures.decode import read_frames
from gsmooth_core.media.reading.probe import probe
from tests.media import made

FPS = Fraction(30000, 1001)


def _moving(count: int) -> np.ndarray:
    """Soft structure that moves, with noise that a coarse quantiser takes away."""
    noise = np.random.default_rng(3)
    y, x = np.mgrid[:96, :128]
    frames = [128 + 60 * np.sin((x + 2 * t) / 9) * np.cos((y - t) / 7) for t in range(count)]
    grain = noise.normal(0, 6, (count, 96, 128))
    grey = (np.array(frames) + grain).clip(0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, -1)


def _source(folder: Path, crf: int) -> Path:
    return made.write_video(folder / f"{crf}.mp4", _moving(64), FPS, "-crf", crf)


def _sizes(path: Path) -> int:
    with av.open(str(path)) as file:
        return sum(packet.size for packet in file.demux(video=0))


def test_what_was_compressed_hard_takes_no_many_times_its_bytes(tmp_path: Path) -> None:
    hard, output = probe(_source(tmp_path, 34)), tmp_path / "o.mp4"
    wish = fitted(Wish(preset="veryfast"), hard, output, 0, 64)
    assert 14 < wish.crf <= 14 + COARSER
    sizes = []
    for number, its in enumerate((wish, replace(wish, crf=14))):
        path = tmp_path / f"again{number}.mp4"
        with SegmentWriter(path, hard, output, wish=its) as writer:
            for frame in read_frames(hard):
                writer.write(frame)
        sizes.append(_sizes(path) / _sizes(hard.path))
    assert sizes[0] < 0.85 * sizes[1]


def test_what_is_fine_stays_as_fine_as_was_asked(tmp_path: Path) -> None:
    fine = probe(_source(tmp_path, 8))
    assert fitted(Wish(preset="veryfast"), fine, tmp_path / "o.mp4", 0, 64).crf == 14


@pytest.mark.parametrize(("groups", "crf"), [(8, 24), (250, 21)])
def test_a_source_s_key_pictures_are_counted_however_many_there_are(
    groups: int, crf: int, tmp_path: Path
) -> None:
    """A part in the middle of a film, in whose other parts nothing moves."""
    still = np.repeat(_moving(1), 70, 0)
    frames = np.concatenate([still, _moving(64), still])
    path = tmp_path / "film.mp4"
    made.write_video(path, frames, FPS, "-crf", crf, "-g", groups, "-sc_threshold", 0)
    film, output = probe(path), tmp_path / "o.mp4"
    wish = fitted(Wish(preset="veryfast"), film, output, 70, 64)
    assert 14 < wish.crf < 14 + COARSER
    with SegmentWriter(tmp_path / "again.mp4", film, output, wish=wish) as writer:
        for frame in read_frames(film, 70, 64):
            writer.write(frame)
    with av.open(str(path)) as file:
        found = sorted((packet.pts, packet.size) for packet in file.demux(video=0) if packet.size)
    assert _sizes(tmp_path / "again.mp4") == pytest.approx(
        1.5 * sum(size for _, size in found[70:134]), rel=0.15
    )


@pytest.mark.parametrize(
    "wish",
    [Wish(quality="crf"), Wish(intra=True), Wish(codec="hevc")],
    ids=["crf", "intra", "hevc"],
)
def test_what_was_asked_for_is_left_alone(wish: Wish, tmp_path: Path) -> None:
    clip = probe(_source(tmp_path, 34))
    assert fitted(wish, clip, tmp_path / "o.mp4", 0, 64) == wish
    assert fitted(Wish(), clip, tmp_path / "o.png", 0, 64) == Wish()
    assert fitted(Wish(), clip, tmp_path / "o.mp4", 0, 5) == Wish()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_pictures_out_of_order_join_exactly(suffix: str, tmp_path: Path) -> None:
    """Segments of three frames: times that a join rounds would be off by the end."""
    clip, output = probe(_source(tmp_path, 20)), tmp_path / f"o{suffix}"
    segments = []
    for number, first in enumerate(range(0, 63, 3)):
        segments.append(segment_path(tmp_path, number, output))
        with SegmentWriter(segments[-1], clip, output, wish=Wish(preset="veryfast")) as writer:
            for value in range(first, first + 3):
                writer.write(np.full((96, 128, 3), 4 * value, np.uint8))
    assemble(segments, output, replace(clip, has_audio=False), 63)
    with av.open(str(output)) as file:
        packets = [(p.pts, p.dts) for p in file.demux(video=0) if p.size]
    with av.open(str(output)) as file:
        shown = [
            (float(f.pts * f.time_base), f.to_ndarray()[:96].mean()) for f in file.decode(video=0)
        ]
    assert any(later[0] < sooner[0] for sooner, later in pairwise(packets))
    assert all(dts is None or dts <= pts for pts, dts in packets)
    assert np.allclose([at for at, _ in shown], np.arange(63) / float(FPS), atol=6e-4)
    assert (np.diff([grey for _, grey in shown]) > 0).all()


def test_a_trial_that_fails_costs_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object, **_options: object) -> None:
        raise MediaError("its packets cannot be used", "")

    clip = probe(_source(tmp_path, 34))
    monkeypatch.setattr("gsmooth_core.media.encoding.fitting.read_packets", broken)
    wish = Wish(preset="superfast")
    assert fitted(wish, clip, tmp_path / "o.mp4", 0, 64) == wish
